/* What the options say of restricted APIs. */
#include "core/restriction.h"

#include <stdlib.h>

#include "base/alloc.h"

static const char *const names[HC_N_APIS] = {
    [HC_API_HEALTH] = "health",
    [HC_API_METADATA] = "metadata",
    [HC_API_INFERENCE] = "inference",
    [HC_API_SHARED_MEMORY] = "shared-memory",
    [HC_API_MODEL_CONFIG] = "model-config",
    [HC_API_MODEL_REPOSITORY] = "model-repository",
    [HC_API_STATISTICS] = "statistics",
    [HC_API_TRACE] = "trace",
    [HC_API_LOGGING] = "logging",
};

/* Cut what stands before the first SEPARATOR off the front of TEXT; false without one. */
static bool cut(struct hc_text *text, char separator, struct hc_text *part) {
    const char *end = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
    if (end == NULL) {
        return false;
    }
    part->data = text->data;
    part->size = (size_t)(end - text->data);
    *text = (struct hc_text){end + 1, text->size - part->size - 1};
    return true;
}

static enum hc_code find_api(struct hc_text name, enum hc_api *api, struct hc_error *error) {
    for (unsigned i = 0; i < HC_N_APIS; i++) {
        if (hc_text_is(name, names[i])) {
            *api = (enum hc_api)i;
            return HC_OK;
        }
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT, "there is no API '%.*s' to restrict",
                        HC_TEXT_ARGS(name));
}

static enum hc_code restrict_api(struct hc_restrictions *restrictions, struct hc_text name,
                                 struct hc_text header, struct hc_text value,
                                 struct hc_error *error) {
    enum hc_api api;
    HC_TRY(find_api(name, &api, error));
    struct hc_restriction *restriction = &restrictions->apis[api];
    if (restriction->header != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "the API '%s' is restricted twice",
                            names[api]);
    }
    restriction->header = hc_strndup(header.data, header.size);
    restriction->value = hc_strndup(value.data, value.size);
    return HC_OK;
}

enum hc_code hc_restrictions_add(struct hc_restrictions *restrictions, const char *option,
                                 struct hc_error *error) {
    struct hc_text value = hc_text_of(option);
    struct hc_text apis;
    struct hc_text header;
    struct hc_text name;
    if (!cut(&value, ':', &apis) || !cut(&value, '=', &header) || header.size == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "'%s' does not have the form <api>,<api>:<header>=<value>", option);
    }
    while (cut(&apis, ',', &name)) {
        HC_TRY(restrict_api(restrictions, name, header, value, error));
    }
    return restrict_api(restrictions, apis, header, value, error);
}

void hc_restrictions_finish(struct hc_restrictions *restrictions) {
    for (unsigned i = 0; i < HC_N_APIS; i++) {
        free(restrictions->apis[i].header);
        free(restrictions->apis[i].value);
    }
    *restrictions = (struct hc_restrictions){0};
}
