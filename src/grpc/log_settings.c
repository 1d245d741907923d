/* The settings of the log, and those of tracing, which does not exist. */
#include <string.h>

#include "base/log.h"
#include "grpc_service.pb-c.h"
#include "unary.h"

typedef Inference__LogSettingsRequest__SettingValue new_value;
typedef Inference__LogSettingsResponse__SettingValue old_value;

enum {
    IS_BOOL = INFERENCE__LOG_SETTINGS_REQUEST__SETTING_VALUE__PARAMETER_CHOICE_BOOL_PARAM,
    IS_UINT32 = INFERENCE__LOG_SETTINGS_REQUEST__SETTING_VALUE__PARAMETER_CHOICE_UINT32_PARAM,
    IS_STRING = INFERENCE__LOG_SETTINGS_REQUEST__SETTING_VALUE__PARAMETER_CHOICE_STRING_PARAM
};

static const struct {
    const char *name;
    enum hc_log_level level;
} switches[] = {
    {"log_info", HC_LOG_INFO},
    {"log_warning", HC_LOG_WARNING},
    {"log_error", HC_LOG_ERROR},
};

enum { N_SWITCHES = sizeof switches / sizeof switches[0] };

/* ---- Changing them ---- */

static const new_value *find(const Inference__LogSettingsRequest *request, const char *name) {
    for (size_t i = request->n_settings; i-- > 0;) {
        static const new_value none = INFERENCE__LOG_SETTINGS_REQUEST__SETTING_VALUE__INIT;
        if (strcmp(request->settings[i]->key, name) == 0) {
            return request->settings[i]->value != NULL ? request->settings[i]->value : &none;
        }
    }
    return NULL;
}

/* *VALUE is the setting's, NULL when it is to stay. */
static enum hc_code find_as(const Inference__LogSettingsRequest *request, const char *name,
                            int kind, const char *kind_name, const new_value **value,
                            struct hc_error *error) {
    *value = find(request, name);
    if (*value != NULL && (int)(*value)->parameter_choice_case != kind) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "expect %s for '%s'", kind_name, name);
    }
    return HC_OK;
}

static enum hc_code read_format(const new_value *value, enum hc_log_format *format,
                                struct hc_error *error) {
    if (strcmp(value->string_param, "default") == 0) {
        *format = HC_LOG_FORMAT_DEFAULT;
    } else if (strcmp(value->string_param, "ISO8601") == 0) {
        *format = HC_LOG_FORMAT_ISO8601;
    } else {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "invalid argument for log_format, got: %s",
                            value->string_param);
    }
    return HC_OK;
}

/* All of them or none. */
static enum hc_code change(const Inference__LogSettingsRequest *request, struct hc_error *error) {
    const new_value *enabled[N_SWITCHES];
    const new_value *verbosity;
    const new_value *format;
    enum hc_log_format new_format = hc_log_get_format();
    if (find(request, "log_file") != NULL) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "log file location can not be updated through network protocol");
    }
    for (size_t i = 0; i < N_SWITCHES; i++) {
        HC_TRY(find_as(request, switches[i].name, IS_BOOL, "boolean", &enabled[i], error));
    }
    HC_TRY(find_as(request, "log_verbose_level", IS_UINT32, "int32", &verbosity, error));
    HC_TRY(find_as(request, "log_format", IS_STRING, "string", &format, error));
    if (format != NULL) {
        HC_TRY(read_format(format, &new_format, error));
    }
    for (size_t i = 0; i < N_SWITCHES; i++) {
        if (enabled[i] != NULL) {
            hc_log_enable(switches[i].level, enabled[i]->bool_param);
        }
    }
    if (verbosity != NULL) {
        hc_log_set_verbosity(verbosity->uint32_param);
    }
    hc_log_set_format(new_format);
    return HC_OK;
}

/* ---- Telling them ---- */

struct settings {
    Inference__LogSettingsResponse answer;
    struct hc_pool *pool;
};

static old_value *add(struct settings *settings, const char *name) {
    typedef Inference__LogSettingsResponse__SettingsEntry settings_entry;
    settings_entry *entry = hc_pool_alloc(settings->pool, sizeof *entry);
    *entry = (settings_entry)INFERENCE__LOG_SETTINGS_RESPONSE__SETTINGS_ENTRY__INIT;
    entry->key = (char *)name;
    entry->value = hc_pool_alloc(settings->pool, sizeof *entry->value);
    *entry->value = (old_value)INFERENCE__LOG_SETTINGS_RESPONSE__SETTING_VALUE__INIT;
    settings->answer.settings[settings->answer.n_settings++] = entry;
    return entry->value;
}

static void add_string(struct settings *settings, const char *name, const char *string) {
    old_value *value = add(settings, name);
    value->parameter_choice_case = (int)IS_STRING;
    value->string_param = (char *)string;
}

static void answer_settings(struct grpc_call *call) {
    struct settings settings = {
        .answer = INFERENCE__LOG_SETTINGS_RESPONSE__INIT,
        .pool = grpc_call_pool(call),
    };
    settings.answer.settings =
        hc_pool_alloc(settings.pool, (N_SWITCHES + 3) * sizeof *settings.answer.settings);
    add_string(&settings, "log_file", hc_log_path());
    for (size_t i = 0; i < N_SWITCHES; i++) {
        old_value *value = add(&settings, switches[i].name);
        value->parameter_choice_case = (int)IS_BOOL;
        value->bool_param = hc_log_enabled(switches[i].level);
    }
    old_value *verbosity = add(&settings, "log_verbose_level");
    verbosity->parameter_choice_case = (int)IS_UINT32;
    verbosity->uint32_param = hc_log_verbosity();
    add_string(&settings, "log_format",
               hc_log_get_format() == HC_LOG_FORMAT_ISO8601 ? "ISO8601" : "default");
    grpc_answer(call, &settings.answer.base);
}

enum hc_code grpc_log_settings(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    GRPC_AUTO Inference__LogSettingsRequest *request =
        grpc_unpack(&inference__log_settings_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    HC_TRY(change(request, error));
    answer_settings(call);
    return HC_OK;
}

enum hc_code grpc_trace_setting(struct grpc_call *call, struct hc_text message,
                                struct hc_error *error) {
    (void)call;
    (void)message;
    return hc_error_set(error, HC_UNIMPLEMENTED, "tracing is not supported");
}
