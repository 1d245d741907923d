/* The registry of clients' shared memory. */
#include "shm/shm.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "fault.h"
#include "region.h"

struct hc_shm {
    pthread_mutex_t lock;
    struct hc_list regions; /* ascending by name; one reference each */
};

static struct hc_shm_region *region_of(struct hc_list *link) {
    return hc_list_item(link, struct hc_shm_region, link);
}

struct hc_shm *hc_shm_create(void) {
    hc_fault_prepare();
    struct hc_shm *shm = hc_new(struct hc_shm);
    pthread_mutex_init(&shm->lock, NULL);
    hc_list_init(&shm->regions);
    return shm;
}

void hc_shm_destroy(struct hc_shm *shm) {
    struct hc_list *link;
    if (shm == NULL) {
        return;
    }
    while ((link = hc_list_pop(&shm->regions)) != NULL) {
        hc_shm_release(region_of(link));
    }
    pthread_mutex_destroy(&shm->lock);
    free(shm);
}

static int compare(struct hc_text a, struct hc_text b) {
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first region whose name is not below NAME, or the list's head. */
static struct hc_list *find_place(struct hc_shm *shm, struct hc_text name) {
    struct hc_list *link = shm->regions.next;
    while (link != &shm->regions && compare(hc_text_of(region_of(link)->name), name) < 0) {
        link = link->next;
    }
    return link;
}

/* NULL: there is none. */
static struct hc_shm_region *find(struct hc_shm *shm, struct hc_text name) {
    struct hc_list *link = find_place(shm, name);
    bool found = link != &shm->regions && hc_text_is(name, region_of(link)->name);
    return found ? region_of(link) : NULL;
}

static enum hc_code check_new(struct hc_shm *shm, struct hc_text name, struct hc_error *error) {
    if (find(shm, name) != NULL) {
        return hc_error_set(error, HC_ALREADY_EXISTS,
                            "shared memory region '%.*s' already in manager", HC_TEXT_ARGS(name));
    }
    return HC_OK;
}

static void add(struct hc_shm *shm, struct hc_shm_region *region) {
    hc_list_insert_after(find_place(shm, hc_text_of(region->name))->previous, &region->link);
}

static enum hc_code add_system(struct hc_shm *shm, struct hc_text name, struct hc_text key,
                               uint64_t offset, uint64_t size, struct hc_error *error) {
    struct hc_shm_region *region;
    HC_TRY(check_new(shm, name, error));
    HC_TRY(hc_shm_region_open(name, key, offset, size, &region, error));
    add(shm, region);
    return HC_OK;
}

static enum hc_code add_cuda(struct hc_shm *shm, struct hc_text name, struct hc_text handle,
                             int64_t device, uint64_t size, struct hc_error *error) {
    struct hc_shm_region *region;
    HC_TRY(check_new(shm, name, error));
    HC_TRY(hc_shm_region_open_cuda(name, handle, device, size, &region, error));
    add(shm, region);
    return HC_OK;
}

enum hc_code hc_shm_register(struct hc_shm *shm, struct hc_text name, struct hc_text key,
                             uint64_t offset, uint64_t size, struct hc_error *error) {
    pthread_mutex_lock(&shm->lock);
    enum hc_code code = add_system(shm, name, key, offset, size, error);
    pthread_mutex_unlock(&shm->lock);
    return code;
}

enum hc_code hc_shm_register_cuda(struct hc_shm *shm, struct hc_text name, struct hc_text handle,
                                  int64_t device, uint64_t size, struct hc_error *error) {
    if (hc_cuda() == NULL) {
        return hc_error_set(
            error, HC_INVALID_ARGUMENT,
            "failed to register CUDA shared memory region: '%.*s', GPUs not supported",
            HC_TEXT_ARGS(name));
    }
    pthread_mutex_lock(&shm->lock);
    enum hc_code code = add_cuda(shm, name, handle, device, size, error);
    pthread_mutex_unlock(&shm->lock);
    return code;
}

void hc_shm_unregister(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_text name) {
    pthread_mutex_lock(&shm->lock);
    hc_list_each_safe (link, &shm->regions) {
        if (region_of(link)->kind == kind &&
            (name.size == 0 || hc_text_is(name, region_of(link)->name))) {
            hc_list_remove(link);
            hc_shm_release(region_of(link));
        }
    }
    pthread_mutex_unlock(&shm->lock);
}

static void describe(const struct hc_shm_region *region, struct hc_shm_list *list) {
    list->items[list->n++] = (struct hc_shm_info){
        .name = hc_strdup(region->name),
        .key = region->key == NULL ? NULL : hc_strdup(region->key),
        .offset = region->offset,
        .device = region->device,
        .size = region->size,
    };
}

static void list_all(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_shm_list *list) {
    size_t n = 0;
    hc_list_each (link, &shm->regions) {
        n += region_of(link)->kind == kind ? 1 : 0;
    }
    if (n == 0) {
        return;
    }
    list->items = hc_alloc_array(n, sizeof *list->items);
    hc_list_each (link, &shm->regions) {
        if (region_of(link)->kind == kind) {
            describe(region_of(link), list);
        }
    }
}

static enum hc_code list_one(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_text name,
                             struct hc_shm_list *list, struct hc_error *error) {
    const struct hc_shm_region *region = find(shm, name);
    if (region == NULL) {
        return hc_error_set(error, HC_NOT_FOUND, "Unable to find %s shared memory region: '%.*s'",
                            kind == HC_SHM_CUDA ? "cuda" : "system", HC_TEXT_ARGS(name));
    }
    if (kind != region->kind) {
        return hc_error_set(error, HC_NOT_FOUND,
                            "The region named '%.*s' is registered as %s shared memory, not %s "
                            "shared memory",
                            HC_TEXT_ARGS(name), kind == HC_SHM_CUDA ? "system" : "CUDA",
                            kind == HC_SHM_CUDA ? "CUDA" : "system");
    }
    list->items = hc_alloc_array(1, sizeof *list->items);
    describe(region, list);
    return HC_OK;
}

enum hc_code hc_shm_list(struct hc_shm *shm, enum hc_shm_kind kind, struct hc_text name,
                         struct hc_shm_list *list, struct hc_error *error) {
    enum hc_code code = HC_OK;
    *list = (struct hc_shm_list){0};
    pthread_mutex_lock(&shm->lock);
    if (name.size > 0) {
        code = list_one(shm, kind, name, list, error);
    } else {
        list_all(shm, kind, list);
    }
    pthread_mutex_unlock(&shm->lock);
    return code;
}

void hc_shm_list_finish(struct hc_shm_list *list) {
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].name);
        free(list->items[i].key);
    }
    free(list->items);
    *list = (struct hc_shm_list){0};
}

static enum hc_code check_range(const struct hc_shm_region *region, uint64_t offset, uint64_t size,
                                struct hc_error *error) {
    if (offset >= region->size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Invalid offset for shared memory region: '%s'", region->name);
    }
    if (size == 0 || size > region->size - offset) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Invalid offset + byte size for shared memory region: '%s'",
                            region->name);
    }
    return HC_OK;
}

enum hc_code hc_shm_take(struct hc_shm *shm, struct hc_text name, uint64_t offset, uint64_t size,
                         struct hc_shm_region **region, struct hc_error *error) {
    enum hc_code code;
    pthread_mutex_lock(&shm->lock);
    struct hc_shm_region *found = find(shm, name);
    if (found == NULL) {
        code = hc_error_set(error, HC_NOT_FOUND, "Unable to find shared memory region: '%.*s'",
                            HC_TEXT_ARGS(name));
    } else {
        code = check_range(found, offset, size, error);
    }
    if (code == HC_OK) {
        hc_shm_region_ref(found);
        *region = found;
    }
    pthread_mutex_unlock(&shm->lock);
    return code;
}
