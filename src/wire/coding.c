/* The names of content codings, and which of them a client prefers. */
#include <stdlib.h>

#include "wire/compress.h"

static const char *const names[] = {
    [HC_CODING_IDENTITY] = "identity",
    [HC_CODING_GZIP] = "gzip",
    [HC_CODING_DEFLATE] = "deflate",
    [HC_CODING_ZSTD] = "zstd",
};

bool hc_coding_find(struct hc_text name, enum hc_coding *coding) {
    if (name.size == 0) {
        *coding = HC_CODING_IDENTITY;
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (hc_text_is_nocase(name, names[i])) {
            *coding = (enum hc_coding)i;
            return true;
        }
    }
    return false;
}

const char *hc_coding_name(enum hc_coding coding) {
    return names[coding];
}

static struct hc_text trim(struct hc_text text) {
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = (struct hc_text){text.data + 1, text.size - 1};
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* Cut what stands before the next SEPARATOR off the front of TEXT. */
static struct hc_text cut(struct hc_text *text, char separator) {
    const char *end = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
    struct hc_text part = *text;
    if (end == NULL) {
        *text = (struct hc_text){0};
    } else {
        part.size = (size_t)(end - part.data);
        *text = (struct hc_text){end + 1, text->size - part.size - 1};
    }
    return trim(part);
}

/* The weight in an item's parameters, in thousandths; a wrong one is none. */
static unsigned weight_of(struct hc_text parameters) {
    while (parameters.size > 0) {
        struct hc_text parameter = cut(&parameters, ';');
        char number[16] = "";
        if (parameter.size > 2 && parameter.size < sizeof number &&
            (parameter.data[0] == 'q' || parameter.data[0] == 'Q') && parameter.data[1] == '=') {
            char *end;
            memcpy(number, parameter.data + 2, parameter.size - 2);
            double weight = strtod(number, &end);
            return *end == '\0' && weight > 0 ? (unsigned)((weight < 1 ? weight : 1) * 1000) : 0;
        }
    }
    return 1000;
}

enum hc_coding hc_coding_accepted(struct hc_text header) {
    enum hc_coding best = HC_CODING_IDENTITY;
    unsigned best_weight = 0;
    while (header.size > 0) {
        struct hc_text item = cut(&header, ',');
        struct hc_text name = cut(&item, ';');
        enum hc_coding coding;
        unsigned weight = weight_of(item);
        if (name.size > 0 && weight > best_weight && hc_coding_find(name, &coding)) {
            best = coding;
            best_weight = weight;
        }
    }
    return best;
}
