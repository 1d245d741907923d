/*
 * The extension module _hippocamp, whose host() is a pyhost's life: talk to the server over the
 * control socket, import the model, run executions until told to stop.
 */
#include "py.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json_escape.h"
#include "base/log.h"
#include "channel/control.h"
#include "end.h"
#include "execute.h"
#include "import_model.h"
#include "module.h"
#include "reply.h"
#include "service.h"
#include "shared_arrays.h"

#include <pthread.h>

static int control_socket = -1;
static pthread_mutex_t control_lock = PTHREAD_MUTEX_INITIALIZER;

static void send_control(uint32_t kind, struct hc_text body) {
    pthread_mutex_lock(&control_lock);
    hc_control_send(control_socket, kind, body, NULL, 0, NULL); /* failure: the server is gone */
    pthread_mutex_unlock(&control_lock);
}

static void send_log(int level, struct hc_text file, uint32_t line, struct hc_text message) {
    const struct hc_control_log head = {
        .level = (uint32_t)level, .line = line, .file_size = (uint32_t)file.size};
    hc_auto_buf body = {0};
    hc_buf_append(&body, &head, sizeof head);
    hc_buf_append_text(&body, file);
    hc_buf_append_text(&body, message);
    send_control(HC_CONTROL_LOG, hc_buf_text(&body));
}

static const struct hc_py_services services = {
    .log = send_log,
    .send = hc_reply_send,
    .abandon = hc_reply_abandon,
};

/* Tell the server why this pyhost ends: {"message": TEXT}. */
static void send_failed(struct hc_text text) {
    hc_auto_buf body = {0};
    hc_buf_append_string(&body, "{\"message\":");
    hc_json_append_string(&body, text);
    hc_buf_append_char(&body, '}');
    send_control(HC_CONTROL_FAILED, hc_buf_text(&body));
}

/* The same with the pending exception, whose traceback goes to the log under the words WHAT. */
static void send_failed_exception(const char *what) {
    if (hc_py.services != NULL) {
        hc_py_log_exception(what);
    }
    hc_auto(py) text = hc_py_take_exception();
    hc_auto(py) bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    send_failed(bytes != NULL ? hc_py_bytes_text(bytes) : HC_TEXT("out of memory"));
    PyErr_Clear();
}

/* Wait for a frame of that kind and parse its body. New reference to a dict. */
static PyObject *receive(struct hc_control_reader *reader, uint32_t kind) {
    struct hc_control_frame frame;
    int found;
    while ((found = hc_control_next(reader, HC_CONTROL_MAX_BODY, &frame)) == 0) {
        enum hc_code code;
        bool any;
        Py_BEGIN_ALLOW_THREADS;
        code = hc_control_fill(reader, control_socket, &any, NULL);
        Py_END_ALLOW_THREADS;
        if (code != HC_OK) {
            exit(1); /* the server is gone */
        }
    }
    if (found < 0 || frame.kind != kind) {
        return hc_py_raise("unexpected message %u from the server", frame.kind);
    }
    return PyObject_CallFunction(hc_py.json_loads, "s#", frame.body.data,
                                 (Py_ssize_t)frame.body.size);
}

/* DICT[KEY] as a C string that lives as long as the process. */
static const char *get_text(PyObject *dict, const char *key) {
    PyObject *value = PyDict_GetItemString(dict, key); /* borrowed */
    hc_auto(py) bytes = value == NULL ? NULL : PyUnicode_AsUTF8String(value);
    if (bytes == NULL) {
        hc_py_raise("the server did not say '%s'", key);
        return NULL;
    }
    return hc_strdup(PyBytes_AsString(bytes));
}

struct host {
    struct hc_control_reader reader;
    struct hc_executor executor;
    const char *model_name;
    PyObject *config; /* str to be completed, or None */
    const char *folder;
    const char *version;
    const char *file;
};

/* sys.argv = [''], and output that appears at once. */
static bool prepare_interpreter(void) {
    hc_auto(py) argv = Py_BuildValue("[s]", "");
    if (argv == NULL || PySys_SetObject("argv", argv) != 0) {
        return false;
    }
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(streams[i]); /* borrowed */
        hc_auto(py) method = stream == NULL ? NULL : PyObject_GetAttrString(stream, "reconfigure");
        hc_auto(py) keywords = Py_BuildValue("{s:O}", "line_buffering", Py_True);
        hc_auto(py) none = PyTuple_New(0);
        hc_auto(py) result = method == NULL ? NULL : PyObject_Call(method, none, keywords);
        PyErr_Clear();
    }
    return true;
}

static void ignore_signal(int number) {
    (void)number;
}

static void restore_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == ignore_signal) {
            signal(numbers[i], SIG_DFL);
        }
    }
}

/*
 * The server decides when this process ends, also where a supervisor signals every process of a
 * service. A handler, not SIG_IGN: programs and children that the model starts must not inherit it.
 */
static void shrug_off_signals(void) {
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pthread_atfork(NULL, NULL, restore_signals);
}

static bool open_end(struct host *host) {
    struct hc_error error;
    if (hc_end_open(host->reader.fds, host->reader.n_fds, &host->executor.end, &error) != HC_OK) {
        hc_py_raise("%s", error.message);
        return false;
    }
    host->reader.n_fds = 0;
    hc_reply_prepare(host->executor.end);
    return hc_shared_arrays_prepare(host->executor.end);
}

/* What the server wants to have served. */
static bool read_start(struct host *host) {
    hc_auto(py) start = receive(&host->reader, HC_CONTROL_START);
    if (start == NULL) {
        return false;
    }
    host->folder = get_text(start, "folder");
    host->version = host->folder == NULL ? NULL : get_text(start, "version");
    host->file = host->version == NULL ? NULL : get_text(start, "file");
    host->executor.instance_name = host->file == NULL ? NULL : get_text(start, "instance");
    if (host->executor.instance_name == NULL) {
        return false;
    }
    host->model_name = get_text(start, "model");
    host->config = PyDict_GetItemString(start, "config");
    if (host->model_name == NULL || host->config == NULL) {
        return false;
    }
    Py_INCREF(host->config);
    hc_py.model_dir = PyUnicode_FromFormat("%s/%s", host->folder, host->version);
    host->executor.path = hc_format("%s/%s/%s", host->folder, host->version, host->file);
    prctl(PR_SET_NAME, host->executor.instance_name);
    return open_end(host);
}

/* What the model's auto_complete_config makes of CONFIG (JSON text): new reference, None if
 * nothing. */
static PyObject *complete_config(const struct host *host, PyObject *type, PyObject *config) {
    if (config == Py_None || !PyObject_HasAttrString(type, "auto_complete_config")) {
        Py_RETURN_NONE;
    }
    hc_auto(py) object = PyObject_CallFunctionObjArgs(hc_py.model_config_type, config, NULL);
    hc_auto(py) completed =
        object == NULL ? NULL : PyObject_CallMethod(type, "auto_complete_config", "O", object);
    if (completed == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(completed, (PyTypeObject *)hc_py.model_config_type)) {
        return hc_py_raise("auto_complete_config function in model '%s' must return a valid "
                           "pb.ModelConfig object.",
                           host->model_name);
    }
    hc_auto(py) dict = PyObject_CallMethod(completed, "as_dict", NULL);
    return dict == NULL ? NULL : PyObject_CallFunctionObjArgs(hc_py.json_dumps, dict, NULL);
}

/* Tell the server that the model is imported, and what it makes of its config. */
static bool send_imported(PyObject *config) {
    hc_auto(py) body = Py_BuildValue("{s:O}", "config", config);
    hc_auto(py) json =
        body == NULL ? NULL : PyObject_CallFunctionObjArgs(hc_py.json_dumps, body, NULL);
    hc_auto(py) bytes = json == NULL ? NULL : PyUnicode_AsUTF8String(json);
    if (bytes == NULL) {
        return false;
    }
    send_control(HC_CONTROL_IMPORTED, hc_py_bytes_text(bytes));
    return true;
}

static bool import_model(struct host *host) {
    hc_auto(py) module = hc_import_model(host->folder, host->version, host->file);
    hc_auto(py) type = module == NULL ? NULL : PyObject_GetAttrString(module, "TritonPythonModel");
    hc_auto(py) config = type == NULL ? NULL : complete_config(host, type, host->config);
    if (config == NULL || !send_imported(config)) {
        return false;
    }
    host->executor.model = PyObject_CallFunction(type, NULL);
    return host->executor.model != NULL;
}

/* Call the model's hook NAME, if it has one, with ARGUMENT, if there is one. */
static bool call_hook(PyObject *model, const char *name, PyObject *argument) {
    if (!PyObject_HasAttrString(model, name)) {
        return true;
    }
    hc_auto(py) method = PyObject_GetAttrString(model, name);
    hc_auto(py) result =
        method == NULL ? NULL : PyObject_CallFunctionObjArgs(method, argument, NULL);
    return result != NULL;
}

static bool initialize(struct host *host) {
    hc_auto(py) body = receive(&host->reader, HC_CONTROL_INITIALIZE);
    if (body == NULL) {
        return false;
    }
    PyObject *args = PyDict_GetItemString(body, "args"); /* borrowed */
    host->executor.decoupled = PyDict_GetItemString(body, "decoupled") == Py_True;
    return args != NULL && call_hook(host->executor.model, "initialize", args);
}

/* Import and initialise; what goes wrong is told to the server. */
static bool start_model(struct host *host) {
    if (!hc_py_make_modules(&services) || !prepare_interpreter() || !read_start(host)) {
        send_failed_exception("cannot start");
        return false;
    }
    if (!import_model(host)) {
        send_failed_exception("importing the model failed");
        return false;
    }
    if (!initialize(host)) {
        send_failed_exception("initialize failed");
        return false;
    }
    send_control(HC_CONTROL_READY, HC_TEXT("{}"));
    return true;
}

/* The next entry, waiting for it without the GIL; false when a signal handler raised. */
static bool next_work(struct hc_end *end, struct hc_entry *entry, uint32_t *link) {
    while (!hc_end_next_work(end, entry, link)) {
        hc_reply_drain();
        Py_BEGIN_ALLOW_THREADS;
        hc_end_wait(end);
        Py_END_ALLOW_THREADS;
        if (PyErr_CheckSignals() != 0) {
            return false;
        }
    }
    return true;
}

static void serve(struct host *host) {
    struct hc_entry entry;
    uint32_t link;
    while (next_work(host->executor.end, &entry, &link)) {
        if (entry.kind == HC_WORK_STOP) {
            return;
        }
        hc_execute(&host->executor, &entry, link);
        hc_reply_drain();
    }
}

static void finalize(struct host *host) {
    if (PyErr_Occurred()) {
        hc_py_log_exception("a signal handler of the model failed");
        PyErr_Clear();
    }
    if (!call_hook(host->executor.model, "finalize", NULL)) {
        hc_py_log_exception("finalize failed");
        PyErr_Clear();
    }
    Py_CLEAR(host->executor.model);
}

/* MODULE.FUNCTION(), whatever comes of it. */
static void call_quietly(const char *module_name, const char *function) {
    hc_auto(py) module = PyImport_ImportModule(module_name);
    hc_auto(py) result = module == NULL ? NULL : PyObject_CallMethod(module, function, NULL);
    if (result == NULL) {
        PyErr_Print();
    }
}

/*
 * End the process as Python would, but for tearing down the interpreter, which takes long after
 * large imports and does nothing that anybody can see: threads are joined, atexit functions
 * called, output is flushed.
 */
__attribute__((noreturn)) static void leave(void) {
    call_quietly("threading", "_shutdown");
    call_quietly("atexit", "_run_exitfuncs");
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(streams[i]); /* borrowed */
        hc_auto(py) result = stream == NULL ? NULL : PyObject_CallMethod(stream, "flush", NULL);
        PyErr_Clear();
    }
    fflush(NULL);
    _exit(0);
}

static PyObject *run_host(PyObject *module, PyObject *control) {
    (void)module;
    control_socket = (int)PyLong_AsLong(control);
    if (PyErr_Occurred()) {
        return NULL;
    }
    hc_service_start(control_socket);
    shrug_off_signals();
    struct host *host = hc_new(struct host); /* lives as long as the process */
    if (!start_model(host)) {
        exit(1);
    }
    serve(host);
    finalize(host);
    leave();
}

static PyMethodDef functions[] = {
    {"host", run_host, METH_O, "host(control)\n--\n\nServe a model until the server says stop."},
    {0},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,  .m_name = "_hippocamp", .m_doc = "The inside of hippocamp-pyhost.",
    .m_methods = functions, .m_slots = slots,
};

__attribute__((visibility("default"))) PyMODINIT_FUNC PyInit__hippocamp(void);

PyMODINIT_FUNC PyInit__hippocamp(void) {
    return PyModuleDef_Init(&definition);
}
