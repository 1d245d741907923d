/* The listener, and asking the server. */
#include "listen.h"

#include <pthread.h>

#include "base/thread.h"
#include "end.h"
#include "health.h"
#include "talk.h"

static bool allowed;
static bool running;
static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER; /* held for a question and its answer */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* guards what follows */
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static PyObject *answer; /* a dict; owned */

void hc_listen_allow(void) {
    allowed = true;
}

static void take_answer(const struct hc_control_frame *frame) {
    PyObject *dict = hc_talk_json(frame);
    if (dict == NULL) {
        PyErr_Clear();
        dict = PyDict_New();
    }
    pthread_mutex_lock(&lock);
    answer = dict;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&lock);
}

static void *check_health(void *user) {
    (void)user;
    PyGILState_STATE state = PyGILState_Ensure();
    hc_health_check();
    PyGILState_Release(state);
    return NULL;
}

__attribute__((noreturn)) static void *listen_to_server(void *user) {
    (void)user;
    PyGILState_Ensure(); /* for as long as the process lives */
    for (;;) {
        struct hc_control_frame frame = hc_talk_receive();
        if (frame.kind == HC_CONTROL_CHECK) {
            hc_thread_start(check_health, NULL); /* which may ask in turn */
        } else if (frame.kind == HC_CONTROL_ANSWER) {
            take_answer(&frame);
        }
    }
}

bool hc_listen_start(void) {
    if (running) {
        return true;
    }
    running = hc_thread_start(listen_to_server, NULL);
    if (!running) {
        hc_py_raise("cannot start a thread to listen to the server");
    }
    return running;
}

/* Wait for the answer: new reference. Without the GIL. */
static PyObject *await_answer(void) {
    pthread_mutex_lock(&lock);
    while (answer == NULL) {
        pthread_cond_wait(&answered, &lock);
    }
    PyObject *taken = hc_take(answer);
    pthread_mutex_unlock(&lock);
    return taken;
}

static PyObject *ask(uint32_t kind, struct hc_text body) {
    PyObject *found;
    Py_BEGIN_ALLOW_THREADS;
    pthread_mutex_lock(&asking);
    hc_talk_send(kind, body, NULL, 0);
    found = await_answer();
    pthread_mutex_unlock(&asking);
    Py_END_ALLOW_THREADS;
    return found;
}

PyObject *hc_listen_ask(uint32_t kind, PyObject *question) {
    if (!allowed || hc_end_is_forked()) {
        return hc_py_raise("the server does not answer here: only in initialize and execute, and "
                           "not in forked processes");
    }
    hc_auto(py) json = PyObject_CallFunctionObjArgs(hc_py.json_dumps, question, NULL);
    hc_auto(py) bytes = json == NULL ? NULL : PyUnicode_AsUTF8String(json);
    if (bytes == NULL || !hc_listen_start()) {
        return NULL;
    }
    struct hc_text body = hc_py_bytes_text(bytes);
    if (body.size > HC_CONTROL_MAX_BODY) {
        return hc_py_raise("%zu bytes are more than the server takes, %d", body.size,
                           HC_CONTROL_MAX_BODY);
    }
    return ask(kind, body);
}
