/*
 * DLPack: the layout in which libraries hand tensors to each other in memory.
 *
 * Structs as in the specification (https://dmlc.github.io/dlpack/latest/c_api.html), both the plain
 * form and the versioned one of DLPack 1.0.
 */
#ifndef HC_PYTHON_DLPACK_H
#define HC_PYTHON_DLPACK_H

#include "tensor.h"

enum hc_dl_device_type { HC_DL_CPU = 1, HC_DL_CUDA = 2, HC_DL_CUDA_HOST = 3 };

enum hc_dl_type_code {
    HC_DL_INT = 0,
    HC_DL_UINT = 1,
    HC_DL_FLOAT = 2,
    HC_DL_BFLOAT = 4,
    HC_DL_BOOL = 6,
};

struct hc_dl_device {
    int32_t type;
    int32_t id;
};

struct hc_dl_type {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
};

struct hc_dl_tensor {
    void *data;
    struct hc_dl_device device;
    int32_t n_dims;
    struct hc_dl_type type;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: row-major */
    uint64_t byte_offset;
};

struct hc_dl_managed {
    struct hc_dl_tensor tensor;
    void *context;
    void (*release)(struct hc_dl_managed *managed);
};

enum { HC_DL_READ_ONLY = 1 };

struct hc_dl_managed_versioned {
    uint32_t major;
    uint32_t minor;
    void *context;
    void (*release)(struct hc_dl_managed_versioned *managed);
    uint64_t flags;
    struct hc_dl_tensor tensor;
};

/*
 * A capsule over OBJECT, a tensor, which it keeps alive: "dltensor", or "dltensor_versioned". New
 * reference.
 */
PyObject *hc_py_dlpack_export(PyObject *object, bool versioned);

/* A tensor over the memory that SOURCE, a capsule or a producer of one, hands over. New reference.
 */
PyObject *hc_py_dlpack_import(struct hc_text name, PyObject *source);

#endif
