/*
 * What torch.save() writes: from the values of the pickle to tensors and modules. Where storages
 * lie is the business of the two forms, the zip archive and the older sequence of pickles.
 */
#include "torch.h"

#include <string.h>

/* Sequentials within Sequentials. */
enum { MAX_DEPTH = 32 };

static enum hc_code refuse(const char *what, struct hc_text name, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "'%.*s' %s", HC_TEXT_ARGS(name), what);
}

/* ---- Tensors ---- */

static bool read_extents(const struct pickle_value *tuple, int64_t *extents, size_t *n) {
    if (tuple->kind != PICKLE_TUPLE || tuple->n_items > HC_WEIGHTS_MAX_DIMS) {
        return false;
    }
    for (size_t i = 0; i < tuple->n_items; i++) {
        if (tuple->items[i]->kind != PICKLE_INT || tuple->items[i]->integer < 0) {
            return false;
        }
        extents[i] = tuple->items[i]->integer;
    }
    *n = tuple->n_items;
    return true;
}

/* ("storage", type, key, device, number of elements) */
bool torch_read_storage_id(const struct pickle_value *value, struct torch_storage_id *id) {
    if (value->kind != PICKLE_STORED || value->n_items < 5 ||
        !pickle_is(value->items[0], "storage") || value->items[1]->kind != PICKLE_GLOBAL ||
        value->items[1]->global->use != PICKLE_STORAGE || value->items[2]->kind != PICKLE_TEXT ||
        value->items[4]->kind != PICKLE_INT || value->items[4]->integer < 0 ||
        (value->n_items > 5 && value->items[5]->kind != PICKLE_NONE)) {
        return false;
    }
    *id = (struct torch_storage_id){
        .key = value->items[2]->text,
        .dtype = value->items[1]->global->dtype,
        .n_elements = (uint64_t)value->items[4]->integer,
    };
    return true;
}

/* Arguments of _rebuild_tensor_v2: storage, offset, shape, strides, and what training needs. */
static enum hc_code add_tensor(struct torch *torch, struct hc_text name,
                               const struct pickle_value *value, struct hc_error *error) {
    struct torch_storage_id id;
    struct hc_weights_tensor tensor = {.name = name};
    size_t n_strides;
    if (value->n_items < 4 || !torch_read_storage_id(value->items[0], &id) ||
        value->items[1]->kind != PICKLE_INT || value->items[1]->integer < 0 ||
        !read_extents(value->items[2], tensor.dims, &tensor.n_dims) ||
        !read_extents(value->items[3], tensor.strides, &n_strides) || n_strides != tensor.n_dims) {
        return refuse("is not a tensor as torch writes it", name, error);
    }
    const char *data;
    HC_TRY(torch->find_storage(torch, &id, &data, error));
    uint64_t offset = (uint64_t)value->items[1]->integer;
    if (offset > id.n_elements) {
        return refuse("begins beyond its storage", name, error);
    }
    tensor.dtype = id.dtype;
    tensor.data = data + offset * hc_dtype_size(id.dtype);
    return reader_add(torch->reader, &tensor, id.n_elements - offset, error);
}

/* VALUE as a tensor, behind a parameter if need be; NULL when it is none. */
static const struct pickle_value *find_tensor(const struct pickle_value *value) {
    if (value->kind == PICKLE_OBJECT && value->global->use == PICKLE_PARAMETER &&
        value->n_items > 0) {
        value = value->items[0];
    }
    bool is_tensor = value->kind == PICKLE_OBJECT && value->global->use == PICKLE_TENSOR;
    return is_tensor ? value : NULL;
}

/* All tensors of a dictionary. Others than tensors, as in checkpoints, are no business of ours. */
static enum hc_code add_tensors(struct torch *torch, struct hc_text prefix,
                                const struct pickle_value *dictionary, struct hc_error *error) {
    for (size_t i = 0; i < dictionary->n_items; i += 2) {
        const struct pickle_value *tensor = find_tensor(dictionary->items[i + 1]);
        if (tensor != NULL && dictionary->items[i]->kind == PICKLE_TEXT) {
            struct hc_text name = reader_join(torch->reader, prefix, dictionary->items[i]->text);
            HC_TRY(add_tensor(torch, name, tensor, error));
        }
    }
    return HC_OK;
}

/* ---- Modules ---- */

static struct hc_weights_attribute make_attribute(struct hc_text name,
                                                  const struct pickle_value *value) {
    struct hc_weights_attribute attribute = {.name = name};
    switch (value->kind) {
    case PICKLE_BOOL:
    case PICKLE_INT:
        attribute.kind = HC_WEIGHTS_NUMBER;
        attribute.number = (double)value->integer;
        break;
    case PICKLE_FLOAT:
        attribute.kind = HC_WEIGHTS_NUMBER;
        attribute.number = value->number;
        break;
    case PICKLE_TEXT:
        attribute.kind = HC_WEIGHTS_TEXT;
        attribute.text = value->text;
        break;
    default:
        break;
    }
    return attribute;
}

static enum hc_code add_leaf(struct torch *torch, struct hc_text name,
                             const struct pickle_value *module, struct hc_error *error) {
    const struct pickle_value *state = module->state;
    struct hc_weights_attribute *attributes =
        hc_pool_alloc(&torch->reader->pool, state->n_items / 2 * sizeof *attributes);
    size_t n = 0;
    for (size_t i = 0; i < state->n_items; i += 2) {
        if (state->items[i]->kind == PICKLE_TEXT) {
            attributes[n++] = make_attribute(state->items[i]->text, state->items[i + 1]);
        }
    }
    const struct hc_weights_module added = {module->global->name, name, attributes, n};
    HC_TRY(reader_add_module(torch->reader, &added, error));
    const struct pickle_value *parameters = pickle_get(state, "_parameters");
    return parameters == NULL ? HC_OK : add_tensors(torch, name, parameters, error);
}

/* A hook would be called by torch, and its code is nowhere to be seen. */
static bool has_hooks(const struct pickle_value *state) {
    static const char *const names[] = {"_forward_hooks", "_forward_pre_hooks"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct pickle_value *hooks = pickle_get(state, names[i]);
        if (hooks != NULL && hooks->n_items > 0) {
            return true;
        }
    }
    return false;
}

static enum hc_code add_module(struct torch *torch, struct hc_text name,
                               const struct pickle_value *module, unsigned depth,
                               struct hc_error *error);

static enum hc_code add_children(struct torch *torch, struct hc_text name,
                                 const struct pickle_value *children, unsigned depth,
                                 struct hc_error *error) {
    for (size_t i = 0; children != NULL && i < children->n_items; i += 2) {
        if (children->items[i]->kind != PICKLE_TEXT) {
            return refuse("has a module without a name", name, error);
        }
        HC_TRY(add_module(torch, reader_join(torch->reader, name, children->items[i]->text),
                          children->items[i + 1], depth + 1, error));
    }
    return HC_OK;
}

static enum hc_code add_module(struct torch *torch, struct hc_text name,
                               const struct pickle_value *module, unsigned depth,
                               struct hc_error *error) {
    if (module->kind != PICKLE_OBJECT || module->global->use != PICKLE_CLASS ||
        module->state == NULL || module->state->kind != PICKLE_DICT) {
        return refuse("is not a module as torch writes it", name, error);
    }
    if (depth > MAX_DEPTH || ++torch->n_modules > MAX_MODULES) {
        return refuse("is one of too many modules, or of one that contains itself", name, error);
    }
    if (has_hooks(module->state)) {
        return refuse("is a module with hooks, which are code", name, error);
    }
    const struct pickle_value *children = pickle_get(module->state, "_modules");
    if (strcmp(module->global->name, "Sequential") == 0) {
        return add_children(torch, name, children, depth, error);
    }
    if (children != NULL && children->n_items > 0) {
        return refuse("is a layer with modules of its own", name, error);
    }
    return add_leaf(torch, name, module, error);
}

enum hc_code torch_add(struct torch *torch, const struct pickle_value *value,
                       struct hc_error *error) {
    const struct pickle_value *tensor = find_tensor(value);
    if (tensor != NULL) {
        return add_tensor(torch, HC_TEXT(""), tensor, error);
    }
    if (value->kind == PICKLE_OBJECT) {
        return add_module(torch, HC_TEXT(""), value, 0, error);
    }
    if (value->kind != PICKLE_DICT) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "holds neither a module nor a dictionary of tensors");
    }
    /* Checkpoints keep the model's among other things. */
    const struct pickle_value *inner = pickle_get(value, "state_dict");
    inner = inner != NULL ? inner : pickle_get(value, "model_state_dict");
    torch->reader->result.ordered = true;
    return add_tensors(torch, HC_TEXT(""),
                       inner != NULL && inner->kind == PICKLE_DICT ? inner : value, error);
}

enum hc_code read_torch(struct hc_weights_reader *reader, struct hc_text bytes,
                        struct hc_error *error) {
    return zip_begins(bytes) ? read_torch_zip(reader, bytes, error)
                             : read_torch_legacy(reader, bytes, error);
}
