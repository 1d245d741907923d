/* The server's kernels, from a library for each architecture that lies beside this one.
 * FAKE_CUDA_FAIL_AFTER: those that may still be started before all fail. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "grid.h"

enum { N_THREADS = GPU_WARPS * GPU_WARP, MAX_GRID_Y = 65535, NAME_SIZE = 32 };

struct function {
    char name[NAME_SIZE];
    void *address;
    char *const *shared_memory;
    bool is_apply;
};

EXPORT int cuModuleLoad(void **module, const char *path) {
    Dl_info own;
    char name[4096];
    if (access(path, R_OK) != 0 || dladdr((void *)cuModuleLoad, &own) == 0) {
        return NOT_FOUND;
    }
    int folder_size = (int)(strrchr(own.dli_fname, '/') - own.dli_fname);
    snprintf(name, sizeof name, "%.*s/kernels_%d.so", folder_size, own.dli_fname,
             fake_capability() < 80 ? 75 : 80);
    *module = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (*module == NULL) {
        fprintf(stderr, "fake_cuda: %s\n", dlerror());
    }
    return *module != NULL ? SUCCESS : NOT_FOUND;
}

EXPORT int cuModuleGetFunction(struct function **function, void *module, const char *name) {
    void *address = dlsym(module, name);
    if (address == NULL) {
        return NOT_FOUND;
    }
    *function = calloc(1, sizeof **function);
    **function = (struct function){.address = address,
                                   .shared_memory = dlsym(module, "fake_shared_memory"),
                                   .is_apply = strncmp(name, "apply", 5) == 0};
    snprintf((*function)->name, sizeof(*function)->name, "%s", name);
    return SUCCESS;
}

static bool may_start(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int n_started;
    const char *limit = getenv("FAKE_CUDA_FAIL_AFTER");
    pthread_mutex_lock(&lock);
    bool may = limit == NULL || n_started++ < atoi(limit);
    pthread_mutex_unlock(&lock);
    return may;
}

static void run_apply(const void *kernel, const void *parameters) {
    void (*run)(struct gpu_apply p) = (void (*)(struct gpu_apply))kernel;
    run(*(const struct gpu_apply *)parameters);
}

static void run_linear(const void *kernel, const void *parameters) {
    void (*run)(struct gpu_linear p) = (void (*)(struct gpu_linear))kernel;
    run(*(const struct gpu_linear *)parameters);
}

int fake_run_kernel(const struct launch *launch) {
    const struct function *function = launch->function;
    const struct fake_grid grid = {
        .name = function->name,
        .run = function->is_apply ? run_apply : run_linear,
        .kernel = function->address,
        .parameters = &launch->linear,
        .extent = {launch->grid_x, launch->grid_y, 1},
        .n_threads = N_THREADS,
        .shared_memory = function->shared_memory,
    };
    return may_start() ? fake_run_grid(&grid) : LAUNCH_FAILED;
}

EXPORT int cuLaunchKernel(const struct function *function, unsigned grid_x, unsigned grid_y,
                          unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                          unsigned shared_size, struct stream *stream, void **parameters,
                          void **extra) {
    struct launch launch = {.function = function, .grid_x = grid_x, .grid_y = grid_y};
    if (grid_x - 1 >= INT32_MAX || grid_y - 1 >= MAX_GRID_Y || grid_z != 1 ||
        block_x != N_THREADS || block_y != 1 || block_z != 1 || shared_size != 0 || extra != NULL) {
        return INVALID_VALUE;
    }
    if (function->is_apply) {
        launch.apply = *(const struct gpu_apply *)parameters[0];
    } else {
        launch.linear = *(const struct gpu_linear *)parameters[0];
    }
    return fake_add_launch(stream, &launch);
}
