/* Calls: sending them, and handing out what comes back. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/list.h"
#include "call_message.h"
#include "guest.h"
#include "pack.h"
#include "request.h"

/* A call lives until its owner has dropped it and its last response has come. */
struct hc_call {
    struct hc_list link; /* among the pending */
    struct hc_end *end;  /* another one than ours in a child of the process that called */
    uint64_t id;
    uint32_t channel_link;
    int preferred_gpu;     /* for the outputs; -1: none */
    struct hc_buf arrived; /* struct hc_entry each, not yet handed out */
    bool complete;         /* the last one has arrived */
    bool ended;            /* and was handed out */
    bool dropped;
    struct hc_list watch_link; /* among the watched */
    PyObject *loop;            /* asyncio's, to be told of the first response */
    PyObject *callback;        /* what to tell it */
};

static struct hc_end *end;
static bool calls_allowed;
static uint64_t last_id;
static struct hc_list pending;  /* whose last response has not arrived, oldest first */
static struct hc_list watched;  /* whose first response a coroutine waits for */
static PyObject *watching_loop; /* asyncio's, that looks at the descriptor for all of them */

static _Thread_local bool in_execution;
static _Thread_local uint32_t execution_link;
static _Thread_local uint64_t execution_id; /* 0: none, or the context says which */
static PyObject *context_execution;         /* a ContextVar; NULL as long as none was marked */

void hc_calls_prepare(struct hc_end *the_end) {
    end = the_end;
    hc_list_init(&pending);
    hc_list_init(&watched);
    watching_loop = NULL; /* an inherited one watches for the parent */
    in_execution = false;
}

void hc_calls_allow(bool allowed) {
    calls_allowed = allowed;
}

void hc_calls_enter(uint32_t link, uint64_t execution) {
    in_execution = true;
    execution_link = link;
    execution_id = execution;
}

void hc_calls_leave(void) {
    in_execution = false;
    execution_id = 0;
}

static bool make_context_variable(void) {
    hc_auto(py) module = PyImport_ImportModule("contextvars");
    context_execution = module == NULL
                            ? NULL
                            : PyObject_CallMethod(module, "ContextVar", "s", "hippocamp.execution");
    return context_execution != NULL;
}

bool hc_calls_mark_context(uint64_t execution) {
    if (context_execution == NULL && !make_context_variable()) {
        return false;
    }
    hc_auto(py) token =
        PyObject_CallMethod(context_execution, "set", "K", (unsigned long long)execution);
    return token != NULL;
}

/* The execution that the caller belongs to; 0: none, as far as can be told. */
static uint64_t find_execution(void) {
    if (execution_id != 0 || context_execution == NULL) {
        return execution_id;
    }
    hc_auto(py) number = PyObject_CallMethod(context_execution, "get", "i", 0);
    uint64_t id = number == NULL ? 0 : PyLong_AsUnsignedLongLong(number);
    PyErr_Clear();
    return id;
}

/* ---- Responses that arrive ---- */

static void unwatch(struct hc_call *call) {
    hc_list_remove(&call->watch_link);
    Py_XDECREF(hc_take(call->loop));
    Py_XDECREF(hc_take(call->callback));
}

static void free_call(struct hc_call *call) {
    hc_buf_finish(&call->arrived);
    free(call);
}

static void release(uint32_t link, const struct hc_entry *entry) {
    if (entry->size > 0) {
        hc_end_release(end, link, entry->block, entry->generation);
    }
}

/* Responses mostly come in the order of the calls: the search ends soon. */
static struct hc_call *find_call(uint64_t id) {
    hc_list_each (link, &pending) {
        struct hc_call *call = hc_list_item(link, struct hc_call, link);
        if (call->id == id) {
            return call;
        }
    }
    return NULL;
}

static void on_response(uint32_t link, const struct hc_entry *entry) {
    struct hc_call *call = find_call(entry->handle);
    if (call == NULL || call->dropped) {
        release(link, entry);
    } else {
        hc_buf_append(&call->arrived, entry, sizeof *entry);
    }
    if (call != NULL && (entry->flags & HC_REPLY_FINAL) != 0) {
        hc_list_remove(&call->link);
        call->complete = true;
        if (call->dropped) {
            free_call(call);
        }
    }
}

static struct hc_call *find_due(void) {
    hc_list_each (link, &watched) {
        struct hc_call *call = hc_list_item(link, struct hc_call, watch_link);
        if (call->arrived.size > 0) {
            return call;
        }
    }
    return NULL;
}

/* Tell the loops of coroutines whose responses are here. */
static void wake_coroutines(void) {
    struct hc_call *call;
    while ((call = find_due()) != NULL) {
        hc_auto(py) loop = call->loop;
        hc_auto(py) callback = call->callback;
        Py_INCREF(loop);
        Py_INCREF(callback);
        unwatch(call);
        hc_auto(py) result = PyObject_CallMethod(loop, "call_soon_threadsafe", "O", callback);
        if (result == NULL) {
            PyErr_Clear(); /* the loop has been closed: nobody waits */
        }
    }
}

void hc_calls_drain(void) {
    static const struct hc_end_events events = {
        .on_release = hc_pack_release,
        .on_response = on_response,
    };
    hc_end_drain(end, &events);
    if (!hc_list_empty(&watched)) {
        wake_coroutines();
    }
}

/* ---- Calls ---- */

/* A child of the model's process becomes a guest of the server first. */
static bool may_call(void) {
    if (hc_end_is_forked()) {
        return hc_end_is_owned(end) || hc_guest_begin();
    }
    if (!calls_allowed) {
        hc_py_raise("BLS is only supported during the 'execute' function.");
        return false;
    }
    return true;
}

/* A call that the parent has made is the parent's. */
static bool is_ours(const struct hc_call *call) {
    return call->end == end && hc_end_is_owned(end);
}

struct hc_call *hc_call_begin(PyObject *request, bool decoupled, bool waits) {
    if (!may_call()) {
        return NULL;
    }
    struct hc_entry entry = {.kind = HC_REPLY_CALL, .handle = ++last_id};
    const struct hc_call_terms terms = {
        .decoupled = decoupled,
        .in_place = waits,
        .execution = find_execution(),
    };
    if (!hc_call_message_write(request, &terms, &entry)) {
        return NULL;
    }
    struct hc_call *call = hc_new(struct hc_call);
    call->id = entry.handle;
    call->end = end;
    call->preferred_gpu = hc_request_of(request)->preferred_gpu;
    call->channel_link = in_execution ? execution_link : hc_end_control_link(end);
    hc_list_append(&pending, &call->link);
    hc_end_reply(end, call->channel_link, &entry, true);
    return call;
}

/* Wait until a response has arrived, or none is to come; false when a signal handler raised. */
static bool await_response(const struct hc_call *call) {
    for (;;) {
        uint32_t seen = hc_end_n_responses(end);
        hc_calls_drain();
        if (call->arrived.size > 0 || call->complete) {
            return true;
        }
        Py_BEGIN_ALLOW_THREADS;
        hc_end_await(end, seen);
        Py_END_ALLOW_THREADS;
        if (PyErr_CheckSignals() != 0) {
            return false;
        }
    }
}

PyObject *hc_call_next(struct hc_call *call) {
    if (!is_ours(call)) {
        return hc_py_raise("the responses go to the process that has asked for them");
    }
    if (call->ended || !await_response(call) || call->arrived.size == 0) {
        return NULL;
    }
    struct hc_entry entry;
    memcpy(&entry, call->arrived.data, sizeof entry);
    hc_buf_consume(&call->arrived, sizeof entry);
    call->ended = (entry.flags & HC_REPLY_FINAL) != 0;
    return hc_call_message_read(end, call->channel_link, &entry, call->preferred_gpu);
}

static PyObject *on_readable(PyObject *self, PyObject *ignored) {
    (void)self;
    (void)ignored;
    hc_end_watch_responses(end);
    hc_calls_drain();
    Py_RETURN_NONE;
}

/* Have LOOP look at the descriptor that becomes readable with a response. */
static bool watch_from(PyObject *loop) {
    static PyMethodDef definition = {"on_readable", on_readable, METH_NOARGS, NULL};
    int fd = hc_end_watch_responses(end);
    if (loop == watching_loop) {
        return true;
    }
    hc_auto(py) function = PyCFunction_New(&definition, NULL);
    hc_auto(py) result =
        function == NULL ? NULL : PyObject_CallMethod(loop, "add_reader", "iO", fd, function);
    if (result == NULL) {
        return false;
    }
    Py_XDECREF(watching_loop);
    Py_INCREF(loop);
    watching_loop = loop;
    return true;
}

bool hc_call_watch(struct hc_call *call, PyObject *loop, PyObject *callback) {
    Py_INCREF(loop);
    Py_INCREF(callback);
    call->loop = loop;
    call->callback = callback;
    hc_list_append(&watched, &call->watch_link);
    if (!watch_from(loop)) {
        return false;
    }
    hc_calls_drain(); /* what came before the server was told to write */
    return true;
}

void hc_call_cancel(struct hc_call *call) {
    if (!call->complete && is_ours(call)) {
        const struct hc_entry entry = {.kind = HC_REPLY_CALL_CANCEL, .handle = call->id};
        hc_end_reply(end, call->channel_link, &entry, true);
    }
}

void hc_call_drop(struct hc_call *call) {
    if (!is_ours(call)) {
        return;
    }
    hc_call_cancel(call);
    unwatch(call);
    while (call->arrived.size > 0) {
        struct hc_entry entry;
        memcpy(&entry, call->arrived.data, sizeof entry);
        hc_buf_consume(&call->arrived, sizeof entry);
        release(call->channel_link, &entry);
    }
    call->dropped = true;
    if (call->complete) {
        free_call(call);
    }
}
