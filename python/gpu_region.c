/* Opening clients' regions of a GPU's memory, and closing them when the server forgets them. */
#include "gpu_region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "base/thread.h"
#include "gpu.h"
#include "gpu_driver.h"

static const char region_name[] = "hippocamp.gpu_region";
static const char cannot_open[] = "cannot open the client's memory of a GPU: ";

struct region {
    struct hc_list link;
    uint64_t id;
    int gpu;
    uint64_t address;
    int witness;    /* a pipe that ends when the server forgets the region */
    size_t n_users; /* tensors, and the table */
    pid_t owner;    /* children that the model forks have no part in it */
};

/* The lock keeps the watcher out, which has no GIL; it guards what follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hc_list table = {&table, &table};
static int watcher = -1; /* epoll, of all witnesses */

/* ---- Closing ---- */

/* What the model has begun with the region comes first. */
static void close_region(struct region *region) {
    if (gpu_enter(region->gpu) == GPU_SUCCESS) {
        gpu_driver()->wait();
        gpu_driver()->close(region->address);
        gpu_leave(region->gpu);
    }
    gpu_release(region->gpu);
    free(region);
}

static void drop(struct region *region) {
    pthread_mutex_lock(&lock);
    bool last = --region->n_users == 0;
    pthread_mutex_unlock(&lock);
    if (last) {
        close_region(region);
    }
}

static void on_last_reference(PyObject *capsule) {
    struct region *region = PyCapsule_GetPointer(capsule, region_name);
    if (region->owner == getpid()) {
        drop(region);
    }
}

static void forget(struct region *region) {
    pthread_mutex_lock(&lock);
    hc_list_remove(&region->link);
    pthread_mutex_unlock(&lock);
    close(region->witness); /* which takes it out of the watcher */
    drop(region);
}

__attribute__((noreturn)) static void *watch(void *user) {
    (void)user;
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(watcher, &event, 1, -1) == 1) {
            forget(event.data.ptr);
        }
    }
}

/* ---- Opening ---- */

static bool start_watcher(void) {
    if (watcher < 0) {
        watcher = epoll_create1(EPOLL_CLOEXEC);
        if (watcher >= 0 && !hc_thread_start(watch, NULL)) {
            hc_fd_close(hc_fd_take(&watcher));
        }
    }
    return watcher >= 0;
}

/* The end of a pipe is told without being asked for. */
static bool watch_region(struct region *region, const struct hc_message_region *message) {
    char path[64];
    struct epoll_event event = {.data.ptr = region};
    snprintf(path, sizeof path, "/proc/%u/fd/%u", message->server, message->witness);
    hc_auto(fd) fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || !start_watcher() || epoll_ctl(watcher, EPOLL_CTL_ADD, fd, &event) != 0) {
        return false;
    }
    region->witness = hc_fd_take(&fd);
    return true;
}

/* In the GPU's context, which stays with the region. */
static int open_handle(struct region *region, const struct hc_message_region *message) {
    struct gpu_handle handle;
    gpu_context context;
    memcpy(handle.bytes, message->handle, sizeof handle.bytes);
    int result = gpu_find(message->gpu_uuid, &region->gpu);
    result = result == GPU_SUCCESS ? gpu_enter(region->gpu) : result;
    if (result != GPU_SUCCESS) {
        return result;
    }
    result = gpu_retain(region->gpu, &context);
    if (result == GPU_SUCCESS) {
        result = gpu_driver()->open(&region->address, handle, GPU_LAZY_PEER_ACCESS);
        if (result != GPU_SUCCESS) {
            gpu_release(region->gpu);
        }
    }
    gpu_leave(region->gpu);
    return result;
}

/* NULL, and *WHY. */
static struct region *open_region(const struct hc_message_region *message, const char **why) {
    struct region *region = hc_new(struct region);
    *region = (struct region){.id = message->id, .n_users = 1, .owner = getpid()};
    int result = open_handle(region, message);
    if (result != GPU_SUCCESS) {
        free(region);
        *why = gpu_text(result);
        return NULL;
    }
    if (!watch_region(region, message)) {
        *why = strerror(errno);
        close_region(region);
        return NULL;
    }
    hc_list_append(&table, &region->link);
    return region;
}

static struct region *find_region(uint64_t id) {
    hc_list_each (link, &table) {
        struct region *region = hc_list_item(link, struct region, link);
        if (region->id == id && region->owner == getpid()) {
            return region;
        }
    }
    return NULL;
}

/*
 * The region for use until drop(); NULL with an exception set. Nothing of Python happens under the
 * lock: it could drop what is garbage.
 */
static struct region *take_region(const struct hc_message_region *message) {
    const char *why = "there is no driver";
    if (gpu_driver() == NULL) {
        hc_py_raise("%s%s", cannot_open, why);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    struct region *region = find_region(message->id);
    region = region == NULL ? open_region(message, &why) : region;
    if (region != NULL) {
        region->n_users++;
    }
    pthread_mutex_unlock(&lock);
    if (region == NULL) {
        hc_py_raise("%s%s", cannot_open, why);
    }
    return region;
}

static const struct hc_message_region *region_of(const struct hc_message_request *request,
                                                 const struct hc_place *place) {
    return (const void *)((const char *)request + place->block);
}

/* ---- Using ---- */

PyObject *hc_py_gpu_region_input(const struct hc_message_request *request,
                                 const struct hc_place *place, struct hc_py_tensor_source *source) {
    struct region *region = take_region(region_of(request, place));
    if (region == NULL) {
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(region, region_name, on_last_reference);
    if (capsule == NULL) {
        drop(region);
        return NULL;
    }
    source->data = (char *)(region->address + place->offset);
    source->on_gpu = true;
    source->device = region->gpu;
    return capsule;
}

/* NULL: the client does not want it in a GPU's memory. */
static const struct hc_place *find_place(const struct hc_message_request *request,
                                         struct hc_text name) {
    const char *base = (const char *)request;
    const struct hc_message_output_place *places = (const void *)(base + request->places_offset);
    const struct hc_span *names = (const void *)(base + request->outputs_offset);
    for (uint32_t i = 0; i < request->n_places; i++) {
        const struct hc_span *span = &names[places[i].output];
        if (hc_text_equal(name, (struct hc_text){base + span->offset, span->size})) {
            return &places[i].place;
        }
    }
    return NULL;
}

bool hc_py_gpu_region_put(const struct hc_message_request *request, struct hc_text name,
                          const struct hc_tensor_object *tensor) {
    const struct hc_place *place = find_place(request, name);
    if (place == NULL || tensor->size > place->size) {
        return place != NULL;
    }
    const struct hc_message_region *message = region_of(request, place);
    int gpu;
    if (gpu_find(message->gpu_uuid, &gpu) != GPU_SUCCESS || gpu != tensor->device) {
        return false;
    }
    struct region *region = take_region(message);
    bool put = region != NULL && hc_py_gpu_copy(tensor, region->address + place->offset);
    if (region != NULL) {
        drop(region);
    }
    PyErr_Clear();
    return put;
}
