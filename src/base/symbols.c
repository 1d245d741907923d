/* Finding functions of libraries. */
#include "base/symbols.h"

#include <dlfcn.h>
#include <string.h>

const char *hc_symbols_find(void *library, const struct hc_symbol *symbols, size_t n) {
    for (size_t i = 0; i < n; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (function == NULL) {
            return symbols[i].name;
        }
        memcpy(symbols[i].place, &function, sizeof function);
    }
    return NULL;
}
