/*
 * The command line: tritonserver's options, under their names and with their defaults, and
 * Hippocamp's own.
 */
#ifndef HC_OPTIONS_H
#define HC_OPTIONS_H

#include "api/http.h"
#include "core/server.h"
#include "grpc/grpc.h"

enum hc_options_result {
    HC_OPTIONS_RUN,
    HC_OPTIONS_CHECK,   /* "check REPOSITORY" */
    HC_OPTIONS_HELP,    /* was printed */
    HC_OPTIONS_VERSION, /* was printed */
    HC_OPTIONS_BAD,     /* and why was printed */
};

struct hc_options {
    struct hc_server_options server; /* handed over to the server */
    bool exit_on_error;
    bool allow_http;
    char *http_address;
    unsigned http_port;
    bool reuse_http_port;
    unsigned http_thread_count; /* 0: by the number of cores */
    uint64_t http_max_input_size;
    uint64_t http_max_body_size;
    char *http_forward_pattern;
    char *http_cors_origin;
    struct hc_restrictions http_restrictions;
    struct hc_tls_options {
        bool use;
        bool mutual;
        char *cert;
        char *key;
        char *root;
    } http_tls;
    bool allow_grpc;
    char *grpc_address;
    unsigned grpc_port;
    bool reuse_grpc_port;
    char *grpc_compression;
    char *grpc_forward_pattern;
    struct hc_restrictions grpc_restrictions;
    struct hc_tls_options grpc_tls;
    unsigned grpc_keepalive_ms;
    unsigned grpc_keepalive_timeout_ms;
    bool grpc_keepalive_without_calls;
    unsigned grpc_max_pings;
    unsigned grpc_min_ping_interval_ms;
    unsigned grpc_max_ping_strikes;
    unsigned grpc_max_age_ms;
    unsigned grpc_age_grace_ms;
    unsigned ignored; /* what makes no sense here */
    bool allow_metrics;
    bool allow_gpu_metrics;
    bool allow_cpu_metrics;
    char *metrics_address; /* NULL: that of HTTP */
    unsigned metrics_port;
    unsigned metrics_interval_ms;
    bool log_info;
    bool log_warning;
    bool log_error;
    unsigned log_verbose;
    char *log_format;
    char *log_file;
};

enum hc_options_result hc_options_parse(int argc, char **argv, struct hc_options *options);

/* What has not been handed over. */
void hc_options_finish(struct hc_options *options);

#endif
