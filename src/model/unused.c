/* Fields that change nothing: found by their paths in whatever is set. */
#include "model/unused.h"

#include <string.h>

#include "base/alloc.h"
#include "fields.h"

static const char *const unused[] = {
    "input.format", /* of images, for TensorRT */
    "batch_input",  /* made by backends for ragged batches */
    "batch_output",
    "optimization", /* of graphs, copies and priorities of GPUs */
    "instance_group.secondary_devices",
    "instance_group.profile", /* of TensorRT; refused for others */
    "sequence_batching.state.use_same_buffer_for_input_output",
    "sequence_batching.state.use_growable_memory",
    "cc_model_filenames", /* by compute capability */
    "model_operations",   /* libraries of TensorFlow and TensorRT */
};

bool hc_config_is_unused(const char *path) {
    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++) {
        size_t size = strlen(unused[i]);
        if (strncmp(path, unused[i], size) == 0 && (path[size] == '\0' || path[size] == '.')) {
            return true;
        }
    }
    return false;
}

/* Add PATH to the list, once. */
static void add(struct hc_buf *list, const char *path) {
    hc_auto(text) found = hc_format(", %s,", path);
    hc_auto(text) all = hc_format(", %s,", hc_buf_string(list));
    if (strstr(all, found) == NULL) {
        hc_buf_appendf(list, "%s%s", list->size > 0 ? ", " : "", path);
    }
}

static void visit_message(const ProtobufCMessage *message, const char *path, struct hc_buf *list);

static void visit_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        const char *path, struct hc_buf *list) {
    size_t n = hc_field_repeated(field) ? hc_field_count(message, field)
                                        : (size_t)hc_field_is_set(message, field);
    if (n > 0 && hc_config_is_unused(path)) {
        add(list, path);
        return;
    }
    for (size_t i = 0; i < n && hc_field_kind(field) == HC_VALUE_MESSAGE; i++) {
        visit_message(hc_field_get(message, field, i).message, path, list);
    }
}

/* PATH is the message's own, NULL for the whole config. */
static void visit_message(const ProtobufCMessage *message, const char *path, struct hc_buf *list) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        hc_auto(text) longer =
            path == NULL ? hc_strdup(field->name) : hc_format("%s.%s", path, field->name);
        visit_field(message, field, longer, list);
    }
}

void hc_config_list_unused(const Inference__ModelConfig *config, struct hc_buf *list) {
    visit_message(&config->base, NULL, list);
}
