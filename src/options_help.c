/* What --help prints. */
#include <string.h>

#include "options_table.h"

/* Wrapped to the right of COLUMN. */
static void print_wrapped(FILE *out, const char *text, int column) {
    enum { WIDTH = 100 };
    int room = WIDTH - column;
    while (*text != '\0') {
        int size = (int)strlen(text);
        if (size > room) {
            size = room;
            while (size > 0 && text[size] != ' ') {
                size--;
            }
        }
        fprintf(out, "%.*s\n", size, text);
        text += size + (text[size] == ' ');
        if (*text != '\0') {
            fprintf(out, "%*s", column, "");
        }
    }
}

void option_print_help(FILE *out) {
    enum { COLUMN = 44 };
    fputs("Usage: hippocamp [options]\n"
          "       hippocamp check REPOSITORY [options]\n\n"
          "The second looks for mistakes in a repository without serving it.\n",
          out);
    for (size_t i = 0; i < n_option_rows; i++) {
        if (option_rows[i].group != NULL) {
            fprintf(out, "\n%s:\n", option_rows[i].group);
        }
        int width = fprintf(out, "  --%s%s", option_rows[i].name,
                            option_takes_value(&option_rows[i]) ? " <value>" : "");
        if (width >= COLUMN) {
            fputs("\n", out);
            width = 0;
        }
        fprintf(out, "%*s", COLUMN - width, "");
        print_wrapped(out, option_rows[i].help, COLUMN);
    }
}
