/* How long a call waits for what its client has begun to send. */
#include "base/clock.h"
#include "call.h"

/* A client may pause for so long, once; every so many bytes earn it a second more. */
static const uint64_t timeout_ns = 60 * HC_NS_PER_S;
enum { BYTES_PER_S = 500 };

/* Streams may rest between messages. */
static bool awaits_client(const struct grpc_call *call) {
    return !hc_grpc_between_messages(&call->cutter) ||
           (call->method->kind->only_message && call->n_messages == 0);
}

static void on_due(struct hc_timer *timer) {
    struct grpc_call *call = hc_list_item(timer, struct grpc_call, patience);
    grpc_call_end(call, HC_DEADLINE_EXCEEDED, HC_TEXT("the message took too long to arrive"));
}

void grpc_patience_update(struct grpc_call *call, size_t n_received) {
    if (!awaits_client(call)) {
        hc_timer_stop(&call->patience);
        return;
    }
    struct hc_loop *loop = hc_http2_loop(call->stream);
    uint64_t most_ns = hc_loop_now_ns(loop) + timeout_ns;
    if (!hc_timer_started(&call->patience)) {
        call->patience.on_due = on_due;
        call->patience_until_ns = most_ns;
    } else {
        call->patience_until_ns += n_received * (HC_NS_PER_S / BYTES_PER_S);
    }
    if (call->patience_until_ns > most_ns) {
        call->patience_until_ns = most_ns;
    }
    hc_timer_start(loop, &call->patience, call->patience_until_ns);
}
