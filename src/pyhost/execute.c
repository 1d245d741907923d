/* One execution: from the messages of a batch to the model's execute() and back to replies. */
#include "execute.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "pin.h"
#include "reply.h"
#include "request.h"
#include "response.h"
#include "shared_arrays.h"

struct batch {
    const struct hc_executor *executor;
    uint64_t handle; /* of the execution */
    uint32_t link;   /* that it came on */
    size_t n_messages;
    struct hc_message_request **messages; /* stay in place until their pins go */
    PyObject **pins;                      /* one a message */
    uint64_t start_ns;
    uint64_t end_ns;
};

/* Claim the batch: false when the server has withdrawn it. */
static bool claim(struct hc_message_request *first) {
    uint32_t expected = HC_MESSAGE_QUEUED;
    return atomic_compare_exchange_strong(&first->state, &expected, HC_MESSAGE_STARTED);
}

static void skip(const struct hc_executor *executor, const struct hc_entry *work, uint32_t link) {
    const struct hc_entry entry = {.kind = HC_REPLY_SKIPPED, .handle = work->handle};
    hc_end_reply(executor->end, link, &entry, true);
}

static void send(const struct batch *batch, size_t i, struct hc_entry *entry) {
    entry->flags |= HC_REPLY_FINAL;
    entry->start_ns = batch->start_ns;
    entry->end_ns = batch->end_ns;
    hc_end_reply(batch->executor->end, batch->messages[i]->loop, entry, true);
}

/* Answer request I with an error; TEXT is bytes in UTF-8. */
static void send_error(const struct batch *batch, size_t i, struct hc_text text) {
    struct hc_entry entry;
    if (!hc_reply_build_error(batch->executor->end, batch->messages[i], HC_INTERNAL, text,
                              &entry)) {
        entry = (struct hc_entry){.kind = HC_REPLY_RESPONSE, .handle = batch->messages[i]->handle};
    }
    send(batch, i, &entry);
}

/* Fail every request of the batch with Triton's words around TEXT (str). */
static void fail_batch(const struct batch *batch, PyObject *text) {
    hc_auto(py) message =
        PyUnicode_FromFormat("Failed to process the request(s) for model '%s', message: %U",
                             batch->executor->instance_name, text);
    hc_auto(py) bytes =
        message == NULL ? NULL : PyUnicode_AsEncodedString(message, "utf-8", "replace");
    struct hc_text error = HC_TEXT("Failed to process the request(s)");
    if (bytes != NULL) {
        error = hc_py_bytes_text(bytes);
    }
    PyErr_Clear();
    for (size_t i = 0; i < batch->n_messages; i++) {
        send_error(batch, i, error);
    }
}

/* Fail the batch with the pending exception, whose traceback goes to the log. */
static void fail_with_exception(const struct batch *batch) {
    hc_py_log_exception("execute failed");
    hc_auto(py) text = hc_py_take_exception();
    fail_batch(batch, text);
}

/* The list for execute(). New reference. */
static PyObject *make_requests(struct batch *batch) {
    hc_auto(py) list = PyList_New((Py_ssize_t)batch->n_messages);
    char *memory = hc_end_request_memory(batch->executor->end, 0);
    for (size_t i = 0; list != NULL && i < batch->n_messages; i++) {
        PyObject *request = hc_py_request_from_message(batch->messages[i], memory, batch->pins[i]);
        if (request == NULL || PyList_SetItem(list, (Py_ssize_t)i, request) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

/* What execute() returns. New reference. */
static PyObject *call_model(struct batch *batch, PyObject *requests) {
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
    PyObject *result = PyObject_CallFunctionObjArgs(function, requests, NULL);
    hc_shared_arrays_leave(before);
    return result;
}

/* RESULT is what execute may return for the batch; otherwise an exception is set. */
static bool check_result(const struct batch *batch, PyObject *result) {
    if (!PyList_CheckExact(result)) {
        hc_py_raise("Expected a list in the execute return, found type '%R'.", Py_TYPE(result));
        return false;
    }
    Py_ssize_t n = PyList_Size(result);
    if ((size_t)n != batch->n_messages) {
        hc_py_raise("Number of InferenceResponse objects do not match the number of "
                    "InferenceRequest objects. InferenceRequest(s) size is:%zu, and "
                    "InferenceResponse(s) size is:%zd\n",
                    batch->n_messages, n);
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *response = PyList_GetItem(result, i);
        if (response != Py_None && !hc_py_is_response(response)) {
            hc_py_raise("Expected an 'InferenceResponse' object in the execute function return "
                        "list, found type '%R'.",
                        Py_TYPE(response));
            return false;
        }
    }
    return true;
}

/* Take response I out of RESULT and send it. */
static void send_response(const struct batch *batch, PyObject *result, size_t i, bool owned) {
    hc_auto(py) response = PyList_GetItem(result, (Py_ssize_t)i);
    Py_INCREF(response);
    Py_INCREF(Py_None);
    PyList_SetItem(result, (Py_ssize_t)i, Py_None);
    struct hc_entry entry;
    if (response == Py_None) {
        send_error(batch, i, HC_TEXT("the model's execute returned no response for this request"));
    } else if (hc_reply_build(batch->executor->end, batch->messages[i], response, owned, &entry)) {
        send(batch, i, &entry);
    } else {
        hc_auto(py) text = hc_py_take_exception();
        hc_auto(py) bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
        send_error(batch, i, bytes != NULL ? hc_py_bytes_text(bytes) : HC_TEXT("out of memory"));
        PyErr_Clear();
    }
}

/*
 * Let go of the batch's own references to the inputs, so that an output that is an input, and that
 * the model has not kept, can leave without a copy.
 */
static void drop_pins(struct batch *batch) {
    for (size_t i = 0; i < batch->n_messages; i++) {
        Py_CLEAR(batch->pins[i]);
    }
}

static void send_responses(struct batch *batch, PyObject *result) {
    bool owned = Py_REFCNT(result) == 1;
    for (size_t i = 0; i < batch->n_messages; i++) {
        send_response(batch, result, i, owned);
    }
}

static void run(struct batch *batch) {
    hc_auto(py) requests = make_requests(batch);
    batch->start_ns = hc_clock_ns();
    hc_auto(py) result = requests == NULL ? NULL : call_model(batch, requests);
    batch->end_ns = hc_clock_ns();
    Py_CLEAR(requests);
    if (result == NULL) {
        fail_with_exception(batch);
    } else if (!check_result(batch, result)) {
        hc_auto(py) text = hc_py_take_exception();
        fail_batch(batch, text);
    } else {
        send_responses(batch, result);
    }
}

static bool collect(struct batch *batch, uint64_t offset) {
    struct hc_end *end = batch->executor->end;
    for (size_t i = 0; i < batch->n_messages; i++) {
        batch->messages[i] = (void *)hc_end_request_memory(end, offset);
        batch->pins[i] = hc_pin_new(end, batch->messages[i]);
        if (batch->pins[i] == NULL) {
            return false;
        }
        offset = batch->messages[i]->next;
    }
    return true;
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

void hc_execute(const struct hc_executor *executor, const struct hc_entry *entry, uint32_t link) {
    if (!claim((void *)hc_end_request_memory(executor->end, entry->offset))) {
        skip(executor, entry, link);
        return;
    }
    size_t n = entry->number;
    struct batch batch = {
        .executor = executor,
        .handle = entry->handle,
        .link = link,
        .n_messages = n,
        .messages = hc_alloc_array(n, sizeof *batch.messages),
        .pins = hc_alloc_array(n, sizeof *batch.pins),
    };
    if (!collect(&batch, entry->offset)) {
        abort(); /* no memory for a few words: the server heals it */
    }
    run(&batch);
    drop_pins(&batch);
    report_executed(&batch);
    free(batch.messages);
    free(batch.pins);
}
