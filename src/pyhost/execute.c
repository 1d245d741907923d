/* One execution: from the messages of a batch to the model's execute() and back to replies. */
#include "execute.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "calls.h"
#include "coroutines.h"
#include "pin.h"
#include "reply.h"
#include "request.h"
#include "response.h"
#include "sender.h"
#include "shared_arrays.h"

struct batch {
    const struct hc_executor *executor;
    uint64_t handle; /* of the execution */
    uint32_t link;   /* that it came on */
    uint64_t first;  /* offset of the first message */
    size_t n_requests;
    PyObject **senders; /* one a request */
    uint64_t start_ns;
    uint64_t end_ns;
};

/* Claim the batch, which grows until then: its requests; 0 when the server has withdrawn it. */
static size_t claim(struct hc_message_request *first) {
    uint32_t state = atomic_load(&first->state);
    do {
        if ((state & HC_MESSAGE_STATE_MASK) != HC_MESSAGE_QUEUED) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak(&first->state, &state, HC_MESSAGE_STARTED));
    return HC_MESSAGE_N_REQUESTS(state);
}

static void skip(const struct hc_executor *executor, const struct hc_entry *work, uint32_t link) {
    const struct hc_entry entry = {.kind = HC_REPLY_SKIPPED, .handle = work->handle};
    hc_end_reply(executor->end, link, &entry, true);
}

static void report_executed(const struct batch *batch) {
    const struct hc_entry entry = {
        .kind = HC_REPLY_EXECUTED,
        .handle = batch->handle,
        .start_ns = batch->start_ns,
        .end_ns = batch->end_ns,
    };
    hc_end_reply(batch->executor->end, batch->link, &entry, true);
}

/* The model's file has failed, or returned nonsense: answer what has not been answered with TEXT.
 */
static void fail_batch(const struct batch *batch, PyObject *text) {
    hc_auto(py) message =
        PyUnicode_FromFormat("Failed to process the request(s) for model '%s', message: %U",
                             batch->executor->instance_name, text);
    hc_auto(py) bytes =
        message == NULL ? NULL : PyUnicode_AsEncodedString(message, "utf-8", "replace");
    PyErr_Clear();
    for (size_t i = 0; i < batch->n_requests; i++) {
        struct hc_sender_object *sender = hc_sender_of(batch->senders[i]);
        if (!sender->closed) {
            sender->closed = true;
            hc_reply_send_error(sender->message, HC_INTERNAL,
                                bytes != NULL ? hc_py_bytes_text(bytes)
                                              : HC_TEXT("Failed to process the request(s)"));
        }
    }
}

/* The same with the pending exception. */
static void fail_with_exception(const struct batch *batch) {
    hc_auto(py) text = hc_py_take_exception();
    fail_batch(batch, text);
}

/* One that cannot be answered otherwise, by the pending exception: that request's affair alone. */
static void fail_request(const struct batch *batch, size_t i) {
    hc_auto(py) text = hc_py_take_exception();
    hc_auto(py) bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    struct hc_sender_object *sender = hc_sender_of(batch->senders[i]);
    if (!sender->closed) {
        sender->closed = true;
        hc_reply_send_error(sender->message, HC_INTERNAL,
                            bytes != NULL ? hc_py_bytes_text(bytes) : HC_TEXT("out of memory"));
    }
    PyErr_Clear();
}

/* The list for execute(): of the requests whose inputs can be had. The others are answered, and
 * leave the batch. New reference. */
static PyObject *make_requests(struct batch *batch) {
    Py_ssize_t n_all = (Py_ssize_t)batch->n_requests;
    hc_auto(py) list = PyList_New(n_all);
    char *memory = hc_end_request_memory(batch->executor->end, 0);
    size_t n = 0;
    for (size_t i = 0; list != NULL && i < batch->n_requests; i++) {
        PyObject *request = hc_py_request_from_message(batch->senders[i], memory);
        if (request == NULL) {
            hc_sender_of(batch->senders[i])->message->start_ns = hc_clock_ns();
            fail_request(batch, i);
            Py_CLEAR(batch->senders[i]);
            continue;
        }
        PyList_SetItem(list, (Py_ssize_t)n, request);
        batch->senders[n++] = batch->senders[i];
    }
    batch->n_requests = list == NULL ? batch->n_requests : n;
    bool whole = list == NULL || (Py_ssize_t)n == n_all ||
                 PyList_SetSlice(list, (Py_ssize_t)n, n_all, NULL) == 0;
    return whole ? hc_take(list) : NULL;
}

/* ---- Calling the model ---- */

/* A coroutine of a decoupled model has ended: if it has raised, nobody can be told but the log. */
static void on_stream_done(void *user, PyObject *result) {
    (void)user;
    if (result == NULL) {
        hc_py_log_exception("execute failed");
    }
}

static void finish(struct batch *batch, PyObject *result);

static void on_batch_done(void *user, PyObject *result) {
    finish(user, result);
}

/*
 * What RESULT, taken over, comes to: a coroutine's result, or itself. New reference. *LEFT: the
 * batch is the coroutine's now.
 */
static PyObject *complete(struct batch *batch, PyObject *result, bool *left) {
    hc_auto(py) owned = result;
    if (owned == NULL || !hc_coroutine_is(owned)) {
        return hc_take(owned);
    }
    if (!batch->executor->decoupled && !hc_calls_mark_context(batch->handle)) {
        return NULL;
    }
    if (!batch->executor->decoupled && !batch->executor->overlaps) {
        return hc_coroutine_run(owned);
    }
    bool overlaps = !batch->executor->decoupled;
    if (!hc_coroutine_start(owned, overlaps ? on_batch_done : on_stream_done, batch)) {
        return NULL;
    }
    *left = overlaps;
    Py_RETURN_NONE;
}

/* What execute() returns, or its coroutine if it is not *LEFT to itself. New reference. */
static PyObject *call_model(struct batch *batch, PyObject *requests, bool *left) {
    if (batch->n_requests == 0) {
        Py_RETURN_NONE; /* all are answered */
    }
    hc_auto(py) function = PyObject_GetAttrString(batch->executor->model, "execute");
    if (function == NULL) {
        PyErr_Clear();
        return hc_py_raise("Python model %s does not implement `execute` method.",
                           batch->executor->path);
    }
    PyObject *before = hc_shared_arrays_enter();
    if (before == NULL) {
        return NULL;
    }
    hc_calls_enter(batch->link, batch->handle);
    PyObject *result =
        complete(batch, PyObject_CallFunctionObjArgs(function, requests, NULL), left);
    hc_calls_leave();
    hc_shared_arrays_leave(before);
    return result;
}

/* ---- What it returns ---- */

/* What is wrong with RESPONSE in the list that execute returned: new reference, or NULL if nothing.
 */
static PyObject *find_fault(PyObject *response, const struct hc_sender_object *sender) {
    if (sender->rescheduled && response != Py_None) {
        return PyUnicode_FromFormat("Expected a None object in the execute function return list "
                                    "for reschduled request, found type '%R'.",
                                    Py_TYPE(response));
    }
    if (response != Py_None && !hc_py_is_response(response)) {
        return PyUnicode_FromFormat("Expected an 'InferenceResponse' object in the execute "
                                    "function return list, found type '%R'.",
                                    Py_TYPE(response));
    }
    return NULL;
}

/* What is wrong with what execute returned for the batch: new reference, or NULL if nothing. */
static PyObject *find_result_fault(const struct batch *batch, PyObject *result) {
    if (batch->executor->decoupled) {
        return PyUnicode_FromFormat("Python model '%s' is using the decoupled mode and the execute "
                                    "function must return None.",
                                    batch->executor->instance_name);
    }
    if (!PyList_CheckExact(result)) {
        return PyUnicode_FromFormat("Expected a list in the execute return, found type '%R'.",
                                    Py_TYPE(result));
    }
    Py_ssize_t n = PyList_Size(result);
    if ((size_t)n != batch->n_requests) {
        return PyUnicode_FromFormat("Number of InferenceResponse objects do not match the number "
                                    "of InferenceRequest objects. InferenceRequest(s) size is:%zu, "
                                    "and InferenceResponse(s) size is:%zd\n",
                                    batch->n_requests, n);
    }
    PyObject *fault = NULL;
    for (Py_ssize_t i = 0; i < n && fault == NULL; i++) {
        fault = find_fault(PyList_GetItem(result, i), hc_sender_of(batch->senders[i]));
    }
    return fault;
}

/* Take response I out of RESULT and send it. False with an exception set. */
static bool send_response(const struct batch *batch, PyObject *result, size_t i, bool owned) {
    hc_auto(py) response = PyList_GetItem(result, (Py_ssize_t)i);
    Py_INCREF(response);
    if (response == Py_None) {
        return true;
    }
    Py_INCREF(Py_None);
    PyList_SetItem(result, (Py_ssize_t)i, Py_None);
    return hc_py_sender_send(hc_sender_of(batch->senders[i]), response, true,
                             owned && Py_REFCNT(response) == 1);
}

static void send_responses(const struct batch *batch, PyObject *result) {
    bool owned = Py_REFCNT(result) == 1;
    for (size_t i = 0; i < batch->n_requests; i++) {
        if (!send_response(batch, result, i, owned)) {
            fail_request(batch, i);
        }
    }
}

/* Hand back what the model wants to see again. */
static void send_reschedules(const struct batch *batch) {
    for (size_t i = 0; i < batch->n_requests; i++) {
        struct hc_sender_object *sender = hc_sender_of(batch->senders[i]);
        if (sender->rescheduled && !sender->closed) {
            sender->closed = true;
            hc_reply_send_reschedule(sender->message);
        }
    }
}

/* Answer what RESULT, NULL for the pending exception, says of the requests. */
static void answer(const struct batch *batch, PyObject *result) {
    if (result == NULL) {
        hc_py_log_exception("execute failed");
        fail_with_exception(batch);
        return;
    }
    hc_auto(py) fault = result == Py_None ? NULL : find_result_fault(batch, result);
    if (fault != NULL) {
        fail_batch(batch, fault);
        return;
    }
    if (result != Py_None) {
        send_responses(batch, result);
    }
    send_reschedules(batch);
}

/* The end of the batch, which has come to RESULT, borrowed. */
static void finish(struct batch *batch, PyObject *result) {
    batch->end_ns = hc_clock_ns();
    hc_reply_set_end(batch->end_ns);
    answer(batch, result);
    for (size_t i = 0; i < batch->n_requests; i++) {
        Py_CLEAR(batch->senders[i]); /* answers what nobody will */
    }
    hc_reply_set_end(0);
    report_executed(batch);
    free(batch->senders);
    free(batch);
}

static void note_start(struct batch *batch) {
    batch->start_ns = hc_clock_ns();
    for (size_t i = 0; i < batch->n_requests; i++) {
        hc_sender_of(batch->senders[i])->message->start_ns = batch->start_ns;
    }
}

static void run(struct batch *batch) {
    bool left = false;
    hc_auto(py) requests = make_requests(batch);
    note_start(batch);
    hc_auto(py) result = requests == NULL ? NULL : call_model(batch, requests, &left);
    if (!left) {
        /* The requests go first, so that an output that is an input may leave without a copy. */
        Py_CLEAR(requests);
        finish(batch, result);
    }
}

/* ---- The batch ---- */

static PyObject *pin_message(struct hc_end *end, const struct hc_message_request *message) {
    const struct hc_pinned what = {
        .loop = message->loop,
        .block = message->block.block,
        .generation = message->block.generation,
        .n_tensors = message->n_inputs,
        .tensors = (const void *)((const char *)message + message->inputs_offset),
    };
    return hc_pin_new(end, &what);
}

/* A sender for each message of the chain. */
static bool make_senders(struct batch *batch) {
    struct hc_end *end = batch->executor->end;
    bool copies_inputs = hc_pin_total() > HC_PINNED_ENOUGH;
    uint64_t offset = batch->first;
    for (size_t i = 0; i < batch->n_requests; i++) {
        struct hc_message_request *message = (void *)hc_end_request_memory(end, offset);
        offset = message->next;
        hc_auto(py) pin = pin_message(end, message);
        batch->senders[i] =
            pin == NULL ? NULL : hc_py_sender_new(message, pin, batch->executor->decoupled);
        if (batch->senders[i] == NULL) {
            return false;
        }
        hc_sender_of(batch->senders[i])->copies_inputs = copies_inputs;
    }
    return true;
}

void hc_execute(const struct hc_executor *executor, const struct hc_entry *entry, uint32_t link) {
    size_t n_requests = claim((void *)hc_end_request_memory(executor->end, entry->offset));
    if (n_requests == 0) {
        skip(executor, entry, link);
        return;
    }
    struct batch *batch = hc_new(struct batch);
    *batch = (struct batch){
        .executor = executor,
        .handle = entry->handle,
        .link = link,
        .first = entry->offset,
        .n_requests = n_requests,
        .senders = hc_alloc_array(n_requests, sizeof *batch->senders),
    };
    if (!make_senders(batch)) {
        abort(); /* no memory for a few words: the server heals it */
    }
    run(batch);
}
