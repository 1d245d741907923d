/* The command line, driven by a table. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/nearest.h"
#include "options_table.h"
#include "options_values.h"

static enum hc_options_result complain(const char *option, const char *why) {
    fprintf(stderr, "Bad option: \"%s\".\n%s\nTry --help.\n", option, why);
    return HC_OPTIONS_BAD;
}

static void set_text(char **place, const char *text) {
    free(*place);
    *place = hc_strdup(text);
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
    for (size_t i = 0; i < n_option_rows; i++) {
        int argument = option_takes_value(&option_rows[i]) ? required_argument : no_argument;
        long_options[i] = (struct option){option_rows[i].name, argument, NULL, (int)i + 256};
    }
    long_options[n_option_rows] = (struct option){0};
}

/* WORD is no option, or one that misses its value. */
static enum hc_options_result complain_of(const char *word) {
    struct hc_text name = {word, strcspn(word, "=")};
    struct hc_text bare =
        hc_text_starts(name, "--") ? (struct hc_text){name.data + 2, name.size - 2} : name;
    struct hc_nearest nearest = {.word = bare};
    for (size_t i = 0; i < n_option_rows; i++) {
        if (hc_text_is(bare, option_rows[i].name)) {
            return complain(word, option_takes_value(&option_rows[i]) ? "its value is missing"
                                                                      : "it takes no value");
        }
        hc_nearest_offer(&nearest, option_rows[i].name);
    }
    hc_auto(text) why =
        nearest.name == NULL
            ? hc_strdup("there is no such option")
            : hc_format("there is no such option; did you mean --%s?", nearest.name);
    return complain(word, why);
}

/* No two services at one address and port; ports that the system chooses differ. */
static enum hc_options_result check_ports(const struct hc_options *options) {
    const struct {
        bool allowed;
        const char *name;
        const char *option;
        const char *address;
        unsigned port;
    } services[] = {
        {options->allow_http, "HTTP", "--http-port", options->http_address, options->http_port},
        {options->allow_grpc, "GRPC", "--grpc-port", options->grpc_address, options->grpc_port},
        {options->allow_metrics, "metrics", "--metrics-port",
         options->metrics_address != NULL ? options->metrics_address : options->http_address,
         options->metrics_port},
    };
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (services[i].port > UINT16_MAX) {
            return complain(services[i].option, "a port is at most 65535");
        }
        for (size_t j = 0; j < i; j++) {
            if (services[i].allowed && services[j].allowed && services[i].port != 0 &&
                services[i].port == services[j].port &&
                strcmp(services[i].address, services[j].address) == 0) {
                fprintf(stderr,
                        "The server cannot listen to %s requests and %s requests at the same "
                        "address and port %s:%u\n",
                        services[j].name, services[i].name, services[i].address, services[i].port);
                return HC_OPTIONS_BAD;
            }
        }
    }
    return HC_OPTIONS_RUN;
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
    enum hc_grpc_compression compression;
    if (!hc_grpc_compression_find(options->grpc_compression, &compression)) {
        return complain("--grpc-infer-response-compression-level",
                        "it is none, low, medium or high");
    }
    if (options->http_max_input_size == 0) {
        return complain("--http-max-input-size", "it must be greater than 0");
    }
    return check_ports(options);
}

/* "check REPOSITORY…", with options among them: look at these instead of serving. */
static enum hc_options_result take_arguments(int argc, char **argv, struct hc_options *options) {
    if (optind < argc && strcmp(argv[optind], "check") == 0) {
        for (int i = optind + 1; i < argc; i++) {
            option_add_repository(&options->server, argv[i]);
        }
        return options->server.n_repositories > 0
                   ? HC_OPTIONS_CHECK
                   : complain("check", "it needs the folder of a repository");
    }
    return optind < argc ? complain(argv[optind], "Unexpected argument") : check(options);
}

enum hc_options_result hc_options_parse(int argc, char **argv, struct hc_options *options) {
    hc_auto(memory) memory = hc_alloc_array(n_option_rows + 1, sizeof(struct option));
    struct option *long_options = memory;
    make_long_options(long_options);
    set_defaults(options);
    opterr = 0;
    int found;
    bool has_config = false;
    bool has_size = false;
    while ((found = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (found < 256) {
            return complain_of(argv[optind - 1]);
        }
        const struct option_row *row = &option_rows[found - 256];
        if (row->kind == HELP) {
            option_print_help(stdout);
            return HC_OPTIONS_HELP;
        }
        if (row->kind == VERSION) {
            puts("hippocamp " HC_VERSION " (as Triton " HC_TRITON_VERSION ")");
            return HC_OPTIONS_VERSION;
        }
        has_config = has_config || row->kind == CACHE_CONFIG;
        has_size = has_size || row->kind == CACHE_SIZE;
        struct hc_error error;
        if (option_apply(row, optarg, options, &error) != HC_OK) {
            hc_auto(text) name = hc_format("--%s", row->name);
            return complain(name, error.message);
        }
    }
    if (has_config && has_size) {
        fputs("Error: Incompatible flags --response-cache-byte-size and --cache-config both "
              "provided. Please provide one or the other.\n",
              stderr);
        return HC_OPTIONS_BAD;
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
