/* The tables at the start. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/lifecycle.h"
#include "table.h"

enum { WIDTH_WITHOUT_TERMINAL = 500 };

static size_t terminal_width(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return WIDTH_WITHOUT_TERMINAL;
}

static void log_table(struct hc_table *table, int line) {
    hc_auto_buf text = {0};
    hc_table_draw(table, terminal_width(), &text);
    if (hc_log_enabled(HC_LOG_INFO)) {
        hc_log_write_raw(HC_LOG_INFO, __FILE__, line, hc_buf_string(&text));
    }
    hc_table_finish(table);
}

void hc_report_backends(const struct hc_server *server) {
    struct hc_table table;
    hc_table_init(&table, 3, (const char *const[]){"Backend", "Path", "Config"});
    hc_table_add(&table, (const char *const[]){"python", server->options.pyhost_path, "{}"});
    hc_table_add(&table, (const char *const[]){"linear", "built in", "{}"});
    log_table(&table, __LINE__);
}

static void add_version(struct hc_table *table, const char *name,
                        const struct hc_catalog_version *version) {
    hc_auto(text) number = hc_format("%lld", (long long)version->number);
    hc_auto(text) status =
        version->state == HC_MODEL_READY
            ? hc_strdup("READY")
            : hc_format("UNAVAILABLE: %s", version->reason != NULL ? version->reason : "");
    hc_table_add(table, (const char *const[]){name, number, status});
}

void hc_report_models(const struct hc_server *server) {
    const struct hc_catalog *catalog = hc_lifecycle_catalog(server);
    struct hc_table table;
    hc_table_init(&table, 3, (const char *const[]){"Model", "Version", "Status"});
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct hc_catalog_entry *entry = &catalog->entries[i];
        for (size_t j = 0; j < entry->n_versions; j++) {
            add_version(&table, entry->name, &entry->versions[j]);
        }
        if (entry->n_versions == 0) {
            hc_auto(text) status = entry->reason != NULL
                                       ? hc_format("UNAVAILABLE: %s", entry->reason)
                                       : hc_strdup("Not loaded: No model version was found");
            hc_table_add(&table, (const char *const[]){entry->name, "-", status});
        }
    }
    log_table(&table, __LINE__);
}

static void add_option(struct hc_table *table, const char *name, const char *value) {
    hc_table_add(table, (const char *const[]){name, value});
}

void hc_report_options(const struct hc_server *server) {
    const struct hc_server_options *options = &server->options;
    struct hc_table table;
    hc_table_init(&table, 2, (const char *const[]){"Option", "Value"});
    add_option(&table, "server_id", options->id);
    add_option(&table, "server_version", HC_TRITON_VERSION);
    add_option(&table, "hippocamp_version", HC_VERSION);
    for (size_t i = 0; i < options->n_repositories; i++) {
        hc_auto(text) name = hc_format("model_repository_path[%zu]", i);
        add_option(&table, name, options->repositories[i]);
    }
    static const char *const modes[] = {
        [HC_CONTROL_NONE] = "MODE_NONE",
        [HC_CONTROL_POLL] = "MODE_POLL",
        [HC_CONTROL_EXPLICIT] = "MODE_EXPLICIT",
    };
    add_option(&table, "model_control_mode", modes[options->control_mode]);
    for (size_t i = 0; i < options->n_startup_models; i++) {
        hc_auto(text) name = hc_format("startup_models_%zu", i);
        add_option(&table, name, options->startup_models[i]);
    }
    add_option(&table, "strict_model_config", options->auto_complete ? "0" : "1");
    add_option(&table, "model_config_name", options->config_name);
    add_option(&table, "rate_limit", options->rate_limit ? "EXEC_COUNT" : "OFF");
    for (size_t i = 0; i < options->n_rate_limits; i++) {
        const struct hc_limiter_limit *limit = &options->rate_limits[i];
        hc_auto(text) name = hc_format("rate_limit_resource[%zu]", i);
        hc_auto(text) value = hc_format("{\"name\":\"%s\", \"count\":%u \"device\":%d}",
                                        limit->resource, limit->count, limit->device);
        add_option(&table, name, value);
    }
    add_option(&table, "strict_readiness", options->strict_readiness ? "1" : "0");
    hc_auto(text) timeout = hc_format("%u", options->exit_timeout_s);
    add_option(&table, "exit_timeout", timeout);
    log_table(&table, __LINE__);
}
