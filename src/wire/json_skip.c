/* Skipping a value of JSON text: what it holds is summed up, and collected where it is a tensor. */
#include <string.h>

#include "elements.h"
#include "json_parts.h"

/* Which of the open values are objects, the outermost first, one bit each. */
struct nesting {
    uint64_t objects[HC_JSON_MAX_DEPTH / 64 + 1];
    unsigned depth;
    unsigned n_objects;
};

static void push(struct nesting *open, enum hc_json_kind kind) {
    uint64_t bit = UINT64_C(1) << (open->depth % 64);
    uint64_t *bits = &open->objects[open->depth / 64];
    bool object = kind == HC_JSON_OBJECT;
    *bits = object ? *bits | bit : *bits & ~bit;
    open->n_objects += object ? 1 : 0;
    open->depth++;
}

static bool innermost_is_object(const struct nesting *open) {
    unsigned index = open->depth - 1;
    return (open->objects[index / 64] >> (index % 64) & 1) != 0;
}

static void pop(struct nesting *open) {
    open->n_objects -= innermost_is_object(open) ? 1 : 0;
    open->depth--;
}

enum hc_leaf hc_leaf_of(const struct hc_json_value *value) {
    switch (value->kind) {
    case HC_JSON_BOOL:
        return HC_LEAF_BOOL;
    case HC_JSON_STRING:
        return HC_LEAF_STRING;
    case HC_JSON_OBJECT:
        return HC_LEAF_OBJECT;
    case HC_JSON_NUMBER:
        switch (value->number.kind) {
        case HC_NUMBER_INT64:
            return value->number.int64 < 0 ? HC_LEAF_NEGATIVE : HC_LEAF_NATURAL;
        case HC_NUMBER_UINT64:
            return HC_LEAF_UINT64;
        default:
            return HC_LEAF_REAL;
        }
    default:
        return HC_LEAF_NULL;
    }
}

/* The number as an element, in the low bytes. */
static uint64_t number_bits(struct hc_number number, enum hc_elements_form form) {
    uint64_t bits = 0;
    double wide = hc_number_double(number);
    float narrow = (float)wide;
    switch (form) {
    case HC_ELEMENTS_FP32:
        memcpy(&bits, &narrow, sizeof narrow);
        return bits;
    case HC_ELEMENTS_FP64:
        memcpy(&bits, &wide, sizeof wide);
        return bits;
    default:
        return number.kind == HC_NUMBER_DOUBLE ? 0 : number.uint64;
    }
}

static void store(const struct hc_json_value *value, struct hc_elements_sink *sink) {
    uint64_t bits = 0;
    if (sink->n_room == 0) {
        return;
    }
    if (value->kind == HC_JSON_NUMBER) {
        bits = number_bits(value->number, sink->form);
    } else if (value->kind == HC_JSON_BOOL) {
        bits = value->boolean ? 1 : 0;
    }
    memcpy(sink->place, &bits, sizeof bits);
    sink->place += sink->element_size;
    sink->n_room--;
}

/* A value has been read: open it, or count and store it. */
static void take(const struct hc_json_value *value, struct nesting *open,
                 struct hc_elements_sink *sink, struct hc_elements_summary *summary) {
    if (value->kind != HC_JSON_ARRAY) {
        summary->n_leaves++;
        summary->leaves |= hc_leaf_of(value);
        store(value, sink);
    }
    if (value->kind == HC_JSON_STRING) {
        summary->strings_size += value->string.size;
    }
    if (value->kind == HC_JSON_ARRAY || value->kind == HC_JSON_OBJECT) {
        push(open, value->kind);
    }
}

/* To the next item of the innermost value, which is popped when there are no more. */
static bool next_item(struct hc_json_reader *json, struct nesting *open) {
    struct hc_json_string name;
    if (innermost_is_object(open) ? hc_json_next_member(json, &name) : hc_json_next_element(json)) {
        return true;
    }
    pop(open);
    return false;
}

/* At an item of the innermost value: take it, and the numbers after it. */
static void take_item(struct hc_json_reader *json, struct nesting *open,
                      struct hc_elements_sink *sink, struct hc_elements_summary *summary) {
    struct hc_json_value value;
    if (open->depth > summary->depth) {
        summary->depth = open->depth;
    }
    if (!innermost_is_object(open) && !hc_elements_run(json, sink, summary)) {
        return;
    }
    if (hc_json_read(json, &value)) {
        take(&value, open, sink, summary);
    }
}

bool hc_elements_collect(struct hc_json_reader *json, const struct hc_json_value *value,
                         struct hc_elements_sink *sink, struct hc_elements_summary *summary) {
    char dropped[HC_ELEMENTS_SLACK];
    struct hc_elements_sink drop = {HC_ELEMENTS_FP64, 0, dropped, UINT64_MAX};
    struct nesting open = {.depth = 0, .n_objects = 0};
    struct hc_elements_summary sum = {0};
    struct hc_elements_summary hidden = {0}; /* what is in objects */
    sink = sink != NULL ? sink : &drop;
    take(value, &open, sink, &sum);
    while (open.depth > 0) {
        if (!next_item(json, &open)) {
            continue;
        }
        if (open.n_objects == 0) {
            take_item(json, &open, sink, &sum);
        } else {
            take_item(json, &open, &drop, &hidden);
        }
    }
    sum.text = (struct hc_text){value->start, (size_t)(json->_place - value->start)};
    *summary = sum;
    return !hc_json_failed(json);
}

bool hc_json_skip(struct hc_json_reader *json, const struct hc_json_value *value) {
    struct hc_elements_summary summary;
    if (value->kind != HC_JSON_ARRAY && value->kind != HC_JSON_OBJECT) {
        return !hc_json_failed(json);
    }
    return hc_elements_collect(json, value, NULL, &summary);
}
