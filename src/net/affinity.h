/*
 * Which core a loop's thread runs on, when there are fewer cores than threads that want one.
 *
 * A thread that spins hardly ever sleeps, so the kernel, which places threads as they wake up,
 * leaves it where it is. If a client then shares its core with the instance whose replies the loop
 * waits for, that stays so: the two take turns while the loop's core does nothing but look. It is
 * the loop that has time to spare, so it is the loop that should share with the client. The kernel
 * tells on which core input arrived (SO_INCOMING_CPU): over the loopback interface that is the
 * sender's. A loop that finds itself *apart*, which is to say input from a core that an instance it
 * waits for runs on, several times more often than not, moves there; the kernel then takes one of
 * the others away. The thread's set of cores stays as it was.
 *
 * Where moving does not help, because all want cores for themselves, it is tried less and less
 * often. In the loop's thread.
 */
#ifndef HC_NET_AFFINITY_H
#define HC_NET_AFFINITY_H

#include <stdbool.h>
#include <stdint.h>

struct hc_affinity {
    bool wanted;       /* the next input is to be looked at: set by a loop that spins */
    unsigned n_apart;  /* inputs that came from elsewhere, less those that did not; never below 0 */
    uint64_t moved_ns; /* when the loop moved last */
    uint64_t rest_ns;  /* for how long it stays after that */
};

/* Another input came at NOW_NS: whether to move to its core now. */
bool hc_affinity_judge(struct hc_affinity *affinity, bool apart, uint64_t now_ns);

/* The core that input of socket FD arrived on, if it is not the calling thread's; or -1. */
int hc_affinity_input_core(int fd);

/* Have the calling thread go on running on CORE, if it is one of those that it may use. */
void hc_affinity_move(int core);

#endif
