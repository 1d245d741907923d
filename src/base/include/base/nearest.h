/*
 * The name that was meant, for messages about one that does not exist: of those offered, the one
 * that can be made of the word with the fewest changed, added, left out and swapped letters, their
 * case aside, if they are few.
 */
#ifndef HC_BASE_NEAREST_H
#define HC_BASE_NEAREST_H

#include "base/text.h"

struct hc_nearest {
    struct hc_text word;
    const char *name; /* the nearest so far; NULL: none was near */
    size_t distance;
};

void hc_nearest_offer(struct hc_nearest *nearest, const char *name);

#endif
