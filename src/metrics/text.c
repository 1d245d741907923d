/* Metrics as text. */
#include "metrics/text.h"

#include <inttypes.h>
#include <math.h>

#include "wire/number.h"

/* Backslashes and line ends, in values also quotes, are escaped. */
static void append_escaped(struct hc_buf *text, struct hc_text value, bool quotes) {
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\\' || (c == '"' && quotes)) {
            hc_buf_append_char(text, '\\');
        }
        if (c == '\n') {
            hc_buf_append_string(text, "\\n");
        } else {
            hc_buf_append_char(text, c);
        }
    }
}

void hc_metrics_text_head(struct hc_buf *text, const char *name, const char *help,
                          const char *type) {
    hc_buf_appendf(text, "# HELP %s ", name);
    append_escaped(text, hc_text_of(help), false);
    hc_buf_appendf(text, "\n# TYPE %s %s\n", name, type);
}

/* Where the type of the family is said; NULL: there is none in TEXT. */
static const char *find_type(struct hc_text text, const char *name) {
    hc_auto_buf line = {0};
    hc_buf_appendf(&line, "\n# TYPE %s ", name);
    const char *found = text.size == 0 ? NULL : memmem(text.data, text.size, line.data, line.size);
    return found == NULL ? NULL : found + line.size;
}

/* Where the family goes on whose type is said at TYPE: behind its last sample. */
static size_t find_family_end(struct hc_text text, const char *type) {
    size_t offset = (size_t)(type - text.data);
    const char *next = memmem(type, text.size - offset, "\n# ", 3);
    return next == NULL ? text.size : (size_t)(next - text.data) + 1;
}

static void insert(struct hc_buf *text, size_t offset, struct hc_text part) {
    hc_buf_append_text(text, part);
    memmove(text->data + offset + part.size, text->data + offset, text->size - part.size - offset);
    memcpy(text->data + offset, part.data, part.size);
}

void hc_metrics_text_join(struct hc_buf *text, const char *name, const char *help, const char *type,
                          struct hc_text samples) {
    struct hc_text so_far = hc_buf_text(text);
    const char *there = find_type(so_far, name);
    if (there == NULL) {
        hc_metrics_text_head(text, name, help, type);
        hc_buf_append_text(text, samples);
        return;
    }
    const char *end = memchr(there, '\n', (size_t)(so_far.data + so_far.size - there));
    if (hc_text_is((struct hc_text){there, (size_t)(end - there)}, type)) {
        insert(text, find_family_end(so_far, there), samples);
    }
}

static bool fits_a_name(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9' && !first);
}

void hc_metrics_text_label(struct hc_buf *labels, struct hc_text name, struct hc_text value) {
    if (labels->size > 0) {
        hc_buf_append_char(labels, ',');
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        hc_buf_append_char(labels, fits_a_name(c, i == 0) ? c : '_');
    }
    hc_buf_append_string(labels, "=\"");
    append_escaped(labels, value, true);
    hc_buf_append_char(labels, '"');
}

static void append_name(struct hc_buf *text, const char *name, struct hc_text labels) {
    hc_buf_append_string(text, name);
    if (labels.size > 0) {
        hc_buf_append_char(text, '{');
        hc_buf_append_text(text, labels);
        hc_buf_append_char(text, '}');
    }
    hc_buf_append_char(text, ' ');
}

static void append_number(struct hc_buf *text, double value) {
    if (isnan(value)) {
        hc_buf_append_string(text, "Nan");
    } else if (isinf(value)) {
        hc_buf_append_string(text, value < 0 ? "-Inf" : "+Inf");
    } else if (value == trunc(value) && fabs(value) < 1e15) {
        hc_buf_appendf(text, "%.0f", value);
    } else {
        hc_buf_commit(text, hc_number_print_double(value, hc_buf_reserve(text, HC_NUMBER_ROOM)));
    }
}

void hc_metrics_text_count(struct hc_buf *text, const char *name, struct hc_text labels,
                           uint64_t value) {
    append_name(text, name, labels);
    hc_buf_appendf(text, "%" PRIu64 "\n", value);
}

void hc_metrics_text_value(struct hc_buf *text, const char *name, struct hc_text labels,
                           double value) {
    append_name(text, name, labels);
    append_number(text, value);
    hc_buf_append_char(text, '\n');
}

/* `NAME_bucket{LABELS,le="BOUND"} count` */
static void append_bucket(struct hc_buf *text, const char *name, struct hc_text labels,
                          double bound, uint64_t count) {
    hc_buf_appendf(text, "%s_bucket{", name);
    hc_buf_append_text(text, labels);
    hc_buf_append_string(text, labels.size > 0 ? ",le=\"" : "le=\"");
    append_number(text, bound);
    hc_buf_appendf(text, "\"} %" PRIu64 "\n", count);
}

void hc_metrics_text_histogram(struct hc_buf *text, const char *name, struct hc_text labels,
                               const double *bounds, const uint64_t *counts, size_t n, double sum) {
    hc_auto_buf part = {0};
    uint64_t total = 0;
    for (size_t i = 0; i <= n; i++) {
        total += counts[i];
    }
    hc_buf_appendf(&part, "%s_count", name);
    hc_metrics_text_count(text, hc_buf_string(&part), labels, total);
    hc_buf_clear(&part);
    hc_buf_appendf(&part, "%s_sum", name);
    hc_metrics_text_value(text, hc_buf_string(&part), labels, sum);
    total = 0;
    for (size_t i = 0; i <= n; i++) {
        total += counts[i];
        append_bucket(text, name, labels, i < n ? bounds[i] : INFINITY, total);
    }
}
