/* pb_utils.PreferredMemory, the kinds of memory, and how much of it is free. */
#include "memory.h"

static const char *const names[] = {"TRITONSERVER_MEMORY_GPU", "TRITONSERVER_MEMORY_CPU"};

enum { MEMORY_GPU, N_MEMORY_TYPES = sizeof names / sizeof names[0] };

struct preferred {
    PyObject_HEAD int gpu; /* -1: none */
};

static PyObject *memory_type; /* the enum MemoryType */
static PyObject *preferred_type;
static PyObject *shared_type;

bool hc_py_is_preferred_memory(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)preferred_type);
}

int hc_py_preferred_gpu(PyObject *preferred) {
    return ((const struct preferred *)preferred)->gpu;
}

static int preferred_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *keys[] = {"preferred_memory_type", "preferred_device_id", NULL};
    PyObject *type;
    int device = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|i", keys, &type, &device) ||
        PyObject_IsInstance(type, memory_type) != 1) {
        PyErr_Clear();
        hc_py_bad_arguments("__init__", "c_python_backend_utils.PreferredMemory("
                                        "preferred_memory_type: MemoryType, preferred_device_id: "
                                        "int = 0)");
        return -1;
    }
    struct preferred *preferred = (struct preferred *)self;
    preferred->gpu = PyLong_AsLong(type) == MEMORY_GPU ? device : -1;
    return 0;
}

static PyType_Slot preferred_slots[] = {
    {Py_tp_doc, "PreferredMemory(preferred_memory_type, preferred_device_id=0)\n--\n\nWhere the "
                "outputs of a call are wanted, if they can get there."},
    {Py_tp_init, preferred_init},
    {Py_tp_dealloc, hc_py_free_object},
    {0, NULL},
};

static PyType_Spec preferred_spec = {
    .name = "c_python_backend_utils.PreferredMemory",
    .basicsize = sizeof(struct preferred),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = preferred_slots,
};

static PyObject *free_memory(PyObject *self, PyObject *ignored) {
    (void)self;
    (void)ignored;
    return PyLong_FromUnsignedLongLong(hc_py.services->free_memory());
}

static PyMethodDef shared_methods[] = {
    {"free_memory", free_memory, METH_NOARGS,
     "free_memory($self)\n--\n\nThe bytes that are free for large arrays and for responses."},
    {0},
};

static PyType_Slot shared_slots[] = {
    {Py_tp_doc, "The memory that the process shares with the server."},
    {Py_tp_new, hc_py_refuse_to_make},
    {Py_tp_dealloc, hc_py_free_object},
    {Py_tp_methods, shared_methods},
    {0, NULL},
};

static PyType_Spec shared_spec = {
    .name = "c_python_backend_utils.SharedMemory",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = shared_slots,
};

static bool add_shared_memory(PyObject *module) {
    if (!hc_py_add_type(module, "SharedMemory", &shared_spec, &shared_type)) {
        return false;
    }
    hc_auto(py) object = hc_py_new_object(shared_type);
    return object != NULL && hc_py_add_object(module, "shared_memory", object);
}

bool hc_py_add_memory(PyObject *module) {
    memory_type = hc_py_make_enum("MemoryType", names, N_MEMORY_TYPES);
    return memory_type != NULL && hc_py_add_object(module, "MemoryType", memory_type) &&
           hc_py_copy_members(memory_type, names, N_MEMORY_TYPES, module) &&
           hc_py_add_type(module, "PreferredMemory", &preferred_spec, &preferred_type) &&
           add_shared_memory(module);
}
