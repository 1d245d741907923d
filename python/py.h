/*
 * Python and NumPy enter through this header alone.
 *
 * The module is compiled once, against the limited API of Python 3.9 and NumPy 2's headers with
 * 1.22 as target, and runs on every later version of both. What it needs once per process is in one
 * struct: there is one interpreter and one module a process, and the limited API of 3.9 has no way
 * from a type back to its module.
 *
 * In this folder, comments on functions that return a PyObject say "new" or "borrowed" reference;
 * NULL means that a Python exception is set. hc_auto(py) drops a new reference at the end of scope.
 */
#ifndef HC_PYTHON_PY_H
#define HC_PYTHON_PY_H

#define Py_LIMITED_API 0x03090000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API  NPY_1_22_API_VERSION
#define NPY_TARGET_VERSION     NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL hc_numpy_api
#ifndef HC_PYTHON_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tensor/dtype.h"

HC_CLEANUP(py, PyObject *, Py_XDECREF);

struct hc_call;
struct hc_metric_cell;
struct hc_message_request;

/* What the module does outside of Python, by whoever runs it. */
struct hc_py_services {
    /* Write a line to the log; LEVEL is an enum hc_log_level. May be called without the GIL. */
    void (*log)(int level, struct hc_text file, uint32_t line, struct hc_text message);

    /*
     * Answer a request with a pb_utils.InferenceResponse (NULL: none), for the last time if FINAL.
     * OWNED: the response's only reference is about to be dropped. False with an exception set.
     */
    bool (*send)(struct hc_message_request *request, PyObject *response, bool final, bool owned);

    /* Answer a request that nobody can answer any more. */
    void (*abandon)(struct hc_message_request *request);

    /* Ask the server: a frame of that KIND (channel/control.h) with a dict. New reference to one.
     */
    PyObject *(*ask)(uint32_t kind, PyObject *question);

    /*
     * Ask the model that REQUEST, a pb_utils.InferenceRequest, names. DECOUPLED: any number of
     * responses is welcome. WAITS: the caller waits for them, nothing writes to the inputs before.
     * The call is the caller's until call_drop(); NULL with an exception set.
     */
    struct hc_call *(*call_begin)(PyObject *request, bool decoupled, bool waits);

    /*
     * The next response, waited for: new reference; NULL with an exception set, or without one when
     * there are no more.
     */
    PyObject *(*call_next)(struct hc_call *call);

    /* Have asyncio's LOOP, which runs, call CALLBACK once, when the first response is there. */
    bool (*call_watch)(struct hc_call *call, PyObject *loop, PyObject *callback);

    /* Nobody is interested in more responses; the last one still comes. */
    void (*call_cancel)(struct hc_call *call);
    void (*call_drop)(struct hc_call *call);

    /* Open a family of metrics (HC_CONTROL_FAMILY_OPEN): its id, or 0 with an exception set. */
    uint64_t (*family_open)(PyObject *question);

    /*
     * The value of the family's metric with LABELS, a dict or None: there until the family is
     * closed; NULL with an exception set. *BOUNDS, the caller's reference to a list of floats, is
     * replaced by those that the metric has.
     */
    struct hc_metric_cell *(*family_metric)(uint64_t family, PyObject *labels, PyObject **bounds);
    void (*family_close)(uint64_t family);

    /* How many bytes of shared memory are free for arrays and responses. */
    uint64_t (*free_memory)(void);
};

struct hc_py_state {
    PyObject *module; /* triton_python_backend_utils */
    PyObject *tensor_type;
    PyObject *request_type;
    PyObject *response_type;
    PyObject *sender_type;
    PyObject *response_iterator_type;
    PyObject *model_config_type;
    PyObject *error_type;
    PyObject *error_codes;     /* enum of TritonError's codes */
    PyObject *model_exception; /* TritonModelException */
    PyObject *json_loads;
    PyObject *json_dumps;
    PyObject *getframe;  /* sys._getframe */
    PyObject *model_dir; /* str: the folder of the model's version; NULL: no model is served */
    const char *instance_name; /* for messages */
    const struct hc_py_services *services;
};

extern struct hc_py_state hc_py;

/* Raise TritonModelException; returns NULL. */
PyObject *hc_py_raise(const char *format, ...);

/*
 * The UTF-8 bytes of a str, or a copy of bytes or bytearray, as pybind11 takes them for a string:
 * new reference to a bytes object. Otherwise TypeError, which names FUNCTION as the callee.
 */
PyObject *hc_py_utf8(PyObject *object, const char *function);

/* A view of a bytes object, valid as long as it lives. */
struct hc_text hc_py_bytes_text(PyObject *bytes);

/* TypeError as pybind11 words it: FUNCTION got arguments that no overload takes. Returns NULL. */
PyObject *hc_py_bad_arguments(const char *function, const char *signature);

/*
 * The whole number in OBJECT, from 0 to MAX, as pybind11 takes it: any object that is an index.
 * False, without an exception, for everything else.
 */
bool hc_py_unsigned(PyObject *object, unsigned long long max, unsigned long long *number);

/* New reference to a str; bytes that are not UTF-8 become replacement characters. */
PyObject *hc_py_str(struct hc_text text);

/*
 * Take the pending exception and describe it as Triton does, innermost frame first:
 * "ValueError: message\n\nAt:\n  file(line): function\n". New reference to a str, never NULL.
 */
PyObject *hc_py_take_exception(void);

/* Write the pending exception with its traceback to the log, as Python prints it; it stays pending.
 */
void hc_py_log_exception(const char *what);

/*
 * Types and functions, made at the module's start. Each fills in its part of hc_py and adds its
 * names to MODULE; false with an exception set.
 */
bool hc_py_add_constants(PyObject *module);
bool hc_py_add_dtypes(PyObject *module);
bool hc_py_add_error(PyObject *module);
bool hc_py_add_helpers(PyObject *module);
bool hc_py_add_logger(PyObject *module);
bool hc_py_add_memory(PyObject *module);
bool hc_py_add_metric(PyObject *module);
bool hc_py_add_model_config(PyObject *module);
bool hc_py_add_model_control(PyObject *module);
bool hc_py_add_request(PyObject *module);
bool hc_py_add_response(PyObject *module);
bool hc_py_add_response_iterator(PyObject *module);
bool hc_py_add_sender(PyObject *module);
bool hc_py_add_strings(PyObject *module);
bool hc_py_add_tensor(PyObject *module);
bool hc_py_add_trace(PyObject *module);

/* Make a type from SPEC, keep it in *PLACE and add it to MODULE under NAME. */
bool hc_py_add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **place);

/* MODULE.NAME = OBJECT, which stays the caller's. */
bool hc_py_add_object(PyObject *module, const char *name, PyObject *object);

/*
 * New reference to an enum whose N members are 0, 1, …: ints that print by their names. And:
 * TARGET.MEMBER for each of them.
 */
PyObject *hc_py_make_enum(const char *name, const char *const *members, size_t n);
bool hc_py_copy_members(PyObject *type, const char *const *members, size_t n, PyObject *target);

/*
 * New reference to a member of an object; TypeError when it is not set, which happens to objects of
 * a subclass that does not call the constructor of its base.
 */
PyObject *hc_py_member(PyObject *member);

/* An object of TYPE, a type here, all zero behind its head. New reference. */
PyObject *hc_py_new_object(PyObject *type);

/* For tp_new of types that only this module makes objects of. */
PyObject *hc_py_refuse_to_make(PyTypeObject *type, PyObject *args, PyObject *keywords);

/* For tp_dealloc of every type here: free the object and drop its reference to its type. */
void hc_py_free_object(PyObject *self);

#endif
