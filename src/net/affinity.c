/* Which core a loop's thread runs on. */
#include "affinity.h"

#include <sched.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { APART_FOR_SURE = 4 };

/* How long a loop stays where it has moved to, at least. */
static const uint64_t rest_ns = 20 * HC_NS_PER_MS;

void hc_affinity_spin_begins(struct hc_affinity *affinity, uint64_t now_ns) {
    affinity->wanted = affinity->spun_ns > now_ns - affinity->spun_until_ns;
}

void hc_affinity_spun(struct hc_affinity *affinity, uint64_t began_ns, uint64_t ended_ns) {
    affinity->spun_ns = ended_ns - began_ns;
    affinity->spun_until_ns = ended_ns;
}

bool hc_affinity_judge(struct hc_affinity *affinity, bool apart, uint64_t now_ns) {
    if (!apart) {
        affinity->n_apart -= affinity->n_apart > 0;
        return false;
    }
    affinity->n_apart += affinity->n_apart < APART_FOR_SURE;
    if (affinity->n_apart < APART_FOR_SURE || now_ns - affinity->moved_ns < rest_ns) {
        return false;
    }
    affinity->moved_ns = now_ns;
    affinity->n_apart = 0;
    return true;
}

int hc_affinity_input_core(int fd) {
    int core;
    socklen_t size = sizeof core;
    return getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &core, &size) == 0 ? core : -1;
}

void hc_affinity_move(int core) {
    cpu_set_t all;
    cpu_set_t one;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0 ||
        !CPU_ISSET(core, &all)) {
        return;
    }
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
        sched_setaffinity(0, sizeof all, &all);
    }
}
