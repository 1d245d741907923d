/* Tables in the log. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void hc_table_init(struct hc_table *table, size_t n_columns, const char *const *headings) {
    *table = (struct hc_table){.n_columns = n_columns};
    hc_table_add(table, headings);
}

void hc_table_finish(struct hc_table *table) {
    for (size_t i = 0; i < table->n_rows * table->n_columns; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
}

void hc_table_add(struct hc_table *table, const char *const *cells) {
    size_t first = table->n_rows * table->n_columns;
    table->n_rows++;
    table->cells =
        hc_realloc(table->cells, table->n_rows * table->n_columns * sizeof *table->cells);
    for (size_t i = 0; i < table->n_columns; i++) {
        table->cells[first + i] = hc_strdup(cells[i]);
    }
}

static const char *cell(const struct hc_table *table, size_t row, size_t column) {
    return table->cells[row * table->n_columns + column];
}

/* Width of each column: its longest line, the last cut to what is left of WIDTH. */
static void measure(const struct hc_table *table, size_t width, size_t *widths) {
    size_t before = 1;
    for (size_t column = 0; column < table->n_columns; column++) {
        widths[column] = 1;
        for (size_t row = 0; row < table->n_rows; row++) {
            const char *line = cell(table, row, column);
            while (*line != '\0') {
                size_t size = strcspn(line, "\n");
                widths[column] = size > widths[column] ? size : widths[column];
                line += size + (line[size] != '\0');
            }
        }
        size_t room = width > before + 13 ? width - before - 3 : 10;
        widths[column] = widths[column] < room ? widths[column] : room;
        before += widths[column] + 3;
    }
}

static void draw_rule(const struct hc_table *table, const size_t *widths, struct hc_buf *out) {
    for (size_t column = 0; column < table->n_columns; column++) {
        hc_buf_append_char(out, '+');
        for (size_t i = 0; i < widths[column] + 2; i++) {
            hc_buf_append_char(out, '-');
        }
    }
    hc_buf_append_string(out, "+\n");
}

/* One line of a cell, at most WIDTH bytes of it; moves *TEXT behind it. */
static struct hc_text take_line(const char **text, size_t width) {
    size_t size = strcspn(*text, "\n");
    struct hc_text line = {*text, size < width ? size : width};
    *text += line.size;
    if (**text == '\n') {
        (*text)++;
    }
    return line;
}

static void draw_row(const struct hc_table *table, size_t row, const size_t *widths,
                     struct hc_buf *out) {
    const char **rests = hc_alloc_array(table->n_columns, sizeof *rests);
    for (size_t column = 0; column < table->n_columns; column++) {
        rests[column] = cell(table, row, column);
    }
    bool more = true;
    while (more) {
        more = false;
        for (size_t column = 0; column < table->n_columns; column++) {
            struct hc_text line = take_line(&rests[column], widths[column]);
            hc_buf_appendf(out, "| %-*.*s ", (int)widths[column], HC_TEXT_ARGS(line));
            more = more || *rests[column] != '\0';
        }
        hc_buf_append_string(out, "|\n");
    }
    free(rests);
}

void hc_table_draw(const struct hc_table *table, size_t width, struct hc_buf *out) {
    size_t *widths = hc_alloc_array(table->n_columns, sizeof *widths);
    measure(table, width, widths);
    draw_rule(table, widths, out);
    for (size_t row = 0; row < table->n_rows; row++) {
        draw_row(table, row, widths, out);
        if (row == 0) {
            draw_rule(table, widths, out);
        }
    }
    draw_rule(table, widths, out);
    free(widths);
}
