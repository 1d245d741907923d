/* The channel file: laying it out and attaching its rings. */
#include "channel/channel.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

/* Where the next ring of that capacity goes; *END moves behind it. */
static uint64_t place_ring(uint64_t *end, uint32_t capacity) {
    uint64_t offset = *end;
    *end += hc_align_up(hc_ring_shared_size(capacity), HC_CACHE_LINE);
    return offset;
}

enum hc_code hc_channel_create(uint32_t n_links, size_t request_arena_size,
                               size_t response_arena_size, struct hc_memfile *file,
                               struct hc_error *error) {
    assert(n_links > 0 && n_links <= HC_MAX_LINKS);
    struct hc_channel_header header = {
        .magic = HC_CHANNEL_MAGIC,
        .version = HC_CHANNEL_VERSION,
        .n_links = n_links,
        .request_arena_size = request_arena_size,
        .response_arena_size = response_arena_size,
    };
    uint64_t end = hc_align_up(sizeof header, HC_CACHE_LINE);
    for (uint32_t i = 0; i < n_links; i++) {
        header.links[i].work = place_ring(&end, HC_WORK_CAPACITY);
        header.links[i].events = place_ring(&end, HC_EVENTS_CAPACITY);
        header.links[i].replies = place_ring(&end, HC_REPLIES_CAPACITY);
    }
    HC_TRY(hc_memfile_create("hippocamp-channel", end, file, error));
    memcpy(file->base, &header, sizeof header);
    return HC_OK;
}

enum hc_code hc_channel_check(const struct hc_memfile *file, struct hc_error *error) {
    const struct hc_channel_header *header = hc_channel_header(file);
    if (file->size < sizeof *header || header->magic != HC_CHANNEL_MAGIC) {
        return hc_error_set(error, HC_INTERNAL, "not a channel file");
    }
    if (header->version != HC_CHANNEL_VERSION || header->n_links == 0 ||
        header->n_links > HC_MAX_LINKS) {
        return hc_error_set(error, HC_INTERNAL,
                            "the channel has version %u, this pyhost speaks version %d: server and "
                            "pyhost must come from one installation",
                            header->version, HC_CHANNEL_VERSION);
    }
    return HC_OK;
}

static struct hc_ring_shared *ring_at(const struct hc_memfile *file, uint64_t offset) {
    return (struct hc_ring_shared *)(void *)(file->base + offset);
}

void hc_channel_attach(const struct hc_memfile *file, uint32_t index, struct hc_link *link) {
    const struct hc_link_shared_offsets *offsets = &hc_channel_header(file)->links[index];
    hc_ring_init(&link->work, ring_at(file, offsets->work), HC_WORK_CAPACITY);
    hc_ring_init(&link->events, ring_at(file, offsets->events), HC_EVENTS_CAPACITY);
    hc_ring_init(&link->replies, ring_at(file, offsets->replies), HC_REPLIES_CAPACITY);
}
