/* Metrics that the model makes for itself. */
#include "families.h"

#include <stdio.h>

#include "channel/control.h"
#include "listen.h"
#include "talk.h"

static struct hc_end *end;

void hc_families_prepare(struct hc_end *the_end) {
    end = the_end;
}

/* Ask the server for something to be made, a WHAT. New reference to the answer. */
static PyObject *ask(uint32_t kind, PyObject *question, const char *what) {
    hc_auto(py) answer = question == NULL ? NULL : hc_listen_ask(kind, question);
    PyObject *error = answer == NULL ? NULL : PyDict_GetItemString(answer, "error"); /* borrowed */
    if (error != NULL) {
        return hc_py_raise("Error when creating %s: %S", what, error);
    }
    return hc_take(answer);
}

/* ANSWER[KEY], a whole number; 0 with an exception set. */
static uint64_t number_of(PyObject *answer, const char *key) {
    PyObject *number = PyDict_GetItemString(answer, key); /* borrowed */
    if (number == NULL) {
        hc_py_raise("the server did not say '%s'", key);
        return 0;
    }
    hc_auto(py) whole = PyNumber_Long(number);
    return whole == NULL ? 0 : PyLong_AsUnsignedLongLong(whole);
}

uint64_t hc_family_open(PyObject *question) {
    hc_auto(py) answer = ask(HC_CONTROL_FAMILY_OPEN, question, "MetricFamily");
    return answer == NULL ? 0 : number_of(answer, "family");
}

struct hc_metric_cell *hc_family_metric(uint64_t family, PyObject *labels, PyObject **bounds) {
    hc_auto(py) question = Py_BuildValue("{s:K,s:O,s:O}", "family", (unsigned long long)family,
                                         "labels", labels, "buckets", *bounds);
    hc_auto(py) answer = ask(HC_CONTROL_METRIC_OPEN, question, "Metric");
    if (answer == NULL) {
        return NULL;
    }
    uint64_t offset = number_of(answer, "offset");
    PyObject *found = PyDict_GetItemString(answer, "buckets"); /* borrowed */
    if (PyErr_Occurred() || found == NULL) {
        return NULL;
    }
    Py_INCREF(found);
    Py_DECREF(*bounds);
    *bounds = found;
    return hc_end_metric_cell(end, offset);
}

void hc_family_close(uint64_t family) {
    char body[64];
    int size = snprintf(body, sizeof body, "{\"family\":%llu}", (unsigned long long)family);
    if (!hc_end_is_forked()) {
        hc_talk_send(HC_CONTROL_FAMILY_CLOSE, (struct hc_text){body, (size_t)size}, NULL, 0);
    }
}
