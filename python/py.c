/* What every file of the module needs: texts, errors, types. */
#include "py.h"

#include <stdarg.h>

#include "base/log.h"

struct hc_py_state hc_py = {.instance_name = "model"};

PyObject *hc_py_raise(const char *format, ...) {
    va_list args;
    va_start(args, format);
    PyErr_FormatV(hc_py.model_exception, format, args);
    va_end(args);
    return NULL;
}

PyObject *hc_py_bad_arguments(const char *function, const char *signature) {
    const char *kind = strcmp(function, "__init__") == 0 ? "constructor" : "function";
    PyErr_Format(PyExc_TypeError,
                 "%s(): incompatible %s arguments. The following argument types are supported:\n"
                 "    1. %s",
                 function, kind, signature);
    return NULL;
}

PyObject *hc_py_utf8(PyObject *object, const char *function) {
    if (PyUnicode_Check(object)) {
        return PyUnicode_AsUTF8String(object);
    }
    if (PyBytes_Check(object) || PyByteArray_Check(object)) {
        return PyBytes_FromObject(object);
    }
    return hc_py_bad_arguments(function, "a str is needed here");
}

struct hc_text hc_py_bytes_text(PyObject *bytes) {
    return (struct hc_text){PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)};
}

bool hc_py_unsigned(PyObject *object, unsigned long long max, unsigned long long *number) {
    hc_auto(py) whole = PyNumber_Index(object);
    unsigned long long value = whole == NULL ? 0 : PyLong_AsUnsignedLongLong(whole);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    *number = value;
    return value <= max;
}

PyObject *hc_py_str(struct hc_text text) {
    return PyUnicode_DecodeUTF8(text.size > 0 ? text.data : "", (Py_ssize_t)text.size, "replace");
}

bool hc_py_add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **place) {
    PyObject *type = PyType_FromSpec(spec);
    if (type == NULL) {
        return false;
    }
    *place = type;
    return hc_py_add_object(module, name, type);
}

bool hc_py_add_object(PyObject *module, const char *name, PyObject *object) {
    Py_INCREF(object);
    if (PyModule_AddObject(module, name, object) != 0) {
        Py_DECREF(object);
        return false;
    }
    return true;
}

PyObject *hc_py_make_enum(const char *name, const char *const *members, size_t n) {
    hc_auto(py) numbers = PyDict_New();
    for (size_t i = 0; numbers != NULL && i < n; i++) {
        hc_auto(py) number = PyLong_FromSize_t(i);
        if (number == NULL || PyDict_SetItemString(numbers, members[i], number) != 0) {
            return NULL;
        }
    }
    hc_auto(py) module = PyImport_ImportModule("enum");
    hc_auto(py) plain = module == NULL ? NULL : PyObject_GetAttrString(module, "Enum");
    hc_auto(py) text = plain == NULL ? NULL : PyObject_GetAttrString(plain, "__str__");
    hc_auto(py) base = text == NULL ? NULL : PyObject_GetAttrString(module, "IntEnum");
    hc_auto(py) type =
        base == NULL || numbers == NULL ? NULL : PyObject_CallFunction(base, "sO", name, numbers);
    return type == NULL || PyObject_SetAttrString(type, "__str__", text) != 0 ? NULL
                                                                              : hc_take(type);
}

bool hc_py_copy_members(PyObject *type, const char *const *members, size_t n, PyObject *target) {
    for (size_t i = 0; i < n; i++) {
        hc_auto(py) member = PyObject_GetAttrString(type, members[i]);
        if (member == NULL || PyObject_SetAttrString(target, members[i], member) != 0) {
            return false;
        }
    }
    return true;
}

PyObject *hc_py_member(PyObject *member) {
    if (member == NULL) {
        PyErr_SetString(PyExc_TypeError, "__init__() of the base class must be called");
    }
    Py_XINCREF(member);
    return member;
}

PyObject *hc_py_new_object(PyObject *type) {
    allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
    return allocate((PyTypeObject *)type, 0);
}

PyObject *hc_py_refuse_to_make(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args;
    (void)keywords;
    hc_auto(py) module = PyObject_GetAttrString((PyObject *)type, "__module__");
    hc_auto(py) name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (module != NULL && name != NULL) {
        PyErr_Format(PyExc_TypeError, "%U.%U: No constructor defined!", module, name);
    }
    return NULL;
}

void hc_py_free_object(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* OBJECT.NAME as a str, or "?": for describing errors, where nothing may fail. New reference. */
static PyObject *attribute_text(PyObject *object, const char *name) {
    hc_auto(py) value = object == NULL ? NULL : PyObject_GetAttrString(object, name);
    PyObject *text = value == NULL ? NULL : PyObject_Str(value);
    if (text == NULL) {
        PyErr_Clear();
        text = PyUnicode_FromString("?");
    }
    return text;
}

/* "  file(line): function\n" of one traceback entry. New reference. */
static PyObject *frame_text(PyObject *traceback) {
    hc_auto(py) frame = PyObject_GetAttrString(traceback, "tb_frame");
    hc_auto(py) code = frame == NULL ? NULL : PyObject_GetAttrString(frame, "f_code");
    hc_auto(py) file = attribute_text(code, "co_filename");
    hc_auto(py) function = attribute_text(code, "co_name");
    hc_auto(py) line = attribute_text(traceback, "tb_lineno");
    PyErr_Clear();
    return PyUnicode_FromFormat("  %U(%U): %U\n", file, line, function);
}

/* All entries, the innermost first. New reference or NULL. */
static PyObject *frames_text(PyObject *traceback) {
    PyObject *text = PyUnicode_FromString("");
    Py_XINCREF(traceback);
    while (text != NULL && traceback != NULL && traceback != Py_None) {
        hc_auto(py) frame = frame_text(traceback);
        hc_auto(py) rest = hc_take(text);
        text = frame == NULL ? NULL : PyUnicode_Concat(frame, rest);
        PyObject *next = PyObject_GetAttrString(traceback, "tb_next");
        Py_DECREF(traceback);
        traceback = next;
    }
    Py_XDECREF(traceback);
    return text;
}

PyObject *hc_py_take_exception(void) {
    PyObject *type_ref;
    PyObject *value_ref;
    PyObject *traceback_ref;
    PyErr_Fetch(&type_ref, &value_ref, &traceback_ref);
    PyErr_NormalizeException(&type_ref, &value_ref, &traceback_ref);
    hc_auto(py) type = type_ref;
    hc_auto(py) value = value_ref;
    hc_auto(py) traceback = traceback_ref;
    hc_auto(py) name = attribute_text(type, "__name__");
    PyObject *message_ref = value == NULL ? NULL : PyObject_Str(value);
    if (message_ref == NULL) {
        PyErr_Clear();
        message_ref = PyUnicode_FromString("?");
    }
    hc_auto(py) message = message_ref;
    hc_auto(py) frames = frames_text(traceback);
    PyObject *text = NULL;
    if (frames != NULL && PyUnicode_GetLength(frames) > 0) {
        text = PyUnicode_FromFormat("%U: %U\n\nAt:\n%U", name, message, frames);
    } else {
        text = PyUnicode_FromFormat("%U: %U", name, message);
    }
    PyErr_Clear();
    return text != NULL ? text : PyUnicode_FromString("out of memory");
}

void hc_py_log_exception(const char *what) {
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    hc_auto(py) module = PyImport_ImportModule("traceback");
    hc_auto(py) lines = module == NULL
                            ? NULL
                            : PyObject_CallMethod(module, "format_exception", "OOO", type, value,
                                                  traceback != NULL ? traceback : Py_None);
    hc_auto(py) empty = PyUnicode_FromString("");
    hc_auto(py) text = lines == NULL ? NULL : PyUnicode_Join(empty, lines);
    hc_auto(py) message = text == NULL ? NULL : PyUnicode_FromFormat("%s\n%U", what, text);
    hc_auto(py) bytes = message == NULL ? NULL : PyUnicode_AsUTF8String(message);
    if (bytes != NULL) {
        hc_py.services->log(HC_LOG_ERROR, HC_TEXT("model.py"), 0, hc_py_bytes_text(bytes));
    }
    PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}
