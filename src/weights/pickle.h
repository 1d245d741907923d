/*
 * Pickles, read without executing anything.
 *
 * The interpreter builds plain values: numbers, texts, tuples, lists, dictionaries. A global is a
 * name from a fixed list, never an import; what pickle would call or instantiate becomes an object
 * that says of what and with what. Whoever asked for the pickle makes sense of those.
 *
 * Operations are those of protocols 2 to 5 that torch.save() uses, as Python's pickletools
 * documents them. Messages name the operation or the name that is refused, and its offset.
 */
#ifndef HC_WEIGHTS_PICKLE_H
#define HC_WEIGHTS_PICKLE_H

#include "base/error.h"
#include "base/pool.h"
#include "bytes.h"
#include "tensor/dtype.h"

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,   /* integer */
    PICKLE_INT,    /* integer */
    PICKLE_LONG,   /* text: an integer of more than eight bytes, little-endian */
    PICKLE_FLOAT,  /* number */
    PICKLE_TEXT,   /* text, of either kind */
    PICKLE_TUPLE,  /* items */
    PICKLE_LIST,   /* items */
    PICKLE_DICT,   /* items: key, value, key, value … */
    PICKLE_GLOBAL, /* global */
    PICKLE_OBJECT, /* global, called with items; and its state */
    PICKLE_STORED, /* items: of the persistent id that stands for it */
    PICKLE_MARK,   /* the interpreter's own */
};

/* What a global is for. */
enum pickle_use {
    PICKLE_CLASS,     /* of modules: instantiated, then given a state */
    PICKLE_TENSOR,    /* functions that make tensors … */
    PICKLE_PARAMETER, /* … and parameters of them */
    PICKLE_DICTIONARY,
    PICKLE_IGNORED, /* a function whose result says nothing about the model */
    PICKLE_STORAGE, /* types of storages: they have a dtype */
};

struct pickle_global {
    const char *module;
    const char *name;
    enum pickle_use use;
    enum hc_dtype dtype;
};

struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t integer;
        double number;
        struct hc_text text;
        const struct pickle_global *global;
    };
    struct pickle_value **items;
    size_t n_items;
    size_t capacity;
    struct pickle_value *state; /* of an object; of what is stored, the one before. NULL: none */
};

/*
 * Take one pickle off the front of BYTES. The value is in POOL, its texts are in BYTES. It may
 * contain itself. Offsets in messages are those in BYTES. *STORED is
 * the last persistent id, from which its `state` leads to those before.
 */
enum hc_code pickle_read(struct bytes *bytes, struct hc_pool *pool, struct pickle_value **value,
                         struct pickle_value **stored, struct hc_error *error);

/* The value for a text key of a dictionary; NULL when it has none, or VALUE is no dictionary. */
const struct pickle_value *pickle_get(const struct pickle_value *value, const char *key);

/* Whether VALUE is that text. */
bool pickle_is(const struct pickle_value *value, const char *text);

#endif
