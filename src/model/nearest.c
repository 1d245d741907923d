/* The field or value that was meant. */
#include "nearest.h"

#include <stdio.h>

#include "base/nearest.h"

static const char *tell(const struct hc_nearest *nearest, char suggestion[HC_SUGGESTION_SIZE]) {
    suggestion[0] = '\0';
    if (nearest->name != NULL) {
        snprintf(suggestion, HC_SUGGESTION_SIZE, "; did you mean \"%s\"?", nearest->name);
    }
    return suggestion;
}

const char *hc_suggest_field(const ProtobufCMessageDescriptor *descriptor, struct hc_text word,
                             char suggestion[HC_SUGGESTION_SIZE]) {
    struct hc_nearest nearest = {.word = word};
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        hc_nearest_offer(&nearest, descriptor->fields[i].name);
    }
    return tell(&nearest, suggestion);
}

/* All the values there are. */
static void list_values(const ProtobufCEnumDescriptor *descriptor,
                        char suggestion[HC_SUGGESTION_SIZE]) {
    size_t size = 0;
    for (unsigned i = 0; i < descriptor->n_values && size < HC_SUGGESTION_SIZE; i++) {
        size += (size_t)snprintf(suggestion + size, HC_SUGGESTION_SIZE - size, "%s%s",
                                 i == 0 ? "; it has " : ", ", descriptor->values[i].name);
    }
}

const char *hc_suggest_value(const ProtobufCEnumDescriptor *descriptor, struct hc_text word,
                             char suggestion[HC_SUGGESTION_SIZE]) {
    struct hc_nearest nearest = {.word = word};
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        hc_nearest_offer(&nearest, descriptor->values[i].name);
    }
    tell(&nearest, suggestion);
    if (nearest.name == NULL) {
        list_values(descriptor, suggestion);
    }
    return suggestion;
}
