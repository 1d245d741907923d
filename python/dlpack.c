/* DLPack: tensors handed over in memory, both ways. */
#include "dlpack.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "gpu.h"

static const char plain_name[] = "dltensor";
static const char plain_used_name[] = "used_dltensor";
static const char versioned_name[] = "dltensor_versioned";
static const char versioned_used_name[] = "used_dltensor_versioned";
static const char holder_name[] = "hippocamp.dlpack";

/* ---- Datatypes ---- */

static const struct {
    enum hc_dtype dtype;
    struct hc_dl_type type;
} types[] = {
    {HC_DTYPE_BOOL, {HC_DL_BOOL, 8, 1}},    {HC_DTYPE_UINT8, {HC_DL_UINT, 8, 1}},
    {HC_DTYPE_UINT16, {HC_DL_UINT, 16, 1}}, {HC_DTYPE_UINT32, {HC_DL_UINT, 32, 1}},
    {HC_DTYPE_UINT64, {HC_DL_UINT, 64, 1}}, {HC_DTYPE_INT8, {HC_DL_INT, 8, 1}},
    {HC_DTYPE_INT16, {HC_DL_INT, 16, 1}},   {HC_DTYPE_INT32, {HC_DL_INT, 32, 1}},
    {HC_DTYPE_INT64, {HC_DL_INT, 64, 1}},   {HC_DTYPE_FP16, {HC_DL_FLOAT, 16, 1}},
    {HC_DTYPE_FP32, {HC_DL_FLOAT, 32, 1}},  {HC_DTYPE_FP64, {HC_DL_FLOAT, 64, 1}},
    {HC_DTYPE_BF16, {HC_DL_BFLOAT, 16, 1}},
};

enum { N_TYPES = sizeof types / sizeof types[0] };

static bool type_of(enum hc_dtype dtype, struct hc_dl_type *type) {
    for (size_t i = 0; i < N_TYPES; i++) {
        if (types[i].dtype == dtype) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

static enum hc_dtype dtype_of(struct hc_dl_type type) {
    for (size_t i = 0; i < N_TYPES; i++) {
        if (types[i].type.code == type.code && types[i].type.bits == type.bits && type.lanes == 1) {
            return types[i].dtype;
        }
    }
    return HC_DTYPE_INVALID;
}

/* ---- Out ---- */

/* What a consumer holds: both forms have their description here. */
struct exported {
    union {
        struct hc_dl_managed plain;
        struct hc_dl_managed_versioned versioned;
    };
    PyObject *owner; /* the tensor */
    int64_t dims[HC_TENSOR_MAX_DIMS];
};

/* Consumers may let go in any thread, with or without the GIL. */
static void release_exported(struct exported *exported) {
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF(exported->owner);
    PyGILState_Release(gil);
    free(exported);
}

static void release_plain(struct hc_dl_managed *managed) {
    release_exported(managed->context);
}

static void release_versioned(struct hc_dl_managed_versioned *managed) {
    release_exported(managed->context);
}

/* A capsule that nobody has used: consumers rename those that they take. */
static void on_unused(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, plain_name)) {
        struct hc_dl_managed *managed = PyCapsule_GetPointer(capsule, plain_name);
        managed->release(managed);
    } else if (PyCapsule_IsValid(capsule, versioned_name)) {
        struct hc_dl_managed_versioned *managed = PyCapsule_GetPointer(capsule, versioned_name);
        managed->release(managed);
    }
}

static void describe(const struct hc_tensor_object *tensor, struct hc_dl_type type,
                     struct exported *exported, struct hc_dl_tensor *description) {
    for (int i = 0; i < tensor->n_dims; i++) {
        exported->dims[i] = tensor->dims[i];
    }
    *description = (struct hc_dl_tensor){
        .data = tensor->data,
        .device = {tensor->on_gpu ? HC_DL_CUDA : HC_DL_CPU, tensor->device},
        .n_dims = tensor->n_dims,
        .type = type,
        .shape = exported->dims,
    };
}

PyObject *hc_py_dlpack_export(PyObject *object, bool versioned) {
    const struct hc_tensor_object *tensor = hc_tensor_of(object);
    struct hc_dl_type type;
    if (!type_of(tensor->dtype, &type)) {
        return hc_py_raise("DLPack does not have support for string tensors.");
    }
    struct exported *exported = hc_new(struct exported);
    PyObject *capsule;
    if (versioned) {
        exported->versioned.major = 1;
        exported->versioned.context = exported;
        exported->versioned.release = release_versioned;
        describe(tensor, type, exported, &exported->versioned.tensor);
        capsule = PyCapsule_New(&exported->versioned, versioned_name, on_unused);
    } else {
        exported->plain.context = exported;
        exported->plain.release = release_plain;
        describe(tensor, type, exported, &exported->plain.tensor);
        capsule = PyCapsule_New(&exported->plain, plain_name, on_unused);
    }
    if (capsule == NULL) {
        free(exported);
        return NULL;
    }
    Py_INCREF(object);
    exported->owner = object;
    return capsule;
}

/* ---- In ---- */

/* What was taken out of a capsule; released with the tensor that was made of it. */
struct imported {
    struct hc_dl_managed *plain;
    struct hc_dl_managed_versioned *versioned;
};

static void release_imported(struct imported *imported) {
    if (imported->plain != NULL && imported->plain->release != NULL) {
        imported->plain->release(imported->plain);
    }
    if (imported->versioned != NULL && imported->versioned->release != NULL) {
        imported->versioned->release(imported->versioned);
    }
    free(imported);
}

static void on_holder_unused(PyObject *holder) {
    release_imported(PyCapsule_GetPointer(holder, holder_name));
}

static const struct hc_dl_tensor *imported_tensor(const struct imported *imported) {
    return imported->plain != NULL ? &imported->plain->tensor : &imported->versioned->tensor;
}

static bool is_empty(const struct hc_dl_tensor *tensor) {
    for (int32_t i = 0; i < tensor->n_dims; i++) {
        if (tensor->shape[i] == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the elements, if any, lie one after the other in row-major order; extents of 1 do not
 * matter. */
static bool is_contiguous(const struct hc_dl_tensor *tensor) {
    if (is_empty(tensor)) {
        return true;
    }
    int64_t expected = 1;
    for (int32_t i = tensor->n_dims - 1; tensor->strides != NULL && i >= 0; i--) {
        if (tensor->shape[i] != 1 && tensor->strides[i] != expected) {
            return false;
        }
        expected *= tensor->shape[i];
    }
    return true;
}

static bool check_device(struct hc_dl_device device) {
    if (device.type == HC_DL_CUDA) {
        if (hc_py_gpu_is_there()) {
            return true;
        }
        hc_py_raise("DLPack capsule passed pointer to memory allocated on GPU device, when GPU is "
                    "not available");
        return false;
    }
    if (device.type != HC_DL_CPU && device.type != HC_DL_CUDA_HOST) {
        hc_py_raise("DLDevice type %d is not support by Python backend.", (int)device.type);
        return false;
    }
    return true;
}

static bool check_tensor(const struct hc_dl_tensor *tensor) {
    if (tensor->n_dims < 0 || tensor->n_dims > HC_TENSOR_MAX_DIMS) {
        hc_py_raise("A tensor has %d dimensions, at most %d are supported.", (int)tensor->n_dims,
                    HC_TENSOR_MAX_DIMS);
        return false;
    }
    if (!is_contiguous(tensor)) {
        hc_py_raise("DLPack tensor is not contiguous. Only contiguous DLPack tensors that are "
                    "stored in C-Order are supported.");
        return false;
    }
    if (tensor->type.code == HC_DL_BFLOAT && tensor->type.bits != 16) {
        hc_py_raise("Expected BF16 tensor to have 16 bits, but had: %d", (int)tensor->type.bits);
        return false;
    }
    if (!check_device(tensor->device)) {
        return false;
    }
    if (dtype_of(tensor->type) == HC_DTYPE_INVALID) {
        hc_py_raise("Dtype is invalid.");
        return false;
    }
    return true;
}

static PyObject *make_tensor(struct hc_text name, const struct hc_dl_tensor *tensor,
                             PyObject *holder) {
    enum hc_dtype dtype = dtype_of(tensor->type);
    size_t size;
    if (!hc_shape_byte_size(dtype, tensor->shape, (size_t)tensor->n_dims, &size)) {
        return hc_py_raise("The shape of the DLPack tensor is impossible.");
    }
    const struct hc_py_tensor_source source = {
        .name = name,
        .dtype = dtype,
        .dims = tensor->shape,
        .n_dims = (size_t)tensor->n_dims,
        .data = (char *)tensor->data + tensor->byte_offset,
        .size = size,
        .on_gpu = tensor->device.type == HC_DL_CUDA,
        .device = tensor->device.type == HC_DL_CUDA ? tensor->device.id : 0,
    };
    return hc_py_tensor_from_memory(&source, holder);
}

/* Take the tensor out of the capsule; NULL with an exception set. */
static struct imported *take_capsule(PyObject *capsule) {
    bool versioned = PyCapsule_IsValid(capsule, versioned_name);
    const char *name = versioned ? versioned_name : plain_name;
    void *managed = PyCapsule_GetPointer(capsule, name);
    if (managed == NULL ||
        !check_tensor(versioned ? &((struct hc_dl_managed_versioned *)managed)->tensor
                                : &((struct hc_dl_managed *)managed)->tensor)) {
        return NULL;
    }
    PyCapsule_SetName(capsule, versioned ? versioned_used_name : plain_used_name);
    struct imported *imported = hc_new(struct imported);
    if (versioned) {
        imported->versioned = managed;
    } else {
        imported->plain = managed;
    }
    return imported;
}

static PyObject *import_capsule(struct hc_text name, PyObject *capsule) {
    struct imported *imported = take_capsule(capsule);
    if (imported == NULL) {
        return NULL;
    }
    hc_auto(py) holder = PyCapsule_New(imported, holder_name, on_holder_unused);
    if (holder == NULL) {
        release_imported(imported);
        return NULL;
    }
    return make_tensor(name, imported_tensor(imported), holder);
}

/* The capsule of an object with __dlpack__, whose data a GPU has finished: who asks for it again
 * need not wait. New reference. */
static PyObject *ask_producer(PyObject *source) {
    hc_auto(py) device = PyObject_CallMethod(source, "__dlpack_device__", NULL);
    int type;
    int id;
    if (device == NULL || !PyArg_ParseTuple(device, "ii", &type, &id) ||
        !check_device((struct hc_dl_device){type, id})) {
        return NULL;
    }
    hc_auto(py) method = PyObject_GetAttrString(source, "__dlpack__");
    hc_auto(py) none = PyTuple_New(0);
    hc_auto(py) keywords = Py_BuildValue("{s:O}", "stream", Py_None);
    hc_auto(py) capsule = method == NULL || none == NULL || keywords == NULL
                              ? NULL
                              : PyObject_Call(method, none, keywords);
    return capsule == NULL || (type == HC_DL_CUDA && !hc_py_gpu_wait(id)) ? NULL : hc_take(capsule);
}

PyObject *hc_py_dlpack_import(struct hc_text name, PyObject *source) {
    if (name.size == 0) {
        return hc_py_raise("Tensor name cannot be an empty string.");
    }
    if (PyCapsule_CheckExact(source)) {
        return import_capsule(name, source);
    }
    if (!PyObject_HasAttrString(source, "__dlpack__") ||
        !PyObject_HasAttrString(source, "__dlpack_device__")) {
        return hc_py_raise(
            "Provided tensor is not supported. Tensor must be a DLPack capsule         or have "
            "`__dlpack__` and `__dlpack_device__` attributes"); /* the blanks are Triton's */
    }
    hc_auto(py) capsule = ask_producer(source);
    return capsule == NULL ? NULL : import_capsule(name, capsule);
}
