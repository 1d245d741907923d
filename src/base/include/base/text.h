/*
 * Views of text: a pointer and a size, not NUL-terminated, owned by someone else.
 */
#ifndef HC_BASE_TEXT_H
#define HC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct hc_text {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
};

#define HC_TEXT(literal) ((struct hc_text){(literal), sizeof(literal) - 1})

/* For printf("%.*s"): two arguments; texts beyond INT_MAX are cut. */
#define HC_TEXT_ARGS(text) (int)((text).size > 0x7fffffff ? 0x7fffffff : (text).size), (text).data

static inline struct hc_text hc_text_of(const char *string) {
    return (struct hc_text){string, string == NULL ? 0 : strlen(string)};
}

static inline bool hc_text_equal(struct hc_text a, struct hc_text b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool hc_text_is(struct hc_text text, const char *string) {
    return hc_text_equal(text, hc_text_of(string));
}

/* Equal but for the case of ASCII letters. */
static inline bool hc_text_is_nocase(struct hc_text text, const char *string) {
    return text.size == strlen(string) &&
           (text.size == 0 || strncasecmp(text.data, string, text.size) == 0);
}

static inline bool hc_text_starts(struct hc_text text, const char *prefix) {
    size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

/*
 * The whole text as a decimal number, digits only (no sign, no blank); false when there is
 * anything else, nothing at all, or a value beyond LIMIT.
 */
bool hc_text_number(struct hc_text text, uint64_t limit, uint64_t *number);

#endif
