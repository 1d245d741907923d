/* Executions on their way to a pyhost: chained in the arena, and put into its ring. */
#include "channel/layout.h"
#include "internal.h"
#include "message.h"

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
        loop_side_violation(host, "it does not take its work off the ring");
        return; /* its death gives the requests back */
    }
    hc_ring_publish(&link->rings.work);
    side_host->n_executions++;
    loop_side_expect(side);
}
