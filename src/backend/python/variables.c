/* Environment variables for a Python environment. */
#include "variables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static void add(struct variables *variables, char *item) {
    variables->items = hc_realloc(variables->items, (variables->n + 2) * sizeof(char *));
    variables->items[variables->n++] = item;
    variables->items[variables->n] = NULL;
}

static bool is(const char *item, const char *name) {
    size_t size = strlen(name);
    return strncmp(item, name, size) == 0 && item[size] == '=';
}

/* What activation replaces. */
static bool is_replaced(const char *item) {
    static const char *const names[] = {"PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "CONDA_PREFIX",
                                        "PYTHONHOME"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is(item, names[i])) {
            return true;
        }
    }
    return false;
}

static void activate(struct variables *variables, const char *folder) {
    const char *path = getenv("PATH");
    const char *slash = strrchr(folder, '/');
    hc_auto(text) conda = hc_format("%s/conda-meta", folder);
    add(variables, path == NULL ? hc_format("PATH=%s/bin", folder)
                                : hc_format("PATH=%s/bin:%s", folder, path));
    add(variables, hc_format("VIRTUAL_ENV=%s", folder));
    add(variables, hc_format("VIRTUAL_ENV_PROMPT=%s", slash != NULL ? slash + 1 : folder));
    if (access(conda, F_OK) == 0) {
        add(variables, hc_format("CONDA_PREFIX=%s", folder));
    }
}

void variables_fill(struct variables *variables, const char *folder) {
    for (char **item = environ; *item != NULL; item++) {
        if (folder == NULL || !is_replaced(*item)) {
            add(variables, hc_strdup(*item));
        }
    }
    if (folder != NULL) {
        activate(variables, folder);
    }
}

void variables_finish(struct variables *variables) {
    for (size_t i = 0; i < variables->n; i++) {
        free(variables->items[i]);
    }
    free(variables->items);
    *variables = (struct variables){0};
}
