/* Streams, which run at once what they are given, and what is recorded of them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct operation {
    bool is_launch;
    union {
        struct launch launch;
        struct {
            void *to;
            const void *from;
            size_t size;
        } copy;
    };
};

struct graph {
    struct operation *operations;
    size_t n;
};

struct stream {
    struct graph *recording; /* NULL: what comes is run */
    int failed;
};

static int run(const struct operation *operation) {
    if (operation->is_launch) {
        return fake_run_kernel(&operation->launch);
    }
    memcpy(operation->copy.to, operation->copy.from, operation->copy.size);
    return SUCCESS;
}

static int add(struct stream *stream, const struct operation *operation) {
    struct graph *graph = stream->recording;
    if (graph == NULL) {
        int result = run(operation);
        stream->failed = stream->failed != SUCCESS ? stream->failed : result;
        return SUCCESS;
    }
    graph->operations = realloc(graph->operations, (graph->n + 1) * sizeof *graph->operations);
    graph->operations[graph->n++] = *operation;
    return SUCCESS;
}

static int add_copy(struct stream *stream, void *to, const void *from, size_t size) {
    return add(stream, &(struct operation){.copy = {to, from, size}});
}

int fake_add_launch(struct stream *stream, const struct launch *launch) {
    return add(stream, &(struct operation){.is_launch = true, .launch = *launch});
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

EXPORT int cuStreamCreate(struct stream **stream, unsigned flags) {
    (void)flags;
    *stream = calloc(1, sizeof **stream);
    return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(struct stream *stream) {
    free(stream);
    return SUCCESS;
}

EXPORT int cuStreamQuery(struct stream *stream) {
    return stream->failed;
}

EXPORT int cuStreamSynchronize(struct stream *stream) {
    return stream->failed;
}

EXPORT int cuStreamBeginCapture_v2(struct stream *stream, int mode) {
    (void)mode;
    stream->recording = calloc(1, sizeof *stream->recording);
    return SUCCESS;
}

EXPORT int cuStreamEndCapture(struct stream *stream, struct graph **graph) {
    *graph = stream->recording;
    stream->recording = NULL;
    return SUCCESS;
}

EXPORT int cuGraphInstantiateWithFlags(struct graph **exec, const struct graph *graph,
                                       unsigned long long flags) {
    (void)flags;
    *exec = calloc(1, sizeof **exec);
    (*exec)->n = graph->n;
    (*exec)->operations = calloc(graph->n, sizeof *graph->operations);
    memcpy((*exec)->operations, graph->operations, graph->n * sizeof *graph->operations);
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
