/*
 * Requests: one inference, whoever asks for it.
 *
 * A front end makes a request on its loop, fills in the public part, and hands it to hc_infer()
 * (core/infer.h). From then on the request belongs to the server until its last response:
 * on_response is called on the request's loop, once or (decoupled models) any number of times, the
 * last time with FINAL; after that the request is the front end's again, to be released.
 *
 * Everything that the public part points to comes from the request's pool, or outlives the
 * request. Input data lies in blocks of the model's arena, which the request holds.
 */
#ifndef HC_CORE_REQUEST_H
#define HC_CORE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/text.h"
#include "core/response.h"
#include "core/stats.h"
#include "net/loop.h"
#include "sched/job.h"
#include "tensor/dtype.h"
#include "wire/parameter.h"

struct hc_block;
struct hc_context;
struct hc_instance;
struct hc_model;
struct hc_request;
struct hc_shm_region;
struct hc_waiter;

/* Where in a GPU's memory tensor data is, or may go. */
struct hc_device_place {
    uint64_t address; /* 0: nowhere */
    uint64_t size;
};

/* Where input data is in a client's shared memory. */
struct hc_view {
    struct hc_shm_region *region; /* taken until the request has been answered; NULL: nowhere */
    uint64_t region_offset;       /* of the data in the region */
    int fd;                       /* of the shared memory; open as long; of a GPU's: none */
    uint64_t offset;              /* of the data in the file, or in the region of a GPU's memory */
};

/* Where a client wants an output. */
struct hc_output_place {
    struct hc_shm_region *region; /* in its shared memory; NULL: in the response */
    uint64_t offset;              /* in the region */
    uint64_t size;
    uint64_t address; /* in a GPU's memory, if the model works on it there; 0: it does not */
};

struct hc_input {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
    struct hc_block *block; /* one of the request's; NULL when size is 0 */
    size_t offset;          /* of the data in the block */
    size_t size;
    const char *elsewhere; /* instead of a block, for backends that read in place: it is kept until
                              the request is answered */
    struct hc_device_place place; /* instead of a block, for models that want it there */
    struct hc_view view;          /* likewise */
};

/* A sequence's id: a string when there is one, else a number, 0 for none. */
struct hc_correlation {
    struct hc_text string;
    uint64_t number;
};

enum hc_sequence_flags { HC_SEQUENCE_START = 1, HC_SEQUENCE_END = 2 };

typedef void hc_on_response(struct hc_request *request, struct hc_response *response, bool final);

struct hc_request {
    /* Given by hc_request_create(). */
    struct hc_context *context;
    struct hc_pool pool;
    uint64_t handle; /* finds the request in its context */

    /* Filled in by the front end. */
    struct hc_model *model; /* referenced; released with the request */
    hc_on_response *on_response;
    void *user;
    struct hc_text id;
    const struct hc_wire_parameter *parameters;
    size_t n_parameters;
    struct hc_correlation correlation;
    uint32_t flags; /* enum hc_sequence_flags */
    uint64_t priority;
    uint64_t timeout_us;
    struct hc_input *inputs;
    size_t n_inputs;
    const struct hc_text *outputs; /* requested ones; none: all that the model has */
    size_t n_outputs;
    const struct hc_output_place *output_places; /* by output; NULL: all in the response */
    struct hc_waiter
        *waiters; /* for whom this is a call (core/chain.h); no more when it is queued */
    size_t n_waiters;

    /* Times of hc_clock_ns(). */
    uint64_t received_ns; /* by the front end: the first of it was there */
    uint64_t start_ns;    /* the server took it over */
    uint64_t queued_ns;
    uint64_t dispatched_ns;

    /* For statistics, filled in on the request's loop on the way to its answer. */
    struct hc_stats_times times; /* of the execution; by the backend */
    enum hc_failure failure;     /* why, should it fail; by whoever fails it */
    uint32_t n_responses;        /* counted so far */
    bool cached;                 /* answered from the response cache */
    bool failed;                 /* a response was an error */
    bool uncounted;              /* the server's own, not in the statistics */

    bool overdue; /* its client has not taken responses for too long (core/pause.h) */

    uint32_t batch_size; /* first extent of the inputs, 1 for models without batching */

    /* The server's. */
    struct hc_block **_blocks;
    size_t _n_blocks;
    size_t _first_state;       /* among the inputs (core/state.h) */
    size_t _first_state_block; /* among the blocks: where states go that it does not begin with */
    struct hc_job _job;        /* in the model's queue, or in an execution */
    struct hc_list _instance_link; /* among what the instance has not answered */
    struct hc_instance *_instance; /* that has it */
    struct hc_task _task;          /* for what another thread wants done on the request's loop */
    struct hc_response *_response; /* that _task delivers */
    void *_backend;                /* the backend's */
    struct hc_list _order_link;    /* of a model that preserves the order; what follows as well */
    struct hc_list _held;          /* responses that wait for their turn */
    struct hc_task _order_task;    /* when posted: the turn has come */
    bool _order_posted;
    char *_cache_key; /* of the answer that is waited for; NULL: it is not for the cache */
    size_t _cache_key_size;
    uint64_t _cache_ns; /* that the looking up took */
    bool _cancelled;
    bool _paused;
    struct hc_timer _pause_timer;
};

/* The request whose job is linked there. */
static inline struct hc_request *hc_request_of_job(struct hc_list *link) {
    return hc_list_item(link, struct hc_request, _job.link);
}

/* A fresh request of the calling loop. */
struct hc_request *hc_request_create(struct hc_context *context);

/* Give back all that it holds; NULL is fine. On its loop, and only while it is the front end's. */
void hc_request_release(struct hc_request *request);

/*
 * Memory for input data in the arena of request->model, held by the request; HC_UNAVAILABLE when
 * there is none. *MEMORY is aligned to 64 bytes.
 */
enum hc_code hc_request_alloc(struct hc_request *request, size_t size, struct hc_block **block,
                              char **memory, struct hc_error *error);

/*
 * Hand RESPONSE (NULL: none, for a last one that says only that there are no more) to whoever made
 * the request, and count it. Every response goes this way. Request's loop.
 */
void hc_request_answer(struct hc_request *request, struct hc_response *response, bool final);

/* The end of that way: without waiting for anything. */
void hc_request_deliver(struct hc_request *request, struct hc_response *response, bool final);

/* An error about the request, with the prefix that names it; returns CODE. */
enum hc_code hc_request_error(const struct hc_request *request, enum hc_code code,
                              struct hc_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The place of an output that is wanted in SIZE bytes from OFFSET of REGION. */
struct hc_output_place hc_request_output_place(const struct hc_request *request,
                                               struct hc_shm_region *region, uint64_t offset,
                                               uint64_t size);

/*
 * Leave INPUT, whose data start OFFSET bytes into REGION, where it is, if the model works on it or
 * looks at it there: its place or its view says where. False: it has to be copied.
 */
bool hc_request_leave_input(const struct hc_request *request, struct hc_shm_region *region,
                            uint64_t offset, struct hc_input *input);

/* Whether it was left where it is. */
static inline bool hc_input_is_left(const struct hc_input *input) {
    return input->place.address != 0 || input->view.region != NULL;
}

/* Where the data of an input is; NULL: it has none, or it is in memory that is
 * not the server's. */
const char *hc_request_input_data(const struct hc_request *request, const struct hc_input *input);

#endif
