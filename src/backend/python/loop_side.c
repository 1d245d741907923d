/* What each loop does for a Python model: submit to rings, read replies, deliver responses. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "channel/bell.h"
#include "core/dispatch.h"
#include "core/state.h"
#include "internal.h"
#include "message.h"

/* What is read of one life before others have their turn: its stream may never end. */
enum { MAX_ENTRIES = 128 };

static const uint64_t flush_interval_ns = HC_NS_PER_MS;

/* A response whose tensors lie in the memory that a life has shared with the server. */
struct python_response {
    struct hc_response base;
    struct pyhost *host;    /* referenced */
    struct hc_model *model; /* referenced: its arena may hold outputs */
    unsigned loop_index;    /* whose link takes the release */
    uint32_t block;         /* of the message, in the response arena */
    uint32_t generation;
    size_t n_inputs; /* blocks of the request arena that outputs lie in */
    struct hc_block **inputs;
};

/* A life that breaks the channel's rules is not reasoned with. */
static bool violation(struct pyhost *host, const char *what) {
    hc_log_error("instance '%s' broke the protocol of its channel (%s); it is killed",
                 host->owner->instance->name, what);
    pyhost_kill(host);
    return false;
}

/* Send what did not fit before, as far as it fits now. */
static void flush_events(struct pyhost_link *link) {
    size_t done = 0;
    struct hc_entry entry;
    while (done < link->waiting_events.size) {
        memcpy(&entry, link->waiting_events.data + done, sizeof entry);
        if (!hc_ring_write(&link->rings.events, &entry)) {
            break;
        }
        done += sizeof entry;
    }
    if (done > 0) {
        hc_buf_consume(&link->waiting_events, done);
        hc_ring_publish(&link->rings.events);
    }
}

/* Wake those of the life's threads that wait for a response to a call, or for a pause to end. */
static void announce_response(const struct pyhost *host) {
    struct hc_channel_header *header = host->header;
    hc_bell_announce(&header->event_count, &header->n_event_waiters);
    if (atomic_load(&header->event_fd_armed) != 0 &&
        atomic_exchange(&header->event_fd_armed, 0) != 0) {
        uint64_t one = 1;
        ssize_t n = write(host->events_fd, &one, sizeof one);
        (void)n; /* fails only when the counter is full, and then it is readable */
    }
}

/* Releases wake nobody: the pyhost sees them when it next looks. */
static void send_event(struct pyhost *host, struct pyhost_link *link,
                       const struct hc_entry *entry) {
    flush_events(link);
    if (link->waiting_events.size == 0 && hc_ring_write(&link->rings.events, entry)) {
        hc_ring_publish(&link->rings.events);
    } else {
        hc_buf_append(&link->waiting_events, entry, sizeof *entry);
    }
    if (entry->kind == HC_EVENT_RESPONSE) {
        announce_response(host);
    }
}

static struct pyhost_link *link_of_timer(struct hc_timer *timer) {
    return hc_list_item(timer, struct pyhost_link, flush_timer);
}

/* A full ring of responses that nobody writes to any more is looked at again. */
static void on_flush_due(struct hc_timer *timer) {
    struct pyhost_link *link = link_of_timer(timer);
    flush_events(link);
    announce_response(link->host);
    if (link->waiting_events.size > 0) {
        hc_timer_start(hc_loop_current(), timer, hc_clock_ns() + flush_interval_ns);
    }
}

void loop_side_send_event(struct loop_side *side, struct pyhost *host,
                          const struct hc_entry *entry) {
    struct pyhost_link *link = &host->links[side->loop_index];
    send_event(host, link, entry);
    if (link->waiting_events.size > 0 && !hc_timer_started(&link->flush_timer)) {
        link->flush_timer.on_due = on_flush_due;
        hc_timer_start(hc_loop_current(), &link->flush_timer, hc_clock_ns() + flush_interval_ns);
    }
}

void loop_side_wake(struct loop_side *side, const struct hc_instance *instance) {
    const struct pyhost *host = side->hosts[instance->index].host;
    if (host != NULL) {
        announce_response(host);
    }
}

const char *loop_side_response_memory(const struct pyhost *host, const struct hc_place *place) {
    bool within = place->offset <= host->responses.size &&
                  place->size <= host->responses.size - place->offset;
    return within ? host->responses.base + place->offset : NULL;
}

static void release_block(struct pyhost *host, unsigned loop_index, uint32_t block,
                          uint32_t generation) {
    const struct hc_entry entry = {
        .kind = HC_EVENT_RELEASE,
        .arena = HC_ARENA_RESPONSE,
        .block = block,
        .generation = generation,
    };
    send_event(host, &host->links[loop_index], &entry);
}

static void release_response(struct hc_response *base) {
    struct python_response *response = hc_list_item(base, struct python_response, base);
    for (size_t i = 0; i < response->n_inputs; i++) {
        hc_arena_unref(response->host->pins.arena, response->inputs[i]);
    }
    release_block(response->host, response->loop_index, response->block, response->generation);
    pyhost_unref(response->host);
    hc_model_unref(response->model);
    hc_pool_finish(&base->pool);
    free(response);
}

/* Where an output's data is, once it is certain that all of it may be read. */
static bool resolve(struct python_response *response, const struct hc_place *place,
                    struct hc_output *output) {
    struct pyhost *host = response->host;
    if (place->size == 0) {
        return true;
    }
    if (place->arena == HC_ARENA_RESPONSE) {
        output->data = loop_side_response_memory(host, place);
        return output->data != NULL;
    }
    struct hc_block *block =
        place->arena == HC_ARENA_REQUEST ? pins_find(&host->pins, place) : NULL;
    if (block == NULL) {
        return false;
    }
    response->inputs[response->n_inputs++] = block;
    output->data = hc_arena_file(host->pins.arena)->base + place->offset;
    return true;
}

static bool resolve_outputs(struct python_response *response, const struct hc_place *places) {
    struct hc_response *base = &response->base;
    response->inputs = hc_pool_alloc(&base->pool, base->n_outputs * sizeof *response->inputs);
    for (size_t i = 0; i < base->n_outputs; i++) {
        if (!resolve(response, &places[i], &base->outputs[i])) {
            return false;
        }
    }
    return true;
}

/* The response that ENTRY announces; NULL when it does not hold together. */
static struct hc_response *read_response(struct loop_side *side, struct pyhost *host,
                                         const struct hc_entry *entry) {
    if (entry->arena != HC_ARENA_RESPONSE || entry->offset > host->responses.size ||
        entry->size > host->responses.size - entry->offset || entry->offset % 64 != 0) {
        return NULL;
    }
    struct python_response *response = hc_new(struct python_response);
    response->base.on_release = release_response;
    response->host = host;
    pyhost_ref(host);
    response->model = side->model->model;
    hc_model_ref(response->model);
    response->loop_index = side->loop_index;
    response->block = entry->block;
    response->generation = entry->generation;
    struct hc_place *places = NULL;
    if (hc_message_read(host->responses.base + entry->offset, entry->size, &response->base, &places,
                        NULL) != HC_OK ||
        !resolve_outputs(response, places)) {
        hc_response_release(&response->base);
        return NULL;
    }
    return &response->base;
}

static struct hc_stats_times read_times(const struct hc_entry *entry) {
    return (struct hc_stats_times){
        .compute_start_ns = entry->start_ns,
        .compute_input_end_ns = entry->start_ns,
        .compute_output_start_ns = entry->end_ns,
        .compute_end_ns = hc_clock_ns(),
    };
}

/*
 * The model wants to see the request again: it gets a new message, since Python may still hold the
 * old one, in which the sequence no longer begins.
 */
static bool reschedule(struct loop_side *side, struct hc_request *request) {
    struct hc_arena *arena = side->model->model->arena;
    struct hc_block *message;
    struct hc_error error;
    if (hc_message_copy(arena, request->_backend, &message, &error) != HC_OK) {
        hc_dispatch_answered(request);
        python_discard(request);
        hc_request_answer(request, hc_response_error(error.code, hc_text_of(error.message)), true);
        return true;
    }
    hc_message_of(arena, message)->flags &= ~(uint32_t)HC_SEQUENCE_START;
    hc_dispatch_take_back(request);
    hc_arena_unref(arena, request->_backend);
    request->_backend = message;
    hc_dispatch_again(request);
    return true;
}

static bool on_response(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    struct hc_context *context = &side->model->server->contexts[side->loop_index];
    struct hc_request *request = hc_context_find(context, entry->handle);
    if (request == NULL || !hc_dispatch_has(request, host->owner->instance)) {
        return violation(host, "a response to a request that it does not have");
    }
    if ((entry->flags & HC_REPLY_RESCHEDULE) != 0) {
        return reschedule(side, request);
    }
    struct hc_response *response = NULL;
    if (entry->size > 0) {
        response = read_response(side, host, entry);
        if (response == NULL) {
            return violation(host, "a response that does not hold together");
        }
        if (response->code == HC_OK) {
            atomic_store_explicit(&host->succeeded, true, memory_order_relaxed);
        }
    }
    bool final = (entry->flags & HC_REPLY_FINAL) != 0;
    request->times = read_times(entry);
    response = hc_state_keep(request, response);
    if (final) {
        hc_dispatch_answered(request);
        python_discard(request);
    }
    hc_request_answer(request, response, final);
    return true;
}

static bool on_executed(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    struct side_host *side_host = &side->hosts[host->owner->instance->index];
    const struct hc_stats_times times = read_times(entry);
    if (side_host->n_executions == 0 ||
        !hc_dispatch_executed(host->owner->instance, entry->handle, &times)) {
        return violation(host, "an execution that it does not have has ended");
    }
    side_host->n_executions--;
    loop_side_settle(side);
    return true;
}

static bool on_skipped(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    struct side_host *side_host = &side->hosts[host->owner->instance->index];
    if (side_host->n_executions == 0) {
        return violation(host, "an execution that it does not have was skipped");
    }
    pins_release_execution(&host->pins, entry->handle);
    side_host->n_executions--;
    loop_side_settle(side);
    return true;
}

/* A guest runs nothing and answers nothing. */
static bool is_for_guests(const struct hc_entry *entry) {
    return entry->kind == HC_REPLY_RELEASE || entry->kind == HC_REPLY_CALL ||
           entry->kind == HC_REPLY_CALL_CANCEL;
}

static bool on_entry(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    if (host->guest_of != NULL && !is_for_guests(entry)) {
        return violation(host, "a reply that is not a guest's");
    }
    switch (entry->kind) {
    case HC_REPLY_RESPONSE:
        return on_response(side, host, entry);
    case HC_REPLY_EXECUTED:
        return on_executed(side, host, entry);
    case HC_REPLY_SKIPPED:
        return on_skipped(side, host, entry);
    case HC_REPLY_RELEASE:
        return pins_release(&host->pins, entry->block, entry->generation) ||
               violation(host, "a release of memory that it does not hold");
    case HC_REPLY_CALL:
        return calls_begin(side, host, entry) ||
               violation(host, "a call that does not hold together");
    case HC_REPLY_CALL_CANCEL:
        calls_cancel(&host->links[side->loop_index], entry->handle);
        return true;
    default:
        return violation(host, "an unknown reply");
    }
}

/* Read what the life has answered on this loop; whether there was something. */
static bool drain(struct loop_side *side, struct pyhost *host) {
    struct pyhost_link *link = &host->links[side->loop_index];
    struct hc_entry entry;
    enum hc_ring_state state = HC_RING_EMPTY;
    size_t n = 0;
    while (n < MAX_ENTRIES &&
           (state = hc_ring_pop(&link->rings.replies, &entry)) == HC_RING_ENTRY) {
        n++;
        if (!on_entry(side, host, &entry)) {
            return true;
        }
    }
    if (state == HC_RING_CORRUPT) {
        violation(host, "a corrupt ring");
    }
    if (link->waiting_events.size > 0) {
        flush_events(link);
    }
    return n > 0;
}

/* All that is there now; whoever still writes while that is read is not waited for. */
static void drain_all(struct loop_side *side, struct pyhost *host) {
    for (unsigned i = 0; i <= HC_REPLIES_CAPACITY / MAX_ENTRIES && drain(side, host); i++) {
    }
}

static struct loop_side *side_of(struct hc_poller *poller) {
    return hc_list_item(poller, struct loop_side, poller);
}

static struct pyhost *guest_at(struct hc_list *link) {
    return hc_list_item(link, struct pyhost, guest_link);
}

static bool poll_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    bool any = false;
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        any = (host != NULL && drain(side, host)) || any;
    }
    hc_list_each (link, &side->guests) {
        any = drain(side, guest_at(link)) || any;
    }
    return any;
}

static struct hc_ring *replies_of(const struct loop_side *side, struct pyhost *host) {
    return &host->links[side->loop_index].rings.replies;
}

static bool arm_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    bool any = false;
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        any = (host != NULL && hc_ring_arm(replies_of(side, host))) || any;
    }
    hc_list_each (link, &side->guests) {
        any = hc_ring_arm(replies_of(side, guest_at(link))) || any;
    }
    return any;
}

static void disarm_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        if (host != NULL) {
            hc_ring_unarm(replies_of(side, host));
        }
    }
    hc_list_each (link, &side->guests) {
        hc_ring_unarm(replies_of(side, guest_at(link)));
    }
}

void loop_side_init(struct loop_side *side, struct python_model *model, unsigned loop_index) {
    *side = (struct loop_side){
        .poller = {.poll = poll_replies, .arm = arm_replies, .disarm = disarm_replies},
        .model = model,
        .loop_index = loop_index,
    };
    hc_list_init(&side->guests);
}

void loop_side_finish(struct loop_side *side) {
    free(side->hosts);
}

void loop_side_expect(struct loop_side *side) {
    if (side->n_expected++ == 0) {
        hc_poller_activate(side->model->server->contexts[side->loop_index].loop, &side->poller);
    }
}

void loop_side_settle(struct loop_side *side) {
    if (--side->n_expected == 0) {
        hc_poller_deactivate(&side->poller);
    }
}

/* Pin what the pyhost may read for one of an execution's requests. */
static struct hc_message_request *pin_message(struct pins *pins, const struct hc_request *request,
                                              uint64_t execution_id) {
    struct hc_block *block = request->_backend;
    struct hc_message_request *message = hc_message_of(pins->arena, block);
    hc_message_put_states(request);
    pins_add(pins, block, request->_blocks, request->_n_blocks, execution_id);
    message->next = 0;
    return message;
}

static uint64_t message_place(const struct hc_request *request) {
    const struct hc_block *block = request->_backend;
    return block->offset;
}

/* Chain the messages of the execution. Returns the first's place. */
static uint64_t chain(struct pins *pins, struct hc_execution *execution) {
    struct hc_message_request *before = NULL;
    hc_list_each (link, &execution->requests) {
        struct hc_request *request = hc_request_of_job(link);
        struct hc_message_request *message = pin_message(pins, request, execution->id);
        if (before != NULL) {
            before->next = message_place(request);
        }
        before = message;
    }
    const struct hc_request *first = hc_request_of_job(execution->requests.next);
    atomic_store_explicit(&hc_message_of(pins->arena, first->_backend)->state,
                          HC_MESSAGE_QUEUED_WITH(execution->n_requests), memory_order_relaxed);
    return message_place(first);
}

bool loop_side_set_state(const struct hc_execution *execution, uint32_t state) {
    if (hc_list_empty(&execution->requests)) {
        return false;
    }
    const struct hc_request *first = hc_request_of_job(execution->requests.next);
    if (message_place(first) != execution->backend_place) {
        return false;
    }
    struct hc_message_request *message = hc_message_of(first->model->arena, first->_backend);
    uint32_t expected = HC_MESSAGE_QUEUED_WITH(execution->n_requests);
    return atomic_compare_exchange_strong(&message->state, &expected, state);
}

bool loop_side_extend(struct loop_side *side, struct hc_instance *instance,
                      struct hc_execution *execution, struct hc_request *request) {
    struct pins *pins = &side->hosts[instance->index].host->pins;
    const struct hc_request *last = hc_request_of_job(execution->requests.previous);
    const struct hc_block *block = request->_backend;
    pin_message(pins, request, execution->id);
    hc_message_of(pins->arena, last->_backend)->next = block->offset;
    if (!loop_side_set_state(execution, HC_MESSAGE_QUEUED_WITH(execution->n_requests + 1))) {
        pins_release(pins, block->index, block->generation);
        return false;
    }
    return true;
}

void loop_side_submit(struct loop_side *side, struct hc_instance *instance,
                      struct hc_execution *execution) {
    struct side_host *side_host = &side->hosts[instance->index];
    struct pyhost *host = side_host->host;
    execution->backend_place = chain(&host->pins, execution);
    const struct hc_entry entry = {
        .kind = HC_WORK_EXECUTE,
        .handle = execution->id,
        .offset = execution->backend_place,
        .arena = HC_ARENA_REQUEST,
    };
    struct pyhost_link *link = &host->links[side->loop_index];
    if (!hc_ring_write(&link->rings.work, &entry)) {
        violation(host, "it does not take its work off the ring");
        return; /* its death gives the requests back */
    }
    hc_ring_publish(&link->rings.work);
    side_host->n_executions++;
    loop_side_expect(side);
}

/* The control loop's side always listens: calls may come there at any time. */
static bool always_listens(const struct loop_side *side) {
    return side->loop_index == side->model->n_loops - 1;
}

/* Instances may be added while the model serves. */
static void make_room(struct loop_side *side, size_t index) {
    if (index >= side->n_hosts) {
        side->hosts = hc_realloc(side->hosts, (index + 1) * sizeof *side->hosts);
        memset(side->hosts + side->n_hosts, 0, (index + 1 - side->n_hosts) * sizeof *side->hosts);
        side->n_hosts = index + 1;
    }
}

void loop_side_adopt(struct loop_side *side, struct pyhost *host) {
    pyhost_ref(host);
    make_room(side, host->owner->instance->index);
    if (always_listens(side)) {
        loop_side_expect(side);
    }
    side->hosts[host->owner->instance->index].host = host;
}

/* Nobody waits there for what is on its way. */
static void forget(struct loop_side *side, struct pyhost *host) {
    calls_abandon(&host->links[side->loop_index]);
    hc_timer_stop(&host->links[side->loop_index].flush_timer);
}

void loop_side_drop(struct loop_side *side, struct pyhost *host) {
    struct side_host *side_host = &side->hosts[host->owner->instance->index];
    drain_all(side, host);
    for (; side_host->n_executions > 0; side_host->n_executions--) {
        loop_side_settle(side);
    }
    if (always_listens(side)) {
        loop_side_settle(side);
    }
    forget(side, host);
    side_host->host = NULL;
    pyhost_unref(host);
}

void loop_side_adopt_guest(struct loop_side *side, struct pyhost *host) {
    pyhost_ref(host);
    loop_side_expect(side);
    hc_list_append(&side->guests, &host->guest_link);
}

void loop_side_drop_guest(struct loop_side *side, struct pyhost *host) {
    drain_all(side, host);
    hc_list_remove(&host->guest_link);
    loop_side_settle(side);
    forget(side, host);
    pyhost_unref(host);
}
