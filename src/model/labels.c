/* Reading label files. */
#include "model/labels.h"

#include <string.h>

#include "files.h"

enum { MAX_FILE_SIZE = 64 << 20 };

/* Cut the first line off the front of REST. */
static struct hc_text take_line(struct hc_text *rest) {
    const char *end = memchr(rest->data, '\n', rest->size);
    struct hc_text line = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size};
    size_t used = line.size + (end != NULL ? 1 : 0);
    *rest = (struct hc_text){rest->data + used, rest->size - used};
    return line;
}

static size_t count_lines(struct hc_text text) {
    size_t n = 0;
    while (text.size > 0) {
        take_line(&text);
        n++;
    }
    return n;
}

enum hc_code hc_labels_read(const char *path, struct hc_pool *pool, struct hc_text **labels_out,
                            size_t *n_labels, struct hc_error *error) {
    hc_auto_buf content = {0};
    HC_TRY(hc_file_read(path, MAX_FILE_SIZE, &content, error));
    struct hc_text rest = {hc_pool_copy(pool, hc_buf_text(&content)), content.size};
    size_t n = count_lines(rest);
    struct hc_text *labels = hc_pool_alloc(pool, n * sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        labels[i] = take_line(&rest);
    }
    *labels_out = labels;
    *n_labels = n;
    return HC_OK;
}
