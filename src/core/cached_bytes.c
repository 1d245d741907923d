/* The response cache: keys from requests, values from responses and back. */
#include <string.h>

#include "base/alloc.h"
#include "cached_internal.h"
#include "core/model.h"
#include "tensor/shape.h"

enum { ALIGNMENT = CACHED_ALIGNMENT };

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

/* Another load may be another model. */
static void append_loaded(struct hc_buf *buf, const struct hc_model *model) {
    append_text(buf, hc_text_of(model->folder));
    append_number(buf, (uint64_t)model->version);
    append_number(buf, model->load_start_ns);
}

/* To other servers the same model is one with the same name, files and config. */
static void append_shared(struct hc_buf *buf, const struct hc_model *model) {
    append_text(buf, hc_text_of(model->name));
    append_number(buf, (uint64_t)model->version);
    append_number(buf, model->files_stamp);
    append_text(buf, hc_text_of(model->config_json));
}

void cached_make_key(struct hc_buf *buf, const struct hc_request *request, bool shared) {
    if (shared) {
        append_shared(buf, request->model);
    } else {
        append_loaded(buf, request->model);
    }
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

void cached_make_value(struct hc_buf *buf, const struct hc_response *response) {
    append_number(buf, response->n_outputs);
    align(buf);
    for (size_t i = 0; i < response->n_outputs; i++) {
        append_output(buf, &response->outputs[i]);
    }
}

/* The next SIZE bytes of VALUE, from *OFFSET on; NULL when there are not so many. */
static const char *take(struct hc_text value, size_t *offset, uint64_t size) {
    if (*offset > value.size || size > value.size - *offset) {
        return NULL;
    }
    const char *bytes = value.data + *offset;
    *offset += size;
    return bytes;
}

static void skip_padding(size_t *offset) {
    *offset = hc_align_up(*offset, ALIGNMENT);
}

static bool read_output(struct hc_text value, size_t *offset, struct hc_output *output) {
    struct head head;
    const char *bytes = take(value, offset, sizeof head);
    if (bytes == NULL) {
        return false;
    }
    memcpy(&head, bytes, sizeof head);
    if (head.n_dims > HC_SHAPE_MAX_DIMS || head.dtype == HC_DTYPE_INVALID ||
        head.dtype >= HC_N_DTYPES) {
        return false;
    }
    const void *dims = take(value, offset, head.n_dims * sizeof(int64_t));
    const char *name = dims == NULL ? NULL : take(value, offset, head.name_size);
    skip_padding(offset);
    const char *data = name == NULL ? NULL : take(value, offset, head.size);
    skip_padding(offset);
    int64_t count;
    if (data == NULL || !hc_shape_count(dims, head.n_dims, &count)) {
        return false;
    }
    *output = (struct hc_output){
        .dtype = (enum hc_dtype)head.dtype,
        .dims = dims,
        .n_dims = head.n_dims,
        .name = {name, head.name_size},
        .data = data,
        .size = head.size,
    };
    return true;
}

bool cached_read_value(struct hc_text value, struct hc_response *response) {
    uint64_t n;
    size_t offset = 0;
    const char *bytes = take(value, &offset, sizeof n);
    if (bytes == NULL) {
        return false;
    }
    memcpy(&n, bytes, sizeof n);
    if (n > value.size / sizeof(struct head)) {
        return false;
    }
    skip_padding(&offset);
    response->outputs = hc_pool_alloc(&response->pool, n * sizeof *response->outputs);
    response->n_outputs = n;
    for (size_t i = 0; i < n; i++) {
        if (!read_output(value, &offset, &response->outputs[i])) {
            return false;
        }
    }
    return true;
}
