/* The modules in any Python. */
#include "plain.h"

#include "base/alloc.h"
#include "base/log.h"
#include "channel/metric_cell.h"
#include "module.h"

static void log_line(int level, struct hc_text file, uint32_t line, struct hc_text message) {
    hc_auto(text) name = hc_strndup(file.data, file.size);
    hc_log_write((enum hc_log_level)level, name, (int)line, "%.*s", HC_TEXT_ARGS(message));
}

/* Requests that a server has sent are the only ones that these are called for. */
static bool send_nothing(struct hc_message_request *request, PyObject *response, bool final,
                         bool owned) {
    (void)request;
    (void)response;
    (void) final;
    (void)owned;
    hc_py_raise("there is no server to send a response to");
    return false;
}

static void abandon_nothing(struct hc_message_request *request) {
    (void)request;
}

static struct hc_call *call_nobody(PyObject *request, bool decoupled, bool waits) {
    (void)request;
    (void)decoupled;
    (void)waits;
    hc_py_raise("there is no server whose models could be asked");
    return NULL;
}

static PyObject *ask_nobody(uint32_t kind, PyObject *question) {
    (void)kind;
    (void)question;
    return hc_py_raise("there is no server to ask");
}

/* Families and their metrics work, and nobody sees them; values live as long as the process. */
static uint64_t open_family(PyObject *question) {
    (void)question;
    return 1;
}

static struct hc_metric_cell *make_metric(uint64_t family, PyObject *labels, PyObject **bounds) {
    (void)family;
    (void)labels;
    return hc_alloc(hc_metric_cell_size((size_t)PyList_Size(*bounds)));
}

static void close_family(uint64_t family) {
    (void)family;
}

static uint64_t no_memory(void) {
    return 0;
}

/* Without a call there is nothing to do with it. */
static const struct hc_py_services services = {
    .log = log_line,
    .send = send_nothing,
    .abandon = abandon_nothing,
    .ask = ask_nobody,
    .call_begin = call_nobody,
    .family_open = open_family,
    .family_metric = make_metric,
    .family_close = close_family,
    .free_memory = no_memory,
};

PyObject *hc_plain_prepare(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    if (hc_py.module == NULL && !hc_py_make_modules(&services)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *hc_plain_set_model_dir(PyObject *module, PyObject *path) {
    (void)module;
    PyObject *before = hc_py.model_dir;
    Py_INCREF(path);
    hc_py.model_dir = path;
    Py_XDECREF(before);
    Py_RETURN_NONE;
}
