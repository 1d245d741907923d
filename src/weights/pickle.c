/* Pickles: the stack machine, one operation a function. */
#include "pickle.h"

#include <endian.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "pickle_globals.h"

/* Far more than weights need, and few enough to bound the memory that a pickle can cost. */
enum { MAX_VALUES = 1 << 20, MAX_PUSHES = 1 << 22, MAX_PROTOCOL = 5 };

struct machine {
    struct bytes *bytes;
    size_t op_offset; /* of the operation that runs */
    struct hc_pool *pool;
    struct pickle_value **stack;
    size_t n_stack;
    size_t stack_capacity;
    struct pickle_value **memo;
    size_t n_memo;
    size_t memo_capacity;
    size_t n_values;
    size_t n_pushes;
    struct pickle_value *stored;
    struct hc_error *error;
};

static enum hc_code refuse(const struct machine *machine, const char *what) {
    return hc_error_set(machine->error, HC_INVALID_ARGUMENT, "pickle, offset %zu: %s",
                        machine->op_offset, what);
}

static enum hc_code truncated(const struct machine *machine) {
    return refuse(machine, "it ends in the middle of an operation");
}

/* ---- The stack ---- */

static struct pickle_value *new_value(struct machine *machine, enum pickle_kind kind) {
    if (machine->n_values == MAX_VALUES) {
        return NULL;
    }
    machine->n_values++;
    struct pickle_value *value = hc_pool_alloc(machine->pool, sizeof *value);
    *value = (struct pickle_value){.kind = kind};
    return value;
}

static void append_pointer(struct pickle_value ***items, size_t *n, size_t *capacity,
                           struct pickle_value *value) {
    if (*n == *capacity) {
        *capacity = *capacity > 0 ? 2 * *capacity : 64;
        *items = hc_realloc(*items, *capacity * sizeof(struct pickle_value *));
    }
    (*items)[(*n)++] = value;
}

/* VALUE may be NULL: there were too many. */
static enum hc_code push(struct machine *machine, struct pickle_value *value) {
    if (value == NULL || machine->n_pushes == MAX_PUSHES) {
        return refuse(machine, "it has more values than weights need");
    }
    machine->n_pushes++;
    append_pointer(&machine->stack, &machine->n_stack, &machine->stack_capacity, value);
    return HC_OK;
}

/* The topmost value, taken off; NULL when there is none, or a mark. */
static struct pickle_value *pop(struct machine *machine) {
    if (machine->n_stack == 0 || machine->stack[machine->n_stack - 1]->kind == PICKLE_MARK) {
        return NULL;
    }
    return machine->stack[--machine->n_stack];
}

static struct pickle_value *top(const struct machine *machine) {
    return machine->n_stack == 0 ? NULL : machine->stack[machine->n_stack - 1];
}

static enum hc_code underflow(const struct machine *machine) {
    return refuse(machine, "it takes more values than there are");
}

/* The index behind the last mark. */
static enum hc_code find_mark(const struct machine *machine, size_t *first) {
    for (size_t i = machine->n_stack; i-- > 0;) {
        if (machine->stack[i]->kind == PICKLE_MARK) {
            *first = i + 1;
            return HC_OK;
        }
    }
    return refuse(machine, "there is no mark");
}

static void set_items(struct machine *machine, struct pickle_value *value, size_t first, size_t n) {
    value->items = hc_pool_alloc(machine->pool, n * sizeof(struct pickle_value *));
    if (n > 0) {
        memcpy(value->items, machine->stack + first, n * sizeof(struct pickle_value *));
    }
    value->n_items = n;
    value->capacity = n;
}

static enum hc_code extend(struct machine *machine, struct pickle_value *value, size_t first) {
    size_t n = machine->n_stack - first;
    if (value->kind == PICKLE_OBJECT) {
        return HC_OK; /* what is added to an ignored object is ignored */
    }
    if (value->n_items + n > value->capacity) {
        size_t capacity = 2 * (value->n_items + n);
        struct pickle_value **items =
            hc_pool_alloc(machine->pool, capacity * sizeof(struct pickle_value *));
        if (value->n_items > 0) {
            memcpy(items, value->items, value->n_items * sizeof(struct pickle_value *));
        }
        value->items = items;
        value->capacity = capacity;
    }
    memcpy(value->items + value->n_items, machine->stack + first,
           n * sizeof(struct pickle_value *));
    value->n_items += n;
    return HC_OK;
}

/* ---- Operations ---- */

static enum hc_code push_kind(struct machine *machine, enum pickle_kind kind) {
    return push(machine, new_value(machine, kind));
}

static enum hc_code push_integer(struct machine *machine, enum pickle_kind kind, int64_t integer) {
    struct pickle_value *value = new_value(machine, kind);
    if (value != NULL) {
        value->integer = integer;
    }
    return push(machine, value);
}

static enum hc_code read_integer(struct machine *machine, size_t width) {
    uint64_t number;
    if (!bytes_number(machine->bytes, width, &number)) {
        return truncated(machine);
    }
    bool is_signed = width == 4; /* the narrower ones have no sign */
    return push_integer(machine, PICKLE_INT, is_signed ? (int32_t)number : (int64_t)number);
}

/* An integer of any size; short ones are such as others. */
static enum hc_code read_long(struct machine *machine) {
    uint64_t size;
    struct hc_text text;
    if (!bytes_number(machine->bytes, 1, &size) || !bytes_text(machine->bytes, size, &text)) {
        return truncated(machine);
    }
    if (size <= sizeof(int64_t)) {
        uint64_t number = size > 0 && text.data[size - 1] < 0 ? UINT64_MAX : 0;
        for (size_t i = size; i-- > 0;) {
            number = number << 8 | (uint8_t)text.data[i];
        }
        return push_integer(machine, PICKLE_INT, (int64_t)number);
    }
    struct pickle_value *value = new_value(machine, PICKLE_LONG);
    if (value != NULL) {
        value->text = text;
    }
    return push(machine, value);
}

static enum hc_code read_float(struct machine *machine) {
    uint64_t number;
    if (!bytes_number(machine->bytes, 8, &number)) {
        return truncated(machine);
    }
    number = be64toh(htole64(number)); /* floats alone are big-endian */
    struct pickle_value *value = new_value(machine, PICKLE_FLOAT);
    if (value != NULL) {
        memcpy(&value->number, &number, sizeof number);
    }
    return push(machine, value);
}

static enum hc_code read_text(struct machine *machine, size_t width) {
    uint64_t size;
    struct hc_text text;
    if (!bytes_number(machine->bytes, width, &size) || !bytes_text(machine->bytes, size, &text)) {
        return truncated(machine);
    }
    struct pickle_value *value = new_value(machine, PICKLE_TEXT);
    if (value != NULL) {
        value->text = text;
    }
    return push(machine, value);
}

static enum hc_code make_tuple(struct machine *machine, size_t n) {
    size_t first;
    if (n == SIZE_MAX) {
        HC_TRY(find_mark(machine, &first));
    } else {
        if (machine->n_stack < n) {
            return underflow(machine);
        }
        first = machine->n_stack - n;
    }
    struct pickle_value *value = new_value(machine, PICKLE_TUPLE);
    if (value != NULL) {
        set_items(machine, value, first, machine->n_stack - first);
        machine->n_stack = n == SIZE_MAX ? first - 1 : first;
    }
    return push(machine, value);
}

/* Add what lies from FIRST on to the container below it and the mark, if any. */
static enum hc_code add_to(struct machine *machine, enum pickle_kind kind, size_t first,
                           size_t n_marks) {
    if (first < 1 + n_marks || (kind == PICKLE_DICT && (machine->n_stack - first) % 2 != 0)) {
        return underflow(machine);
    }
    struct pickle_value *container = machine->stack[first - 1 - n_marks];
    bool ignored = container->kind == PICKLE_OBJECT && container->global->use == PICKLE_IGNORED;
    if (container->kind != kind && !ignored) {
        return refuse(machine, "it adds items to what has none");
    }
    HC_TRY(extend(machine, container, first));
    machine->n_stack = first - n_marks;
    return HC_OK;
}

static enum hc_code add_one(struct machine *machine, enum pickle_kind kind, size_t n) {
    if (machine->n_stack < n) {
        return underflow(machine);
    }
    return add_to(machine, kind, machine->n_stack - n, 0);
}

static enum hc_code add_marked(struct machine *machine, enum pickle_kind kind) {
    size_t first;
    HC_TRY(find_mark(machine, &first));
    return add_to(machine, kind, first, 1);
}

static enum hc_code push_global(struct machine *machine, struct hc_text module,
                                struct hc_text name) {
    const struct pickle_global *global = pickle_find_global(module, name);
    if (global == NULL) {
        return hc_error_set(machine->error, HC_INVALID_ARGUMENT,
                            "pickle, offset %zu: the name '%.*s.%.*s' is not one that weights "
                            "need; nothing of it was executed",
                            machine->op_offset, HC_TEXT_ARGS(module), HC_TEXT_ARGS(name));
    }
    struct pickle_value *value = new_value(machine, PICKLE_GLOBAL);
    if (value != NULL) {
        value->global = global;
    }
    return push(machine, value);
}

static enum hc_code read_global(struct machine *machine) {
    struct hc_text module;
    struct hc_text name;
    if (!bytes_line(machine->bytes, &module) || !bytes_line(machine->bytes, &name)) {
        return truncated(machine);
    }
    return push_global(machine, module, name);
}

static enum hc_code stack_global(struct machine *machine) {
    const struct pickle_value *name = pop(machine);
    const struct pickle_value *module = pop(machine);
    if (name == NULL || module == NULL || name->kind != PICKLE_TEXT ||
        module->kind != PICKLE_TEXT) {
        return refuse(machine, "a global without a name");
    }
    return push_global(machine, module->text, name->text);
}

/* OrderedDict(), of nothing or of a list of pairs. */
static enum hc_code make_dictionary(struct machine *machine, const struct pickle_value *args) {
    struct pickle_value *value = new_value(machine, PICKLE_DICT);
    if (value == NULL || args->n_items == 0) {
        return push(machine, value);
    }
    const struct pickle_value *pairs = args->items[0];
    if (args->n_items > 1 || pairs->kind != PICKLE_LIST || pairs->n_items > MAX_VALUES) {
        return refuse(machine, "an OrderedDict of what it is not made of");
    }
    value->items = hc_pool_alloc(machine->pool, 2 * pairs->n_items * sizeof(struct pickle_value *));
    for (size_t i = 0; i < pairs->n_items; i++) {
        if (pairs->items[i]->n_items != 2) {
            return refuse(machine, "an OrderedDict of what it is not made of");
        }
        memcpy(value->items + 2 * i, pairs->items[i]->items, 2 * sizeof(struct pickle_value *));
    }
    value->n_items = value->capacity = 2 * pairs->n_items;
    machine->n_pushes += value->n_items < MAX_PUSHES - machine->n_pushes
                             ? value->n_items
                             : MAX_PUSHES - machine->n_pushes;
    return push(machine, value);
}

/* Call a function, or instantiate a class when CLASSES. */
static enum hc_code call(struct machine *machine, bool classes) {
    const struct pickle_value *args = pop(machine);
    const struct pickle_value *callable = pop(machine);
    if (args == NULL || callable == NULL) {
        return underflow(machine);
    }
    if (callable->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE ||
        callable->global->use == PICKLE_STORAGE ||
        (callable->global->use == PICKLE_CLASS) != classes) {
        return refuse(machine, "a call of what cannot be called, or without arguments");
    }
    if (callable->global->use == PICKLE_DICTIONARY) {
        return make_dictionary(machine, args);
    }
    struct pickle_value *value = new_value(machine, PICKLE_OBJECT);
    if (value != NULL) {
        value->global = callable->global;
        value->items = args->items;
        value->n_items = args->n_items;
    }
    return push(machine, value);
}

/* Attributes of a dictionary, such as the _metadata of a state dict, say nothing of weights. */
static enum hc_code build(struct machine *machine) {
    struct pickle_value *state = pop(machine);
    struct pickle_value *object = top(machine);
    if (state == NULL || object == NULL) {
        return underflow(machine);
    }
    if (object->kind == PICKLE_OBJECT) {
        object->state = state;
    } else if (object->kind != PICKLE_DICT) {
        return refuse(machine, "a state for what has none");
    }
    return HC_OK;
}

/* Before zip archives, torch stored a module's class together with its source: only the class. */
static enum hc_code persistent(struct machine *machine) {
    struct pickle_value *id = pop(machine);
    if (id == NULL || id->kind != PICKLE_TUPLE || id->n_items < 2) {
        return refuse(machine, "a persistent id that torch does not write");
    }
    if (pickle_is(id->items[0], "module")) {
        return push(machine, id->items[1]);
    }
    struct pickle_value *value = new_value(machine, PICKLE_STORED);
    if (value != NULL) {
        value->items = id->items;
        value->n_items = id->n_items;
        value->state = machine->stored;
        machine->stored = value;
    }
    return push(machine, value);
}

/* Picklers number what they remember from 0, in order. */
static enum hc_code put(struct machine *machine, size_t width) {
    uint64_t index = machine->n_memo;
    struct pickle_value *value = top(machine);
    if (width > 0 && !bytes_number(machine->bytes, width, &index)) {
        return truncated(machine);
    }
    if (value == NULL || value->kind == PICKLE_MARK) {
        return underflow(machine);
    }
    if (index > machine->n_memo || machine->n_memo == MAX_VALUES) {
        return refuse(machine, "it remembers a value out of order");
    }
    if (index < machine->n_memo) {
        machine->memo[index] = value;
    } else {
        append_pointer(&machine->memo, &machine->n_memo, &machine->memo_capacity, value);
    }
    return HC_OK;
}

static enum hc_code get(struct machine *machine, size_t width) {
    uint64_t index;
    if (!bytes_number(machine->bytes, width, &index)) {
        return truncated(machine);
    }
    if (index >= machine->n_memo) {
        return refuse(machine, "it recalls a value that it has not remembered");
    }
    return push(machine, machine->memo[index]);
}

/* The pickle's protocol, or the size of a frame: nothing depends on either. */
static enum hc_code skip_number(struct machine *machine, size_t width, uint64_t limit) {
    uint64_t number;
    if (!bytes_number(machine->bytes, width, &number)) {
        return truncated(machine);
    }
    return number <= limit ? HC_OK : refuse(machine, "a protocol that is not known");
}

/* Operations by the letters and bytes that pickle gives them. */
static enum hc_code run_operation(struct machine *machine, uint8_t operation) {
    switch (operation) {
    case 0x80: /* PROTO */
        return skip_number(machine, 1, MAX_PROTOCOL);
    case 0x95: /* FRAME */
        return skip_number(machine, 8, UINT64_MAX);
    case 'N':
        return push_kind(machine, PICKLE_NONE);
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_integer(machine, PICKLE_BOOL, operation == 0x88);
    case 'K':
        return read_integer(machine, 1);
    case 'M':
        return read_integer(machine, 2);
    case 'J':
        return read_integer(machine, 4);
    case 0x8a: /* LONG1 */
        return read_long(machine);
    case 'G':
        return read_float(machine);
    case 'X': /* BINUNICODE */
    case 'B': /* BINBYTES */
        return read_text(machine, 4);
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':  /* SHORT_BINSTRING */
    case 'C':  /* SHORT_BINBYTES */
        return read_text(machine, 1);
    case 0x8d: /* BINUNICODE8 */
        return read_text(machine, 8);
    case '(':
        return push_kind(machine, PICKLE_MARK);
    case ')':
        return make_tuple(machine, 0);
    case 0x85: /* TUPLE1 … TUPLE3 */
    case 0x86:
    case 0x87:
        return make_tuple(machine, operation - 0x84);
    case 't':
        return make_tuple(machine, SIZE_MAX);
    case ']':
        return push_kind(machine, PICKLE_LIST);
    case 'a':
        return add_one(machine, PICKLE_LIST, 1);
    case 'e':
        return add_marked(machine, PICKLE_LIST);
    case '}':
        return push_kind(machine, PICKLE_DICT);
    case 's':
        return add_one(machine, PICKLE_DICT, 2);
    case 'u':
        return add_marked(machine, PICKLE_DICT);
    case 0x8f: /* EMPTY_SET */
        return push_kind(machine, PICKLE_LIST);
    case 0x90: /* ADDITEMS */
        return add_marked(machine, PICKLE_LIST);
    case 'c':
        return read_global(machine);
    case 0x93: /* STACK_GLOBAL */
        return stack_global(machine);
    case 'R':
        return call(machine, false);
    case 0x81: /* NEWOBJ */
        return call(machine, true);
    case 'b':
        return build(machine);
    case 'Q':
        return persistent(machine);
    case 'q':
        return put(machine, 1);
    case 'r':
        return put(machine, 4);
    case 0x94: /* MEMOIZE */
        return put(machine, 0);
    case 'h':
        return get(machine, 1);
    case 'j':
        return get(machine, 4);
    default:
        return hc_error_set(machine->error, HC_INVALID_ARGUMENT,
                            "pickle, offset %zu: the operation 0x%02x is not one that weights need",
                            machine->op_offset, operation);
    }
}

static enum hc_code run(struct machine *machine, struct pickle_value **result) {
    for (;;) {
        uint64_t operation;
        machine->op_offset = machine->bytes->at;
        if (!bytes_number(machine->bytes, 1, &operation)) {
            return truncated(machine);
        }
        if (operation == '.') {
            break;
        }
        HC_TRY(run_operation(machine, (uint8_t)operation));
    }
    struct pickle_value *value = pop(machine);
    if (value == NULL || machine->n_stack > 0) {
        return refuse(machine, "it does not end with one value");
    }
    *result = value;
    return HC_OK;
}

enum hc_code pickle_read(struct bytes *bytes, struct hc_pool *pool, struct pickle_value **value,
                         struct pickle_value **stored, struct hc_error *error) {
    struct machine machine = {.bytes = bytes, .pool = pool, .error = error};
    enum hc_code code = run(&machine, value);
    *stored = machine.stored;
    free(machine.stack);
    free(machine.memo);
    return code;
}

bool pickle_is(const struct pickle_value *value, const char *text) {
    return value->kind == PICKLE_TEXT && hc_text_is(value->text, text);
}

const struct pickle_value *pickle_get(const struct pickle_value *value, const char *key) {
    if (value == NULL || value->kind != PICKLE_DICT) {
        return NULL;
    }
    for (size_t i = value->n_items; i > 0; i -= 2) { /* as in Python, the last one counts */
        if (pickle_is(value->items[i - 2], key)) {
            return value->items[i - 1];
        }
    }
    return NULL;
}
