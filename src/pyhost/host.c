/*
 * The extension module _hippocamp, whose host() is a pyhost's life: import NumPy and be forked,
 * import the model, run executions until told to stop.
 */
#include "py.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "calls.h"
#include "end.h"
#include "execute.h"
#include "families.h"
#include "guest.h"
#include "health.h"
#include "import_model.h"
#include "listen.h"
#include "module.h"
#include "pack.h"
#include "plain.h"
#include "preload.h"
#include "reply.h"
#include "service.h"
#include "shared_arrays.h"
#include "signals.h"
#include "talk.h"
#include "zygote.h"

static const struct hc_py_services services = {
    .log = hc_talk_log,
    .send = hc_reply_send,
    .abandon = hc_reply_abandon,
    .ask = hc_listen_ask,
    .call_begin = hc_call_begin,
    .call_next = hc_call_next,
    .call_watch = hc_call_watch,
    .call_cancel = hc_call_cancel,
    .call_drop = hc_call_drop,
    .family_open = hc_family_open,
    .family_metric = hc_family_metric,
    .family_close = hc_family_close,
    .free_memory = hc_shared_arrays_free_memory,
};

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
    struct hc_executor executor;
    const char *model_name;
    PyObject *config; /* str to be completed, or None */
    const char *folder;
    const char *version;
    const char *file; /* path of the model's file */
    bool of_backend;  /* which is that of its backend */
    PyObject *type;   /* the class TritonPythonModel */
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

/* What the server wants to have served. */
static bool read_start(struct host *host) {
    hc_auto(py) start = hc_talk_receive_json(HC_CONTROL_START);
    if (start == NULL) {
        return false;
    }
    host->folder = get_text(start, "folder");
    host->version = host->folder == NULL ? NULL : get_text(start, "version");
    host->file = host->version == NULL ? NULL : get_text(start, "file");
    host->model_name = host->file == NULL ? NULL : get_text(start, "model");
    const char *process = host->model_name == NULL ? NULL : get_text(start, "process");
    host->config = PyDict_GetItemString(start, "config"); /* borrowed */
    if (process == NULL || host->config == NULL) {
        return false;
    }
    Py_INCREF(host->config);
    host->of_backend = PyDict_GetItemString(start, "of_backend") == Py_True;
    hc_py.model_dir = PyUnicode_FromFormat("%s/%s", host->folder, host->version);
    host->executor.path = host->file;
    prctl(PR_SET_NAME, process);
    return hc_py.model_dir != NULL;
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

/* Tell the server that the model is imported, what it makes of its config, and what it wants. */
static bool send_imported(const struct host *host, PyObject *config) {
    int preload = PyObject_HasAttrString(host->type, "preload");
    hc_auto(py) body =
        Py_BuildValue("{s:O,s:O}", "config", config, "preload", preload ? Py_True : Py_False);
    hc_auto(py) json =
        body == NULL ? NULL : PyObject_CallFunctionObjArgs(hc_py.json_dumps, body, NULL);
    hc_auto(py) bytes = json == NULL ? NULL : PyUnicode_AsUTF8String(json);
    if (bytes == NULL) {
        return false;
    }
    hc_talk_send(HC_CONTROL_IMPORTED, hc_py_bytes_text(bytes), NULL, 0);
    return true;
}

static bool import_model(struct host *host) {
    hc_auto(py) module = host->of_backend
                             ? hc_import_backend(host->file)
                             : hc_import_model(host->folder, host->version, host->file);
    host->type = module == NULL ? NULL : PyObject_GetAttrString(module, "TritonPythonModel");
    hc_auto(py) config =
        host->type == NULL ? NULL : complete_config(host, host->type, host->config);
    return config != NULL && send_imported(host, config);
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

/* BODY["args"], borrowed. */
static PyObject *args_of(PyObject *body) {
    PyObject *args = PyDict_GetItemString(body, "args");
    return args != NULL ? args : hc_py_raise("the server did not say 'args'");
}

static bool preload(struct host *host, const struct hc_control_frame *frame) {
    hc_auto(py) body = hc_talk_json(frame);
    PyObject *args = body == NULL ? NULL : args_of(body);
    hc_auto(py) result =
        args == NULL ? NULL : PyObject_CallMethod(host->type, "preload", "O", args);
    return result != NULL && hc_preload_check();
}

static bool open_end(struct host *host) {
    struct hc_error error;
    int fds[HC_CONTROL_MAX_FDS];
    size_t n_fds = hc_talk_take_fds(fds);
    if (n_fds == 0) {
        hc_py_raise("the server sent no descriptors");
        return false;
    }
    hc_guest_prepare(fds[--n_fds]);
    if (hc_end_open(fds, n_fds, &host->executor.end, &error) != HC_OK) {
        hc_py_raise("%s", error.message);
        return false;
    }
    hc_calls_prepare(host->executor.end);
    hc_families_prepare(host->executor.end);
    hc_pack_prepare(host->executor.end);
    hc_reply_prepare(host->executor.end);
    return hc_shared_arrays_prepare(host->executor.end);
}

/* Have all memory from now on come from the NUMA node that BODY says, -1 for any. */
static bool choose_memory(PyObject *body) {
    enum { BITS = 8 * sizeof(unsigned long), MAX_NODES = 1024 };
    PyObject *number = PyDict_GetItemString(body, "numa_node"); /* borrowed */
    long node = number == NULL ? -1 : PyLong_AsLong(number);
    if (node < 0 || node >= MAX_NODES) {
        return PyErr_Occurred() == NULL;
    }
    unsigned long nodes[MAX_NODES / BITS] = {0};
    nodes[node / BITS] = 1UL << (node % BITS);
    if (syscall(SYS_set_mempolicy, MPOL_BIND, nodes, MAX_NODES) != 0) {
        hc_py_raise("memory cannot be bound to the NUMA node %ld: %s", node, strerror(errno));
        return false;
    }
    return true;
}

static bool initialize(struct host *host, const struct hc_control_frame *frame) {
    hc_auto(py) body = hc_talk_json(frame);
    PyObject *args = body == NULL ? NULL : args_of(body);
    if (args == NULL || !choose_memory(body) || !open_end(host)) {
        return false;
    }
    host->executor.decoupled = PyDict_GetItemString(body, "decoupled") == Py_True;
    host->executor.overlaps = PyDict_GetItemString(body, "overlaps") == Py_True;
    host->executor.instance_name = get_text(args, "model_instance_name");
    if (host->executor.instance_name == NULL) {
        return false;
    }
    prctl(PR_SET_NAME, host->executor.instance_name);
    hc_py.instance_name = host->executor.instance_name;
    hc_listen_allow();
    host->executor.model = PyObject_CallFunction(host->type, NULL);
    return host->executor.model != NULL && call_hook(host->executor.model, "initialize", args);
}

/* Be a template if the server says so: import, preload, and go on in every child. */
static struct hc_control_frame next_step(struct host *host) {
    struct hc_control_frame frame = hc_talk_receive();
    if (frame.kind != HC_CONTROL_PRELOAD) {
        return frame;
    }
    if (!preload(host, &frame)) {
        hc_talk_fail_exception("preload failed");
        exit(1);
    }
    hc_talk_send(HC_CONTROL_READY, HC_TEXT("{}"), NULL, 0);
    hc_zygote_run();
    return hc_talk_receive();
}

/* Import and initialise; what goes wrong is told to the server. */
static bool start_model(struct host *host) {
    if (!read_start(host)) {
        hc_talk_fail_exception("cannot start");
        return false;
    }
    if (!import_model(host)) {
        hc_talk_fail_exception("importing the model failed");
        return false;
    }
    struct hc_control_frame frame = next_step(host);
    if (frame.kind != HC_CONTROL_INITIALIZE) {
        hc_talk_fail(HC_TEXT("unexpected message from the server"));
        return false;
    }
    if (!initialize(host, &frame)) {
        hc_talk_fail_exception("initialize failed");
        return false;
    }
    bool checks = hc_health_start(host->executor.model);
    if (PyErr_Occurred()) {
        hc_talk_fail_exception("cannot start");
        return false;
    }
    hc_talk_send(HC_CONTROL_READY, checks ? HC_TEXT("{\"is_ready\":true}") : HC_TEXT("{}"), NULL,
                 0);
    return true;
}

/* The next entry, waiting for it without the GIL; false when a signal handler raised. */
static bool next_work(struct hc_end *end, struct hc_entry *entry, uint32_t *link) {
    while (!hc_end_next_work(end, entry, link)) {
        hc_calls_drain();
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
        hc_calls_drain();
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

/* A crash shows where Python was, and so does a signal of the server. */
static void prepare_dumps(void) {
    call_quietly("faulthandler", "enable");
    hc_auto(py) module = PyImport_ImportModule("faulthandler");
    hc_auto(py) result = module == NULL
                             ? NULL
                             : PyObject_CallMethod(module, "register", "i", HC_CONTROL_DUMP_SIGNAL);
    PyErr_Clear();
}

/* Import what every model needs, and wait to be forked; returns in each child. */
static void be_zygote(void) {
    hc_auto(py) numpy = PyImport_ImportModule("numpy");
    if (numpy == NULL) {
        hc_auto(py) why = hc_py_take_exception();
        PyObject *executable = PySys_GetObject("executable"); /* borrowed */
        hc_auto(py) text = PyUnicode_FromFormat(
            "cannot import NumPy in the Python interpreter '%S': %U. Install NumPy for it, or name "
            "another interpreter by --python, or an environment by EXECUTION_ENV_PATH.",
            executable, why);
        hc_auto(py) bytes = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
        hc_talk_fail(bytes == NULL ? HC_TEXT("out of memory") : hc_py_bytes_text(bytes));
        exit(1);
    }
    prepare_dumps();
    if (!hc_py_make_modules(&services) || !prepare_interpreter()) {
        hc_talk_fail_exception("cannot start");
        exit(1);
    }
    hc_talk_send(HC_CONTROL_READY, HC_TEXT("{}"), NULL, 0);
    hc_zygote_run();
}

static PyObject *run_host(PyObject *module, PyObject *control) {
    (void)module;
    int socket = (int)PyLong_AsLong(control);
    if (PyErr_Occurred()) {
        return NULL;
    }
    hc_talk_begin(socket);
    hc_service_start(socket);
    hc_signals_shrug_off();
    be_zygote();
    struct host *host = hc_new(struct host); /* lives as long as the process */
    if (!start_model(host)) {
        exit(1);
    }
    hc_calls_allow(true);
    serve(host);
    hc_calls_allow(false);
    finalize(host);
    leave();
}

static PyMethodDef functions[] = {
    {"host", run_host, METH_O, "host(control)\n--\n\nServe a model until the server says stop."},
    {"plain", hc_plain_prepare, METH_NOARGS,
     "plain()\n--\n\nMake the modules that models import, without a server."},
    {"set_model_dir", hc_plain_set_model_dir, METH_O,
     "set_model_dir(path)\n--\n\nWhat get_model_dir() returns."},
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
