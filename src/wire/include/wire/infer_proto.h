/*
 * Inference requests and responses as protocol buffers: inference.ModelInferRequest and
 * ModelInferResponse, of KServe v2 with Triton's extensions, between bytes and plain structs.
 *
 * A request is taken in as it arrives. The tensors in raw_input_contents go where they are used,
 * each byte copied once; all else, which is small unless tensors are in `contents`, is kept
 * together and read at the end, in two steps: what it says (hc_infer_proto_read), which is all
 * that is needed to find the model, and whether that makes sense (hc_infer_proto_check), with the
 * codes and the texts of Triton 2.51.
 *
 * Requests are read into memory of a pool; texts are views of the bytes, which must outlive them.
 * Unknown fields are skipped. All functions are pure and may be called from any thread.
 */
#ifndef HC_WIRE_INFER_PROTO_H
#define HC_WIRE_INFER_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "tensor/dtype.h"
#include "wire/parameter.h"

/* Beyond so many parameters, inputs or outputs a request is refused. */
enum { HC_INFER_PROTO_MAX_ITEMS = 16384 };

/* ---- Taking in ---- */

/*
 * Where the next of raw_input_contents, of SIZE bytes (perhaps 0), is to go: *MEMORY, or NULL when
 * it is not wanted. REST is what was kept so far.
 */
typedef enum hc_code (*hc_infer_proto_place_fn)(void *user, const struct hc_buf *rest, size_t size,
                                                char **memory, struct hc_error *error);

struct hc_infer_proto_intake {
    struct hc_buf rest; /* the message without raw_input_contents */
    hc_infer_proto_place_fn _place;
    void *_user;
    size_t _left;  /* of the message */
    size_t _run;   /* bytes of the field that come next */
    char *_memory; /* where they go, when they are raw */
    bool _raw;
    char _head[20]; /* of a field: its tag, and its number or size */
    unsigned _n_head;
};

/* A message of SIZE bytes follows. The memory of `rest`, zeroed at first, is used again. */
void hc_infer_proto_begin(struct hc_infer_proto_intake *intake, size_t size,
                          hc_infer_proto_place_fn place, void *user);

/* The next bytes, in pieces of any size. What PLACE returns is passed on. */
enum hc_code hc_infer_proto_take(struct hc_infer_proto_intake *intake, struct hc_text bytes,
                                 struct hc_error *error);

/* All of it was taken in: check that it ends where a field does. */
enum hc_code hc_infer_proto_end(const struct hc_infer_proto_intake *intake, struct hc_error *error);

void hc_infer_proto_finish(struct hc_infer_proto_intake *intake);

/* ---- Reading ---- */

enum hc_infer_proto_kind {
    HC_INFER_PROTO_NONE, /* no value was chosen */
    HC_INFER_PROTO_BOOL,
    HC_INFER_PROTO_INT64,
    HC_INFER_PROTO_STRING,
    HC_INFER_PROTO_DOUBLE,
    HC_INFER_PROTO_UINT64,
};

struct hc_infer_proto_parameter {
    struct hc_text name;
    enum hc_infer_proto_kind kind;
    union {
        bool boolean;
        int64_t int64;
        struct hc_text string;
        double real;
        uint64_t uint64;
    };
};

/* Bytes of a shared-memory region; whether it exists and holds them is for the caller to see. */
struct hc_infer_proto_region {
    struct hc_text name;
    uint64_t offset;
    uint64_t size;
};

enum hc_infer_proto_source {
    HC_INFER_PROTO_RAW,      /* the raw_input_contents of number `raw` */
    HC_INFER_PROTO_CONTENTS, /* hc_infer_proto_copy_contents() */
    HC_INFER_PROTO_SHARED,   /* `region` */
};

struct hc_infer_proto_input {
    struct hc_text name;
    struct hc_text datatype;
    enum hc_dtype dtype; /* HC_DTYPE_INVALID possible */
    int64_t *dims;
    size_t n_dims;
    struct hc_infer_proto_parameter *parameters;
    size_t n_parameters;
    bool has_contents;
    struct hc_text contents; /* inference.InferTensorContents */

    /* Found out by hc_infer_proto_check(). */
    enum hc_infer_proto_source source;
    size_t raw;
    size_t contents_size; /* as elements of the tensor */
    struct hc_infer_proto_region region;
};

struct hc_infer_proto_output {
    struct hc_text name;
    struct hc_infer_proto_parameter *parameters;
    size_t n_parameters;

    uint64_t classification; /* how many classes, 0: none asked for */
    bool shared;
    struct hc_infer_proto_region region;
};

struct hc_infer_proto_request {
    struct hc_text model_name;
    struct hc_text model_version;
    struct hc_text id;
    struct hc_infer_proto_parameter *parameters;
    size_t n_parameters;
    struct hc_infer_proto_input *inputs;
    size_t n_inputs;
    struct hc_infer_proto_output *outputs;
    size_t n_outputs;

    struct hc_text sequence_string;
    uint64_t sequence_number;
    bool sequence_start;
    bool sequence_end;
    uint64_t priority;
    uint64_t timeout_us;
    bool empty_final_response;
    struct hc_wire_parameter *custom; /* parameters that mean nothing here */
    size_t n_custom;
};

/* *REQUEST is untouched on failure. */
enum hc_code hc_infer_proto_read(struct hc_text rest, struct hc_pool *pool,
                                 struct hc_infer_proto_request *request, struct hc_error *error);

/* Model name and version alone, empty when they have not come yet; for placing raw contents. */
void hc_infer_proto_peek(struct hc_text rest, struct hc_text *model_name,
                         struct hc_text *model_version);

/* N_RAW raw_input_contents came along. */
enum hc_code hc_infer_proto_check(struct hc_infer_proto_request *request, size_t n_raw,
                                  struct hc_pool *pool, struct hc_error *error);

/* Write the elements of an input whose source is CONTENTS to PLACE, contents_size bytes: little
 * endian, row-major, each of BYTES with its length before it. */
void hc_infer_proto_copy_contents(const struct hc_infer_proto_input *input, char *place);

/* ---- Writing ---- */

struct hc_infer_proto_tensor {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
    size_t size; /* of the data that follow in the message; 0 for shared memory */
};

struct hc_infer_proto_response {
    struct hc_text model_name;
    struct hc_text model_version;
    struct hc_text id;
    const struct hc_wire_parameter *parameters;
    size_t n_parameters;
    const struct hc_infer_proto_tensor *outputs;
    size_t n_outputs;
};

/* What a message is wrapped in. */
enum hc_infer_proto_form {
    HC_INFER_PROTO_ALONE,     /* a ModelInferResponse */
    HC_INFER_PROTO_IN_STREAM, /* a ModelStreamInferResponse around it, with an error when there is
                                 one */
};

/*
 * Append a message, with the prefix that gRPC has before it, to BUF, which is empty, but for the
 * data of its outputs: those of output i belong at offset PLACES[i] of BUF. HC_INVALID_ARGUMENT
 * when the message would be too large for gRPC. The message begins at *BEGIN.
 */
enum hc_code hc_infer_proto_write(struct hc_buf *buf,
                                  const struct hc_infer_proto_response *response,
                                  enum hc_infer_proto_form form, struct hc_text message,
                                  size_t *begin, size_t *places, struct hc_error *error);

#endif
