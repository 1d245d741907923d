/*
 * Shared memory of clients: regions that they register by name, put inputs into and find outputs
 * in.
 *
 * One registry a server; any thread. Regions are mapped; a client that truncates its memory, be it
 * in the middle of a copy, gets an error and ends nobody. For that the process handles SIGBUS.
 * Regions in a GPU's memory are opened by their handles, where there is a GPU, and copied to and
 * from unless a model works on them in place. Codes and words are Triton's:
 *
 *   HC_NOT_FOUND         there is no such region
 *   HC_ALREADY_EXISTS    there is one already
 *   HC_INVALID_ARGUMENT  it is not as large as somebody claims
 *   HC_INTERNAL          the memory cannot be opened, or is smaller than it was
 */
#ifndef HC_SHM_SHM_H
#define HC_SHM_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "cuda/driver.h"

struct hc_shm;
struct hc_shm_region;

enum hc_shm_kind { HC_SHM_SYSTEM, HC_SHM_CUDA };

struct hc_shm *hc_shm_create(void);
void hc_shm_destroy(struct hc_shm *shm); /* NULL: nothing; regions that are in use stay */

/* Register SIZE bytes from OFFSET of the POSIX shared memory called KEY. */
enum hc_code hc_shm_register(struct hc_shm *shm, struct hc_text name, struct hc_text key,
                             uint64_t offset, uint64_t size, struct hc_error *error);

/* Register SIZE bytes of a GPU's memory by its cudaIpcMemHandle_t; refused where there is no GPU.
 */
enum hc_code hc_shm_register_cuda(struct hc_shm *shm, struct hc_text name, struct hc_text handle,
                                  int64_t device, uint64_t size, struct hc_error *error);

/* Forget the region NAME of that kind, if there is one, or, when it is empty, all of the kind. */
void hc_shm_unregister(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_text name);

/* What is registered. */
struct hc_shm_info {
    char *name;
    char *key; /* of system memory, as the next; NULL of a GPU's */
    uint64_t offset;
    int device; /* of a GPU's memory */
    uint64_t size;
};

struct hc_shm_list {
    struct hc_shm_info *items; /* ascending by name */
    size_t n;
};

/* The region NAME of that kind, or, when it is empty, all of the kind. */
enum hc_code hc_shm_list(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_text name,
                         struct hc_shm_list *list, struct hc_error *error);
void hc_shm_list_finish(struct hc_shm_list *list);

#define hc_auto_shm_list __attribute__((cleanup(hc_shm_list_finish))) struct hc_shm_list

/*
 * The region NAME, which has SIZE bytes from OFFSET, for use until hc_shm_release(), even if it is
 * unregistered meanwhile.
 */
enum hc_code hc_shm_take(struct hc_shm *shm, struct hc_text name, uint64_t offset, uint64_t size,
                         struct hc_shm_region **region, struct hc_error *error);
void hc_shm_release(struct hc_shm_region *region); /* NULL: nothing */

/*
 * Where SIZE bytes from OFFSET of a region of system memory are: in the file FD, open as long as
 * the region is taken, from PLACE on. False: the region is of another kind, or has become smaller.
 */
bool hc_shm_find_file(const struct hc_shm_region *region, uint64_t offset, uint64_t size, int *fd,
                      uint64_t *place);

bool hc_shm_is_system(const struct hc_shm_region *region);

/* Copy SIZE bytes that start OFFSET bytes into the region, as far as it was found to reach. */
enum hc_code hc_shm_read(struct hc_shm_region *region, uint64_t offset, void *place, size_t size,
                         struct hc_error *error);
enum hc_code hc_shm_write(struct hc_shm_region *region, uint64_t offset, const void *data,
                          size_t size, struct hc_error *error);

/* The same from one region to another, which may overlap; both are of system memory. */
enum hc_code hc_shm_copy(struct hc_shm_region *from, uint64_t from_offset, struct hc_shm_region *to,
                         uint64_t to_offset, size_t size, struct hc_error *error);

/* How another process opens a region in a GPU's memory; as long as the region is taken. */
struct hc_shm_share {
    uint64_t id; /* no other region's, also of those that are gone */
    struct hc_cuda_uuid gpu;
    struct hc_cuda_ipc_handle handle;
    int witness; /* descriptor of a pipe, which ends when the region is gone */
};

/* NULL: it is of another kind. */
const struct hc_shm_share *hc_shm_find_share(const struct hc_shm_region *region);

/* Where in which GPU's memory that is; false when it is in none. */
bool hc_shm_find_device(const struct hc_shm_region *region, uint64_t offset, int *device,
                        uint64_t *address);

#endif
