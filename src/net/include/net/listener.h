/*
 * A listening TCP socket, whose connections are spread over loops.
 *
 * All of them are accepted on the first loop, and each is handed to the loop that has the least
 * load at that moment: few connections, as SO_REUSEPORT alone would spread them, end up unevenly.
 * When the process or the machine has no descriptors left, accepting pauses, is logged once, and
 * goes on when there are some again; the clients wait in the backlog.
 */
#ifndef HC_NET_LISTENER_H
#define HC_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "net/loop.h"

struct hc_listener;

struct hc_listener_config {
    const char *address;          /* IPv4, IPv6 ("::" takes both), or a name */
    uint16_t port;                /* 0: the kernel chooses */
    bool reuse_port;              /* share the port with other processes that do the same */
    struct hc_loop *const *loops; /* copied */
    size_t n_loops;

    /*
     * FD is a new connection, non-blocking and without Nagle's delay, and from now on the callee's.
     * Called in the thread of LOOP, whose load was counted up by one already; whoever closes the
     * connection counts it down.
     */
    void (*on_accept)(void *data, struct hc_loop *loop, int fd, const struct hc_address *peer);
    void *data;
};

/*
 * Bind, listen, and accept as soon as the first loop runs. Any thread. The error for a port that
 * somebody has is HC_UNAVAILABLE "Socket '0.0.0.0:8000' already in use ", blank included, as Triton
 * says it.
 */
enum hc_code hc_listener_create(const struct hc_listener_config *config,
                                struct hc_listener **listener, struct hc_error *error);

/*
 * Hand a connection that came about in another way to a loop, as if it had been accepted. FD is
 * non-blocking. Any thread, and not after the listener's end has begun.
 */
void hc_listener_adopt(struct hc_listener *listener, int fd, const struct hc_address *peer);

/* The port that it is bound to. */
uint16_t hc_listener_port(const struct hc_listener *listener);

/*
 * Close the socket and forget the listener (NULL: nothing). In the first loop's thread, or when
 * that loop will not run any more. Connections on their way to other loops arrive there before any
 * task that the caller posts afterwards.
 */
void hc_listener_destroy(struct hc_listener *listener);

#endif
