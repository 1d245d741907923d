/* The server: loops, contexts, the catalog's way to them. */
#include "core/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "core/cached.h"
#include "core/lifecycle.h"
#include "core/rate_limit.h"
#include "metrics/metrics.h"
#include "shm/shm.h"

const char *const hc_server_extensions[] = {
    "classification",       "sequence",
    "model_repository",     "model_repository(unload_dependents)",
    "schedule_policy",      "model_configuration",
    "system_shared_memory", "cuda_shared_memory",
    "binary_tensor_data",   "parameters",
    "statistics",           "logging",
};
const size_t hc_server_n_extensions = sizeof hc_server_extensions / sizeof hc_server_extensions[0];

/* Lets a loop spin when a seat is free. */
struct hc_spin_seat {
    struct hc_spin spin;
    struct hc_spinner spinner;
};

static struct hc_spin_seat *seat_of(struct hc_spin *spin) {
    return hc_list_item(spin, struct hc_spin_seat, spin);
}

static uint64_t begin_spin(struct hc_spin *spin) {
    return hc_spin_begin(&seat_of(spin)->spinner, hc_clock_ns());
}

static void end_spin(struct hc_spin *spin, bool paid) {
    (void)paid;
    hc_spin_stop(&seat_of(spin)->spinner);
}

static void woke(struct hc_spin *spin) {
    hc_spin_end(&seat_of(spin)->spinner, hc_clock_ns());
}

static enum hc_code create_spin_board(struct hc_server *server, struct hc_error *error) {
    HC_TRY(hc_memfile_create("hippocamp-spin", sizeof(struct hc_spin_board), &server->spin_board,
                             error));
    struct hc_spin_board *board = (void *)server->spin_board.base;
    board->n_seats = hc_spin_seats();
    server->spin_seats = hc_alloc_array(server->n_contexts, sizeof *server->spin_seats);
    for (size_t i = 0; i < server->n_contexts; i++) {
        server->spin_seats[i] = (struct hc_spin_seat){
            .spin = {.begin = begin_spin, .end = end_spin, .woke = woke},
            .spinner = {.board = board},
        };
        hc_loop_set_spin(server->contexts[i].loop, &server->spin_seats[i].spin);
    }
    return HC_OK;
}

static enum hc_code create_contexts(struct hc_server *server, struct hc_error *error) {
    for (unsigned i = 0; i < server->n_contexts; i++) {
        struct hc_loop *loop;
        HC_TRY(hc_loop_create(i, &loop, error));
        hc_context_init(&server->contexts[i], server, loop, i);
        server->control = loop;
    }
    return HC_OK;
}

enum hc_code hc_server_create(const struct hc_server_options *options, unsigned n_io_loops,
                              struct hc_server **server_out, struct hc_error *error) {
    struct hc_server *server = hc_new(struct hc_server);
    server->options = *options;
    server->shm = hc_shm_create();
    server->n_contexts = n_io_loops + 1;
    server->contexts = hc_alloc_array(server->n_contexts, sizeof *server->contexts);
    atomic_init(&server->_catalog, hc_catalog_create(0));
    /* On failure the process ends: nothing to undo. */
    HC_TRY(hc_metrics_create(&server->metrics, error));
    HC_TRY(create_contexts(server, error));
    HC_TRY(create_spin_board(server, error));
    HC_TRY(hc_cached_start(server, error));
    hc_rate_limit_start(server);
    *server_out = server;
    return HC_OK;
}

enum hc_code hc_server_start(struct hc_server *server, struct hc_error *error) {
    for (size_t i = 0; i + 1 < server->n_contexts; i++) {
        char name[32];
        snprintf(name, sizeof name, "io-%zu", i);
        HC_TRY(hc_loop_start(server->contexts[i].loop, name, error));
    }
    return HC_OK;
}

void hc_server_stop(struct hc_server *server) {
    for (size_t i = 0; i + 1 < server->n_contexts; i++) {
        hc_loop_stop(server->contexts[i].loop);
    }
    for (size_t i = 0; i + 1 < server->n_contexts; i++) {
        hc_loop_join(server->contexts[i].loop);
    }
}

static void free_options(struct hc_server_options *options) {
    for (size_t i = 0; i < options->n_repositories; i++) {
        free(options->repositories[i]);
    }
    free(options->repositories);
    for (size_t i = 0; i < options->n_startup_models; i++) {
        free(options->startup_models[i]);
    }
    free(options->startup_models);
    for (size_t i = 0; i < options->n_rate_limits; i++) {
        free(options->rate_limits[i].resource);
    }
    free(options->rate_limits);
    free(options->metrics.quantiles);
    free(options->id);
    free(options->config_name);
    free(options->backend_directory);
    for (size_t i = 0; i < options->cache.n_settings; i++) {
        free(options->cache.settings[i].name);
        free(options->cache.settings[i].value);
    }
    free(options->cache.settings);
    free(options->cache.kind);
    for (size_t i = 0; i < options->n_host_policies; i++) {
        free(options->host_policies[i].name);
    }
    free(options->host_policies);
    free(options->python);
    free(options->pyhost_path);
    free(options->module_path);
    free(options->unpack_path);
    free(options->gpu_kernels_path);
}

void hc_server_destroy(struct hc_server *server) {
    hc_cached_finish(server);
    for (size_t i = 0; i < server->n_contexts; i++) {
        hc_context_finish(&server->contexts[i]);
        hc_loop_destroy(server->contexts[i].loop);
    }
    hc_catalog_unref(atomic_load(&server->_catalog));
    hc_lifecycle_destroy(server->lifecycle);
    hc_rate_limit_finish(server);
    hc_shm_destroy(server->shm);
    hc_metrics_destroy(server->metrics);
    hc_memfile_close(&server->spin_board);
    free(server->spin_seats);
    free(server->contexts);
    free_options(&server->options);
    free(server);
}

/* One loop's word that it looks at the catalog before no more. */
struct farewell {
    struct hc_task task;
    struct hc_context *context;
    struct publication *publication;
};

struct publication {
    struct hc_catalog *before;
    atomic_size_t n_left; /* loops that may still look at it */
    struct farewell farewells[];
};

/* Nothing on the loop's stack can have the catalog before in its hands now. */
static void let_go(struct hc_task *task) {
    struct farewell *farewell = hc_list_item(task, struct farewell, task);
    struct publication *publication = farewell->publication;
    hc_list_each (link, &farewell->context->_catalog_watches) {
        struct hc_catalog_watch *watch = hc_list_item(link, struct hc_catalog_watch, _link);
        watch->on_change(watch);
    }
    if (atomic_fetch_sub(&publication->n_left, 1) == 1) {
        hc_catalog_unref(publication->before);
        free(publication);
    }
}

void hc_server_publish(struct hc_server *server, struct hc_catalog *catalog) {
    size_t n = server->n_contexts;
    struct publication *publication =
        hc_alloc(sizeof *publication + n * sizeof publication->farewells[0]);
    publication->before = atomic_exchange(&server->_catalog, catalog);
    atomic_init(&publication->n_left, n);
    for (size_t i = 0; i < n; i++) {
        struct farewell *farewell = &publication->farewells[i];
        *farewell = (struct farewell){
            .task = {.run = let_go},
            .context = &server->contexts[i],
            .publication = publication,
        };
        hc_loop_post(server->contexts[i].loop, &farewell->task);
    }
}

struct hc_context *hc_server_context(struct hc_server *server) {
    return &server->contexts[hc_loop_index(hc_loop_current())];
}
