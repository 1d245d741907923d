/* A request's message as it arrives: where its raw tensors go. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "infer.h"

enum { MIN_RAWS = 4, MAX_RAWS = 1024 /* when the model, which has so many inputs, is not known */ };

static struct grpc_raw *add_raw(struct grpc_infer *infer, size_t limit) {
    infer->n_raws_sent++;
    if (infer->n_raws == limit) {
        return NULL; /* surplus, which is nobody's */
    }
    if (infer->n_raws == infer->raws_capacity) {
        infer->raws_capacity = infer->raws_capacity > 0 ? 2 * infer->raws_capacity : MIN_RAWS;
        infer->raws = hc_realloc(infer->raws, infer->raws_capacity * sizeof *infer->raws);
    }
    struct grpc_raw *raw = &infer->raws[infer->n_raws++];
    *raw = (struct grpc_raw){0};
    return raw;
}

/* Look for the model in what has come so far. */
static void seek_model(struct grpc_infer *infer, const struct hc_buf *rest) {
    struct hc_text name;
    struct hc_text version;
    struct hc_model *model;
    hc_infer_proto_peek(hc_buf_text(rest), &name, &version);
    if (name.size > 0 && grpc_find_model(infer->context, name, version, &model, NULL) == HC_OK) {
        infer->request->model = model;
        hc_model_ref(model);
    }
}

static enum hc_code place(void *user, const struct hc_buf *rest, size_t size, char **memory,
                          struct hc_error *error) {
    struct grpc_infer *infer = user;
    struct hc_request *request = infer->request;
    if (!infer->sought) {
        infer->sought = true;
        seek_model(infer, rest);
    }
    *memory = NULL;
    struct grpc_raw *raw =
        add_raw(infer, request->model != NULL ? request->model->n_inputs : MAX_RAWS);
    if (raw == NULL || size == 0) {
        return HC_OK;
    }
    raw->size = size;
    if (request->model != NULL) {
        return hc_request_alloc(request, size, &raw->block, memory, error);
    }
    raw->heap = hc_alloc_try(size);
    *memory = raw->heap;
    return raw->heap != NULL
               ? HC_OK
               : hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request's inputs");
}

void grpc_infer_begin_intake(struct grpc_infer *infer) {
    hc_infer_proto_begin(&infer->intake, infer->size, place, infer);
}

enum hc_code grpc_infer_take(struct grpc_infer *infer, struct hc_text bytes,
                             struct hc_error *error) {
    return hc_infer_proto_take(&infer->intake, bytes, error);
}

void grpc_infer_finish_intake(struct grpc_infer *infer) {
    hc_infer_proto_finish(&infer->intake);
    for (size_t i = 0; i < infer->n_raws; i++) {
        free(infer->raws[i].heap);
    }
    free(infer->raws);
    infer->raws = NULL;
}
