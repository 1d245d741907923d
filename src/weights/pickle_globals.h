/*
 * The names that pickles of weights may mention: what torch.save() writes for dictionaries of
 * tensors and for the modules that a stack can be made of.
 */
#ifndef HC_WEIGHTS_PICKLE_GLOBALS_H
#define HC_WEIGHTS_PICKLE_GLOBALS_H

#include "pickle.h"

/* NULL: a name that is not allowed. */
const struct pickle_global *pickle_find_global(struct hc_text module, struct hc_text name);

#endif
