/* Answering whether the model is ready. */
#include "health.h"

#include <pthread.h>
#include <signal.h>

#include "talk.h"

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

__attribute__((noreturn)) static void *answer_questions(void *user) {
    PyObject *model = user;
    PyGILState_Ensure(); /* for as long as the process lives */
    for (;;) {
        struct hc_control_frame frame = hc_talk_receive();
        if (frame.kind != HC_CONTROL_CHECK) {
            continue;
        }
        hc_auto(py) answer = check(model);
        hc_talk_send(HC_CONTROL_CHECKED, answer == NULL ? HC_TEXT("{}") : hc_py_bytes_text(answer),
                     NULL, 0);
        PyErr_Clear();
    }
}

bool hc_health_start(PyObject *model) {
    if (!PyObject_HasAttrString(model, "is_ready")) {
        return false;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_t thread;
    Py_INCREF(model); /* for as long as the process lives */
    int failure = pthread_create(&thread, NULL, answer_questions, model);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        hc_py_raise("cannot start a thread for is_ready");
        return false;
    }
    pthread_detach(thread);
    return true;
}
