/* The response cache: keys from requests, values from responses and back. */
#include "core/cached.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "core/context.h"
#include "core/model.h"

enum { ALIGNMENT = 16 };

/* ---- Options ---- */

static enum hc_code read_size(const struct hc_server_cache *options, size_t *size,
                              struct hc_error *error) {
    for (size_t i = 0; i < options->n_settings; i++) {
        const struct hc_cache_setting *setting = &options->settings[i];
        uint64_t number;
        if (strcmp(setting->name, "size") != 0 ||
            !hc_text_number(hc_text_of(setting->value), SIZE_MAX, &number)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "--cache-config is 'local,size=<bytes>', got 'local,%s=%s'",
                                setting->name, setting->value);
        }
        *size = (size_t)number;
    }
    return HC_OK;
}

enum hc_code hc_cached_start(struct hc_server *server, struct hc_error *error) {
    const struct hc_server_cache *options = &server->options.cache;
    size_t size;
    if (options->kind == NULL) {
        return HC_OK;
    }
    if (strcmp(options->kind, "local") != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "there is no cache '%s', only 'local'",
                            options->kind);
    }
    HC_TRY(read_size(options, &size, error));
    server->cache = hc_cache_create(size);
    return HC_OK;
}

/* ---- Keys ---- */

static void append_number(struct hc_buf *buf, uint64_t number) {
    hc_buf_append(buf, &number, sizeof number);
}

static void append_text(struct hc_buf *buf, struct hc_text text) {
    append_number(buf, text.size);
    hc_buf_append_text(buf, text);
}

static void append_parameter(struct hc_buf *buf, const struct hc_wire_parameter *parameter) {
    append_text(buf, parameter->name);
    append_number(buf, parameter->kind);
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        append_text(buf, parameter->string);
        break;
    case HC_WIRE_INT64:
        append_number(buf, (uint64_t)parameter->int64);
        break;
    case HC_WIRE_BOOL:
        append_number(buf, parameter->boolean);
        break;
    case HC_WIRE_DOUBLE:
        hc_buf_append(buf, &parameter->real, sizeof parameter->real);
        break;
    }
}

static const struct hc_input *find_input(const struct hc_request *request, struct hc_text name) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, name)) {
            return &request->inputs[i];
        }
    }
    return NULL;
}

/* Inputs in the model's order, so that the client's does not matter. */
static void append_inputs(struct hc_buf *buf, const struct hc_request *request) {
    const struct hc_model *model = request->model;
    for (size_t i = 0; i < model->n_inputs; i++) {
        const struct hc_input *input = find_input(request, model->inputs[i].name);
        append_number(buf, input != NULL);
        if (input != NULL) {
            append_number(buf, input->n_dims);
            hc_buf_append(buf, input->dims, input->n_dims * sizeof *input->dims);
            append_text(buf, (struct hc_text){hc_request_input_data(request, input), input->size});
        }
    }
}

static void make_key(struct hc_buf *buf, const struct hc_request *request) {
    append_text(buf, hc_text_of(request->model->folder));
    append_number(buf, (uint64_t)request->model->version);
    append_number(buf, request->model->load_start_ns); /* another load may be another model */
    append_inputs(buf, request);
    append_number(buf, request->n_outputs);
    for (size_t i = 0; i < request->n_outputs; i++) {
        append_text(buf, request->outputs[i]);
    }
    for (size_t i = 0; i < request->n_parameters; i++) {
        append_parameter(buf, &request->parameters[i]);
    }
}

/* ---- Values ---- */

/* In front of each output; then its extents, its name and, aligned, its data. */
struct head {
    uint64_t dtype;
    uint64_t n_dims;
    uint64_t name_size;
    uint64_t size;
};

static void align(struct hc_buf *buf) {
    size_t padding = hc_align_up(buf->size, ALIGNMENT) - buf->size;
    memset(hc_buf_reserve(buf, ALIGNMENT), 0, ALIGNMENT);
    hc_buf_commit(buf, padding);
}

static void append_output(struct hc_buf *buf, const struct hc_output *output) {
    const struct head head = {output->dtype, output->n_dims, output->name.size, output->size};
    hc_buf_append(buf, &head, sizeof head);
    hc_buf_append(buf, output->dims, output->n_dims * sizeof *output->dims);
    hc_buf_append_text(buf, output->name);
    align(buf);
    hc_buf_append(buf, output->data, output->size);
    align(buf);
}

struct cached_response {
    struct hc_response base;
    struct hc_cache_entry *entry;
};

static void release_response(struct hc_response *base) {
    struct cached_response *response = hc_list_item(base, struct cached_response, base);
    hc_cache_release(response->entry);
    hc_pool_finish(&base->pool);
    free(response);
}

static size_t read_output(const char *value, size_t offset, struct hc_output *output) {
    struct head head;
    memcpy(&head, value + offset, sizeof head);
    offset += sizeof head;
    *output = (struct hc_output){
        .dtype = (enum hc_dtype)head.dtype,
        .dims = (const void *)(value + offset),
        .n_dims = head.n_dims,
        .size = head.size,
    };
    offset += head.n_dims * sizeof(int64_t);
    output->name = (struct hc_text){value + offset, head.name_size};
    offset = hc_align_up(offset + head.name_size, ALIGNMENT);
    output->data = value + offset;
    return hc_align_up(offset + head.size, ALIGNMENT);
}

static struct hc_response *make_response(struct hc_cache_entry *entry) {
    struct hc_text value = hc_cache_value(entry);
    struct cached_response *response = hc_new(struct cached_response);
    response->base.on_release = release_response;
    response->entry = entry;
    uint64_t n;
    memcpy(&n, value.data, sizeof n);
    response->base.outputs = hc_pool_alloc(&response->base.pool, n * sizeof(struct hc_output));
    response->base.n_outputs = n;
    size_t offset = ALIGNMENT;
    for (size_t i = 0; i < n; i++) {
        offset = read_output(value.data, offset, &response->base.outputs[i]);
    }
    return &response->base;
}

/* ---- Requests ---- */

static void deliver(struct hc_task *task) {
    struct hc_request *request = hc_list_item(task, struct hc_request, _task);
    struct hc_response *response = request->_response;
    request->_response = NULL;
    hc_request_answer(request, response, true);
}

bool hc_cached_answer(struct hc_request *request) {
    struct hc_cache *cache = request->context->server->cache;
    uint64_t begin_ns = hc_clock_ns();
    hc_auto_buf key = {0};
    make_key(&key, request);
    struct hc_cache_entry *entry = hc_cache_find(cache, hc_buf_text(&key));
    uint64_t lookup_ns = hc_clock_ns() - begin_ns;
    if (entry == NULL) {
        request->_cache_key_size = key.size;
        request->_cache_key = hc_buf_take(&key);
        request->_cache_ns = lookup_ns;
        return false;
    }
    request->queued_ns = begin_ns;
    hc_stats_count_cache_hit(request, lookup_ns);
    request->_response = make_response(entry);
    request->_task.run = deliver;
    hc_loop_post(request->context->loop, &request->_task);
    return true;
}

void hc_cached_keep(struct hc_request *request, const struct hc_response *response) {
    hc_auto(text) bytes = hc_take(request->_cache_key);
    if (response == NULL || response->code != HC_OK || response->n_parameters > 0) {
        return;
    }
    uint64_t begin_ns = hc_clock_ns();
    struct hc_text key = {bytes, request->_cache_key_size};
    hc_auto_buf value = {0};
    append_number(&value, response->n_outputs);
    align(&value);
    for (size_t i = 0; i < response->n_outputs; i++) {
        append_output(&value, &response->outputs[i]);
    }
    hc_cache_insert(request->context->server->cache, key, hc_buf_text(&value));
    hc_stats_count_cache_miss(request, request->_cache_ns + hc_clock_ns() - begin_ns);
}
