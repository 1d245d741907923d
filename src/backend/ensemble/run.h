/*
 * Runs: requests on their way through an ensemble. Private to this library; see backend/ensemble.h.
 *
 * Everything of a run happens on the loop of its request. A run lives until the last of its steps
 * has ended, which may be after its request was answered: with the first error.
 */
#ifndef HC_BACKEND_ENSEMBLE_RUN_H
#define HC_BACKEND_ENSEMBLE_RUN_H

#include "core/request.h"
#include "plan.h"

/* What keeps tensors in place: a step's response, or a block of the ensemble's own inputs. */
struct holder {
    struct hc_response *response; /* NULL: a block */
    struct hc_arena *arena;
    struct hc_block *block;
    size_t n_users;
};

enum value_state {
    VALUE_AWAITED,
    VALUE_THERE,
    VALUE_ABSENT, /* and will not come: an optional input, an output that the model left out */
};

/* What a tensor is in one set. */
struct value {
    enum value_state state;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
    const char *data;
    size_t size;
    struct holder *holder; /* NULL: there is no data */
};

struct run;

/* The tensors that belong together: those of the request, or of one decoupled response. */
struct wave {
    struct hc_list link; /* among the run's */
    struct run *run;
    size_t n_uses; /* by calls, and by who is at work on it */
    size_t n_due;  /* calls that will give more values of this very set */
    bool answered; /* all of the ensemble's outputs were there */
    bool *started; /* by step */
    struct value values[];
};

struct run {
    struct hc_request *request; /* NULL: answered */
    struct hc_model *model;     /* the ensemble, referenced */
    const struct plan *plan;
    struct hc_model **models; /* of the steps, referenced */
    bool *needed;             /* by step: somebody wants what it gives */
    size_t *n_in_flight;      /* by step */
    struct hc_list waves;     /* in the order of their responses */
    struct hc_list calls;     /* struct call, by link: what runs */
    size_t n_uses;            /* the run goes when there are none */
    uint64_t batch_size;
    struct hc_stats_times sums; /* of the steps; durations, as if they had begun at 0 */
    uint64_t queued_ns;         /* of the steps, likewise */
};

/* A request to a step's model. */
struct call {
    struct hc_list link;
    struct run *run;
    struct wave *wave;
    size_t step;
    struct hc_request *request;
    struct holder **holders; /* of the inputs that are read where they are */
    size_t n_holders;
};

/* ---- start.c ---- */

/* Run REQUEST, which has been checked; as hc_infer() says. */
enum hc_code run_start(struct hc_request *request, struct hc_error *error);

/* ---- run.c ---- */

/* Answer what is there, start what can be started, end the run if it is over. */
void run_advance(struct run *run);

/* One use less. */
void run_unuse(struct run *run);

/* Nobody waits for REQUEST, which runs. */
void run_cancel(struct hc_request *request);

/* hc_backend.pause: those that it is made of that run now are paused. */
void run_pause(struct hc_request *request, bool paused);

/* By step.c: the call goes into the books of its run, and out of them. */
void run_add_call(struct call *call);
void run_remove_call(struct call *call);

/* By step.c: a response to the call. RESPONSE (NULL: none) is taken over. */
void run_on_response(struct call *call, struct hc_response *response, bool final);

/* ---- wave.c ---- */

/* A wave behind PLACE in its run's list, in which nothing is there yet. */
struct wave *wave_add(struct run *run, struct hc_list *place);
void wave_free(struct wave *wave);

/* One use less; a wave that is answered and not used any more goes. */
void wave_unuse(struct wave *wave);

/* The inputs of the request become values. */
void wave_set_inputs(struct wave *wave);

/* The outputs of a step in RESPONSE, which is taken over, become values. */
void wave_take_outputs(struct wave *wave, size_t index, struct hc_response *response);

/* Whether that step may start: it is needed, has not started, and its inputs are there. */
bool wave_is_ready(const struct wave *wave, size_t step);

/* That step has started: drop its inputs that nobody else needs. */
void wave_drop_unused(struct wave *wave, size_t index);

/* Whether all is there that the client wants. */
bool wave_is_complete(const struct wave *wave);

/* ---- step.c ---- */

/* Have a step run on the values of its wave; on failure nothing was begun. */
enum hc_code step_start(struct wave *wave, size_t step, struct hc_error *error);

/* ---- answer.c ---- */

/* Whether the client wants the ensemble's output of that index. */
bool answer_has(const struct run *run, size_t output);

/* The response to the request from its outputs in WAVE. */
struct hc_response *answer_make(struct wave *wave);

/* One user less. */
void holder_release(struct holder *holder);

/* DIMS as a model with the given inner extents expects them: with a batch dimension of 1 in front,
 * or without one, where that makes the difference. From the pool when they had to be made. */
const int64_t *dims_for(struct hc_pool *pool, int64_t max_batch_size, size_t n_inner,
                        const struct value *value, size_t *n_dims);

#endif
