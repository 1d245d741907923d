/* What is done with the values of options. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "options_table.h"
#include "options_values.h"

static void set_text(char **place, const char *text) {
    free(*place);
    *place = hc_strdup(text);
}

void option_add_repository(struct hc_server_options *options, const char *path) {
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

static bool take(const struct option_row *row, const char *argument, struct hc_options *options) {
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
        option_add_repository(&options->server, argument);
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
    case HOST_POLICY:
        return parse_host_policy(argument, place);
    case CACHE_CONFIG:
        return parse_cache_config(argument, place);
    case CACHE_SIZE:
        return parse_cache_size(argument, place);
    case TRACE_CONFIG:
        return is_trace_config(argument);
    case TRACE_LEVEL:
        return strcasecmp(argument, "off") == 0;
    case STRICT_CONFIG:
        if (!parse_bool(argument, place)) {
            return false;
        }
        *(bool *)place = !*(bool *)place;
        return true;
    case BACKEND_CONFIG:
        return is_backend_config(argument);
    case UNUSED_NUMBER:
        return is_number(argument);
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

/* Options of old, and those that have taken their place. */
static void warn_if_deprecated(const char *name) {
    static const struct {
        const char *name;
        const char *instead;
    } deprecated[] = {
        {"strict-model-config", "--disable-auto-complete-config"},
        {"response-cache-byte-size", "--cache-config"},
        {"trace-file", "--trace-config triton,file=<file>"},
        {"trace-level", "--trace-config level=<level>"},
        {"trace-rate", "--trace-config rate=<rate>"},
        {"trace-count", "--trace-config count=<count>"},
        {"trace-log-frequency", "--trace-config triton,log-frequency=<number>"},
    };
    for (size_t i = 0; i < sizeof deprecated / sizeof deprecated[0]; i++) {
        if (strcmp(name, deprecated[i].name) == 0) {
            fprintf(stderr, "Warning: '--%s' has been deprecated! Please use '%s' instead.\n", name,
                    deprecated[i].instead);
        }
    }
}

enum hc_code option_apply(const struct option_row *row, const char *word,
                          struct hc_options *options, struct hc_error *error) {
    warn_if_deprecated(row->name);
    if (!take(row, word, options)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "'%s' is not a value for it. %s", word,
                            row->help);
    }
    return HC_OK;
}
