/* pb_utils.ModelConfig: the config that auto_complete_config fills in, as Triton lets it. */
#include "py.h"

struct model_config {
    PyObject_HEAD PyObject *config; /* dict */
};

static PyObject *config_of(PyObject *self) {
    return ((struct model_config *)self)->config;
}

static void config_dealloc(PyObject *self) {
    Py_XDECREF(config_of(self));
    hc_py_free_object(self);
}

/* Empty at first, also where a subclass does not call this constructor. */
static PyObject *config_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args;
    (void)keywords;
    PyObject *self = hc_py_new_object((PyObject *)type);
    if (self != NULL) {
        ((struct model_config *)self)->config = PyDict_New();
    }
    return self;
}

static int config_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"model_config", NULL};
    PyObject *text;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &text)) {
        return -1;
    }
    struct model_config *own = (struct model_config *)self;
    Py_XDECREF(hc_take(own->config));
    own->config = PyObject_CallFunctionObjArgs(hc_py.json_loads, text, NULL);
    return own->config != NULL ? 0 : -1;
}

/* CONFIG[KEY], new reference; NULL without an exception when there is none. */
static PyObject *get(PyObject *dict, const char *key) {
    hc_auto(py) name = PyUnicode_FromString(key);
    PyObject *value = PyDict_GetItemWithError(dict, name);
    Py_XINCREF(value);
    return value;
}

static PyObject *config_as_dict(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(config_of(self));
}

static PyObject *config_set_max_batch_size(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"max_batch_size", NULL};
    PyObject *wanted;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &wanted)) {
        return NULL;
    }
    hc_auto(py) current = get(config_of(self), "max_batch_size");
    hc_auto(py) model = get(config_of(self), "name");
    int above = current == NULL ? 0 : PyObject_RichCompareBool(current, wanted, Py_GT);
    if (above < 0 || PyErr_Occurred()) {
        return NULL;
    }
    if (above > 0) {
        return PyErr_Format(PyExc_ValueError,
                            "configuration specified max_batch_size %S, but in "
                            "auto-complete-config function for model '%S' specified "
                            "max_batch_size %S",
                            current, model, wanted);
    }
    if (PyDict_SetItemString(config_of(self), "max_batch_size", wanted) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *config_set_dynamic_batching(PyObject *self, PyObject *ignored) {
    (void)ignored;
    static const char *const others[] = {"sequence_batching", "ensemble_scheduling"};
    PyObject *config = config_of(self);
    hc_auto(py) model = get(config, "name");
    for (size_t i = 0; i < 2; i++) {
        hc_auto(py) other = get(config, others[i]);
        if (other != NULL) {
            return PyErr_Format(PyExc_ValueError,
                                "Configuration specified scheduling_choice as '%s', but "
                                "auto-complete-config function for model '%S' tries to set "
                                "scheduling_choice as 'dynamic_batching'",
                                others[i], model);
        }
    }
    hc_auto(py) present = get(config, "dynamic_batching");
    hc_auto(py) empty = PyDict_New();
    if (PyErr_Occurred() ||
        (present == NULL && PyDict_SetItemString(config, "dynamic_batching", empty) != 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- Inputs and outputs ---- */

struct io_kind {
    const char *word;    /* in messages: also the key in the config */
    const char *allowed; /* properties, as messages list them */
    bool has_optional;
};

static const struct io_kind input_kind = {"input", "'name', 'data_type', 'dims' and 'optional'",
                                          true};
static const struct io_kind output_kind = {"output", "'name', 'data_type' and 'dims'", false};

static bool is_allowed(const struct io_kind *kind, PyObject *key) {
    static const char *const names[] = {"name", "data_type", "dims", "optional"};
    for (size_t i = 0; i < (kind->has_optional ? 4 : 3); i++) {
        if (PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The properties are those that there may be, and the three that there must. */
static bool check_properties(const struct io_kind *kind, PyObject *io, PyObject *model) {
    Py_ssize_t place = 0;
    PyObject *key;
    PyObject *value;
    while (PyDict_Next(io, &place, &key, &value)) {
        if (!is_allowed(kind, key)) {
            hc_auto(py) name = PyMapping_GetItemString(io, "name"); /* KeyError, as upstream */
            if (name != NULL) {
                PyErr_Format(PyExc_ValueError,
                             "%s '%S' in auto-complete-config function for model '%S' contains "
                             "property other than %s.",
                             kind->word, name, model, kind->allowed);
            }
            return false;
        }
    }
    hc_auto(py) name = get(io, "name");
    if (name == NULL) {
        PyErr_Format(PyExc_ValueError,
                     "%s in auto-complete-config function for model '%S' is missing 'name' "
                     "property.",
                     kind->word, model);
        return false;
    }
    static const char *const needed[] = {"data_type", "dims"};
    for (size_t i = 0; i < 2; i++) {
        hc_auto(py) property = get(io, needed[i]);
        if (property == NULL) {
            PyErr_Format(PyExc_ValueError,
                         "%s '%S' in auto-complete-config function for model '%S' is missing '%s' "
                         "property.",
                         kind->word, name, model, needed[i]);
            return false;
        }
    }
    return true;
}

static int equal(PyObject *a, PyObject *b) {
    return PyObject_RichCompareBool(a, b, Py_EQ);
}

static bool is_true(PyObject *value) {
    return value != NULL && PyObject_IsTrue(value) == 1;
}

/* What ENTRY says already and IO says again must be the same; what it does not say is taken over.
 */
static bool merge(const struct io_kind *kind, PyObject *entry, PyObject *io, PyObject *model) {
    hc_auto(py) name = get(io, "name");
    hc_auto(py) type = get(io, "data_type");
    hc_auto(py) own_type = get(entry, "data_type");
    if (own_type != NULL && PyUnicode_Check(own_type) &&
        PyUnicode_CompareWithASCIIString(own_type, "TYPE_INVALID") != 0 &&
        equal(own_type, type) != 1) {
        PyErr_Format(PyExc_ValueError,
                     "unable to load model '%S', configuration expects datatype %S for %s '%S', "
                     "model provides %S",
                     model, own_type, kind->word, name, type);
        return false;
    }
    hc_auto(py) dims = get(io, "dims");
    hc_auto(py) own_dims = get(entry, "dims");
    if (is_true(own_dims) && equal(own_dims, dims) != 1) {
        PyErr_Format(PyExc_ValueError,
                     "model '%S', tensor '%S': the model expects dims %S but the model "
                     "configuration specifies dims %S",
                     model, name, dims, own_dims);
        return false;
    }
    hc_auto(py) optional = get(io, "optional");
    hc_auto(py) own_optional = get(entry, "optional");
    if (optional != NULL && own_optional != NULL && equal(optional, own_optional) != 1) {
        PyErr_Format(PyExc_ValueError,
                     "model '%S', tensor '%S': the model expects optional %S but the model "
                     "configuration specifies optional %S",
                     model, name, optional, own_optional);
        return false;
    }
    return PyDict_Update(entry, io) == 0;
}

/* The entry of LIST with that name, borrowed; NULL when there is none. */
static PyObject *find_entry(PyObject *list, PyObject *name) {
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *entry = PyList_GetItem(list, i);
        hc_auto(py) own = PyDict_Check(entry) ? get(entry, "name") : NULL;
        if (own != NULL && equal(own, name) == 1) {
            return entry;
        }
    }
    return NULL;
}

/* The config's list of inputs or outputs, made when there is none. New reference. */
static PyObject *list_of(PyObject *config, const char *key) {
    PyObject *list = get(config, key);
    if (list == NULL && !PyErr_Occurred()) {
        list = PyList_New(0);
        if (list != NULL && PyDict_SetItemString(config, key, list) != 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *add_io(PyObject *self, const struct io_kind *kind, PyObject *io) {
    if (!PyDict_Check(io)) {
        return PyErr_Format(PyExc_TypeError, "a dict is needed, not %R", Py_TYPE(io));
    }
    PyObject *config = config_of(self);
    hc_auto(py) model = get(config, "name");
    if (!check_properties(kind, io, model)) {
        return NULL;
    }
    hc_auto(py) name = get(io, "name");
    hc_auto(py) list = list_of(config, kind->word);
    if (list == NULL) {
        return NULL;
    }
    PyObject *entry = find_entry(list, name);
    bool done = entry != NULL ? merge(kind, entry, io, model) : PyList_Append(list, io) == 0;
    if (!done) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *config_add_input(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"input", NULL};
    PyObject *input;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &input)) {
        return NULL;
    }
    return add_io(self, &input_kind, input);
}

static PyObject *config_add_output(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"output", NULL};
    PyObject *output;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &output)) {
        return NULL;
    }
    return add_io(self, &output_kind, output);
}

/* ---- Transaction policy ---- */

static bool check_policy(PyObject *policy, PyObject *model) {
    Py_ssize_t place = 0;
    PyObject *key;
    PyObject *value;
    while (PyDict_Next(policy, &place, &key, &value)) {
        if (!PyUnicode_Check(key) || PyUnicode_CompareWithASCIIString(key, "decoupled") != 0) {
            PyErr_Format(PyExc_ValueError,
                         "model transaction property in auto-complete-config function for model "
                         "'%S' contains property other than 'decoupled'.",
                         model);
            return false;
        }
    }
    return true;
}

static PyObject *config_set_model_transaction_policy(PyObject *self, PyObject *args,
                                                     PyObject *keywords) {
    static char *names[] = {"transaction_policy_dict", NULL};
    PyObject *policy;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!", names, &PyDict_Type, &policy)) {
        return NULL;
    }
    PyObject *config = config_of(self);
    hc_auto(py) model = get(config, "name");
    hc_auto(py) before = get(config, "model_transaction_policy");
    hc_auto(py) decoupled = get(policy, "decoupled");
    hc_auto(py) own = before == NULL ? NULL : get(before, "decoupled");
    if (!check_policy(policy, model)) {
        return NULL;
    }
    if (own != NULL && decoupled != NULL && equal(own, decoupled) != 1) {
        return PyErr_Format(PyExc_ValueError,
                            "trying to change decoupled property in auto-complete-config for "
                            "model '%S', which is already set to '%S'.",
                            model, own);
    }
    hc_auto(py) merged = before != NULL ? PyDict_Copy(before) : PyDict_New();
    if (merged == NULL || PyDict_Update(merged, policy) != 0 ||
        PyDict_SetItemString(config, "model_transaction_policy", merged) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *config_get_dict(PyObject *self, void *unused) {
    (void)unused;
    return hc_py_member(config_of(self));
}

#define METHOD(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"as_dict", config_as_dict, METH_NOARGS,
     "as_dict($self)\n--\n\nThe config as a dict; changes to it count."},
    {"set_max_batch_size", METHOD(config_set_max_batch_size),
     "set_max_batch_size($self, max_batch_size)\n--\n\nThe largest batch that the model takes; not "
     "below "
     "what is configured."},
    {"set_dynamic_batching", config_set_dynamic_batching, METH_NOARGS,
     "set_dynamic_batching($self)\n--\n\nHave the server form batches, unless another scheduler is "
     "configured."},
    {"add_input", METHOD(config_add_input),
     "add_input($self, input)\n--\n\nAn input: a dict with name, data_type, dims and, if need be, "
     "optional. Must agree with what is configured for that name."},
    {"add_output", METHOD(config_add_output),
     "add_output($self, output)\n--\n\nAn output: a dict with name, data_type and dims. Must agree "
     "with "
     "what is configured for that name."},
    {"set_model_transaction_policy", METHOD(config_set_model_transaction_policy),
     "set_model_transaction_policy($self, transaction_policy_dict)\n--\n\n{'decoupled': bool}: "
     "whether "
     "the "
     "model sends any number of responses to a request."},
    {0},
};

static PyGetSetDef attributes[] = {
    {"_model_config", config_get_dict, NULL, "The config as a dict.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "ModelConfig(model_config)\n--\n\nA model's config, from its JSON text; what "
                "auto_complete_config gets and returns."},
    {Py_tp_new, config_new},
    {Py_tp_init, config_init},
    {Py_tp_dealloc, config_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "triton_python_backend_utils.ModelConfig",
    .basicsize = sizeof(struct model_config),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

bool hc_py_add_model_config(PyObject *module) {
    return hc_py_add_type(module, "ModelConfig", &spec, &hc_py.model_config_type);
}
