/* The rate limiter: pools of resources, and the line of those that want some. */
#include "sched/limiter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* So much of a resource, on one device or on all together. */
struct hc_limiter_pool {
    struct hc_list link;
    char *resource;
    int device; /* -1: all */
    uint64_t size;
    uint64_t used;
    uint64_t wanted_by_look; /* the last one in which somebody had to wait for it */
};

enum { ALL_DEVICES = -1 };

void hc_limiter_init(struct hc_limiter *limiter, const struct hc_limiter_limit *limits,
                     size_t n_limits) {
    *limiter = (struct hc_limiter){._limits = limits, ._n_limits = n_limits};
    hc_list_init(&limiter->_pools);
    hc_list_init(&limiter->_members);
    hc_list_init(&limiter->_line);
}

void hc_limiter_finish(struct hc_limiter *limiter) {
    assert(hc_list_empty(&limiter->_members));
    for (struct hc_list *link; (link = hc_list_pop(&limiter->_pools)) != NULL;) {
        struct hc_limiter_pool *pool = hc_list_item(link, struct hc_limiter_pool, link);
        free(pool->resource);
        free(pool);
    }
}

static struct hc_limiter_member *member_of(struct hc_list *link) {
    return hc_list_item(link, struct hc_limiter_member, _link);
}

/* ---- Pools ---- */

static int device_of(const struct hc_limiter_member *member, const struct hc_limiter_need *need) {
    return need->global ? ALL_DEVICES : member->device;
}

static struct hc_limiter_pool *find_pool(const struct hc_limiter *limiter, const char *resource,
                                         int device) {
    hc_list_each (link, &limiter->_pools) {
        struct hc_limiter_pool *pool = hc_list_item(link, struct hc_limiter_pool, link);
        if (pool->device == device && strcmp(pool->resource, resource) == 0) {
            return pool;
        }
    }
    return NULL;
}

static struct hc_limiter_pool *get_pool(struct hc_limiter *limiter, const char *resource,
                                        int device) {
    struct hc_limiter_pool *pool = find_pool(limiter, resource, device);
    if (pool == NULL) {
        pool = hc_new(struct hc_limiter_pool);
        pool->resource = hc_strdup(resource);
        pool->device = device;
        hc_list_append(&limiter->_pools, &pool->link);
    }
    return pool;
}

/* What the limits say of a resource, the most should there be several; 0 when nothing. */
static uint32_t limit_of(const struct hc_limiter *limiter, const char *resource, int device) {
    uint32_t most = 0;
    for (size_t i = 0; i < limiter->_n_limits; i++) {
        const struct hc_limiter_limit *limit = &limiter->_limits[i];
        bool applies =
            limit->device == device || limit->device == ALL_DEVICES || device == ALL_DEVICES;
        if (applies && limit->count > most && strcmp(limit->resource, resource) == 0) {
            most = limit->count;
        }
    }
    return most;
}

/* How much of a pool the member needs: the most, should it need it more than once. */
static uint64_t need_of(const struct hc_limiter_member *member,
                        const struct hc_limiter_pool *pool) {
    uint64_t most = 0;
    for (size_t i = 0; i < member->n_needs; i++) {
        if (member->_pools[i] == pool && member->needs[i].count > most) {
            most = member->needs[i].count;
        }
    }
    return most;
}

/* Whether the pool of the need is one that no need before it has. */
static bool is_first(const struct hc_limiter_member *member, size_t need) {
    for (size_t i = 0; i < need; i++) {
        if (member->_pools[i] == member->_pools[need]) {
            return false;
        }
    }
    return true;
}

static void resize(struct hc_limiter *limiter, struct hc_limiter_pool *pool) {
    if (limiter->_n_limits > 0) {
        pool->size = limit_of(limiter, pool->resource, pool->device);
        return;
    }
    pool->size = 0;
    hc_list_each (link, &limiter->_members) {
        uint64_t need = need_of(member_of(link), pool);
        pool->size = need > pool->size ? need : pool->size;
    }
}

/* ---- Members ---- */

static bool is_needed(const struct hc_limiter *limiter, const char *resource, bool global) {
    hc_list_each (link, &limiter->_members) {
        const struct hc_limiter_member *member = member_of(link);
        for (size_t i = 0; i < member->n_needs; i++) {
            if (member->needs[i].global == global &&
                strcmp(member->needs[i].resource, resource) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum hc_code check(const struct hc_limiter *limiter, const struct hc_limiter_member *member,
                          struct hc_error *error) {
    for (size_t i = 0; i < member->n_needs; i++) {
        const struct hc_limiter_need *need = &member->needs[i];
        uint32_t limit = limit_of(limiter, need->resource, device_of(member, need));
        if (limiter->_n_limits > 0 && need->count > limit) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "Resource count for \"%s\" is limited to %u which will prevent "
                                "scheduling of one or more model instances, the minimum required "
                                "count is %u",
                                need->resource, limit, need->count);
        }
        if (is_needed(limiter, need->resource, !need->global)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "Resource \"%s\" is present as both global and device-specific "
                                "resource in the model configuration.",
                                need->resource);
        }
    }
    return HC_OK;
}

enum hc_code hc_limiter_join(struct hc_limiter *limiter, struct hc_limiter_member *member,
                             struct hc_error *error) {
    HC_TRY(check(limiter, member, error));
    member->state = HC_LIMITER_IDLE;
    member->_turn = limiter->_current_turn;
    member->_pools = hc_alloc_array(member->n_needs, sizeof *member->_pools);
    hc_list_append(&limiter->_members, &member->_link);
    for (size_t i = 0; i < member->n_needs; i++) {
        const struct hc_limiter_need *need = &member->needs[i];
        member->_pools[i] = get_pool(limiter, need->resource, device_of(member, need));
        resize(limiter, member->_pools[i]);
    }
    return HC_OK;
}

void hc_limiter_leave(struct hc_limiter *limiter, struct hc_limiter_member *member) {
    assert(member->state == HC_LIMITER_IDLE);
    hc_list_remove(&member->_link);
    for (size_t i = 0; i < member->n_needs; i++) {
        resize(limiter, member->_pools[i]);
    }
    free(member->_pools);
    member->_pools = NULL;
}

/* ---- The line ---- */

void hc_limiter_wait(struct hc_limiter *limiter, struct hc_limiter_member *member) {
    assert(member->state == HC_LIMITER_IDLE);
    member->state = HC_LIMITER_WAITING;
    /* Having had nothing to do for long is no advantage. */
    if (member->_turn < limiter->_current_turn) {
        member->_turn = limiter->_current_turn;
    }
    struct hc_list *before = limiter->_line.previous;
    while (before != &limiter->_line &&
           hc_list_item(before, struct hc_limiter_member, _line_link)->_turn > member->_turn) {
        before = before->previous;
    }
    hc_list_prepend(before, &member->_line_link); /* behind it */
}

void hc_limiter_give_up(struct hc_limiter *limiter, struct hc_limiter_member *member) {
    (void)limiter;
    assert(member->state == HC_LIMITER_WAITING);
    member->state = HC_LIMITER_IDLE;
    hc_list_remove(&member->_line_link);
}

/* Whether there is enough of everything, and nobody before it in this look waits for any of it. */
static bool can_run(const struct hc_limiter *limiter, const struct hc_limiter_member *member) {
    for (size_t i = 0; i < member->n_needs; i++) {
        const struct hc_limiter_pool *pool = member->_pools[i];
        if (pool->wanted_by_look == limiter->_n_looks ||
            pool->used + need_of(member, pool) > pool->size) {
            return false;
        }
    }
    return true;
}

static void run(struct hc_limiter *limiter, struct hc_limiter_member *member) {
    member->state = HC_LIMITER_RUNNING;
    hc_list_remove(&member->_line_link);
    limiter->_current_turn = member->_turn;
    for (size_t i = 0; i < member->n_needs; i++) {
        if (is_first(member, i)) {
            member->_pools[i]->used += need_of(member, member->_pools[i]);
        }
    }
}

struct hc_limiter_member *hc_limiter_next(struct hc_limiter *limiter) {
    limiter->_n_looks++;
    hc_list_each (link, &limiter->_line) {
        struct hc_limiter_member *member = hc_list_item(link, struct hc_limiter_member, _line_link);
        if (can_run(limiter, member)) {
            run(limiter, member);
            return member;
        }
        for (size_t i = 0; i < member->n_needs; i++) {
            member->_pools[i]->wanted_by_look = limiter->_n_looks;
        }
    }
    return NULL;
}

void hc_limiter_done(struct hc_limiter *limiter, struct hc_limiter_member *member, bool did_run) {
    (void)limiter;
    assert(member->state == HC_LIMITER_RUNNING);
    member->state = HC_LIMITER_IDLE;
    member->_turn += did_run ? (member->priority > 0 ? member->priority : 1) : 0;
    for (size_t i = 0; i < member->n_needs; i++) {
        if (is_first(member, i)) {
            member->_pools[i]->used -= need_of(member, member->_pools[i]);
        }
    }
}
