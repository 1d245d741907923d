/*
 * Which core a loop's thread runs on, when there are fewer cores than threads that want one.
 *
 * A thread that spins hardly ever sleeps, so the kernel, which places threads as they wake up,
 * leaves it where it is. If the instance whose replies the loop waits for then shares its core with
 * a client, that stays so: the two take turns while the loop's core does nothing but look. If it
 * shares the loop's, looking takes turns with working while the client's core is half idle. It is
 * the loop that has time to spare, so it is the loop that should share with the client. The kernel
 * tells on which core input arrived (SO_INCOMING_CPU): over the loopback interface that is the
 * sender's. A loop is *apart* when input comes from another core and an instance that it waits for
 * runs on that core or on its own. A loop that finds itself apart several times more often than not
 * moves to where the input comes from; the kernel then takes one of the others away. The thread's
 * set of cores stays as it was. A loop that works for longer than it spins has no time to spare and
 * stays. In the loop's thread.
 */
#ifndef HC_NET_AFFINITY_H
#define HC_NET_AFFINITY_H

#include <stdbool.h>
#include <stdint.h>

struct hc_affinity {
    bool wanted;            /* the next input is to be looked at */
    unsigned n_apart;       /* inputs while apart, less those while not; never below 0 */
    uint64_t moved_ns;      /* when the loop moved last */
    uint64_t spun_ns;       /* how long the last spin took */
    uint64_t spun_until_ns; /* and when it ended: work began */
};

/* A spin begins at NOW_NS: input is to be looked at if the last one took longer than all since. */
void hc_affinity_spin_begins(struct hc_affinity *affinity, uint64_t now_ns);

/* It lasted from BEGAN_NS until there was something to do, or sleep, at ENDED_NS. */
void hc_affinity_spun(struct hc_affinity *affinity, uint64_t began_ns, uint64_t ended_ns);

/* Another input came at NOW_NS: whether to move to its core now. */
bool hc_affinity_judge(struct hc_affinity *affinity, bool apart, uint64_t now_ns);

/* The core that input of socket FD arrived on, or -1. */
int hc_affinity_input_core(int fd);

/* Have the calling thread go on running on CORE, if it is one of those that it may use. */
void hc_affinity_move(int core);

#endif
