/* ModelInferRequest as it arrives: tensors to where they are used, the rest to one place. */
#include <string.h>

#include "wire/infer_proto.h"
#include "wire/proto.h"

enum { RAW_INPUT_CONTENTS = 7 };

static enum hc_code malformed(struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "Unable to parse request");
}

void hc_infer_proto_begin(struct hc_infer_proto_intake *intake, size_t size,
                          hc_infer_proto_place_fn place, void *user) {
    struct hc_buf rest = intake->rest;
    hc_buf_clear(&rest);
    *intake =
        (struct hc_infer_proto_intake){.rest = rest, ._place = place, ._user = user, ._left = size};
}

static enum hc_code keep(struct hc_infer_proto_intake *intake, const void *data, size_t size,
                         struct hc_error *error) {
    char *place = hc_buf_reserve_try(&intake->rest, size);
    if (place == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
    }
    memcpy(place, data, size);
    hc_buf_commit(&intake->rest, size);
    return HC_OK;
}

/* The size of what follows the head of a field, which is not yet known to be complete. */
enum head { HEAD_MORE, HEAD_BAD, HEAD_COMPLETE };

static enum head read_head(const struct hc_infer_proto_intake *intake, uint64_t *tag,
                           uint64_t *run) {
    struct hc_text head = {intake->_head, intake->_n_head};
    if (!hc_proto_take_varint(&head, tag)) {
        return intake->_n_head < HC_PROTO_MAX_VARINT_SIZE ? HEAD_MORE : HEAD_BAD;
    }
    *run = 0;
    uint64_t number;
    switch (*tag & 7) {
    case HC_PROTO_64_BITS:
        *run = 8;
        return HEAD_COMPLETE;
    case HC_PROTO_32_BITS:
        *run = 4;
        return HEAD_COMPLETE;
    case HC_PROTO_VARINT:
    case HC_PROTO_BYTES:
        break;
    default:
        return HEAD_BAD;
    }
    if (!hc_proto_take_varint(&head, &number)) {
        return head.size < HC_PROTO_MAX_VARINT_SIZE ? HEAD_MORE : HEAD_BAD;
    }
    *run = (*tag & 7) == HC_PROTO_BYTES ? number : 0;
    return HEAD_COMPLETE;
}

static enum hc_code begin_field(struct hc_infer_proto_intake *intake, uint64_t tag, uint64_t run,
                                struct hc_error *error) {
    if (run > intake->_left) {
        return malformed(error);
    }
    intake->_run = (size_t)run;
    intake->_raw = tag == (RAW_INPUT_CONTENTS << 3 | HC_PROTO_BYTES);
    if (intake->_raw) {
        HC_TRY(intake->_place(intake->_user, &intake->rest, intake->_run, &intake->_memory, error));
    } else {
        HC_TRY(keep(intake, intake->_head, intake->_n_head, error));
    }
    intake->_n_head = 0;
    return HC_OK;
}

/* Take the head of a field, byte by byte: it is short. */
static enum hc_code take_head(struct hc_infer_proto_intake *intake, struct hc_text *bytes,
                              struct hc_error *error) {
    uint64_t tag;
    uint64_t run;
    enum head head = HEAD_MORE;
    while (head == HEAD_MORE && bytes->size > 0) {
        intake->_head[intake->_n_head++] = bytes->data[0];
        bytes->data++;
        bytes->size--;
        intake->_left--;
        if ((unsigned char)bytes->data[-1] < 0x80) {
            head = read_head(intake, &tag, &run);
        } else if (intake->_n_head == sizeof intake->_head) {
            head = HEAD_BAD;
        }
    }
    if (head == HEAD_BAD) {
        return malformed(error);
    }
    return head == HEAD_COMPLETE ? begin_field(intake, tag, run, error) : HC_OK;
}

static enum hc_code take_run(struct hc_infer_proto_intake *intake, struct hc_text *bytes,
                             struct hc_error *error) {
    size_t size = bytes->size < intake->_run ? bytes->size : intake->_run;
    if (!intake->_raw) {
        HC_TRY(keep(intake, bytes->data, size, error));
    } else if (intake->_memory != NULL) {
        memcpy(intake->_memory, bytes->data, size);
        intake->_memory += size;
    }
    bytes->data += size;
    bytes->size -= size;
    intake->_run -= size;
    intake->_left -= size;
    return HC_OK;
}

enum hc_code hc_infer_proto_take(struct hc_infer_proto_intake *intake, struct hc_text bytes,
                                 struct hc_error *error) {
    while (bytes.size > 0) {
        HC_TRY(intake->_run > 0 ? take_run(intake, &bytes, error)
                                : take_head(intake, &bytes, error));
    }
    return HC_OK;
}

enum hc_code hc_infer_proto_end(const struct hc_infer_proto_intake *intake,
                                struct hc_error *error) {
    return intake->_run > 0 || intake->_n_head > 0 ? malformed(error) : HC_OK;
}

void hc_infer_proto_finish(struct hc_infer_proto_intake *intake) {
    hc_buf_finish(&intake->rest);
}
