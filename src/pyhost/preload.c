/* What a preload has left behind, as /proc tells it. */
#include "preload.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "py.h"
#include "service.h"

/* ---- GPUs ---- */

static bool has_gpu_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return false;
    }
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(folder)) != NULL;) {
        char target[64];
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (size > 0) {
            target[size] = '\0';
            found = strncmp(target, "/dev/nvidia", strlen("/dev/nvidia")) == 0;
        }
    }
    closedir(folder);
    return found;
}

/* ---- Threads ---- */

struct mapping {
    uintptr_t start;
    uintptr_t end;
    bool is_openblas; /* memory that its file is mapped to */
};

struct mappings {
    struct mapping *items;
    size_t n;
};

static void read_mappings(struct mappings *mappings) {
    FILE *file = fopen("/proc/self/maps", "re");
    if (file == NULL) {
        return;
    }
    char line[4096];
    while (fgets(line, sizeof line, file) != NULL) {
        char *rest; /* "START-END …", in hexadecimal */
        struct mapping mapping = {.start = strtoull(line, &rest, 16)};
        if (*rest == '-') {
            mapping.end = strtoull(rest + 1, NULL, 16);
            mapping.is_openblas = strstr(line, "openblas") != NULL;
            mappings->items =
                hc_realloc(mappings->items, (mappings->n + 1) * sizeof *mappings->items);
            mappings->items[mappings->n++] = mapping;
        }
    }
    fclose(file);
}

static const struct mapping *find_mapping(const struct mappings *mappings, uintptr_t address) {
    for (size_t i = 0; i < mappings->n; i++) {
        if (address >= mappings->items[i].start && address < mappings->items[i].end) {
            return &mappings->items[i];
        }
    }
    return NULL;
}

/* Where the stack of a thread that waits in a system call ends; 0: it does not wait. */
static uintptr_t stack_of(const char *thread) {
    hc_auto(text) path = hc_format("/proc/self/task/%s/syscall", thread);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    char line[256] = "";
    if (fgets(line, sizeof line, file) == NULL) {
        line[0] = '\0';
    }
    fclose(file);
    /* "NUMBER, six arguments, STACK POINTER, PROGRAM COUNTER", or one word */
    const char *word = line;
    for (int i = 0; i < 7 && word != NULL; i++) {
        word = strchr(word, ' ');
        word += word != NULL ? 1 : 0;
    }
    return word != NULL ? strtoull(word, NULL, 0) : 0;
}

/*
 * Whether a thread is one of OpenBLAS: then addresses of its code are on the thread's stack, from
 * the function that it began with on.
 */
static bool is_of_openblas(const struct mappings *mappings, const char *thread) {
    uintptr_t stack = stack_of(thread);
    const struct mapping *memory = stack != 0 ? find_mapping(mappings, stack) : NULL;
    if (memory == NULL) {
        return false;
    }
    for (uintptr_t place = stack & ~(sizeof place - 1); place < memory->end;
         place += sizeof place) {
        const struct mapping *target = find_mapping(mappings, *(const uintptr_t *)place);
        if (target != NULL && target->is_openblas) {
            return true;
        }
    }
    return false;
}

/* The number of threads that would be missing in a child. */
static size_t count_threads(void) {
    struct mappings mappings = {0};
    read_mappings(&mappings);
    size_t n = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        long id = strtol(entry->d_name, NULL, 10);
        if (id > 0 && id != getpid() && id != hc_service_thread() &&
            !is_of_openblas(&mappings, entry->d_name)) {
            n++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    free(mappings.items);
    return n;
}

/* The same when all had the time to fall asleep: OpenBLAS's spin for a while when they are done. */
static size_t count_settled_threads(void) {
    enum { N_LOOKS = 100, PAUSE_US = 20 * 1000 };
    size_t n = count_threads();
    for (int i = 0; n > 0 && i < N_LOOKS; i++) {
        Py_BEGIN_ALLOW_THREADS;
        usleep(PAUSE_US);
        Py_END_ALLOW_THREADS;
        n = count_threads();
    }
    return n;
}

/* The names of Python's threads but the main one, for the message: new reference to a str. */
static PyObject *python_threads(void) {
    hc_auto(py) threading = PyImport_ImportModule("threading");
    hc_auto(py) threads =
        threading == NULL ? NULL : PyObject_CallMethod(threading, "enumerate", NULL);
    hc_auto(py) names = PyList_New(0);
    for (Py_ssize_t i = 1; threads != NULL && names != NULL && i < PyList_Size(threads); i++) {
        hc_auto(py) name = PyObject_GetAttrString(PyList_GetItem(threads, i), "name");
        if (name == NULL || PyList_Append(names, name) != 0) {
            return NULL;
        }
    }
    hc_auto(py) separator = PyUnicode_FromString(", ");
    return names == NULL || PyList_Size(names) == 0 ? PyUnicode_FromString("none of them Python's")
                                                    : PyUnicode_Join(separator, names);
}

bool hc_preload_check(void) {
    if (has_gpu_open()) {
        hc_py_raise("preload must not use a GPU: what it has there cannot be shared with the "
                    "instances. Do that in initialize.");
        return false;
    }
    size_t n_threads = count_settled_threads();
    if (n_threads == 0) {
        return true;
    }
    hc_auto(py) names = python_threads();
    if (names != NULL) {
        hc_py_raise("preload left %zu threads running (%U), which the instances would not have. "
                    "End them, or start them in initialize.",
                    n_threads, names);
    }
    return false;
}
