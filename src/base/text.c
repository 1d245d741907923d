/* Views of text: reading numbers. */
#include "base/text.h"

bool hc_text_number(struct hc_text text, uint64_t limit, uint64_t *number) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (text.size == 0 || value > limit) {
        return false;
    }
    *number = value;
    return true;
}
