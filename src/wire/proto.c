/* The wire format of protocol buffers. */
#include "wire/proto.h"

#include <string.h>

/* ---- Reading ---- */

bool hc_proto_take_varint(struct hc_text *text, uint64_t *number) {
    uint64_t value = 0;
    for (unsigned i = 0; i < HC_PROTO_MAX_VARINT_SIZE && i < text->size; i++) {
        uint64_t byte = (unsigned char)text->data[i];
        value |= (byte & 0x7f) << (7 * i); /* bits beyond 64 are dropped, as everybody does */
        if (byte < 0x80) {
            *number = value;
            *text = (struct hc_text){text->data + i + 1, text->size - i - 1};
            return true;
        }
    }
    return false;
}

/* SIZE bytes, little-endian. */
static bool take_fixed(struct hc_text *text, size_t size, uint64_t *number) {
    if (text->size < size) {
        return false;
    }
    *number = 0;
    memcpy(number, text->data, size);
    *text = (struct hc_text){text->data + size, text->size - size};
    return true;
}

static bool take_bytes(struct hc_text *text, struct hc_text *bytes) {
    uint64_t size;
    if (!hc_proto_take_varint(text, &size) || size > text->size) {
        return false;
    }
    *bytes = (struct hc_text){text->data, (size_t)size};
    *text = (struct hc_text){text->data + size, text->size - (size_t)size};
    return true;
}

static bool take_value(struct hc_text *text, enum hc_proto_type type, uint64_t *number,
                       struct hc_text *bytes) {
    switch (type) {
    case HC_PROTO_VARINT:
        return hc_proto_take_varint(text, number);
    case HC_PROTO_64_BITS:
        return take_fixed(text, 8, number);
    case HC_PROTO_BYTES:
        return take_bytes(text, bytes);
    case HC_PROTO_32_BITS:
        return take_fixed(text, 4, number);
    }
    return false;
}

bool hc_proto_next(struct hc_proto_reader *reader, struct hc_proto_field *field) {
    if (reader->failed || reader->left.size == 0) {
        return false;
    }
    uint64_t tag;
    *field = (struct hc_proto_field){0};
    if (!hc_proto_take_varint(&reader->left, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        reader->failed = true;
        return false;
    }
    field->id = (uint32_t)(tag >> 3);
    field->type = (enum hc_proto_type)(tag & 7);
    reader->failed = !take_value(&reader->left, field->type, &field->number, &field->bytes);
    return !reader->failed;
}

void hc_proto_numbers_begin(struct hc_proto_numbers *numbers, const struct hc_proto_field *field,
                            enum hc_proto_type type) {
    *numbers = (struct hc_proto_numbers){._type = type};
    if (field->type == HC_PROTO_BYTES) {
        numbers->_packed = field->bytes;
    } else if (field->type == type) {
        numbers->_single = field->number;
        numbers->_has_single = true;
    }
}

bool hc_proto_numbers_next(struct hc_proto_numbers *numbers, uint64_t *number) {
    if (numbers->_has_single) {
        numbers->_has_single = false;
        *number = numbers->_single;
        return true;
    }
    if (numbers->_packed.size == 0 || numbers->failed) {
        return false;
    }
    numbers->failed = !take_value(&numbers->_packed, numbers->_type, number, NULL);
    return !numbers->failed;
}

/* ---- Writing ---- */

static void put_tag(struct hc_buf *buf, uint32_t id, enum hc_proto_type type) {
    hc_proto_put_varint(buf, (uint64_t)id << 3 | type);
}

static size_t write_varint(char *place, uint64_t number) {
    size_t size = 0;
    while (number >= 0x80) {
        place[size++] = (char)(number | 0x80);
        number >>= 7;
    }
    place[size++] = (char)number;
    return size;
}

void hc_proto_put_varint(struct hc_buf *buf, uint64_t number) {
    hc_buf_commit(buf, write_varint(hc_buf_reserve(buf, HC_PROTO_MAX_VARINT_SIZE), number));
}

void hc_proto_put_choice(struct hc_buf *buf, uint32_t id, uint64_t number) {
    put_tag(buf, id, HC_PROTO_VARINT);
    hc_proto_put_varint(buf, number);
}

void hc_proto_put_number(struct hc_buf *buf, uint32_t id, uint64_t number) {
    if (number != 0) {
        hc_proto_put_choice(buf, id, number);
    }
}

void hc_proto_put_size(struct hc_buf *buf, uint32_t id, size_t size) {
    put_tag(buf, id, HC_PROTO_BYTES);
    hc_proto_put_varint(buf, size);
}

void hc_proto_put_choice_bytes(struct hc_buf *buf, uint32_t id, struct hc_text bytes) {
    hc_proto_put_size(buf, id, bytes.size);
    hc_buf_append_text(buf, bytes);
}

void hc_proto_put_bytes(struct hc_buf *buf, uint32_t id, struct hc_text bytes) {
    if (bytes.size > 0) {
        hc_proto_put_choice_bytes(buf, id, bytes);
    }
}

void hc_proto_put_choice_double(struct hc_buf *buf, uint32_t id, double number) {
    put_tag(buf, id, HC_PROTO_64_BITS);
    hc_buf_append(buf, &number, sizeof number);
}

/* One byte is left for the size, which nearly always fits; if not, what follows is moved. */
size_t hc_proto_begin(struct hc_buf *buf, uint32_t id) {
    put_tag(buf, id, HC_PROTO_BYTES);
    hc_buf_append_char(buf, 0);
    return buf->size;
}

void hc_proto_end(struct hc_buf *buf, size_t mark) {
    char prefix[HC_PROTO_MAX_VARINT_SIZE];
    size_t size = buf->size - mark;
    size_t prefix_size = write_varint(prefix, size);
    if (prefix_size > 1) {
        hc_buf_reserve(buf, prefix_size - 1);
        memmove(buf->data + mark + prefix_size - 1, buf->data + mark, size);
        hc_buf_commit(buf, prefix_size - 1);
    }
    memcpy(buf->data + mark - 1, prefix, prefix_size);
}
