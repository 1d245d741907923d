/*
 * Laying out a message: its size is added up first, then its parts are written in the same order.
 */
#ifndef HC_BACKEND_PYTHON_MESSAGE_LAYOUT_H
#define HC_BACKEND_PYTHON_MESSAGE_LAYOUT_H

#include "base/buf.h"
#include "channel/layout.h"
#include "wire/parameter.h"

struct message_layout {
    size_t size;
    bool overflow; /* more than a message can hold */
};

/* Where the next part, of SIZE bytes, goes. */
size_t message_place(struct message_layout *layout, size_t size);

struct message_writer {
    char *base;
    struct message_layout layout;
};

struct hc_span message_put_text(struct message_writer *writer, struct hc_text text);

/* Returns the offset. */
uint32_t message_put_dims(struct message_writer *writer, const int64_t *dims, size_t n_dims);

/* The parameters as a JSON object; nothing when there are none. */
void message_append_parameters(struct hc_buf *json, const struct hc_wire_parameter *parameters,
                               size_t n);

#endif
