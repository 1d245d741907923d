/*
 * One region of a client's shared memory: an open descriptor, counted by its users.
 */
#ifndef HC_SHM_REGION_H
#define HC_SHM_REGION_H

#include <stdatomic.h>

#include "base/list.h"
#include "shm/shm.h"

struct hc_shm_region {
    struct hc_list link; /* the registry's, under its lock */
    atomic_uint references;
    char *name;
    char *key;
    uint64_t offset; /* in the shared memory */
    uint64_t size;
    int fd;
};

/* One reference, released by hc_shm_release(). */
enum hc_code hc_shm_region_open(struct hc_text name, struct hc_text key, uint64_t offset,
                                uint64_t size, struct hc_shm_region **region,
                                struct hc_error *error);
void hc_shm_region_ref(struct hc_shm_region *region);

#endif
