/*
 * The rate limiter: which members, one an instance of any model, may run at a time.
 *
 * While it runs, a member uses some of each *resource* that it needs: of the device that it is on,
 * or of all devices together. There is as much of a resource as the settings say, or, when they say
 * nothing at all, as the member that needs most of it needs. Members that want to run wait in line:
 * the one with the lowest turn comes first, and each run raises a member's turn by its priority, so
 * that one with priority 2 runs half as often as one with priority 1. One that has to wait for a
 * resource holds up those behind it that need the same, and no others.
 *
 * Pure logic: nothing here locks or calls back. The owner has a lock.
 */
#ifndef HC_SCHED_LIMITER_H
#define HC_SCHED_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

/* How much of a resource there is. */
struct hc_limiter_limit {
    char *resource;
    uint32_t count;
    int device; /* -1: on each, and of those of all devices */
};

struct hc_limiter {
    const struct hc_limiter_limit *_limits; /* of several for one, the largest counts */
    size_t _n_limits;
    struct hc_list _pools;
    struct hc_list _members;
    struct hc_list _line;   /* those that wait, by turn */
    uint64_t _current_turn; /* of who ran last */
    uint64_t _n_looks;
};

/* What a member needs. */
struct hc_limiter_need {
    const char *resource;
    uint32_t count;
    bool global; /* of all devices together */
};

struct hc_limiter_pool;

struct hc_limiter_member {
    /* The owner's; to stay as long as it is a member. */
    const struct hc_limiter_need *needs;
    size_t n_needs;
    int device;
    uint32_t priority; /* 0 is as good as 1 */

    /* The limiter's. */
    enum { HC_LIMITER_IDLE, HC_LIMITER_WAITING, HC_LIMITER_RUNNING } state;
    struct hc_list _link;
    struct hc_list _line_link;
    uint64_t _turn;
    struct hc_limiter_pool **_pools; /* by need */
};

/* LIMITS must stay. */
void hc_limiter_init(struct hc_limiter *limiter, const struct hc_limiter_limit *limits,
                     size_t n_limits);

/* There are no members any more. */
void hc_limiter_finish(struct hc_limiter *limiter);

/*
 * HC_INVALID_ARGUMENT, in Triton's words, when there will never be enough for it to run, or when it
 * needs of one device what others need of all together.
 */
enum hc_code hc_limiter_join(struct hc_limiter *limiter, struct hc_limiter_member *member,
                             struct hc_error *error);

/* It is idle. */
void hc_limiter_leave(struct hc_limiter *limiter, struct hc_limiter_member *member);

/* The member, which is idle, wants to run; or, waiting, does not any more. */
void hc_limiter_wait(struct hc_limiter *limiter, struct hc_limiter_member *member);
void hc_limiter_give_up(struct hc_limiter *limiter, struct hc_limiter_member *member);

/* Of those that wait, the next that can run, and now does; NULL when there is none. */
struct hc_limiter_member *hc_limiter_next(struct hc_limiter *limiter);

/* The member, which runs, is idle again. Unless it DID_RUN after all, its turn stays what it was.
 */
void hc_limiter_done(struct hc_limiter *limiter, struct hc_limiter_member *member, bool did_run);

#endif
