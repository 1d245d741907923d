/* Bringing maps in order. */
#include "fields.h"

#include <stdlib.h>

#include "base/alloc.h"

struct place {
    const ProtobufCFieldDescriptor *key;
    ProtobufCMessage *entry;
    size_t index;
};

static int compare_keys(const struct place *a, const struct place *b) {
    union hc_value x = hc_field_get(a->entry, a->key, 0);
    union hc_value y = hc_field_get(b->entry, b->key, 0);
    switch (hc_field_kind(a->key)) {
    case HC_VALUE_STRING:
        return strcmp(x.string, y.string);
    case HC_VALUE_INTEGER:
        return (x.integer > y.integer) - (x.integer < y.integer);
    case HC_VALUE_BOOL:
        return x.boolean - y.boolean;
    default:
        return (x.natural > y.natural) - (x.natural < y.natural);
    }
}

static int compare_places(const void *a, const void *b) {
    const struct place *x = a;
    const struct place *y = b;
    int order = compare_keys(x, y);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* The wire has no entry without a value, so neither have we. */
static void give_value(ProtobufCMessage *entry, const ProtobufCFieldDescriptor *value) {
    if (value->type == PROTOBUF_C_TYPE_MESSAGE && !hc_field_is_set(entry, value)) {
        ProtobufCMessage *empty = hc_message_create(value->descriptor);
        hc_field_put(entry, value, (union hc_value){.message = empty});
    }
}

static void settle_map(ProtobufCMessage *message, const ProtobufCFieldDescriptor *map) {
    size_t n = hc_field_count(message, map);
    hc_auto(memory) memory = hc_alloc_array(n, sizeof(struct place));
    struct place *places = memory;
    for (size_t i = 0; i < n; i++) {
        ProtobufCMessage *entry = hc_field_get(message, map, i).message;
        give_value(entry, hc_map_value(map));
        places[i] = (struct place){hc_map_key(map), entry, i};
    }
    qsort(places, n, sizeof *places, compare_places);
    hc_field_forget(message, map);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && compare_keys(&places[i], &places[i + 1]) == 0) {
            hc_message_free(places[i].entry);
        } else {
            hc_field_put(message, map, (union hc_value){.message = places[i].entry});
        }
    }
}

void hc_message_settle(ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (hc_field_is_map(field)) {
            settle_map(message, field);
        }
    }
}
