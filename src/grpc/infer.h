/*
 * One inference: a message taken in as it arrives, run, and answered.
 *
 * Raw tensors go straight into the model's arena, which takes knowing the model: its name comes
 * before them in what every client sends. Where it does not they wait on the heap.
 */
#ifndef HC_GRPC_INFER_H
#define HC_GRPC_INFER_H

#include "call.h"
#include "core/request.h"
#include "shm/shm.h"
#include "wire/infer_proto.h"

extern const struct grpc_kind grpc_model_infer;
extern const struct grpc_kind grpc_model_stream_infer;

/* One of raw_input_contents. */
struct grpc_raw {
    struct hc_block *block; /* NULL: it is on the heap, or empty */
    char *heap;             /* of the inference; NULL: it is not there */
    size_t size;
};

struct grpc_infer;

/*
 * As hc_on_response. RESPONSE is the callee's. After a final one the inference has nothing to do
 * any more and may be finished.
 */
typedef void (*grpc_on_answer)(struct grpc_infer *infer, struct hc_response *response, bool final);

struct grpc_infer {
    struct hc_context *context;
    grpc_on_answer on_answer;
    void *user;
    struct hc_request *request;
    struct hc_infer_proto_intake intake;
    struct hc_infer_proto_request proto; /* once it is read */
    struct grpc_raw *raws;
    size_t n_raws; /* kept */
    size_t n_raws_sent;
    size_t raws_capacity;
    size_t size;                           /* of the message */
    struct hc_shm_region **input_regions;  /* one an input; NULL: it is not in shared memory */
    struct hc_shm_region **output_regions; /* likewise, of the outputs that are asked for */
    bool sought;                           /* the model, for the raw tensors */
    bool running;
};

/* INFER is zeroed but for what the caller keeps in it. A message of SIZE bytes follows. */
void grpc_infer_begin(struct grpc_infer *infer, struct hc_context *context, size_t size,
                      grpc_on_answer on_answer, void *user);
enum hc_code grpc_infer_take(struct grpc_infer *infer, struct hc_text bytes,
                             struct hc_error *error);

/* infer_intake.c's part of beginning and finishing. */
void grpc_infer_begin_intake(struct grpc_infer *infer);
void grpc_infer_finish_intake(struct grpc_infer *infer);

/* All of the message is there: read it. `proto` says what it is; the model may be unknown yet. */
enum hc_code grpc_infer_read(struct grpc_infer *infer, struct hc_error *error);

/* Find the model; not if it was found already. */
enum hc_code grpc_infer_find_model(struct grpc_infer *infer, struct hc_error *error);

/* Have it run, with the headers of CALL; on_answer comes after this has returned, or before. */
enum hc_code grpc_infer_run(struct grpc_infer *infer, const struct grpc_call *call,
                            struct hc_error *error);

/* Nobody waits any more: on_answer comes as usual if it runs. */
void grpc_infer_cancel(struct grpc_infer *infer);

/* Give back what it holds; it does not run. */
void grpc_infer_finish(struct grpc_infer *infer);

/*
 * infer_outputs.c: put the outputs of RESPONSE into the form that is asked for: classes, or the
 * client's shared memory.
 */
enum hc_code grpc_infer_convert(const struct grpc_infer *infer, struct hc_response *response,
                                struct hc_error *error);

/* Whether the output with that name goes to shared memory. */
bool grpc_infer_is_shared(const struct grpc_infer *infer, struct hc_text name);

/* infer_response.c: send a response of INFER, which is handed over even on failure. */
enum hc_code grpc_infer_respond(struct grpc_infer *infer, struct grpc_call *call,
                                struct hc_response *response, struct hc_error *error);

/*
 * The same in a stream, where FINAL is said along with it. RESPONSE may be NULL, for one that only
 * says that there are no more. A failure is a response with a message; one that RAN says which
 * model it was.
 */
enum hc_code grpc_infer_respond_in_stream(struct grpc_infer *infer, struct grpc_call *call,
                                          struct hc_response *response, bool final,
                                          struct hc_error *error);
void grpc_infer_fail_in_stream(struct grpc_infer *infer, struct grpc_call *call,
                               struct hc_text message, bool ran, bool final);

#endif
