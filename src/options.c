/* The command line, driven by one table. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/nearest.h"
#include "options_values.h"

enum kind {
    FLAG, /* bool, true when given */
    NOT,  /* bool, false when given */
    BOOL, /* bool by a word */
    UINT, /* unsigned */
    SIZE, /* uint64_t */
    TEXT, /* char * */
    REPOSITORY,
    STARTUP_MODEL,
    CONTROL_MODE,
    RATE_LIMIT,
    RATE_LIMIT_RESOURCE,
    METRICS_CONFIG,
    LEVEL, /* unsigned, or a bool */
    RESTRICTION,
    MILLISECONDS,
    STRICT_CONFIG,  /* the opposite of server.auto_complete */
    BACKEND_CONFIG, /* checked, no more */
    UNUSED,         /* accepted; `help` says why there is nothing to do */
    UNSUPPORTED,    /* a bool that must be false */
    HELP,
    VERSION,
};

struct option_row {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct hc_options */
    const char *group;
    const char *help;
};

#define AT(member) offsetof(struct hc_options, member)

static const char pools[] = "No memory of GPUs is kept for models.";
static const char other_front_ends[] = "There are no front ends for SageMaker and Vertex AI.";

static const struct option_row rows[] = {
    {"help", HELP, 0, "General", "Print this and exit."},
    {"version", VERSION, 0, NULL, "Print Hippocamp's version and exit."},
    {"id", TEXT, AT(server.id), NULL, "Name of the server in its metadata (triton)."},
    {"exit-timeout-secs", UINT, AT(server.exit_timeout_s), NULL,
     "Seconds for requests in flight to finish when the server is told to stop (30)."},
    {"exit-on-error", BOOL, AT(exit_on_error), NULL,
     "Exit when a model fails to load at the start (true)."},
    {"strict-readiness", BOOL, AT(server.strict_readiness), NULL,
     "The server is ready only when all its models are (true)."},

    {"model-repository", REPOSITORY, 0, "Models", "Folder with models; may be repeated. Required."},
    {"model-store", REPOSITORY, 0, NULL, "The same."},
    {"model-control-mode", CONTROL_MODE, AT(server.control_mode), NULL,
     "Who says what is loaded: the repositories at the start (none), the repositories as they "
     "change (poll), clients (explicit)."},
    {"load-model", STARTUP_MODEL, 0, NULL,
     "With explicit control, a model to load at the start; may be repeated; * for all."},
    {"repository-poll-secs", UINT, AT(server.poll_s), NULL,
     "With poll, seconds between two looks at the repositories (15)."},
    {"model-namespacing", BOOL, AT(server.namespacing), NULL,
     "Let repositories have models of the same name (false)."},
    {"model-config-name", TEXT, AT(server.config_name), NULL,
     "Use configs/<name>.pbtxt of each model that has it."},
    {"disable-auto-complete-config", NOT, AT(server.auto_complete), NULL,
     "Take configs as they are, without filling in what is missing."},
    {"model-load-thread-count", UINT, AT(server.n_load_threads), NULL,
     "How many models are loaded side by side (4)."},
    {"model-load-retry-count", UINT, AT(server.n_load_retries), NULL,
     "How often a load that failed is tried again (0)."},

    {"rate-limit", RATE_LIMIT, AT(server.rate_limit), NULL,
     "execution_count: instances run when the resources that their group's rate_limiter names are "
     "free, those first that ran least; off (off)."},
    {"rate-limit-resource", RATE_LIMIT_RESOURCE, AT(server), NULL,
     "<name>:<count>[:<device>]: how much there is of a resource, on each device or one. Without "
     "any, as much as the instance needs that needs most. May be repeated."},
    {"cache-config", TEXT, AT(server.cache_config), NULL,
     "local,size=<bytes>: keep the responses of models that enable it, in so much memory."},
    {"backend-directory", TEXT, AT(server.backend_directory), NULL,
     "Folder with a folder for each backend that is a model.py (/opt/tritonserver/backends)."},

    {"python", TEXT, AT(server.python), "Python",
     "Interpreter for models that name none: a path, or a name on PATH (python3)."},
    {"prefix-model-output", BOOL, AT(server.prefix_output), NULL,
     "Put the model's name before each line that it prints (false)."},

    {"allow-http", BOOL, AT(allow_http), "HTTP", "Serve HTTP (true)."},
    {"http-address", TEXT, AT(http_address), NULL, "Address to listen on (0.0.0.0)."},
    {"http-port", UINT, AT(http_port), NULL, "Port (8000); 0 chooses one."},
    {"reuse-http-port", BOOL, AT(reuse_http_port), NULL,
     "Share the port with other servers (false)."},
    {"http-thread-count", UINT, AT(http_thread_count), NULL,
     "Threads for input and output (by the number of cores)."},
    {"http-max-input-size", SIZE, AT(http_max_input_size), NULL,
     "Longest request body in bytes, binary tensors not counted (67108864)."},
    {"http-max-body-size", SIZE, AT(http_max_body_size), NULL,
     "Longest request body in bytes, binary tensors included (2147483648)."},
    {"http-header-forward-pattern", TEXT, AT(http_forward_pattern), NULL,
     "Headers of infer requests to forward as parameters: a regular expression for their names."},
    {"http-restricted-api", RESTRICTION, AT(http_restrictions), NULL,
     "<api>,<api>:<header>=<value>: serve these only to requests with that header. APIs: health, "
     "metadata, inference, shared-memory, model-config, model-repository, statistics, trace, "
     "logging. May be repeated."},
    {"http-cors-origin", TEXT, AT(http_cors_origin), NULL,
     "Origin of web pages that may send requests; * for all (none)."},
    {"http-use-ssl", BOOL, AT(http_tls.use), NULL, "Encrypt connections (false)."},
    {"http-use-ssl-mutual", BOOL, AT(http_tls.mutual), NULL,
     "Encrypt connections and want a certificate of clients (false)."},
    {"http-server-cert", TEXT, AT(http_tls.cert), NULL, "The server's certificate, PEM."},
    {"http-server-key", TEXT, AT(http_tls.key), NULL, "The server's private key, PEM."},
    {"http-root-cert", TEXT, AT(http_tls.root), NULL,
     "Certificates that sign those of clients, PEM."},

    {"allow-grpc", BOOL, AT(allow_grpc), "gRPC", "Serve gRPC (true)."},
    {"grpc-address", TEXT, AT(grpc_address), NULL, "Address to listen on (0.0.0.0)."},
    {"grpc-port", UINT, AT(grpc_port), NULL, "Port (8001); 0 chooses one."},
    {"reuse-grpc-port", BOOL, AT(reuse_grpc_port), NULL,
     "Share the port with other servers (false)."},
    {"grpc-infer-response-compression-level", TEXT, AT(grpc_compression), NULL,
     "none, low, medium or high (none)."},
    {"grpc-header-forward-pattern", TEXT, AT(grpc_forward_pattern), NULL,
     "Metadata of inferences to forward as parameters: a regular expression for their names."},
    {"grpc-restricted-protocol", RESTRICTION, AT(grpc_restrictions), NULL,
     "As --http-restricted-api; the metadata is triton-grpc-protocol-<header>."},
    {"grpc-use-ssl", BOOL, AT(grpc_tls.use), NULL, "Encrypt connections (false)."},
    {"grpc-use-ssl-mutual", BOOL, AT(grpc_tls.mutual), NULL,
     "Encrypt connections and want a certificate of clients (false)."},
    {"grpc-server-cert", TEXT, AT(grpc_tls.cert), NULL, "The server's certificate, PEM."},
    {"grpc-server-key", TEXT, AT(grpc_tls.key), NULL, "The server's private key, PEM."},
    {"grpc-root-cert", TEXT, AT(grpc_tls.root), NULL,
     "Certificates that sign those of clients, PEM."},
    {"grpc-keepalive-time", UINT, AT(grpc_keepalive_ms), NULL,
     "Milliseconds of silence after which a client is pinged (7200000)."},
    {"grpc-keepalive-timeout", UINT, AT(grpc_keepalive_timeout_ms), NULL,
     "Milliseconds that it then has to answer (20000)."},
    {"grpc-keepalive-permit-without-calls", BOOL, AT(grpc_keepalive_without_calls), NULL,
     "Ping, and be pinged, without calls (false)."},
    {"grpc-http2-max-pings-without-data", UINT, AT(grpc_max_pings), NULL,
     "Pings in a row without anything else being sent; 0: no limit (2)."},
    {"grpc-http2-min-recv-ping-interval-without-data", UINT, AT(grpc_min_ping_interval_ms), NULL,
     "Milliseconds between pings of a client that are not too often (300000)."},
    {"grpc-http2-max-ping-strikes", UINT, AT(grpc_max_ping_strikes), NULL,
     "Pings too often after which a client is sent away; 0: never (2)."},
    {"grpc-max-connection-age", UINT, AT(grpc_max_age_ms), NULL,
     "Milliseconds after which a connection is let go of; 0: never (0)."},
    {"grpc-max-connection-age-grace", UINT, AT(grpc_age_grace_ms), NULL,
     "Milliseconds that its calls then have to end; 0: any time (0)."},
    {"grpc-infer-thread-count", UINT, AT(ignored), NULL, "Ignored: calls have no threads."},
    {"grpc-infer-allocation-pool-size", UINT, AT(ignored), NULL, "Ignored."},
    {"grpc-max-response-pool-size", UINT, AT(ignored), NULL, "Ignored."},

    {"allow-metrics", BOOL, AT(allow_metrics), "Metrics", "Serve metrics (true)."},
    {"allow-gpu-metrics", BOOL, AT(allow_gpu_metrics), NULL, "Of GPUs, too (true)."},
    {"allow-cpu-metrics", BOOL, AT(allow_cpu_metrics), NULL,
     "Of processors and memory, too (true)."},
    {"metrics-address", TEXT, AT(metrics_address), NULL, "Address to listen on (that of HTTP)."},
    {"metrics-port", UINT, AT(metrics_port), NULL, "Port (8002); 0 chooses one."},
    {"metrics-interval-ms", MILLISECONDS, AT(metrics_interval_ms), NULL,
     "Milliseconds over which utilization is measured, at least (2000)."},
    {"metrics-config", METRICS_CONFIG, AT(server.metrics), NULL,
     "counter_latencies=false: counters of models stay 0; summary_latencies=true: summaries, with "
     "summary_quantiles=<rank>:<error>,...; histogram_latencies=true: histograms. May be "
     "repeated."},

    {"log-verbose", LEVEL, AT(log_verbose), "Log", "Level of verbose messages (0: none)."},
    {"log-info", BOOL, AT(log_info), NULL, "Log information (true)."},
    {"log-warning", BOOL, AT(log_warning), NULL, "Log warnings (true)."},
    {"log-error", BOOL, AT(log_error), NULL, "Log errors (true)."},
    {"log-format", TEXT, AT(log_format), NULL, "default or ISO8601."},
    {"log-file", TEXT, AT(log_file), NULL, "Append to this file instead of the console."},

    {"strict-model-config", STRICT_CONFIG, AT(server.auto_complete), "Deprecated",
     "true is --disable-auto-complete-config."},

    {"pinned-memory-pool-byte-size", SIZE, AT(server.pinned_pool_size), "Accepted without effect",
     "Only metrics tell of it (268435456)."},
    {"cuda-memory-pool-byte-size", UNUSED, 0, NULL, pools},
    {"cuda-virtual-address-size", UNUSED, 0, NULL, pools},
    {"model-load-gpu-limit", UNUSED, 0, NULL, pools},
    {"enable-peer-access", UNUSED, 0, NULL, "GPUs talk to each other as the models have it."},
    {"min-supported-compute-capability", UNUSED, 0, NULL, "Any GPU will do."},
    {"buffer-manager-thread-count", UNUSED, 0, NULL, "Tensors are not copied by threads."},
    {"backend-config", BACKEND_CONFIG, 0, NULL,
     "Settings of backends; memory shared with models needs none."},
    {"repoagent-directory", UNUSED, 0, NULL, "There are no repository agents."},
    {"cache-directory", UNUSED, 0, NULL, "Caches are part of the server."},
    {"sagemaker-port", UNUSED, 0, NULL, other_front_ends},
    {"sagemaker-safe-port-range", UNUSED, 0, NULL, other_front_ends},
    {"sagemaker-thread-count", UNUSED, 0, NULL, other_front_ends},
    {"vertex-ai-port", UNUSED, 0, NULL, other_front_ends},
    {"vertex-ai-thread-count", UNUSED, 0, NULL, other_front_ends},
    {"vertex-ai-default-model", UNUSED, 0, NULL, other_front_ends},
    {"allow-sagemaker", UNSUPPORTED, 0, NULL, "Must be false."},
    {"allow-vertex-ai", UNSUPPORTED, 0, NULL, "Must be false."},
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* Wrapped to the right of COLUMN. */
static void print_wrapped(FILE *out, const char *text, int column) {
    enum { WIDTH = 100 };
    int room = WIDTH - column;
    while (*text != '\0') {
        int size = (int)strlen(text);
        if (size > room) {
            size = room;
            while (size > 0 && text[size] != ' ') {
                size--;
            }
        }
        fprintf(out, "%.*s\n", size, text);
        text += size + (text[size] == ' ');
        if (*text != '\0') {
            fprintf(out, "%*s", column, "");
        }
    }
}

static bool takes_value(const struct option_row *row) {
    return row->kind != FLAG && row->kind != NOT && row->kind != HELP && row->kind != VERSION;
}

static void print_help(FILE *out) {
    enum { COLUMN = 44 };
    fputs("Usage: hippocamp [options]\n"
          "       hippocamp check REPOSITORY [options]\n\n"
          "The second looks for mistakes in a repository without serving it.\n",
          out);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].group != NULL) {
            fprintf(out, "\n%s:\n", rows[i].group);
        }
        int width = fprintf(out, "  --%s%s", rows[i].name, takes_value(&rows[i]) ? " <value>" : "");
        if (width >= COLUMN) {
            fputs("\n", out);
            width = 0;
        }
        fprintf(out, "%*s", COLUMN - width, "");
        print_wrapped(out, rows[i].help, COLUMN);
    }
}

static void set_text(char **place, const char *text) {
    free(*place);
    *place = hc_strdup(text);
}

/* Repositories are kept as a sorted set. */
static void add_repository(struct hc_server_options *options, const char *path) {
    size_t i = 0;
    while (i < options->n_repositories && strcmp(options->repositories[i], path) < 0) {
        i++;
    }
    if (i < options->n_repositories && strcmp(options->repositories[i], path) == 0) {
        return;
    }
    options->repositories =
        hc_realloc(options->repositories, (options->n_repositories + 1) * sizeof(char *));
    memmove(&options->repositories[i + 1], &options->repositories[i],
            (options->n_repositories - i) * sizeof(char *));
    options->repositories[i] = hc_strdup(path);
    options->n_repositories++;
}

static void add_startup_model(struct hc_server_options *options, const char *name) {
    options->startup_models =
        hc_realloc(options->startup_models, (options->n_startup_models + 1) * sizeof(char *));
    options->startup_models[options->n_startup_models++] = hc_strdup(name);
}

static bool apply(const struct option_row *row, const char *argument, struct hc_options *options) {
    void *place = (char *)options + row->offset;
    switch (row->kind) {
    case FLAG:
        *(bool *)place = true;
        return true;
    case NOT:
        *(bool *)place = false;
        return true;
    case BOOL:
        return parse_bool(argument, place);
    case UINT:
        return parse_uint(argument, place);
    case SIZE:
        return hc_text_number(hc_text_of(argument), UINT64_MAX, place);
    case TEXT:
        set_text(place, argument);
        return true;
    case REPOSITORY:
        add_repository(&options->server, argument);
        return true;
    case STARTUP_MODEL:
        add_startup_model(&options->server, argument);
        return true;
    case CONTROL_MODE:
        return parse_control_mode(argument, place);
    case RATE_LIMIT:
        return parse_rate_limit(argument, place);
    case RATE_LIMIT_RESOURCE:
        return parse_rate_limit_resource(argument, place);
    case METRICS_CONFIG:
        return parse_metrics_config(argument, place);
    case LEVEL:
        return parse_level(argument, place);
    case RESTRICTION:
        return hc_restrictions_add(place, argument, NULL) == HC_OK;
    case MILLISECONDS:
        return parse_milliseconds(argument, place);
    case STRICT_CONFIG:
        fputs("Warning: '--strict-model-config' has been deprecated! Please use "
              "'--disable-auto-complete-config' instead.\n",
              stderr);
        if (!parse_bool(argument, place)) {
            return false;
        }
        *(bool *)place = !*(bool *)place;
        return true;
    case BACKEND_CONFIG:
        return is_backend_config(argument);
    case UNUSED:
        hc_log_info("--%s has no effect: %s", row->name, row->help);
        return true;
    case UNSUPPORTED: {
        bool wanted;
        return parse_bool(argument, &wanted) && !wanted;
    }
    case HELP:
    case VERSION:
        break;
    }
    return true;
}

static enum hc_options_result complain(const char *option, const char *why) {
    fprintf(stderr, "Bad option: \"%s\".\n%s\nTry --help.\n", option, why);
    return HC_OPTIONS_BAD;
}

static void set_defaults(struct hc_options *options) {
    *options = (struct hc_options){
        .server = {.auto_complete = true,
                   .strict_readiness = true,
                   .exit_timeout_s = 30,
                   .n_load_threads = 4,
                   .poll_s = 15,
                   .pinned_pool_size = 256 << 20,
                   .metrics = {.counters = true}},
        .exit_on_error = true,
        .allow_http = true,
        .http_port = 8000,
        .http_max_input_size = 64 << 20,
        .http_max_body_size = (uint64_t)2 << 30,
        .allow_grpc = true,
        .grpc_port = 8001,
        .grpc_keepalive_ms = 7200000,
        .grpc_keepalive_timeout_ms = 20000,
        .grpc_max_pings = 2,
        .grpc_min_ping_interval_ms = 300000,
        .grpc_max_ping_strikes = 2,
        .allow_metrics = true,
        .allow_gpu_metrics = true,
        .allow_cpu_metrics = true,
        .metrics_port = 8002,
        .metrics_interval_ms = 2000,
        .log_info = true,
        .log_warning = true,
        .log_error = true,
    };
    static const double ranks[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    set_quantiles(&options->server.metrics, ranks, sizeof ranks / sizeof ranks[0]);
    set_text(&options->server.id, "triton");
    set_text(&options->server.backend_directory, "/opt/tritonserver/backends");
    set_text(&options->server.python, "python3");
    set_text(&options->server.config_name, "");
    set_text(&options->http_address, "0.0.0.0");
    set_text(&options->http_forward_pattern, "");
    set_text(&options->http_cors_origin, "");
    set_text(&options->http_tls.cert, "");
    set_text(&options->http_tls.key, "");
    set_text(&options->http_tls.root, "");
    set_text(&options->grpc_address, "0.0.0.0");
    set_text(&options->grpc_compression, "none");
    set_text(&options->grpc_forward_pattern, "");
    set_text(&options->grpc_tls.cert, "");
    set_text(&options->grpc_tls.key, "");
    set_text(&options->grpc_tls.root, "");
    set_text(&options->log_format, "default");
    set_text(&options->log_file, "");
}

static void make_long_options(struct option *long_options) {
    for (size_t i = 0; i < N_ROWS; i++) {
        int argument = takes_value(&rows[i]) ? required_argument : no_argument;
        long_options[i] = (struct option){rows[i].name, argument, NULL, (int)i + 256};
    }
    long_options[N_ROWS] = (struct option){0};
}

/* WORD is no option, or one that misses its value. */
static enum hc_options_result complain_of(const char *word) {
    struct hc_text name = {word, strcspn(word, "=")};
    struct hc_text bare =
        hc_text_starts(name, "--") ? (struct hc_text){name.data + 2, name.size - 2} : name;
    struct hc_nearest nearest = {.word = bare};
    for (size_t i = 0; i < N_ROWS; i++) {
        if (hc_text_is(bare, rows[i].name)) {
            return complain(word,
                            takes_value(&rows[i]) ? "its value is missing" : "it takes no value");
        }
        hc_nearest_offer(&nearest, rows[i].name);
    }
    hc_auto(text) why =
        nearest.name == NULL
            ? hc_strdup("there is no such option")
            : hc_format("there is no such option; did you mean --%s?", nearest.name);
    return complain(word, why);
}

static enum hc_options_result check(const struct hc_options *options) {
    if (options->server.n_repositories == 0) {
        return complain("--model-repository", "--model-repository must be specified");
    }
    if (options->server.n_startup_models > 0 &&
        options->server.control_mode != HC_CONTROL_EXPLICIT) {
        return complain("--load-model", "Error: Use of '--load-model' requires setting "
                                        "'--model-control-mode=explicit' as well.");
    }
    if (options->http_port > UINT16_MAX) {
        return complain("--http-port", "a port is at most 65535");
    }
    if (options->metrics_port > UINT16_MAX) {
        return complain("--metrics-port", "a port is at most 65535");
    }
    enum hc_grpc_compression compression;
    if (!hc_grpc_compression_find(options->grpc_compression, &compression)) {
        return complain("--grpc-infer-response-compression-level",
                        "it is none, low, medium or high");
    }
    if (options->grpc_port > UINT16_MAX) {
        return complain("--grpc-port", "a port is at most 65535");
    }
    if (options->http_max_input_size == 0) {
        return complain("--http-max-input-size", "it must be greater than 0");
    }
    return HC_OPTIONS_RUN;
}

/* "check REPOSITORY…", with options among them: look at these instead of serving. */
static enum hc_options_result take_arguments(int argc, char **argv, struct hc_options *options) {
    if (optind < argc && strcmp(argv[optind], "check") == 0) {
        for (int i = optind + 1; i < argc; i++) {
            add_repository(&options->server, argv[i]);
        }
        return options->server.n_repositories > 0
                   ? HC_OPTIONS_CHECK
                   : complain("check", "it needs the folder of a repository");
    }
    return optind < argc ? complain(argv[optind], "Unexpected argument") : check(options);
}

enum hc_options_result hc_options_parse(int argc, char **argv, struct hc_options *options) {
    struct option long_options[N_ROWS + 1];
    make_long_options(long_options);
    set_defaults(options);
    opterr = 0;
    int found;
    while ((found = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (found < 256) {
            return complain_of(argv[optind - 1]);
        }
        const struct option_row *row = &rows[found - 256];
        if (row->kind == HELP) {
            print_help(stdout);
            return HC_OPTIONS_HELP;
        }
        if (row->kind == VERSION) {
            puts("hippocamp " HC_VERSION " (as Triton " HC_TRITON_VERSION ")");
            return HC_OPTIONS_VERSION;
        }
        if (!apply(row, optarg, options)) {
            hc_auto(text) why = hc_format("'%s' is not a value for it", optarg);
            hc_auto(text) name = hc_format("--%s", row->name);
            return complain(name, why);
        }
    }
    return take_arguments(argc, argv, options);
}

void hc_options_finish(struct hc_options *options) {
    free(options->http_address);
    free(options->http_forward_pattern);
    free(options->http_cors_origin);
    hc_restrictions_finish(&options->http_restrictions);
    free(options->http_tls.cert);
    free(options->http_tls.key);
    free(options->http_tls.root);
    free(options->metrics_address);
    free(options->grpc_address);
    free(options->grpc_compression);
    free(options->grpc_forward_pattern);
    hc_restrictions_finish(&options->grpc_restrictions);
    free(options->grpc_tls.cert);
    free(options->grpc_tls.key);
    free(options->grpc_tls.root);
    free(options->log_format);
    free(options->log_file);
}
