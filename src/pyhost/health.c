/* Answering whether the model is ready. */
#include "health.h"

#include "listen.h"
#include "talk.h"

static PyObject *checked_model;

/* What the hook returns: a bool, or a coroutine that does. New reference. */
static PyObject *call_hook(PyObject *model) {
    hc_auto(py) result = PyObject_CallMethod(model, "is_ready", NULL);
    hc_auto(py) asyncio = result == NULL ? NULL : PyImport_ImportModule("asyncio");
    hc_auto(py) is_coroutine =
        asyncio == NULL ? NULL : PyObject_CallMethod(asyncio, "iscoroutine", "O", result);
    if (is_coroutine == NULL || is_coroutine != Py_True) {
        return is_coroutine == NULL ? NULL : hc_take(result);
    }
    return PyObject_CallMethod(asyncio, "run", "O", result);
}

/* The answer as JSON. New reference to bytes. */
static PyObject *check(PyObject *model) {
    hc_auto(py) result = call_hook(model);
    if (result != NULL && !PyBool_Check(result)) {
        hc_py_raise("is_ready() must return a boolean value");
    }
    hc_auto(py) message = PyErr_Occurred() ? hc_py_take_exception() : NULL;
    hc_auto(py) answer = Py_BuildValue("{s:O,s:O}", "ready", message == NULL ? result : Py_False,
                                       "message", message == NULL ? Py_None : message);
    hc_auto(py) text =
        answer == NULL ? NULL : PyObject_CallFunctionObjArgs(hc_py.json_dumps, answer, NULL);
    return text == NULL ? NULL : PyUnicode_AsUTF8String(text);
}

void hc_health_check(void) {
    hc_auto(py) answer = check(checked_model);
    hc_talk_send(HC_CONTROL_CHECKED, answer == NULL ? HC_TEXT("{}") : hc_py_bytes_text(answer),
                 NULL, 0);
    PyErr_Clear();
}

bool hc_health_start(PyObject *model) {
    if (!PyObject_HasAttrString(model, "is_ready")) {
        return false;
    }
    Py_INCREF(model); /* for as long as the process lives */
    checked_model = model;
    return hc_listen_start();
}
