/* Reading requests to manage the repository. */
#include "wire/repository_json.h"

#include <string.h>

#include "wire/base64.h"
#include "wire/json_reader.h"

static const char file_prefix[] = "file:";

/* What is done with a member of an object, whose value has been read and is skipped afterwards. */
typedef enum hc_code on_member(void *context, struct hc_json_string name,
                               const struct hc_json_value *value, struct hc_json_reader *json,
                               struct hc_error *error);

/* Read the members of VALUE, an object that is open. */
static enum hc_code read_members(struct hc_json_reader *json, on_member *take, void *context,
                                 struct hc_error *error) {
    struct hc_json_string name;
    struct hc_json_value value;
    while (hc_json_next_member(json, &name) && hc_json_read(json, &value)) {
        HC_TRY(take(context, name, &value, json, error));
    }
    return HC_OK;
}

static enum hc_code read_document(struct hc_text text, on_member *take, void *context,
                                  struct hc_error *error) {
    struct hc_json_reader json;
    struct hc_json_value root;
    if (text.size == 0) {
        return HC_OK;
    }
    hc_json_begin(&json, text);
    if (hc_json_read(&json, &root)) {
        if (root.kind == HC_JSON_OBJECT) {
            HC_TRY(read_members(&json, take, context, error));
        } else {
            hc_json_skip(&json, &root);
        }
    }
    return hc_json_end(&json, error);
}

/* ---- The index ---- */

static enum hc_code take_index_member(void *context, struct hc_json_string name,
                                      const struct hc_json_value *value,
                                      struct hc_json_reader *json, struct hc_error *error) {
    if (hc_json_string_is(name, "ready")) {
        HC_TRY(hc_json_as_bool(value, context, error));
    }
    hc_json_skip(json, value);
    return HC_OK;
}

enum hc_code hc_index_json_read(struct hc_text json, bool *ready, struct hc_error *error) {
    bool found = false;
    HC_TRY(read_document(json, take_index_member, &found, error));
    *ready = found;
    return HC_OK;
}

/* ---- Loading ---- */

struct load_reading {
    struct hc_pool *pool;
    struct hc_load_json load;
    size_t room; /* for files */
};

static enum hc_code no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
}

static enum hc_code add_file(struct load_reading *in, const struct hc_load_json_file *file,
                             struct hc_error *error) {
    struct hc_load_json *load = &in->load;
    if (load->n_files == in->room) {
        size_t room = in->room > 0 ? 2 * in->room : 8;
        struct hc_load_json_file *files = hc_pool_alloc_try(in->pool, room, sizeof *files);
        if (files == NULL) {
            return no_memory(error);
        }
        if (load->n_files > 0) {
            memcpy(files, load->files, load->n_files * sizeof *files);
        }
        load->files = files;
        in->room = room;
    }
    load->files[load->n_files++] = *file;
    return HC_OK;
}

static enum hc_code take_file(struct load_reading *in, struct hc_text name,
                              struct hc_json_string string, struct hc_error *error) {
    struct hc_text encoded;
    if (!hc_json_string_text(string, in->pool, &encoded)) {
        return no_memory(error);
    }
    char *place = hc_pool_alloc_try(in->pool, hc_base64_max_size(encoded.size), 1);
    if (place == NULL) {
        return no_memory(error);
    }
    size_t size;
    if (!hc_base64_decode(encoded, place, &size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the content of parameter '%.*s' is not base64", HC_TEXT_ARGS(name));
    }
    size_t prefix_size = strlen(file_prefix);
    const struct hc_load_json_file file = {
        .path = {name.data + prefix_size, name.size - prefix_size},
        .content = {place, size},
    };
    return add_file(in, &file, error);
}

static enum hc_code take_load_parameter(void *context, struct hc_json_string name,
                                        const struct hc_json_value *value,
                                        struct hc_json_reader *json, struct hc_error *error) {
    (void)json; /* strings leave nothing to skip */
    struct load_reading *in = context;
    struct hc_text text;
    if (!hc_json_string_text(name, in->pool, &text)) {
        return no_memory(error);
    }
    bool file = hc_text_starts(text, file_prefix);
    if (!file && !hc_text_is(text, "config")) {
        return hc_error_set(error, HC_INTERNAL, "unexpected error on creating Triton parameter");
    }
    struct hc_json_string string;
    HC_TRY(hc_json_as_string(value, &string, error));
    if (file) {
        return take_file(in, text, string, error);
    }
    return hc_json_string_text(string, in->pool, &in->load.config) ? HC_OK : no_memory(error);
}

static enum hc_code not_an_object(struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "attempt to get members for non-object");
}

static enum hc_code take_load_member(void *context, struct hc_json_string name,
                                     const struct hc_json_value *value, struct hc_json_reader *json,
                                     struct hc_error *error) {
    if (!hc_json_string_is(name, "parameters")) {
        hc_json_skip(json, value);
        return HC_OK;
    }
    return value->kind == HC_JSON_OBJECT ? read_members(json, take_load_parameter, context, error)
                                         : not_an_object(error);
}

enum hc_code hc_load_json_read(struct hc_text json, struct hc_pool *pool, struct hc_load_json *load,
                               struct hc_error *error) {
    struct load_reading in = {.pool = pool};
    HC_TRY(read_document(json, take_load_member, &in, error));
    *load = in.load;
    return HC_OK;
}

/* ---- Unloading ---- */

static enum hc_code take_unload_parameter(void *context, struct hc_json_string name,
                                          const struct hc_json_value *value,
                                          struct hc_json_reader *json, struct hc_error *error) {
    if (hc_json_string_is(name, "unload_dependents") &&
        hc_json_as_bool(value, context, error) != HC_OK) {
        hc_error_prefix(error, "Unable to parse 'unload_dependents': ");
        return HC_INTERNAL;
    }
    hc_json_skip(json, value);
    return HC_OK;
}

static enum hc_code take_unload_member(void *context, struct hc_json_string name,
                                       const struct hc_json_value *value,
                                       struct hc_json_reader *json, struct hc_error *error) {
    if (!hc_json_string_is(name, "parameters")) {
        hc_json_skip(json, value);
        return HC_OK;
    }
    return value->kind == HC_JSON_OBJECT ? read_members(json, take_unload_parameter, context, error)
                                         : not_an_object(error);
}

enum hc_code hc_unload_json_read(struct hc_text json, bool *unload_dependents,
                                 struct hc_error *error) {
    bool found = false;
    HC_TRY(read_document(json, take_unload_member, &found, error));
    *unload_dependents = found;
    return HC_OK;
}
