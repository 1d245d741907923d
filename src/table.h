/*
 * Tables in the log, drawn as Triton draws them.
 */
#ifndef HC_TABLE_H
#define HC_TABLE_H

#include <stddef.h>

#include "base/buf.h"

struct hc_table {
    size_t n_columns;
    size_t n_rows; /* the heading is the first */
    char **cells;  /* row by row, owned */
};

/* A table with these headings. */
void hc_table_init(struct hc_table *table, size_t n_columns, const char *const *headings);
void hc_table_finish(struct hc_table *table);

/* One more row; texts are copied. */
void hc_table_add(struct hc_table *table, const char *const *cells);

/* Append the drawing: lines of at most WIDTH columns, long cells broken. */
void hc_table_draw(const struct hc_table *table, size_t width, struct hc_buf *out);

#endif
