/*
 * What the files of the Python backend know of each other.
 */
#ifndef HC_BACKEND_PYTHON_INTERNAL_H
#define HC_BACKEND_PYTHON_INTERNAL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "channel/channel.h"
#include "channel/control.h"
#include "channel/spin.h"
#include "core/context.h"
#include "core/model.h"
#include "core/server.h"
#include "environment.h"
#include "net/loop.h"
#include "process.h"

struct python_instance;
struct python_model;

/* ---- pins.c: blocks of the request arena that a pyhost was given and has not released ---- */

struct pins {
    struct hc_arena *arena;
    pthread_mutex_t *lock; /* the model's: blocks may change hands between its pyhosts */
    struct hc_list list;
};

void pins_init(struct pins *pins, struct hc_arena *arena, pthread_mutex_t *lock);

/* Pin a request's message and inputs for an execution. */
void pins_add(struct pins *pins, struct hc_block *message, struct hc_block *const *blocks,
              size_t n_blocks, uint64_t execution_id);

/* The pyhost released the message with that index and generation; false when it has none such. */
bool pins_release(struct pins *pins, uint32_t index, uint32_t generation);

/* Release what was pinned for one execution, or everything. */
void pins_release_execution(struct pins *pins, uint64_t execution_id);
void pins_release_all(struct pins *pins);

/* A reference to the pinned block that PLACE lies in; NULL when it lies in none. */
struct hc_block *pins_find(struct pins *pins, const struct hc_place *place);

/* ---- pyhost.c: one life ---- */

enum pyhost_state {
    PYHOST_STARTING, /* imports the model */
    PYHOST_IMPORTED, /* initialises it */
    PYHOST_READY,
    PYHOST_DEAD,
};

/* Whether the loops know a life. */
enum pyhost_adoption { PYHOST_UNKNOWN, PYHOST_BEING_ADOPTED, PYHOST_ADOPTED, PYHOST_BEING_DROPPED };

struct pyhost_link {
    struct pyhost *host;
    struct hc_link rings;
    struct hc_buf waiting_events; /* struct hc_entry each, for which the ring had no room */
    struct hc_timer flush_timer;  /* started while there are some */
    struct hc_list calls;         /* calls.c: not yet answered */
};

struct pyhost {
    atomic_uint references; /* the instance, each loop's side, each response not yet released */
    struct python_instance *owner;
    struct hc_memfile channel;
    struct hc_memfile responses; /* mapped read-only */
    struct hc_channel_header *header;
    int events_fd; /* wakes the pyhost's event loops, where it has any */
    struct pins pins;
    struct pyhost *guest_of;   /* of a guest's: the life that it is a child of; else NULL */
    struct hc_list guest_link; /* among the guests of the control loop's side */
    size_t n_links;
    struct pyhost_link *links; /* each touched by its loop alone */
    atomic_bool succeeded;     /* has answered a request */

    /* Control thread. */
    enum pyhost_state state;
    enum pyhost_adoption adoption;
    struct process process;
    bool forked_from_template; /* which has imported the model */
    bool asked;                /* whether it is ready, and has not answered */
    uint64_t round;            /* of checks, in which it was asked */
    char *death;               /* why it died, in words */
    struct hc_list guests;     /* children that ask other models (guests.c) */
    size_t n_guests;
    struct hc_watch
        door_watch;          /* its descriptor is the door that they come by; -1: there is none */
    struct hc_list families; /* of metrics, which it has opened (families.c) */
    uint64_t last_family;
};

/* Start a process for the instance. Callbacks below follow on the control thread. */
enum hc_code pyhost_start(struct python_instance *owner, struct pyhost **host,
                          struct hc_error *error);
void pyhost_ref(struct pyhost *host);
void pyhost_unref(struct pyhost *host);

/* Have an imported pyhost initialise its model. */
void pyhost_initialize(struct pyhost *host);

/* Kill it and all its children; its death follows. Of a guest: its parent. Any thread. */
void pyhost_kill(struct pyhost *host);

/* The descriptors that an end of the channel is made of; returns how many. */
size_t pyhost_end_fds(const struct pyhost *host, int fds[HC_CONTROL_MAX_FDS]);

/* Memory and rings for a child of PARENT: a life without a process of its own. One reference. */
enum hc_code pyhost_create_guest(struct pyhost *parent, struct pyhost **host,
                                 struct hc_error *error);

/* ---- guests.c: children of a pyhost that ask other models. Control thread. ---- */

/* *MODELS_END is what the pyhost gets of the door: the caller's. */
enum hc_code guests_open_door(struct pyhost *host, int *models_end, struct hc_error *error);
void guests_close(struct pyhost *host);

/* Have a process import the model, and complete its config if COMPLETE; call its preload. */
enum hc_code pyhost_send_start(struct process *process, const struct python_model *model,
                               bool complete, struct hc_error *error);
enum hc_code pyhost_send_preload(struct process *process, const struct python_model *model,
                                 struct hc_error *error);

/* ---- template.c: the process that has a model's preload behind it ---- */

/*
 * Whether the file of the model mentions preload, and then a template is to be tried. It is looked
 * for in the text, since only importing would tell for sure.
 */
bool template_is_wanted(const struct hc_model *model);

/* Start it: one of the calls to lives_on_template_…() below follows. */
enum hc_code template_start(struct python_model *model, struct hc_error *error);

/* ---- check.c: whether the model says itself that it is ready ---- */

struct checks {
    struct hc_list waiters;
    struct hc_timer timer;
    uint64_t round;
    size_t n_left; /* instances that have not answered; 0: no round is going on */
    bool ready;    /* so far */
};

void checks_init(struct checks *checks);

/* Ask every instance, or wait for the answer of those that are being asked. */
void checks_ask(struct python_model *model, void (*on_checked)(void *user, bool ready), void *user);

void checks_on_answer(struct pyhost *host, struct hc_text body);
void checks_on_death(struct pyhost *host);

/* ---- watchdog.c: instances that are stuck ---- */

/* If the model wants one; before its instances start. */
enum hc_code watchdog_start(struct python_model *model, struct hc_error *error);
void watchdog_stop(struct python_model *model);

/* ---- loop_side.c ---- */

/* One loop's side of a model. */
struct loop_side {
    struct hc_poller poller; /* active while anything is expected */
    struct python_model *model;
    unsigned loop_index;
    size_t n_expected;     /* requests of this loop in flight, and executions submitted by it */
    struct hc_list guests; /* pyhosts; of the control loop's side alone */
    struct side_host {
        struct pyhost *host; /* NULL: none adopted */
        size_t n_executions; /* submitted by this loop and not yet heard of */
    } *hosts;                /* by instance */
    size_t n_hosts;
};

void loop_side_init(struct loop_side *side, struct python_model *model, unsigned loop_index);
void loop_side_finish(struct loop_side *side);
void loop_side_expect(struct loop_side *side);
void loop_side_settle(struct loop_side *side);

/* On the side's loop: know a life from now on; hear its last words and forget it. */
void loop_side_adopt(struct loop_side *side, struct pyhost *host);
void loop_side_drop(struct loop_side *side, struct pyhost *host);

/* On the control loop: the same for a guest, at once. */
void loop_side_adopt_guest(struct loop_side *side, struct pyhost *host);
void loop_side_drop_guest(struct loop_side *side, struct pyhost *host);

/* ---- loop_submit.c ---- */

void loop_side_submit(struct loop_side *side, struct hc_instance *instance,
                      struct hc_execution *execution);

/* Have the request run with the execution; false when the pyhost has started that. */
bool loop_side_extend(struct loop_side *side, struct hc_instance *instance,
                      struct hc_execution *execution, struct hc_request *request);

/*
 * With the model locked: change the state of an execution (channel/layout.h) that still waits at a
 * pyhost. False, when the pyhost has started it. Pairs with the pyhost's claim.
 */
bool loop_side_set_state(const struct hc_execution *execution, uint32_t state);

/* ---- loop_events.c ---- */

/* Send an event, now or when there is room. Responses wake those who wait for them. */
void loop_side_send_event(struct loop_side *side, struct pyhost *host,
                          const struct hc_entry *entry);

/* Wake those of the instance's threads that wait for an event. */
void loop_side_wake(struct loop_side *side, const struct hc_instance *instance);

/* The server no longer reads that block of the life's response arena. */
void loop_side_release(struct pyhost *host, unsigned loop_index, uint32_t block,
                       uint32_t generation);

/* Send what did not fit before, as far as it fits now. */
void loop_side_flush(struct pyhost_link *link);

/* ---- loop_replies.c ---- */

/* Read some of what the life has answered on this loop, or all of it that is there now; whether
 * there was something. */
bool loop_side_drain(struct loop_side *side, struct pyhost *host);
void loop_side_drain_all(struct loop_side *side, struct pyhost *host);

/* A life that breaks the channel's rules is killed: WHAT says how it did. False, always. */
bool loop_side_violation(struct pyhost *host, const char *what);

/* ---- loop_response.c ---- */

/* The response to the request that ENTRY announces; NULL when it does not hold together. */
struct hc_response *loop_side_read_response(struct loop_side *side, struct pyhost *host,
                                            const struct hc_request *request,
                                            const struct hc_entry *entry);

/* Where PLACE of the life's response arena is; NULL when it does not lie in it. */
const char *loop_side_response_memory(const struct pyhost *host, const struct hc_place *place);

/* ---- views.c: what models see of clients' shared memory ---- */

/* The input of the request that PLACE lies in; NULL: none. */
const struct hc_view *views_find(const struct hc_request *request, const struct hc_place *place);

/*
 * Put the output's data, at PLACE in VIEW, where the client wants it in its shared memory, or in
 * the pool. HC_INTERNAL: the client has cut its memory short.
 */
enum hc_code views_deliver(const struct hc_request *request, const struct hc_view *view,
                           const struct hc_place *place, struct hc_pool *pool,
                           struct hc_output *output, struct hc_error *error);

/* Where in a GPU's memory the model itself may put the output NAME; NULL: nowhere. */
const struct hc_output_place *views_find_gpu_place(const struct hc_request *request,
                                                   struct hc_text name);

/* ---- calls.c: requests that models make ---- */

/*
 * On the side's loop: the model makes the call that ENTRY announces, or is no longer interested in
 * it. False when that does not hold together.
 */
bool calls_begin(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry);
void calls_cancel(struct pyhost_link *link, uint64_t id);

/* The life has ended: nobody waits for the answers to its calls. */
void calls_abandon(struct pyhost_link *link);

/* ---- questions.c: what models ask about models ---- */

/* Control thread. Begin to answer the question in FRAME; false when it is none. */
bool questions_begin(struct pyhost *host, const struct hc_control_frame *frame);

/* Answer the question that a life has asked. */
struct cJSON;
void questions_answer(struct pyhost *host, const struct cJSON *body);

/* ---- families.c: metrics that models make for themselves ---- */

/* Control thread, all of them. The same for what is said about metrics. */
bool families_begin(struct pyhost *host, const struct hc_control_frame *frame);

/* Close all of FAMILIES; put them among those that are KEPT. */
void families_close(struct hc_list *families);
void families_keep(struct hc_list *families, struct hc_list *kept);

/* ---- A model and its instances ---- */

struct python_instance {
    struct hc_instance *instance;
    struct python_model *model;
    struct pyhost *host; /* NULL: between two lives */
    struct hc_timer restart_timer;
    bool comes;          /* started while the model serves, and has not been ready */
    bool leaves;         /* told to end while the model serves */
    unsigned n_failures; /* lives in a row that ended before a success */

    /* The watchdog's. */
    uint64_t watched_execution; /* 0: none */
    uint64_t watched_since_ns;
    bool condemned;
};

struct python_model {
    struct hc_model *model;
    struct hc_server *server;
    struct loop_side *sides; /* by loop */
    pthread_mutex_t pins_lock;
    size_t n_loops;
    struct environment *environment;
    struct checks checks;
    struct hc_list families; /* of metrics, opened by lives that have died (families.c) */
    uint64_t execution_timeout_ns;
    struct hc_timer watchdog;
    struct process template; /* has run preload; instances are forked from it */
    bool wants_template;     /* it is the way to start instances */
    bool template_alive;     /* it was started and has not ended */
    bool has_template;       /* it waits to be forked */
    size_t n_starting; /* instances that have not yet been ready once, while the model loads */
    bool loading;
    bool config_complete; /* the model's own completion was heard, or is not wanted */
    bool stopping;
    bool abandoned;             /* no instance is started any more */
    struct hc_error load_error; /* code HC_OK: none so far */
};

/* ---- lives.c: when instances start, start again, and end. Control thread. ---- */

/* Start the instance's life, or have it started later. */
void lives_start(struct python_instance *own);

/* Start whatever is meant to live, does not, and does not wait for its next life. */
void lives_start_missing(struct python_model *model);

void lives_on_restart_due(struct hc_timer *timer); /* the instance's restart_timer */

/* Tell a ready pyhost to finalise and end; others are killed, they have nothing to finish. */
void lives_stop(struct pyhost *host);
void lives_kill_all(struct python_model *model);

/* Have the model's loading fail, when all that was started has ended. */
void lives_fail_loading(struct python_model *model, const struct hc_error *error);

/* When the last instance has ended, the template follows, and then the model is unloaded. */
void lives_finish_unloading(struct python_model *model);

/* With the last instance of an abandoned model goes the hope of what is queued. */
void lives_fail_if_abandoned(struct python_model *model);

/* By pyhost.c. */
void lives_on_imported(struct pyhost *host, const char *completed_config); /* NULL: none */
void lives_on_ready(struct pyhost *host);
void lives_on_death(struct pyhost *host);

/*
 * By template.c: the model is imported, and makes that of its config (NULL: nothing). False: the
 * model cannot be served.
 */
bool lives_complete(struct python_model *model, const char *completed_config);
/* By template.c: it waits to be forked; it has ended, was ready until then or not, and why. */
void lives_on_template_ready(struct python_model *model);
void lives_on_template_end(struct python_model *model, bool was_ready, const char *death);

/* ---- handover.c ---- */

/* Have every loop do STEP with the life, then the control thread DONE. */
void pyhost_hand_over(struct pyhost *host,
                      void (*step)(struct loop_side *side, struct pyhost *host),
                      void (*done)(struct pyhost *host));

/* ---- python.c ---- */

/* By loop_replies.c: the request is no longer the backend's. */
void python_discard(struct hc_request *request);

/* Wakes loop INDEX when a pyhost has replied. */
int python_event_fd(unsigned index);

/* What is put before the lines that the model prints; NULL: nothing. */
static inline const char *python_prefix(const struct python_model *model) {
    return model->server->options.prefix_output ? model->model->name : NULL;
}

static inline struct python_instance *python_instance_at(const struct python_model *model,
                                                         size_t index) {
    return model->model->instances[index]->backend;
}

static inline struct python_model *python_model_of(const struct hc_model *model) {
    return model->backend_model;
}

#endif
