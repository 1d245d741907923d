/* Settings that may be changed while the server runs: those of the log. There are none of traces.
 */
#include "base/json_escape.h"
#include "base/log.h"
#include "http_internal.h"
#include "wire/json_pick.h"

static void append_setting(struct hc_buf *body, const char *name, enum hc_log_level level) {
    hc_buf_appendf(body, ",\"%s\":%s", name, hc_log_enabled(level) ? "true" : "false");
}

static void answer_settings(struct hc_http_exchange *exchange) {
    struct hc_buf body = {0};
    hc_buf_append_string(&body, "{\"log_file\":");
    hc_json_append_string(&body, hc_text_of(hc_log_path()));
    append_setting(&body, "log_info", HC_LOG_INFO);
    append_setting(&body, "log_warning", HC_LOG_WARNING);
    append_setting(&body, "log_error", HC_LOG_ERROR);
    hc_buf_appendf(&body, ",\"log_verbose_level\":%u,\"log_format\":\"%s\"}", hc_log_verbosity(),
                   hc_log_get_format() == HC_LOG_FORMAT_ISO8601 ? "ISO8601" : "default");
    http_answer_json(exchange, 200, &body);
}

void http_log_settings(const struct http_call *call) {
    answer_settings(call->exchange);
}

/* Whether a setting is there to be changed: null leaves it as it is. */
static bool is_given(const struct hc_json_member *member) {
    return member->value.kind != HC_JSON_NONE && member->value.kind != HC_JSON_NULL;
}

static enum hc_code change_level(const struct hc_json_member *member, enum hc_log_level level,
                                 struct hc_error *error) {
    bool enabled;
    if (is_given(member)) {
        HC_TRY(hc_json_as_bool(&member->value, &enabled, error));
        hc_log_enable(level, enabled);
    }
    return HC_OK;
}

static enum hc_code change_verbosity(const struct hc_json_member *member, struct hc_error *error) {
    uint64_t verbosity;
    if (is_given(member)) {
        HC_TRY(hc_json_as_uint64(&member->value, &verbosity, error));
        hc_log_set_verbosity((unsigned)verbosity);
    }
    return HC_OK;
}

static enum hc_code change_format(const struct hc_json_member *member, struct hc_error *error) {
    struct hc_json_string string;
    if (!is_given(member)) {
        return HC_OK;
    }
    HC_TRY(hc_json_as_string(&member->value, &string, error));
    if (hc_json_string_is(string, "default")) {
        hc_log_set_format(HC_LOG_FORMAT_DEFAULT);
    } else if (hc_json_string_is(string, "ISO8601")) {
        hc_log_set_format(HC_LOG_FORMAT_ISO8601);
    } else {
        return hc_error_set(error, HC_UNAVAILABLE, "invalid argument for --log_format, got: %.*s",
                            HC_TEXT_ARGS(string.raw));
    }
    return HC_OK;
}

/* What stands before a wrong setting, in the order of Triton, is changed. */
static enum hc_code change_settings(struct hc_text json, struct hc_error *error) {
    enum { FILE, INFO, WARNING, ERROR, VERBOSITY, FORMAT, N };
    struct hc_json_member members[N] = {
        {.name = "log_file"},  {.name = "log_info"},          {.name = "log_warning"},
        {.name = "log_error"}, {.name = "log_verbose_level"}, {.name = "log_format"},
    };
    HC_TRY(hc_json_pick(json, members, N, error));
    if (is_given(&members[FILE])) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "log file location can not be updated through network protocol");
    }
    HC_TRY(change_level(&members[INFO], HC_LOG_INFO, error));
    HC_TRY(change_level(&members[WARNING], HC_LOG_WARNING, error));
    HC_TRY(change_level(&members[ERROR], HC_LOG_ERROR, error));
    HC_TRY(change_verbosity(&members[VERBOSITY], error));
    return change_format(&members[FORMAT], error);
}

static void on_settings(struct hc_http_exchange *exchange, struct hc_text bytes,
                        const struct hc_error *failure) {
    struct hc_error error;
    if (failure != NULL) {
        http_answer_error(exchange, failure->code, hc_text_of(failure->message));
    } else if (change_settings(bytes, &error) != HC_OK) {
        http_answer_error(exchange, error.code, hc_text_of(error.message));
    } else {
        answer_settings(exchange);
    }
}

void http_change_log_settings(const struct http_call *call) {
    http_read_all(call, on_settings);
}

void http_trace_settings(const struct http_call *call) {
    http_answer_error(call->exchange, HC_UNIMPLEMENTED, HC_TEXT("tracing is not supported"));
}
