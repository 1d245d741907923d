/*
 * The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), field by
 * field: for messages that are too large, or too frequent, to be built by generated code.
 */
#ifndef HC_WIRE_PROTO_H
#define HC_WIRE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

enum hc_proto_type {
    HC_PROTO_VARINT = 0,
    HC_PROTO_64_BITS = 1,
    HC_PROTO_BYTES = 2,
    HC_PROTO_32_BITS = 5,
};

enum { HC_PROTO_MAX_VARINT_SIZE = 10 };

/* ---- Reading ---- */

/* {text, false} to begin with. */
struct hc_proto_reader {
    struct hc_text left;
    bool failed; /* what is left is no message */
};

struct hc_proto_field {
    uint32_t id;
    enum hc_proto_type type;
    uint64_t number;      /* of all types but BYTES; fixed ones as they lie there */
    struct hc_text bytes; /* a view */
};

/*
 * The next field. False at the end, and where the message is malformed: `failed` tells. Groups,
 * which nobody sends any more, count as malformed.
 */
bool hc_proto_next(struct hc_proto_reader *reader, struct hc_proto_field *field);

/* Take a number off TEXT; false when there is none that is complete. */
bool hc_proto_take_varint(struct hc_text *text, uint64_t *number);

/*
 * The numbers of a field that is repeated and scalar, of TYPE; packed or not. Calls for each of the
 * field's numbers; false when it is malformed.
 */
struct hc_proto_numbers {
    struct hc_text _packed;
    uint64_t _single;
    enum hc_proto_type _type;
    bool _has_single;
    bool failed;
};
void hc_proto_numbers_begin(struct hc_proto_numbers *numbers, const struct hc_proto_field *field,
                            enum hc_proto_type type);
bool hc_proto_numbers_next(struct hc_proto_numbers *numbers, uint64_t *number);

/* ---- Writing: each appends to BUF ---- */

void hc_proto_put_varint(struct hc_buf *buf, uint64_t number);

/* Fields; scalars are left out when they are 0 or empty, as proto3 has it. */
void hc_proto_put_number(struct hc_buf *buf, uint32_t id, uint64_t number);
void hc_proto_put_bytes(struct hc_buf *buf, uint32_t id, struct hc_text bytes);

/* As members of a oneof, which are there even when they are 0 or empty. */
void hc_proto_put_choice(struct hc_buf *buf, uint32_t id, uint64_t number);
void hc_proto_put_choice_bytes(struct hc_buf *buf, uint32_t id, struct hc_text bytes);
void hc_proto_put_choice_double(struct hc_buf *buf, uint32_t id, double number);

/* A field that consists of what is appended between the two calls. */
size_t hc_proto_begin(struct hc_buf *buf, uint32_t id);
void hc_proto_end(struct hc_buf *buf, size_t mark);

/* The beginning of a field of SIZE bytes that follow in another way. */
void hc_proto_put_size(struct hc_buf *buf, uint32_t id, size_t size);

#endif
