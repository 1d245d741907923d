/*
 * One region of a client's shared memory, counted by its users: a mapped file, or an address in a
 * GPU's memory.
 */
#ifndef HC_SHM_REGION_H
#define HC_SHM_REGION_H

#include <stdatomic.h>

#include "base/list.h"
#include "shm/shm.h"

struct hc_shm_region {
    struct hc_list link; /* the registry's, under its lock */
    atomic_uint references;
    enum hc_shm_kind kind;
    char *name;
    uint64_t size;

    /* System memory. */
    char *key;
    uint64_t offset; /* in the shared memory */
    int fd;
    char *base; /* of the mapping, which begins with a page */
    size_t mapped_size;
    char *memory; /* the region's bytes in it */

    /* A GPU's memory. */
    int device;
    hc_cuda_address address;
    struct hc_shm_share share;
    int life; /* the other end of the witness's pipe */
};

HC_CLEANUP(shm_region, struct hc_shm_region *, hc_shm_release);

/* One reference, released by hc_shm_release(). */
enum hc_code hc_shm_region_open(struct hc_text name, struct hc_text key, uint64_t offset,
                                uint64_t size, struct hc_shm_region **region,
                                struct hc_error *error);
enum hc_code hc_shm_region_open_cuda(struct hc_text name, struct hc_text handle, int64_t device,
                                     uint64_t size, struct hc_shm_region **region,
                                     struct hc_error *error);
void hc_shm_region_ref(struct hc_shm_region *region);

/* Of a region in a GPU's memory. */
void hc_shm_cuda_close(struct hc_shm_region *region);
enum hc_code hc_shm_cuda_read(const struct hc_shm_region *region, uint64_t offset, void *place,
                              size_t size, struct hc_error *error);
enum hc_code hc_shm_cuda_write(const struct hc_shm_region *region, uint64_t offset,
                               const void *data, size_t size, struct hc_error *error);

#endif
