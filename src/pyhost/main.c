/*
 * hippocamp-pyhost: the process that runs one instance of a Python model.
 *
 *     hippocamp-pyhost PYTHON MODULE CONTROL
 *
 * PYTHON is an interpreter (a path, or a name on PATH), MODULE the extension module that does all
 * the work, CONTROL the descriptor of the control socket. This launcher holds no Python code and
 * links no libpython: it finds the interpreter's, opens it, and starts it as that interpreter. An
 * interpreter without a shared libpython is executed instead; the module does not notice.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_escape.h"
#include "channel/control.h"
#include "interpreter.h"

/* Loads MODULE from its path under the name it has, then hands over to it. */
static const char boot[] =
    "import sys\n"
    "if sys.path[:1] == ['']: del sys.path[0]\n"
    "from importlib.machinery import ExtensionFileLoader, ModuleSpec\n"
    "def boot(path, control):\n"
    "    loader = ExtensionFileLoader('_hippocamp', path)\n"
    "    module = loader.create_module(ModuleSpec('_hippocamp', loader, origin=path))\n"
    "    loader.exec_module(module)\n"
    "    sys.modules['_hippocamp'] = module\n"
    "    module.host(control)\n"
    "boot(sys.argv[1], int(sys.argv[2]))\n";

static int control = -1;

/* Tell the server, which tells the user. */
static int fail(const char *what, const char *why) {
    hc_auto_buf reason = {0};
    hc_auto_buf body = {0};
    hc_buf_appendf(&reason, "%s: %s", what, why);
    hc_buf_append_string(&body, "{\"message\":");
    hc_json_append_string(&body, hc_buf_text(&reason));
    hc_buf_append_char(&body, '}');
    if (control < 0 ||
        hc_control_send(control, HC_CONTROL_FAILED, hc_buf_text(&body), NULL, 0, NULL) != HC_OK) {
        fprintf(stderr, "hippocamp-pyhost: %s\n", hc_buf_string(&reason));
    }
    return 1;
}

/* Become the interpreter within this process; returns only when it ends. */
static int run_library(const char *libpython, char **argv) {
    void *library = dlopen(libpython, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        return fail(libpython, dlerror());
    }
    int (*py_bytes_main)(int, char **) = (int (*)(int, char **))dlsym(library, "Py_BytesMain");
    if (py_bytes_main == NULL) {
        return fail(libpython, "no Py_BytesMain: Python 3.9 or later is needed");
    }
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    return py_bytes_main(argc, argv);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        return fail("usage", "hippocamp-pyhost PYTHON MODULE CONTROL");
    }
    control = (int)strtol(argv[3], NULL, 10);
    struct hc_interpreter interpreter = {0};
    struct hc_error error;
    if (hc_interpreter_find(argv[1], &interpreter, &error) != HC_OK) {
        return fail("cannot start a Python interpreter", error.message);
    }
    char *python_argv[] = {
        interpreter.executable, (char *)"-c", (char *)boot, argv[2], argv[3], NULL};
    if (interpreter.libpython != NULL) {
        return run_library(interpreter.libpython, python_argv);
    }
    execv(interpreter.executable, python_argv);
    return fail(interpreter.executable, strerror(errno));
}
