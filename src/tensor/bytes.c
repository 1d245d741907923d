/* The BYTES datatype on the wire. */
#include "tensor/bytes.h"

#include <endian.h>
#include <string.h>

enum hc_bytes_step hc_bytes_next(struct hc_bytes_reader *reader, struct hc_text *element) {
    size_t rest = reader->size - reader->offset;
    if (rest == 0) {
        return HC_BYTES_END;
    }
    if (rest < HC_BYTES_PREFIX_SIZE) {
        return HC_BYTES_INCOMPLETE_PREFIX;
    }
    uint32_t prefix;
    memcpy(&prefix, reader->data + reader->offset, sizeof prefix);
    __asm__("" : "+r"(prefix)); /* read once: the memory may change under us */
    size_t length = le32toh(prefix);
    if (length > rest - HC_BYTES_PREFIX_SIZE) {
        return HC_BYTES_INCOMPLETE_DATA;
    }
    *element = (struct hc_text){reader->data + reader->offset + HC_BYTES_PREFIX_SIZE, length};
    reader->offset += HC_BYTES_PREFIX_SIZE + length;
    return HC_BYTES_ELEMENT;
}

uint32_t hc_bytes_prefix(const struct hc_bytes_reader *reader) {
    uint32_t prefix;
    memcpy(&prefix, reader->data + reader->offset, sizeof prefix);
    return le32toh(prefix);
}

bool hc_bytes_count(const void *data, size_t size, uint64_t *count) {
    struct hc_bytes_reader reader = {data, size, 0};
    struct hc_text element;
    uint64_t n = 0;
    enum hc_bytes_step step;
    while ((step = hc_bytes_next(&reader, &element)) == HC_BYTES_ELEMENT) {
        n++;
    }
    if (step != HC_BYTES_END) {
        return false;
    }
    *count = n;
    return true;
}

void hc_bytes_put_prefix(void *place, uint32_t length) {
    uint32_t prefix = htole32(length);
    memcpy(place, &prefix, sizeof prefix);
}
