/* What a loop reads from its rings: responses, ends of executions, calls. */
#include "base/clock.h"
#include "base/log.h"
#include "core/dispatch.h"
#include "core/state.h"
#include "internal.h"
#include "message.h"

/* What is read of one life before others have their turn: its stream may never end. */
enum { MAX_ENTRIES = 128 };

bool loop_side_violation(struct pyhost *host, const char *what) {
    hc_log_error("instance '%s' broke the protocol of its channel (%s); it is killed",
                 host->owner->instance->name, what);
    pyhost_kill(host);
    return false;
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
        return loop_side_violation(host, "a response to a request that it does not have");
    }
    if ((entry->flags & HC_REPLY_RESCHEDULE) != 0) {
        return reschedule(side, request);
    }
    struct hc_response *response = NULL;
    if (entry->size > 0) {
        response = loop_side_read_response(side, host, request, entry);
        if (response == NULL) {
            return loop_side_violation(host, "a response that does not hold together");
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
        return loop_side_violation(host, "an execution that it does not have has ended");
    }
    side_host->n_executions--;
    loop_side_settle(side);
    return true;
}

static bool on_skipped(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    struct side_host *side_host = &side->hosts[host->owner->instance->index];
    if (side_host->n_executions == 0) {
        return loop_side_violation(host, "an execution that it does not have was skipped");
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
        return loop_side_violation(host, "a reply that is not a guest's");
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
               loop_side_violation(host, "a release of memory that it does not hold");
    case HC_REPLY_CALL:
        return calls_begin(side, host, entry) ||
               loop_side_violation(host, "a call that does not hold together");
    case HC_REPLY_CALL_CANCEL:
        calls_cancel(&host->links[side->loop_index], entry->handle);
        return true;
    default:
        return loop_side_violation(host, "an unknown reply");
    }
}

bool loop_side_drain(struct loop_side *side, struct pyhost *host) {
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
        loop_side_violation(host, "a corrupt ring");
    }
    if (link->waiting_events.size > 0) {
        loop_side_flush(link);
    }
    return n > 0;
}

/* Whoever still writes meanwhile is not waited for. */
void loop_side_drain_all(struct loop_side *side, struct pyhost *host) {
    for (unsigned i = 0; i <= HC_REPLIES_CAPACITY / MAX_ENTRIES && loop_side_drain(side, host);
         i++) {
    }
}
