/* Which core a loop's thread runs on. */
#include "affinity.h"

#include <sched.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { APART_FOR_SURE = 4 };

static const uint64_t least_rest_ns = 20 * HC_NS_PER_MS;
static const uint64_t most_rest_ns = HC_NS_PER_S;

/* Having to move again within this many rests shows that the last move was of no use. */
enum { RESTS_OF_USE = 8 };

static void move_at(struct hc_affinity *affinity, uint64_t now_ns) {
    bool of_use = now_ns - affinity->moved_ns > RESTS_OF_USE * affinity->rest_ns;
    uint64_t rest_ns = of_use ? least_rest_ns : 2 * affinity->rest_ns;
    affinity->rest_ns = rest_ns < most_rest_ns ? rest_ns : most_rest_ns;
    affinity->moved_ns = now_ns;
    affinity->n_apart = 0;
}

bool hc_affinity_judge(struct hc_affinity *affinity, bool apart, uint64_t now_ns) {
    if (!apart) {
        affinity->n_apart -= affinity->n_apart > 0;
        return false;
    }
    affinity->n_apart += affinity->n_apart < APART_FOR_SURE;
    if (affinity->n_apart < APART_FOR_SURE || now_ns - affinity->moved_ns < affinity->rest_ns) {
        return false;
    }
    move_at(affinity, now_ns);
    return true;
}

int hc_affinity_input_core(int fd) {
    int core;
    socklen_t size = sizeof core;
    if (getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &core, &size) != 0 || core == sched_getcpu()) {
        return -1;
    }
    return core;
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
