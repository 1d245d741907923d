/* pb_utils.Logger: lines of the model in the server's log. */
#include "base/log.h"

#include "py.h"

/* Caller's file and line; they stay empty where there is no Python frame. */
struct caller {
    PyObject *file; /* bytes, new reference or NULL */
    long line;
};

static struct caller find_caller(void) {
    struct caller caller = {0};
    hc_auto(py) frame = PyObject_CallFunction(hc_py.getframe, NULL);
    hc_auto(py) code = frame == NULL ? NULL : PyObject_GetAttrString(frame, "f_code");
    hc_auto(py) file = code == NULL ? NULL : PyObject_GetAttrString(code, "co_filename");
    hc_auto(py) line = file == NULL ? NULL : PyObject_GetAttrString(frame, "f_lineno");
    if (line != NULL) {
        caller.line = PyLong_AsLong(line);
        caller.file = PyUnicode_AsUTF8String(file);
    }
    PyErr_Clear();
    return caller;
}

static PyObject *write_line(enum hc_log_level level, PyObject *message, const char *function) {
    hc_auto(py) bytes = hc_py_utf8(message, function);
    if (bytes == NULL) {
        return NULL;
    }
    struct caller caller = find_caller();
    hc_auto(py) file = caller.file;
    hc_py.services->log(level, file != NULL ? hc_py_bytes_text(file) : HC_TEXT(""),
                        (uint32_t)caller.line, hc_py_bytes_text(bytes));
    Py_RETURN_NONE;
}

static PyObject *log_at(enum hc_log_level level, PyObject *args, PyObject *keywords,
                        const char *function) {
    static char *names[] = {"message", NULL};
    PyObject *message;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &message)) {
        PyErr_Clear();
        return hc_py_bad_arguments(function, "(message: str)");
    }
    return write_line(level, message, function);
}

static PyObject *log_info(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    return log_at(HC_LOG_INFO, args, keywords, "log_info");
}

static PyObject *log_warn(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    return log_at(HC_LOG_WARNING, args, keywords, "log_warn");
}

static PyObject *log_error(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    return log_at(HC_LOG_ERROR, args, keywords, "log_error");
}

static PyObject *log_verbose(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    return log_at(HC_LOG_VERBOSE, args, keywords, "log_verbose");
}

static PyObject *level_type; /* Logger.LogLevel */

static PyObject *log_any(PyObject *self, PyObject *args, PyObject *keywords) {
    (void)self;
    static char *names[] = {"message", "level", NULL};
    PyObject *message;
    PyObject *level = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O", names, &message, &level) ||
        (level != NULL && PyObject_IsInstance(level, level_type) != 1)) {
        PyErr_Clear();
        return hc_py_bad_arguments("log", "log(message: str, level: LogLevel = Logger.INFO)");
    }
    if (level == NULL) {
        return write_line(HC_LOG_INFO, message, "log");
    }
    hc_auto(py) number = PyObject_GetAttrString(level, "value");
    return number == NULL ? NULL
                          : write_line((enum hc_log_level)PyLong_AsLong(number), message, "log");
}

#define STATIC(function)                                                                           \
    (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS | METH_STATIC

static PyMethodDef methods[] = {
    {"log", STATIC(log_any),
     "log(message, level=Logger.INFO)\n--\n\nWrite a line to the server's log."},
    {"log_info", STATIC(log_info), "log_info(message)\n--\n\nA line of information."},
    {"log_warn", STATIC(log_warn), "log_warn(message)\n--\n\nA warning."},
    {"log_error", STATIC(log_error), "log_error(message)\n--\n\nAn error."},
    {"log_verbose", STATIC(log_verbose),
     "log_verbose(message)\n--\n\nA line that is written when the server's log is verbose."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Writes to the server's log, in its format, with the caller's file and line."},
    {Py_tp_methods, methods},
    {Py_tp_dealloc, hc_py_free_object},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.Logger",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

/* LogLevel, whose values are those of enum hc_log_level; its members are on Logger as well. */
static bool add_levels(PyObject *logger) {
    hc_auto(py) module = PyImport_ImportModule("enum");
    hc_auto(py) base = module == NULL ? NULL : PyObject_GetAttrString(module, "Enum");
    level_type = base == NULL
                     ? NULL
                     : PyObject_CallFunction(base, "s{s:i,s:i,s:i,s:i}", "LogLevel", "INFO",
                                             HC_LOG_INFO, "WARNING", HC_LOG_WARNING, "ERROR",
                                             HC_LOG_ERROR, "VERBOSE", HC_LOG_VERBOSE);
    if (level_type == NULL || PyObject_SetAttrString(logger, "LogLevel", level_type) != 0) {
        return false;
    }
    static const char *const names[] = {"INFO", "WARNING", "ERROR", "VERBOSE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        hc_auto(py) level = PyObject_GetAttrString(level_type, names[i]);
        if (level == NULL || PyObject_SetAttrString(logger, names[i], level) != 0) {
            return false;
        }
    }
    return true;
}

bool hc_py_add_logger(PyObject *module) {
    PyObject *logger;
    return hc_py_add_type(module, "Logger", &spec, &logger) && add_levels(logger);
}
