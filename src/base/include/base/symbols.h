/*
 * Functions of libraries that are opened at run time, if they are there.
 */
#ifndef HC_BASE_SYMBOLS_H
#define HC_BASE_SYMBOLS_H

#include <stddef.h>

struct hc_symbol {
    const char *name;
    void *place; /* of the pointer to the function */
};

/* Set all pointers to what dlopen()'s LIBRARY has; NULL, or the name that it has not, with the
 * pointers before that set. */
const char *hc_symbols_find(void *library, const struct hc_symbol *symbols, size_t n);

#endif
