/*
 * Inference requests and responses as JSON: the KServe v2 protocol with Triton's extensions,
 * between text and plain structs. What an answer depends on beyond the text (the model, shared
 * memory, the binary tensors that follow the JSON) is the caller's business.
 *
 * Errors have the code and the text that Triton 2.51 answers with, in its order: mistakes in the
 * JSON text first, then the id, the parameters, the inputs one by one, the outputs one by one.
 * Where it dies, or reads what it should not, the request is refused.
 *
 * Requests are read into memory of a pool; texts are views of the JSON where they can be, so a
 * request lives as long as both. Names and other strings end at a NUL (\u0000), as they do in
 * Triton. Of members with the same name the first counts; members not mentioned here are ignored.
 * All functions are pure and may be called from any thread.
 */
#ifndef HC_WIRE_INFER_JSON_H
#define HC_WIRE_INFER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "base/text.h"
#include "tensor/dtype.h"
#include "wire/parameter.h"

/* `data` of an input may be nested so deep. */
enum { HC_INFER_JSON_MAX_DEPTH = 100 };

/* Bytes of a shared-memory region; whether it exists and holds them is for the caller to see. */
struct hc_infer_json_region {
    struct hc_text name;
    uint64_t offset;
    uint64_t size;
};

enum hc_infer_json_source {
    HC_INFER_JSON_DATA,   /* `data` in the JSON text */
    HC_INFER_JSON_BINARY, /* bytes after the JSON text */
    HC_INFER_JSON_SHARED, /* bytes in shared memory */
};

/* `data` of an input, checked. */
struct hc_infer_json_data {
    uint64_t n_elements; /* for BYTES those found, not compared with the shape; else the shape's */
    size_t size;         /* bytes of all elements, as hc_infer_json_copy_data() lays them out */
    struct hc_text text;
    const char *elements; /* not for BYTES */
};

struct hc_infer_json_input {
    struct hc_text name;
    struct hc_text datatype; /* as it was spelled */
    enum hc_dtype dtype;     /* HC_DTYPE_INVALID possible unless there are elements in DATA */
    int64_t *dims;           /* negative if beyond INT64_MAX; never with DATA */
    size_t n_dims;
    enum hc_infer_json_source source;
    struct hc_infer_json_data data;     /* DATA */
    uint64_t binary_size;               /* BINARY */
    struct hc_infer_json_region region; /* SHARED */
};

struct hc_infer_json_output {
    struct hc_text name;
    bool binary;             /* `binary_data`; never with a region */
    uint64_t classification; /* how many classes, 0: none asked for; never with a region */
    bool shared;
    struct hc_infer_json_region region;
};

enum hc_infer_json_sequence {
    HC_INFER_JSON_NO_SEQUENCE,
    HC_INFER_JSON_SEQUENCE_NUMBER,
    HC_INFER_JSON_SEQUENCE_STRING,
};

struct hc_infer_json_request {
    struct hc_text id; /* empty if there was none */
    enum hc_infer_json_sequence sequence;
    uint64_t sequence_number;
    struct hc_text sequence_string; /* at most 128 bytes */
    bool sequence_start;
    bool sequence_end;
    uint64_t priority;   /* 0: the default */
    uint64_t timeout_us; /* 0: none */
    bool binary_outputs; /* `binary_data_output`: how outputs that are not listed are sent */
    struct hc_wire_parameter *parameters; /* all others, each name once */
    size_t n_parameters;
    struct hc_infer_json_input *inputs; /* each name once */
    size_t n_inputs;
    struct hc_infer_json_output *outputs; /* each name once; none: all that the model has */
    size_t n_outputs;
};

/* HC_UNAVAILABLE without memory; *REQUEST is untouched on failure. */
enum hc_code hc_infer_json_read(struct hc_text text, struct hc_pool *pool,
                                struct hc_infer_json_request *request, struct hc_error *error);

/*
 * Write the elements of an input whose source is DATA to PLACE, exactly data.size bytes: little
 * endian, row-major, each of BYTES with its length before it. Integers were truncated to the width
 * of their type, as in Triton.
 */
void hc_infer_json_copy_data(const struct hc_infer_json_input *input, void *place);

/*
 * Check that the inputs whose source is BINARY take SIZE bytes together, those that follow the JSON
 * text; they lie there one after the other, in the order of the inputs.
 */
enum hc_code hc_infer_json_check_binary(const struct hc_infer_json_request *request, uint64_t size,
                                        struct hc_text model_name, struct hc_error *error);

/* How a tensor goes out. */
enum hc_infer_json_form {
    HC_INFER_JSON_AS_DATA,   /* as `data` */
    HC_INFER_JSON_AS_BINARY, /* after the JSON text, which only tells the size */
    HC_INFER_JSON_AS_SHARED, /* in shared memory, of which the JSON text says nothing */
};

struct hc_infer_json_tensor {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
    enum hc_infer_json_form form;
    const void *data; /* as above; need not be aligned, is not trusted and may change meanwhile */
    size_t size;
};

struct hc_infer_json_response {
    struct hc_text id; /* left out when empty */
    struct hc_text model_name;
    int64_t model_version;
    const struct hc_wire_parameter *parameters; /* left out when there are none */
    size_t n_parameters;
    const struct hc_infer_json_tensor *outputs;
    size_t n_outputs;
};

/* What is sent where JSON has no word for a value. Zeroed: as Triton does. */
struct hc_infer_json_policy {
    enum {
        HC_INFER_JSON_NAN_AS_NAME, /* NaN, Infinity, -Infinity, which is not JSON */
        HC_INFER_JSON_NAN_AS_NULL,
    } nan;
    enum {
        HC_INFER_JSON_UTF8_AS_IS, /* bytes that are not UTF-8 stay as they are, which is not JSON */
        HC_INFER_JSON_UTF8_REPLACED, /* U+FFFD stands for each */
    } utf8;
};

/*
 * Append the response. HC_INTERNAL when the size of a tensor does not fit its shape (as data),
 * HC_INVALID_ARGUMENT for FP16 and BF16 as data; BUF is as it was then.
 */
enum hc_code hc_infer_json_write(struct hc_buf *buf, const struct hc_infer_json_response *response,
                                 struct hc_infer_json_policy policy, struct hc_error *error);

/* Append `{"error":"…"}`. */
void hc_infer_json_write_error(struct hc_buf *buf, struct hc_text message);

#endif
