/*
 * Streams, which do nothing until somebody waits or asks for them, as a GPU may; and what is
 * recorded of them. The stream without a name takes the copies that need not be done when their
 * calls return: those from memory that is not pinned, and those within a GPU.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

enum { NON_BLOCKING = 1 };

struct operation {
    bool is_launch;
    union {
        struct launch launch;
        struct {
            void *to;
            const void *from;
            size_t size;
            void *staged; /* what FROM is in, if it goes with the copy; else NULL */
        } copy;
    };
};

struct graph {
    struct operation *operations;
    size_t n;
};

struct stream {
    struct graph to_do;
    size_t n_done;           /* of that */
    struct graph *recording; /* NULL: what comes is to be done */
    bool waits_for_unnamed;
    int failed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the stream without a name */
static struct stream unnamed;
static _Thread_local unsigned n_recordings;

bool fake_is_recording(void) {
    return n_recordings > 0;
}

static int run(const struct operation *operation) {
    if (operation->is_launch) {
        return fake_run_kernel(&operation->launch);
    }
    memcpy(operation->copy.to, operation->copy.from, operation->copy.size);
    free(operation->copy.staged);
    return SUCCESS;
}

static void append(struct graph *graph, const struct operation *operation) {
    graph->operations = realloc(graph->operations, (graph->n + 1) * sizeof *graph->operations);
    graph->operations[graph->n++] = *operation;
}

/* The next operation; false: there is none. After a failure nothing runs any more. */
static bool run_next(struct stream *stream) {
    if (stream->n_done == stream->to_do.n) {
        stream->to_do.n = 0;
        stream->n_done = 0;
        return false;
    }
    const struct operation *operation = &stream->to_do.operations[stream->n_done++];
    if (stream->failed == SUCCESS) {
        stream->failed = run(operation);
    }
    return true;
}

static int run_all(struct stream *stream) {
    while (run_next(stream)) {
    }
    return stream->failed;
}

int fake_finish_unnamed(void) {
    pthread_mutex_lock(&lock);
    int result = run_all(&unnamed);
    pthread_mutex_unlock(&lock);
    return result;
}

static int add(struct stream *stream, const struct operation *operation) {
    if (stream->recording == NULL && stream->waits_for_unnamed) {
        fake_finish_unnamed();
    }
    append(stream->recording != NULL ? stream->recording : &stream->to_do, operation);
    return SUCCESS;
}

static int add_copy(struct stream *stream, void *to, const void *from, size_t size) {
    return add(stream, &(struct operation){.copy = {to, from, size, NULL}});
}

int fake_add_launch(struct stream *stream, const struct launch *launch) {
    return add(stream, &(struct operation){.is_launch = true, .launch = *launch});
}

/* ---- Copies ---- */

/* Whether a copy that is not part of a stream may be made now. */
static int check_copy(const char *what) {
    int result = fake_is_recording() ? CAPTURE_UNSUPPORTED : fake_check_context();
    if (result == SUCCESS) {
        fake_record(what);
    }
    return result;
}

static void add_to_unnamed(const struct operation *operation) {
    pthread_mutex_lock(&lock);
    append(&unnamed.to_do, operation);
    pthread_mutex_unlock(&lock);
}

EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size) {
    int result = check_copy("in");
    if (result != SUCCESS) {
        return result;
    }
    void *staged = malloc(size);
    memcpy(staged, from, size);
    add_to_unnamed(&(struct operation){.copy = {(void *)to, staged, size, staged}});
    return SUCCESS;
}

EXPORT int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t size) {
    int result = check_copy("within");
    if (result == SUCCESS) {
        add_to_unnamed(&(struct operation){.copy = {(void *)to, (const void *)from, size, NULL}});
    }
    return result;
}

EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size) {
    int result = check_copy("out");
    if (result != SUCCESS) {
        return result;
    }
    fake_finish_unnamed();
    memcpy(to, (const void *)from, size);
    return SUCCESS;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size, struct stream *stream) {
    return add_copy(stream, (void *)to, from, size);
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, struct stream *stream) {
    return add_copy(stream, to, (const void *)from, size);
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size, struct stream *stream) {
    return add_copy(stream, (void *)to, (const void *)from, size);
}

/* ---- Streams ---- */

EXPORT int cuStreamCreate(struct stream **stream, unsigned flags) {
    *stream = calloc(1, sizeof **stream);
    (*stream)->waits_for_unnamed = (flags & NON_BLOCKING) == 0;
    return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(struct stream *stream) {
    run_all(stream);
    free(stream->to_do.operations);
    free(stream);
    return SUCCESS;
}

EXPORT int cuStreamQuery(struct stream *stream) {
    if (stream->recording != NULL) {
        return CAPTURE_UNSUPPORTED;
    }
    return run_next(stream) ? NOT_READY : stream->failed;
}

EXPORT int cuStreamSynchronize(struct stream *stream) {
    int result = fake_check_context();
    if (result != SUCCESS) {
        return result;
    }
    if (stream == NULL) {
        return fake_is_recording() ? CAPTURE_UNSUPPORTED : fake_finish_unnamed();
    }
    return stream->recording != NULL ? CAPTURE_UNSUPPORTED : run_all(stream);
}

/* ---- Graphs ---- */

EXPORT int cuStreamBeginCapture_v2(struct stream *stream, int mode) {
    (void)mode;
    stream->recording = calloc(1, sizeof *stream->recording);
    n_recordings++;
    return SUCCESS;
}

EXPORT int cuStreamEndCapture(struct stream *stream, struct graph **graph) {
    *graph = stream->recording;
    stream->recording = NULL;
    n_recordings--;
    return SUCCESS;
}

EXPORT int cuGraphInstantiateWithFlags(struct graph **exec, const struct graph *graph,
                                       unsigned long long flags) {
    (void)flags;
    *exec = calloc(1, sizeof **exec);
    for (size_t i = 0; i < graph->n; i++) {
        append(*exec, &graph->operations[i]);
    }
    return SUCCESS;
}

EXPORT int cuGraphLaunch(const struct graph *exec, struct stream *stream) {
    for (size_t i = 0; i < exec->n; i++) {
        add(stream, &exec->operations[i]);
    }
    return SUCCESS;
}

EXPORT int cuGraphDestroy(struct graph *graph) {
    free(graph->operations);
    free(graph);
    return SUCCESS;
}

EXPORT int cuGraphExecDestroy(struct graph *exec) {
    return cuGraphDestroy(exec);
}
