/* pb_utils.MetricFamily and the metrics in it. */
#include "py.h"

#include <math.h>

#include "channel/metric_cell.h"

enum kind { COUNTER, GAUGE, HISTOGRAM, N_KINDS };

static const char *const kind_names[] = {"COUNTER", "GAUGE", "HISTOGRAM"};

static PyObject *kind_type;   /* the enum MetricKind */
static PyObject *metric_type; /* made by families only */

struct family {
    PyObject_HEAD enum kind kind;
    uint64_t id;          /* 0: none was opened */
    struct metric *first; /* of its metrics */
};

struct metric {
    PyObject_HEAD struct metric *next; /* in the family */
    struct family *family;             /* not referenced; NULL: it has gone */
    enum kind kind;
    struct hc_metric_cell *cell; /* while the family lives */
    double *bounds;
    size_t n_bounds;
};

static struct family *family_of(PyObject *object) {
    return (struct family *)object;
}

static struct metric *metric_of(PyObject *object) {
    return (struct metric *)object;
}

/* ---- Metrics ---- */

static void metric_dealloc(PyObject *self) {
    struct metric *metric = metric_of(self);
    if (metric->family != NULL) {
        struct metric **place = &metric->family->first;
        while (*place != metric) {
            place = &(*place)->next;
        }
        *place = metric->next;
    }
    PyMem_Free(metric->bounds);
    hc_py_free_object(self);
}

/* The metric in SELF, for WHAT ("increment metric"); NULL with an exception set. */
static struct metric *usable(PyObject *self, const char *what) {
    struct metric *metric = metric_of(self);
    if (metric->family == NULL) {
        hc_py_raise("Failed to %s value: Invalid metric operation as the corresponding "
                    "'MetricFamily' has been deleted. The 'MetricFamily' object should be deleted "
                    "AFTER its corresponding 'Metric' objects have been deleted.",
                    what);
        return NULL;
    }
    return metric;
}

static const char *kind_name(const struct metric *metric) {
    return kind_names[metric->kind];
}

/* WHAT is not for metrics of this kind: in Triton's words, which name the OPERATION. */
static PyObject *refuse(const struct metric *metric, const char *what, const char *operation) {
    return hc_py_raise("Failed to %s value: Failed to process the request for model '%s', message: "
                       "TRITONSERVER_METRIC_KIND_%s does not support %s",
                       what, hc_py.instance_name, kind_name(metric), operation);
}

/* The number that FUNCTION was given: any object with a value as a float, but no str. */
static bool parse_number(PyObject *object, const char *function, double *number) {
    *number = PyFloat_AsDouble(object);
    if (!PyErr_Occurred()) {
        return true;
    }
    PyErr_Clear();
    hc_py_bad_arguments(function, "(self: c_python_backend_utils.Metric, arg0: float)");
    return false;
}

static PyObject *metric_increment(PyObject *self, PyObject *value) {
    static const char what[] = "increment metric";
    double by;
    struct metric *metric = NULL;
    if (!parse_number(value, "increment", &by) || (metric = usable(self, what)) == NULL) {
        return NULL;
    }
    if (metric->kind == HISTOGRAM) {
        return refuse(metric, what, "Increment");
    }
    if (metric->kind == COUNTER && by < 0) {
        return hc_py_raise("Failed to %s value: Failed to process the request for model '%s', "
                           "message: TRITONSERVER_METRIC_KIND_COUNTER can only be incremented "
                           "monotonically by non-negative values.",
                           what, hc_py.instance_name);
    }
    hc_metric_cell_add(metric->cell, by);
    Py_RETURN_NONE;
}

static PyObject *metric_set(PyObject *self, PyObject *value) {
    static const char what[] = "set metric";
    double number;
    struct metric *metric = NULL;
    if (!parse_number(value, "set", &number) || (metric = usable(self, what)) == NULL) {
        return NULL;
    }
    if (metric->kind != GAUGE) {
        return refuse(metric, what, "Set");
    }
    hc_metric_cell_set(metric->cell, number);
    Py_RETURN_NONE;
}

static PyObject *metric_observe(PyObject *self, PyObject *value) {
    static const char what[] = "observe metric";
    double number;
    struct metric *metric = NULL;
    if (!parse_number(value, "observe", &number) || (metric = usable(self, what)) == NULL) {
        return NULL;
    }
    if (metric->kind != HISTOGRAM) {
        return refuse(metric, what, "Observe");
    }
    hc_metric_cell_observe(metric->cell, metric->bounds, metric->n_bounds, number);
    Py_RETURN_NONE;
}

static PyObject *metric_value(PyObject *self, PyObject *ignored) {
    (void)ignored;
    static const char what[] = "get metric";
    struct metric *metric = usable(self, what);
    if (metric == NULL) {
        return NULL;
    }
    if (metric->kind == HISTOGRAM) {
        return refuse(metric, what, "Value");
    }
    return PyFloat_FromDouble(hc_metric_cell_value(metric->cell));
}

static PyMethodDef metric_methods[] = {
    {"increment", metric_increment, METH_O,
     "increment($self, value, /)\n--\n\nAdd to a counter, which only grows, or to a gauge."},
    {"set", metric_set, METH_O, "set($self, value, /)\n--\n\nSet a gauge."},
    {"observe", metric_observe, METH_O,
     "observe($self, value, /)\n--\n\nCount a value in its bucket of a histogram."},
    {"value", metric_value, METH_NOARGS,
     "value($self)\n--\n\nWhat a counter or gauge is at, all instances together."},
    {0},
};

static PyType_Slot metric_slots[] = {
    {Py_tp_doc, "A series in /metrics; from MetricFamily.Metric()."},
    {Py_tp_new, hc_py_refuse_to_make},
    {Py_tp_dealloc, metric_dealloc},
    {Py_tp_methods, metric_methods},
    {0, NULL},
};

static PyType_Spec metric_spec = {
    .name = "c_python_backend_utils.Metric",
    .basicsize = sizeof(struct metric),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = metric_slots,
};

/* ---- Families ---- */

static void family_dealloc(PyObject *self) {
    struct family *family = family_of(self);
    for (struct metric *metric = family->first; metric != NULL; metric = metric->next) {
        metric->family = NULL;
    }
    if (family->id != 0) {
        hc_py.services->family_close(family->id);
    }
    hc_py_free_object(self);
}

static int family_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", "description", "kind", NULL};
    static const char signature[] = "c_python_backend_utils.MetricFamily(name: str, description: "
                                    "str, kind: c_python_backend_utils.MetricKind)";
    PyObject *name_object;
    PyObject *help_object;
    PyObject *kind;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO", names, &name_object, &help_object,
                                     &kind) ||
        PyObject_IsInstance(kind, kind_type) != 1) {
        PyErr_Clear();
        hc_py_bad_arguments("__init__", signature);
        return -1;
    }
    if (family_of(self)->id != 0) {
        hc_py_raise("A MetricFamily is made once.");
        return -1;
    }
    hc_auto(py) name_bytes = hc_py_utf8(name_object, "__init__");
    hc_auto(py) help_bytes = name_bytes == NULL ? NULL : hc_py_utf8(help_object, "__init__");
    if (help_bytes == NULL) {
        return -1;
    }
    hc_auto(py) name = hc_py_str(hc_py_bytes_text(name_bytes));
    hc_auto(py) help = hc_py_str(hc_py_bytes_text(help_bytes));
    hc_auto(py) question =
        Py_BuildValue("{s:O,s:O,s:l}", "name", name, "help", help, "kind", PyLong_AsLong(kind));
    uint64_t id = question == NULL ? 0 : hc_py.services->family_open(question);
    if (id == 0) {
        return -1;
    }
    family_of(self)->id = id;
    family_of(self)->kind = (enum kind)PyLong_AsLong(kind);
    return 0;
}

/* What is wrong with the arguments of Metric(), in Triton's words; NULL: nothing. */
static const char *find_fault(const struct family *family, PyObject *labels, PyObject *buckets) {
    if (labels != Py_None && !PyDict_Check(labels)) {
        return "Failed to create metric. Labels must be a dictionary.";
    }
    if (buckets != Py_None && !PyList_Check(buckets)) {
        return "Failed to create metric. Buckets must be a list.";
    }
    if (family->kind == HISTOGRAM && buckets == Py_None) {
        return "Failed to create metric. Missing required buckets.";
    }
    if (family->kind != HISTOGRAM && buckets != Py_None) {
        return "Failed to create metric. Unexpected buckets found.";
    }
    return NULL;
}

/* Append BOUND to the list of floats. */
static bool append_bound(PyObject *list, double bound) {
    if (isnan(bound) || (isinf(bound) && bound < 0)) {
        hc_py_raise("Error when creating Metric: Failed to process the request for model '%s', "
                    "message: Bucket Boundaries must be strictly sorted",
                    hc_py.instance_name);
        return false;
    }
    hc_auto(py) number = PyFloat_FromDouble(bound);
    return number != NULL && PyList_Append(list, number) == 0;
}

/* The bounds in BUCKETS, a list or None, as floats; that of the last bucket, which is infinite, is
 * left out. New reference to a list. */
static PyObject *read_bounds(PyObject *buckets) {
    hc_auto(py) list = PyList_New(0);
    Py_ssize_t n = list == NULL || buckets == Py_None ? 0 : PyList_Size(buckets);
    for (Py_ssize_t i = 0; i < n; i++) {
        double bound = PyFloat_AsDouble(PyList_GetItem(buckets, i));
        if (PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "Unable to cast Python instance to C++ type: "
                                                "buckets must be numbers");
            return NULL;
        }
        bool last = i == n - 1 && isinf(bound) && bound > 0;
        if (!last && !append_bound(list, bound)) {
            return NULL;
        }
    }
    return hc_take(list);
}

/* Keep a copy of the numbers in the list BOUNDS. */
static bool keep_bounds(struct metric *metric, PyObject *bounds) {
    size_t n = (size_t)PyList_Size(bounds);
    metric->bounds = PyMem_Malloc((n + 1) * sizeof *metric->bounds);
    if (metric->bounds == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        metric->bounds[i] = PyFloat_AsDouble(PyList_GetItem(bounds, (Py_ssize_t)i));
    }
    metric->n_bounds = n;
    return PyErr_Occurred() == NULL;
}

static PyObject *make_metric(struct family *family, PyObject *labels, PyObject *bounds_given) {
    hc_auto(py) object = hc_py_new_object(metric_type);
    if (object == NULL) {
        return NULL;
    }
    hc_auto(py) bounds = bounds_given;
    Py_INCREF(bounds);
    struct metric *metric = metric_of(object);
    metric->kind = family->kind;
    metric->cell = hc_py.services->family_metric(family->id, labels, &bounds);
    if (metric->cell == NULL || !keep_bounds(metric, bounds)) {
        return NULL;
    }
    metric->family = family;
    metric->next = family->first;
    family->first = metric;
    return hc_take(object);
}

static PyObject *family_metric(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"labels", "buckets", NULL};
    PyObject *labels = Py_None;
    PyObject *buckets = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OO", names, &labels, &buckets)) {
        PyErr_Clear();
        return hc_py_bad_arguments("Metric", "(self: c_python_backend_utils.MetricFamily, labels: "
                                             "object = None, buckets: object = None)");
    }
    struct family *family = family_of(self);
    const char *fault = find_fault(family, labels, buckets);
    if (fault != NULL) {
        return hc_py_raise("%s", fault);
    }
    if (family->id == 0) {
        return hc_py_member(NULL);
    }
    hc_auto(py) bounds = read_bounds(buckets);
    return bounds == NULL ? NULL : make_metric(family, labels, bounds);
}

static PyMethodDef family_methods[] = {
    {"Metric", (PyCFunction)(void (*)(void))family_metric, METH_VARARGS | METH_KEYWORDS,
     "Metric($self, labels=None, buckets=None)\n--\n\nThe family's metric with these labels, a "
     "dict of str; a histogram needs the upper bounds of its buckets, ascending."},
    {0},
};

static PyType_Slot family_slots[] = {
    {Py_tp_doc, "MetricFamily(name, description, kind)\n--\n\nMetrics of one name in /metrics. It "
                "must be kept for as long as they are wanted."},
    {Py_tp_init, family_init},
    {Py_tp_dealloc, family_dealloc},
    {Py_tp_methods, family_methods},
    {0, NULL},
};

static PyType_Spec family_spec = {
    .name = "c_python_backend_utils.MetricFamily",
    .basicsize = sizeof(struct family),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = family_slots,
};

bool hc_py_add_metric(PyObject *module) {
    PyObject *family_type;
    kind_type = hc_py_make_enum("MetricKind", kind_names, N_KINDS);
    return kind_type != NULL && hc_py_add_object(module, "MetricKind", kind_type) &&
           hc_py_add_type(module, "Metric", &metric_spec, &metric_type) &&
           hc_py_add_type(module, "MetricFamily", &family_spec, &family_type) &&
           hc_py_copy_members(kind_type, kind_names, N_KINDS, family_type) &&
           hc_py_copy_members(kind_type, kind_names, N_KINDS, module);
}
