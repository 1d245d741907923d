/* Laying out a message. */
#include "message_layout.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json_escape.h"
#include "wire/number.h"

size_t message_place(struct message_layout *layout, size_t size) {
    size_t offset = layout->size;
    if (size > UINT32_MAX - sizeof(int64_t) ||
        !hc_size_add(layout->size, hc_align_up(size, sizeof(int64_t)), &layout->size) ||
        layout->size > UINT32_MAX) {
        layout->overflow = true;
    }
    return offset;
}

struct hc_span message_put_text(struct message_writer *writer, struct hc_text text) {
    size_t offset = message_place(&writer->layout, text.size);
    if (text.size > 0) {
        memcpy(writer->base + offset, text.data, text.size);
    }
    return (struct hc_span){(uint32_t)offset, (uint32_t)text.size};
}

uint32_t message_put_dims(struct message_writer *writer, const int64_t *dims, size_t n_dims) {
    size_t size = n_dims * sizeof(int64_t);
    size_t offset = message_place(&writer->layout, size);
    if (size > 0) {
        memcpy(writer->base + offset, dims, size);
    }
    return (uint32_t)offset;
}

static void append_parameter(struct hc_buf *json, const struct hc_wire_parameter *parameter) {
    char number[HC_NUMBER_ROOM];
    hc_json_append_string(json, parameter->name);
    hc_buf_append_char(json, ':');
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        hc_json_append_string(json, parameter->string);
        break;
    case HC_WIRE_INT64:
        hc_buf_append(json, number, hc_number_print_int64(parameter->int64, number));
        break;
    case HC_WIRE_BOOL:
        hc_buf_append_string(json, parameter->boolean ? "true" : "false");
        break;
    case HC_WIRE_DOUBLE:
        hc_buf_append(json, number, hc_number_print_double(parameter->real, number));
        break;
    }
}

void message_append_parameters(struct hc_buf *json, const struct hc_wire_parameter *parameters,
                               size_t n) {
    for (size_t i = 0; i < n; i++) {
        hc_buf_append_char(json, i == 0 ? '{' : ',');
        append_parameter(json, &parameters[i]);
    }
    if (n > 0) {
        hc_buf_append_char(json, '}');
    }
}
