/* The name that was meant, by edit distance. */
#include "base/nearest.h"

#include <ctype.h>

enum { MAX_NAME_SIZE = 64 }; /* longer ones are not compared */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance; only three rows of its table are needed at a time. */
static size_t edit_distance(struct hc_text a, struct hc_text b) {
    size_t rows[3][MAX_NAME_SIZE + 1];
    for (size_t j = 0; j <= b.size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            bool same = same_letter(a.data[i - 1], b.data[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2]) &&
                same_letter(a.data[i - 2], b.data[j - 1])) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a.size % 3][b.size];
}

void hc_nearest_offer(struct hc_nearest *nearest, const char *name) {
    struct hc_text text = hc_text_of(name);
    if (text.size > MAX_NAME_SIZE || nearest->word.size > MAX_NAME_SIZE) {
        return;
    }
    size_t distance = edit_distance(nearest->word, text);
    if (distance <= text.size / 3 && (nearest->name == NULL || distance < nearest->distance)) {
        nearest->name = name;
        nearest->distance = distance;
    }
}
