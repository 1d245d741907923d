/* Talking to the server. */
#include "talk.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/json_escape.h"

static int control_socket = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hc_control_reader reader;

/* Another thread may have held it at the time of the fork. */
static void unlock_in_child(void) {
    pthread_mutex_init(&lock, NULL);
}

void hc_talk_begin(int control) {
    static bool prepared;
    if (!prepared) {
        prepared = true;
        pthread_atfork(NULL, NULL, unlock_in_child);
    }
    hc_fd_close(control_socket);
    hc_control_reader_finish(&reader);
    reader = (struct hc_control_reader){0};
    pthread_mutex_init(&lock, NULL); /* a child has no other threads yet */
    control_socket = control;
}

void hc_talk_send(uint32_t kind, struct hc_text body, const int *fds, size_t n_fds) {
    pthread_mutex_lock(&lock);
    hc_control_send(control_socket, kind, body, fds, n_fds, NULL); /* else the server is gone */
    pthread_mutex_unlock(&lock);
}

void hc_talk_log(int level, struct hc_text file, uint32_t line, struct hc_text message) {
    const struct hc_control_log head = {
        .level = (uint32_t)level, .line = line, .file_size = (uint32_t)file.size};
    hc_auto_buf body = {0};
    hc_buf_append(&body, &head, sizeof head);
    hc_buf_append_text(&body, file);
    hc_buf_append_text(&body, message);
    hc_talk_send(HC_CONTROL_LOG, hc_buf_text(&body), NULL, 0);
}

void hc_talk_fail(struct hc_text why) {
    hc_auto_buf body = {0};
    hc_buf_append_string(&body, "{\"message\":");
    hc_json_append_string(&body, why);
    hc_buf_append_char(&body, '}');
    hc_talk_send(HC_CONTROL_FAILED, hc_buf_text(&body), NULL, 0);
}

void hc_talk_fail_exception(const char *what) {
    if (hc_py.services != NULL) {
        hc_py_log_exception(what);
    }
    hc_auto(py) text = hc_py_take_exception();
    hc_auto(py) bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    hc_talk_fail(bytes != NULL ? hc_py_bytes_text(bytes) : HC_TEXT("out of memory"));
    PyErr_Clear();
}

struct hc_control_frame hc_talk_receive(void) {
    struct hc_control_frame frame;
    int found;
    while ((found = hc_control_next(&reader, HC_CONTROL_MAX_BODY, &frame)) == 0) {
        enum hc_code code;
        bool any;
        Py_BEGIN_ALLOW_THREADS;
        code = hc_control_fill(&reader, control_socket, &any, NULL);
        Py_END_ALLOW_THREADS;
        if (code != HC_OK) {
            _exit(1); /* the server is gone */
        }
    }
    if (found < 0) {
        _exit(1);
    }
    return frame;
}

PyObject *hc_talk_json(const struct hc_control_frame *frame) {
    return PyObject_CallFunction(hc_py.json_loads, "s#", frame->body.data,
                                 (Py_ssize_t)frame->body.size);
}

PyObject *hc_talk_receive_json(uint32_t kind) {
    struct hc_control_frame frame = hc_talk_receive();
    if (frame.kind != kind) {
        return hc_py_raise("unexpected message %u from the server", frame.kind);
    }
    return hc_talk_json(&frame);
}

size_t hc_talk_take_fds(int *fds) {
    size_t n = reader.n_fds;
    memcpy(fds, reader.fds, n * sizeof *fds);
    reader.n_fds = 0;
    return n;
}
