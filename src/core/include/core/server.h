/*
 * The server: its options, loops and models.
 *
 * Made by main; const after the start but for what belongs to the control thread, which runs the
 * control loop: it loads, watches and unloads models, and publishes what there is to the I/O loops.
 */
#ifndef HC_CORE_SERVER_H
#define HC_CORE_SERVER_H

#include <sched.h>
#include <string.h>

#include "channel/memfile.h"
#include "channel/spin.h"
#include "core/catalog.h"
#include "core/context.h"
#include "net/loop.h"
#include "sched/limiter.h"

#define HC_TRITON_VERSION "2.51.0" /* whose behaviour this is; what /v2 says */

/* Who says which models are loaded. */
enum hc_control_mode {
    HC_CONTROL_NONE,     /* the repositories at the start */
    HC_CONTROL_POLL,     /* the repositories, looked at again and again */
    HC_CONTROL_EXPLICIT, /* clients */
};

/* What metrics tell of models. */
struct hc_server_metrics {
    bool counters;   /* false: they stay 0 */
    bool summaries;  /* quantiles of durations */
    bool histograms; /* first responses of decoupled models */
    double *quantiles;
    size_t n_quantiles;
};

/* Where instances run. */
struct hc_host_policy {
    char *name;
    bool has_cores;
    cpu_set_t cores;
    int numa_node; /* that memory comes from; -1: any */
};

/* What of the protocol's extensions there is, as metadata lists them. */
extern const char *const hc_server_extensions[];
extern const size_t hc_server_n_extensions;

struct hc_server_options {
    char *id; /* "triton" unless given */
    char **repositories;
    size_t n_repositories;
    bool auto_complete;
    bool strict_readiness;
    unsigned exit_timeout_s;
    unsigned n_load_threads; /* models that are loaded side by side */
    unsigned n_load_retries; /* after a load that failed */
    enum hc_control_mode control_mode;
    unsigned poll_s;       /* between two looks at the repositories */
    char **startup_models; /* with HC_CONTROL_EXPLICIT; one "*": all */
    size_t n_startup_models;
    struct hc_server_metrics metrics;
    uint64_t pinned_pool_size; /* of memory for GPUs; only told, here nothing needs it */
    bool namespacing;          /* repositories may have models of the same name */
    char *config_name; /* of an alternative config file in each model's configs/; "" for none */

    char *backend_directory; /* with a folder for each backend that is written in Python */

    bool rate_limit; /* instances need resources to run (core/rate_limit.h) */
    struct hc_limiter_limit *rate_limits;
    size_t n_rate_limits;

    struct hc_server_cache {
        char *kind; /* "local", "redis"; NULL: no cache */
        struct hc_cache_setting {
            char *name;
            char *value;
        } *settings;
        size_t n_settings;
    } cache;

    struct hc_host_policy *host_policies;
    size_t n_host_policies;

    /* The Python backend's. */
    bool prefix_output; /* put a model's name before each line that it prints */
    char *python;       /* interpreter for models that name none */
    char *pyhost_path;  /* launcher, extension module */
    char *module_path;
    char *unpack_path; /* the program that unpacks environments */

    char *gpu_kernels_path; /* the linear backend's, for GPUs; there may be no such file */
};

struct hc_lifecycle;
struct hc_rate_limiter;
struct hc_shared_cache;
struct hc_shm;
struct hc_metrics;

struct hc_server {
    struct hc_server_options options;
    struct hc_loop *control;
    struct hc_context *contexts; /* one a loop: I/O loops first, control last */
    size_t n_contexts;
    struct hc_memfile spin_board;
    struct hc_spin_seat *spin_seats; /* one a loop */
    struct hc_lifecycle *lifecycle;
    struct hc_rate_limiter *rate_limiter; /* NULL: there is none */
    struct hc_cache *cache;               /* of responses, in memory; NULL: there is none */
    struct hc_shared_cache *shared_cache; /* of responses, in Redis; NULL: there is none */
    struct hc_shm *shm;                   /* what clients have registered */
    struct hc_metrics *metrics;           /* of models' own (metrics/metrics.h) */
    atomic_bool stopping;
    _Atomic(struct hc_catalog *) _catalog;
};

static inline bool hc_server_starts_all(const struct hc_server_options *options) {
    return options->n_startup_models == 1 && strcmp(options->startup_models[0], "*") == 0;
}

/* Make loops and contexts for N_IO_LOOPS I/O loops; takes OPTIONS over. */
enum hc_code hc_server_create(const struct hc_server_options *options, unsigned n_io_loops,
                              struct hc_server **server, struct hc_error *error);

/* Start the threads of the I/O loops. */
enum hc_code hc_server_start(struct hc_server *server, struct hc_error *error);

/* End and join the I/O loops. Models must have been unloaded. */
void hc_server_stop(struct hc_server *server);
void hc_server_destroy(struct hc_server *server);

/*
 * Control thread: from now on CATALOG, of which this takes one reference, is what every loop sees.
 * The one before is let go of when each loop has come to the end of its turn.
 */
void hc_server_publish(struct hc_server *server, struct hc_catalog *catalog);

/* A loop's thread: the catalog as it is now, which stays until the loop's next task. */
static inline const struct hc_catalog *hc_server_catalog(const struct hc_server *server) {
    return atomic_load_explicit(&server->_catalog, memory_order_acquire);
}

/* The context of the calling thread's loop. */
struct hc_context *hc_server_context(struct hc_server *server);

#endif
