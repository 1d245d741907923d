/*
 * hippocamp: options, signals, wiring. The only file that exits.
 *
 * The main thread runs the control loop: it loads the models, opens the ports, waits for a signal,
 * and takes everything down again.
 */
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/http.h"
#include "api/metrics.h"
#include "backend/ensemble.h"
#include "backend/linear.h"
#include "backend/python.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "channel/layout.h"
#include "check_repository.h"
#include "core/lifecycle.h"
#include "grpc/grpc.h"
#include "options.h"
#include "report.h"

enum { MAX_IO_LOOPS = HC_MAX_LINKS - 1 };

static struct hc_options options;
static struct hc_server *server;
static struct hc_http_api *http;
static struct hc_metrics_api *metrics;
static struct hc_grpc_api *grpc;
static struct hc_watch signal_watch;
static struct hc_timer stop_timer;
static struct hc_task http_stopped_task;
static struct hc_task grpc_stopped_task;
static bool http_stopped;
static bool grpc_stopped;
static int exit_status;

static void fatal(const char *what, const struct hc_error *error) {
    fprintf(stderr, "error: %s: %s - %s\n", what, hc_code_name(error->code), error->message);
    exit(1);
}

/* ---- Stopping ---- */

static void on_metrics_stopped(void *unused) {
    (void)unused;
    hc_loop_stop(server->control);
}

/* Whoever watches the server sees it stop, so metrics go last. */
static void on_models_stopped(struct hc_server *stopped) {
    (void)stopped;
    hc_timer_stop(&stop_timer);
    if (metrics != NULL) {
        hc_metrics_api_stop(metrics, on_metrics_stopped, NULL);
    } else {
        on_metrics_stopped(NULL);
    }
}

static void stop_models_after_ports(void) {
    if (http_stopped && grpc_stopped) {
        hc_lifecycle_stop(server, on_models_stopped);
    }
}

static void on_http_stopped(struct hc_task *task) {
    (void)task;
    http_stopped = true;
    stop_models_after_ports();
}

static void on_grpc_stopped(struct hc_task *task) {
    (void)task;
    grpc_stopped = true;
    stop_models_after_ports();
}

/* These two on one of the I/O loops. */
static void post_http_stopped(void *unused) {
    (void)unused;
    hc_loop_post(server->control, &http_stopped_task);
}

static void post_grpc_stopped(void *unused) {
    (void)unused;
    hc_loop_post(server->control, &grpc_stopped_task);
}

static void on_stop_timeout(struct hc_timer *timer) {
    (void)timer;
    fputs("failed to stop server: Internal - Exit timeout expired. Exiting immediately.\n", stderr);
    exit_status = 1;
    if (!http_stopped) {
        hc_http_api_abort(http);
    }
    if (!grpc_stopped) {
        hc_grpc_api_abort(grpc);
    }
    hc_lifecycle_abandon(server);
}

static void stop(void) {
    atomic_store(&server->stopping, true);
    stop_timer.on_due = on_stop_timeout;
    hc_timer_start(server->control, &stop_timer,
                   hc_clock_ns() + server->options.exit_timeout_s * HC_NS_PER_S);
    http_stopped_task.run = on_http_stopped;
    grpc_stopped_task.run = on_grpc_stopped;
    if (http != NULL) {
        hc_http_api_stop(http, post_http_stopped, NULL);
    } else {
        hc_loop_post(server->control, &http_stopped_task);
    }
    if (grpc != NULL) {
        hc_grpc_api_stop(grpc, post_grpc_stopped, NULL);
    } else {
        hc_loop_post(server->control, &grpc_stopped_task);
    }
}

static void on_signal(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct signalfd_siginfo info;
    if (read(watch->fd, &info, sizeof info) != sizeof info) {
        return;
    }
    if (atomic_load(&server->stopping)) {
        _exit(1); /* the second one: pyhosts end with their control sockets */
    }
    printf("Signal (%u) received.\n", info.ssi_signo);
    fflush(stdout);
    stop();
}

/* ---- Starting ---- */

static void start_http(void) {
    if (!options.allow_http) {
        return;
    }
    const struct hc_http_api_options http_options = {
        .address = options.http_address,
        .port = (uint16_t)options.http_port,
        .reuse_port = options.reuse_http_port,
        .max_input_size = options.http_max_input_size,
        .max_body_size = options.http_max_body_size,
        .forward_pattern = options.http_forward_pattern,
        .cors_origin = options.http_cors_origin,
        .restrictions = &options.http_restrictions,
        .use_tls = options.http_tls.use || options.http_tls.mutual,
        .tls = {.cert_path = options.http_tls.cert,
                .key_path = options.http_tls.key,
                .root_path = options.http_tls.root,
                .mutual = options.http_tls.mutual,
                .protocol = "http/1.1"},
    };
    struct hc_error error;
    if (hc_http_api_create(server, &http_options, &http, &error) != HC_OK) {
        fatal("failed to start HTTP service", &error);
    }
    hc_log_info("Started HTTPService at %s:%u", options.http_address, hc_http_api_port(http));
}

static void start_metrics(void) {
    if (!options.allow_metrics) {
        return;
    }
    const struct hc_metrics_api_options metrics_options = {
        .address = options.metrics_address != NULL ? options.metrics_address : options.http_address,
        .port = (uint16_t)options.metrics_port,
        .cpu = options.allow_cpu_metrics,
        .gpu = options.allow_gpu_metrics,
        .interval_ms = options.metrics_interval_ms,
    };
    struct hc_error error;
    if (hc_metrics_api_create(server, &metrics_options, &metrics, &error) != HC_OK) {
        fatal("failed to start Metrics service", &error);
    }
    hc_log_info("Started Metrics Service at %s:%u", metrics_options.address,
                hc_metrics_api_port(metrics));
}

static void start_grpc(void) {
    if (!options.allow_grpc) {
        return;
    }
    struct hc_grpc_api_options grpc_options = {
        .address = options.grpc_address,
        .port = (uint16_t)options.grpc_port,
        .reuse_port = options.reuse_grpc_port,
        .forward_pattern = options.grpc_forward_pattern,
        .restrictions = &options.grpc_restrictions,
        .use_tls = options.grpc_tls.use || options.grpc_tls.mutual,
        .tls = {.cert_path = options.grpc_tls.cert,
                .key_path = options.grpc_tls.key,
                .root_path = options.grpc_tls.root,
                .mutual = options.grpc_tls.mutual,
                .protocol = "h2"},
        .keepalive_ms = options.grpc_keepalive_ms,
        .keepalive_timeout_ms = options.grpc_keepalive_timeout_ms,
        .keepalive_without_calls = options.grpc_keepalive_without_calls,
        .max_pings = options.grpc_max_pings,
        .min_ping_interval_ms = options.grpc_min_ping_interval_ms,
        .max_ping_strikes = options.grpc_max_ping_strikes,
        .max_age_ms = options.grpc_max_age_ms,
        .age_grace_ms = options.grpc_age_grace_ms,
    };
    hc_grpc_compression_find(options.grpc_compression, &grpc_options.compression);
    struct hc_error error;
    if (hc_grpc_api_create(server, &grpc_options, &grpc, &error) != HC_OK) {
        fatal("failed to start GRPC service", &error);
    }
    hc_log_info("Started GRPCInferenceService at %s:%u", options.grpc_address,
                hc_grpc_api_port(grpc));
}

static void on_models_started(struct hc_server *started) {
    hc_report_backends(started);
    hc_report_models(started);
    hc_report_options(started);
    hc_auto(text) failure = hc_lifecycle_failure(started);
    if (options.exit_on_error && failure != NULL) {
        fprintf(stderr, "error: creating server: %s\n", failure);
        exit_status = 1;
        stop();
        return;
    }
    start_grpc();
    start_http();
    start_metrics();
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void configure_log(void) {
    hc_log_enable(HC_LOG_INFO, options.log_info);
    hc_log_enable(HC_LOG_WARNING, options.log_warning);
    hc_log_enable(HC_LOG_ERROR, options.log_error);
    hc_log_set_verbosity(options.log_verbose);
    if (strcasecmp(options.log_format, "ISO8601") == 0) {
        hc_log_set_format(HC_LOG_FORMAT_ISO8601);
    }
    struct hc_error error;
    if (options.log_file[0] != '\0' && hc_log_open(options.log_file, &error) != HC_OK) {
        fatal("log", &error);
    }
}

/* Where the pyhost and its module are: in lib/hippocamp beside the folder of this program. */
static void find_pyhost(void) {
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0) {
        fatal("cannot find this program", &(struct hc_error){HC_INTERNAL, "/proc/self/exe"});
    }
    path[size] = '\0';
    const char *bin = dirname(path);
    options.server.pyhost_path = hc_format("%s/../lib/hippocamp/hippocamp-pyhost", bin);
    options.server.unpack_path = hc_format("%s/../lib/hippocamp/hippocamp-unpack", bin);
    options.server.gpu_kernels_path = hc_format("%s/../lib/hippocamp/hippocamp-linear.fatbin", bin);
    options.server.module_path = hc_format("%s/../lib/hippocamp/_hippocamp.abi3.so", bin);
}

/* Signals come through the control loop; every thread and pyhost starts with them blocked or reset.
 */
static void watch_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal_watch.fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    signal_watch.on_ready = on_signal;
    struct hc_error error;
    if (hc_watch_start(server->control, &signal_watch, HC_WATCH_READ, &error) != HC_OK) {
        fatal("cannot watch for signals", &error);
    }
}

static unsigned io_loop_count(void) {
    if (options.http_thread_count > 0) {
        return options.http_thread_count < MAX_IO_LOOPS ? options.http_thread_count : MAX_IO_LOOPS;
    }
    unsigned cores = hc_spin_usable_cores();
    return cores <= 2 ? 1 : cores < 16 ? cores / 2 : 8;
}

/* The server and its backends, with no thread running yet. */
static void create(void) {
    struct hc_error error;
    if (hc_server_create(&options.server, io_loop_count(), &server, &error) != HC_OK ||
        hc_python_start(server, &error) != HC_OK) {
        fatal("creating server", &error);
    }
    hc_backend_register(&hc_ensemble_backend);
    hc_linear_start(server);
}

static void start(void) {
    struct hc_error error;
    watch_signals();
    if (hc_server_start(server, &error) != HC_OK) {
        fatal("creating server", &error);
    }
    hc_lifecycle_start(server, on_models_started);
}

static void finish(void) {
    hc_server_stop(server);
    hc_watch_stop(&signal_watch);
    hc_fd_close(signal_watch.fd);
    hc_http_api_destroy(http);
    hc_grpc_api_destroy(grpc);
    hc_linear_finish();
    hc_metrics_api_destroy(metrics);
    hc_python_finish();
    hc_server_destroy(server);
    hc_options_finish(&options);
}

int main(int argc, char **argv) {
    enum hc_options_result result = hc_options_parse(argc, argv, &options);
    switch (result) {
    case HC_OPTIONS_RUN:
    case HC_OPTIONS_CHECK:
        break;
    case HC_OPTIONS_VERSION:
        return 0;
    case HC_OPTIONS_HELP:
    case HC_OPTIONS_BAD:
        return 1;
    }
    configure_log();
    raise_descriptor_limit();
    find_pyhost();
    create();
    if (result == HC_OPTIONS_CHECK) {
        return check_repository(&server->options) ? 0 : 1;
    }
    start();
    hc_loop_run(server->control);
    finish();
    return exit_status;
}
