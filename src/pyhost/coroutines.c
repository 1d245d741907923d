/* Where coroutines run. */
#include "coroutines.h"

#include <stdlib.h>

#include "base/alloc.h"

static PyObject *main_loop;       /* of the main thread */
static PyObject *background_loop; /* of the coroutines' thread */

bool hc_coroutine_is(PyObject *object) {
    /* A plain list, the usual result, needs no import of asyncio to be known as none. */
    return !PyList_CheckExact(object) && object != Py_None &&
           PyObject_HasAttrString(object, "cr_await");
}

/* New reference to an event loop. */
static PyObject *new_loop(void) {
    hc_auto(py) asyncio = PyImport_ImportModule("asyncio");
    return asyncio == NULL ? NULL : PyObject_CallMethod(asyncio, "new_event_loop", NULL);
}

PyObject *hc_coroutine_run(PyObject *coroutine) {
    if (main_loop == NULL && (main_loop = new_loop()) == NULL) {
        return NULL;
    }
    return PyObject_CallMethod(main_loop, "run_until_complete", "O", coroutine);
}

/* Run LOOP forever on a thread that does not keep the process alive. */
static bool start_thread(PyObject *loop) {
    hc_auto(py) threading = PyImport_ImportModule("threading");
    hc_auto(py) type = threading == NULL ? NULL : PyObject_GetAttrString(threading, "Thread");
    hc_auto(py) target = type == NULL ? NULL : PyObject_GetAttrString(loop, "run_forever");
    hc_auto(py) none = PyTuple_New(0);
    hc_auto(py) keywords = target == NULL ? NULL
                                          : Py_BuildValue("{s:O,s:s,s:O}", "target", target, "name",
                                                          "coroutines", "daemon", Py_True);
    hc_auto(py) thread = keywords == NULL ? NULL : PyObject_Call(type, none, keywords);
    hc_auto(py) result = thread == NULL ? NULL : PyObject_CallMethod(thread, "start", NULL);
    return result != NULL;
}

static bool prepare_background(void) {
    if (background_loop != NULL) {
        return true;
    }
    hc_auto(py) loop = new_loop();
    if (loop == NULL || !start_thread(loop)) {
        return false;
    }
    background_loop = hc_take(loop);
    return true;
}

/* Who is to be told of a coroutine's end. */
struct listener {
    void (*on_done)(void *user, PyObject *result);
    void *user;
};

static const char listener_name[] = "hippocamp.listener";

static void free_listener(PyObject *capsule) {
    free(PyCapsule_GetPointer(capsule, listener_name));
}

/* Called with the future of a coroutine that has ended. */
static PyObject *tell(PyObject *self, PyObject *future) {
    const struct listener *listener = PyCapsule_GetPointer(self, listener_name);
    hc_auto(py) result = PyObject_CallMethod(future, "result", NULL);
    listener->on_done(listener->user, result);
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* What calls ON_DONE when it is called with a future. New reference. */
static PyObject *make_callback(void (*on_done)(void *user, PyObject *result), void *user) {
    static PyMethodDef definition = {"on_done", tell, METH_O, NULL};
    struct listener *listener = hc_new(struct listener);
    *listener = (struct listener){on_done, user};
    hc_auto(py) capsule = PyCapsule_New(listener, listener_name, free_listener);
    if (capsule == NULL) {
        free(listener);
        return NULL;
    }
    return PyCFunction_New(&definition, capsule);
}

bool hc_coroutine_start(PyObject *coroutine, void (*on_done)(void *user, PyObject *result),
                        void *user) {
    if (!prepare_background()) {
        return false;
    }
    hc_auto(py) asyncio = PyImport_ImportModule("asyncio");
    hc_auto(py) callback = asyncio == NULL ? NULL : make_callback(on_done, user);
    hc_auto(py) future = callback == NULL ? NULL
                                          : PyObject_CallMethod(asyncio, "run_coroutine_threadsafe",
                                                                "OO", coroutine, background_loop);
    hc_auto(py) result =
        future == NULL ? NULL : PyObject_CallMethod(future, "add_done_callback", "O", callback);
    return result != NULL;
}
