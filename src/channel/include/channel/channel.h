/*
 * The channel file: the header and rings of channel/layout.h, created by the server, opened by the
 * pyhost.
 *
 * hc_channel_create() lays the file out for N links and hands back the header; rings are then
 * attached one by one, each side to its end. A ring's handle is private to the thread that uses
 * it, or guarded by a lock of its owner.
 */
#ifndef HC_CHANNEL_CHANNEL_H
#define HC_CHANNEL_CHANNEL_H

#include "channel/layout.h"
#include "channel/memfile.h"

/* Both arena sizes are recorded for the pyhost. N_LINKS is 1 … HC_MAX_LINKS. */
enum hc_code hc_channel_create(uint32_t n_links, size_t request_arena_size,
                               size_t response_arena_size, struct hc_memfile *file,
                               struct hc_error *error);

/* Check that FILE, opened by a pyhost, was laid out by a server of this very build. */
enum hc_code hc_channel_check(const struct hc_memfile *file, struct hc_error *error);

static inline struct hc_channel_header *hc_channel_header(const struct hc_memfile *file) {
    return (struct hc_channel_header *)(void *)file->base;
}

/* The rings of one link. Whoever attaches them decides which end of each it is. */
struct hc_link {
    struct hc_ring work;
    struct hc_ring events;
    struct hc_ring replies;
};

void hc_channel_attach(const struct hc_memfile *file, uint32_t index, struct hc_link *link);

#endif
