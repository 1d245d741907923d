/* Forking on demand. */
#include "zygote.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service.h"
#include "signals.h"
#include "talk.h"

/* Call MODULE.FUNCTION() if that module is loaded; what goes wrong does not matter. */
static void call_if_loaded(const char *module_name, const char *function) {
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), module_name); /* borrowed */
    hc_auto(py) result = module == NULL ? NULL : PyObject_CallMethod(module, function, NULL);
    PyErr_Clear();
}

/*
 * Nothing that is here now is garbage that a collection would find, and looking for it would write
 * to pages that are shared.
 */
static void settle_memory(void) {
    hc_auto(py) gc = PyImport_ImportModule("gc");
    PyErr_Clear();
    call_if_loaded("gc", "collect");
    call_if_loaded("gc", "freeze");
    malloc_trim(0);
}

/* What is still in a buffer would be written by every child. */
static void flush(void) {
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(streams[i]); /* borrowed */
        hc_auto(py) result = stream == NULL ? NULL : PyObject_CallMethod(stream, "flush", NULL);
        PyErr_Clear();
    }
    fflush(NULL);
}

/* Python's own generator does this by itself. */
static void seed(void) {
    call_if_loaded("numpy.random", "seed");
    call_if_loaded("torch", "seed");
}

static void send_child(uint32_t kind, const struct hc_control_child *child, int pid_fd) {
    hc_talk_send(kind, (struct hc_text){(const char *)child, sizeof *child}, &pid_fd,
                 pid_fd >= 0 ? 1 : 0);
}

enum { N_CHILD_FDS = 3 }; /* control socket, standard output and error */

static void begin_child(const int *fds) {
    setpgid(0, 0);
    dup2(fds[1], STDOUT_FILENO);
    dup2(fds[2], STDERR_FILENO);
    close(fds[1]);
    close(fds[2]);
    hc_talk_begin(fds[0]);
    hc_service_start(fds[0]);
    hc_signals_shrug_off();
    seed();
}

/* True in the child. */
static bool fork_child(void) {
    int fds[HC_CONTROL_MAX_FDS];
    if (hc_talk_take_fds(fds) != N_CHILD_FDS) {
        _exit(1); /* the server does not do that */
    }
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        PyOS_AfterFork_Child();
        begin_child(fds);
        return true;
    }
    PyOS_AfterFork_Parent();
    for (size_t i = 0; i < N_CHILD_FDS; i++) {
        close(fds[i]);
    }
    if (pid > 0) {
        setpgid(pid, pid); /* whoever is first */
    }
    const struct hc_control_child child = {.pid = pid};
    hc_auto(fd) pid_fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    send_child(HC_CONTROL_FORKED, &child, pid_fd);
    return false;
}

static void reap(const struct hc_control_frame *frame) {
    struct hc_control_child child = {0};
    if (frame->body.size != sizeof child) {
        _exit(1);
    }
    memcpy(&child, frame->body.data, sizeof child);
    while (waitpid(child.pid, &child.status, 0) < 0 && errno == EINTR) {
    }
    send_child(HC_CONTROL_REAPED, &child, -1);
}

void hc_zygote_run(void) {
    flush();
    settle_memory();
    for (;;) {
        struct hc_control_frame frame = hc_talk_receive();
        if (frame.kind == HC_CONTROL_REAP) {
            reap(&frame);
        } else if (frame.kind == HC_CONTROL_FORK && fork_child()) {
            return;
        }
    }
}
