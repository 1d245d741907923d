/*
 * Contexts: what the thread of one loop owns.
 *
 * Its requests, found by the handles that travel to pyhosts and back; and who on the loop watches
 * the catalog of models (core/catalog.h). Only the loop's thread touches it.
 */
#ifndef HC_CORE_CONTEXT_H
#define HC_CORE_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/request.h"

struct hc_server;

struct hc_context_slot {
    struct hc_request *request; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

/* Somebody on the loop who is told when the catalog has become another. */
struct hc_catalog_watch {
    void (*on_change)(struct hc_catalog_watch *watch); /* must not unwatch others */
    struct hc_list _link;
};

struct hc_context {
    struct hc_server *server;
    struct hc_loop *loop;
    unsigned index; /* of the loop */
    struct hc_list _catalog_watches;
    struct hc_context_slot *_slots;
    uint32_t _n_slots;
    uint32_t _first_free;
    struct hc_request **_spare; /* released requests, whose pools are warm */
    size_t _n_spare;
};

void hc_context_init(struct hc_context *context, struct hc_server *server, struct hc_loop *loop,
                     unsigned index);
void hc_context_finish(struct hc_context *context);

void hc_context_watch(struct hc_context *context, struct hc_catalog_watch *watch);
void hc_context_unwatch(struct hc_catalog_watch *watch);

/* The request with that handle, which may come from another process; NULL when there is none. */
struct hc_request *hc_context_find(const struct hc_context *context, uint64_t handle);

#endif
