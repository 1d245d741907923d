/* What gRPC adds to HTTP/2. */
#include "wire/grpc.h"

#include <string.h>

#include "base/clock.h"

static void take(struct hc_text *bytes, size_t size) {
    bytes->data += size;
    bytes->size -= size;
}

static uint32_t read_size(const unsigned char prefix[HC_GRPC_PREFIX_SIZE]) {
    return (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 |
           prefix[4];
}

static enum hc_grpc_step begin(struct hc_grpc_cutter *cutter, struct hc_error *error) {
    cutter->_n_prefix = 0;
    if (cutter->_prefix[0] > 1) {
        hc_error_set(error, HC_INTERNAL, "Bad GRPC frame type 0x%02x", cutter->_prefix[0]);
        return HC_GRPC_BAD;
    }
    cutter->compressed = cutter->_prefix[0] == 1;
    cutter->size = read_size(cutter->_prefix);
    if (cutter->size > HC_GRPC_MAX_MESSAGE_SIZE) {
        hc_error_set(error, HC_RESOURCE_EXHAUSTED,
                     "SERVER: Received message larger than max (%u vs. %d)", cutter->size,
                     HC_GRPC_MAX_MESSAGE_SIZE);
        return HC_GRPC_BAD;
    }
    cutter->left = cutter->size;
    return HC_GRPC_BEGIN;
}

enum hc_grpc_step hc_grpc_cut(struct hc_grpc_cutter *cutter, struct hc_text *bytes,
                              struct hc_text *part, struct hc_error *error) {
    if (bytes->size == 0) {
        return HC_GRPC_MORE;
    }
    if (cutter->left > 0) {
        uint32_t size = bytes->size < cutter->left ? (uint32_t)bytes->size : cutter->left;
        *part = (struct hc_text){bytes->data, size};
        take(bytes, size);
        cutter->left -= size;
        return HC_GRPC_PAYLOAD;
    }
    size_t wanted = HC_GRPC_PREFIX_SIZE - cutter->_n_prefix;
    size_t size = bytes->size < wanted ? bytes->size : wanted;
    memcpy(cutter->_prefix + cutter->_n_prefix, bytes->data, size);
    take(bytes, size);
    cutter->_n_prefix += (unsigned)size;
    return cutter->_n_prefix == HC_GRPC_PREFIX_SIZE ? begin(cutter, error) : HC_GRPC_MORE;
}

bool hc_grpc_between_messages(const struct hc_grpc_cutter *cutter) {
    return cutter->left == 0 && cutter->_n_prefix == 0;
}

void hc_grpc_write_prefix(char place[HC_GRPC_PREFIX_SIZE], bool compressed, uint32_t size) {
    place[0] = compressed ? 1 : 0;
    place[1] = (char)(size >> 24);
    place[2] = (char)(size >> 16);
    place[3] = (char)(size >> 8);
    place[4] = (char)size;
}

void hc_grpc_append_percent(struct hc_buf *buf, struct hc_text message) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < message.size; i++) {
        unsigned char byte = (unsigned char)message.data[i];
        if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
            hc_buf_append_char(buf, (char)byte);
        } else {
            const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
            hc_buf_append(buf, escape, sizeof escape);
        }
    }
}

static uint64_t unit_ns(char unit) {
    switch (unit) {
    case 'H':
        return 3600 * HC_NS_PER_S;
    case 'M':
        return 60 * HC_NS_PER_S;
    case 'S':
        return HC_NS_PER_S;
    case 'm':
        return HC_NS_PER_MS;
    case 'u':
        return HC_NS_PER_US;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

static uint64_t saturating_product(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t saturating_sum(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

bool hc_grpc_read_timeout(struct hc_text value, uint64_t *timeout_ns) {
    uint64_t number = 0;
    size_t i = 0;
    for (; i < value.size && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
        number = saturating_sum(saturating_product(number, 10), (uint64_t)(value.data[i] - '0'));
    }
    if (i == 0) {
        return false;
    }
    while (i < value.size && value.data[i] == ' ') {
        i++;
    }
    uint64_t unit = i + 1 == value.size ? unit_ns(value.data[i]) : 0;
    *timeout_ns = saturating_product(number, unit);
    return unit != 0;
}
