/* A response as a pyhost has written it: described by a message, its tensors where they lie. */
#include <stdlib.h>

#include "base/alloc.h"
#include "internal.h"
#include "message.h"

/* A response whose tensors lie in the memory that a life has shared with the server. */
struct python_response {
    struct hc_response base;
    struct pyhost *host;    /* referenced */
    struct hc_model *model; /* referenced: its arena may hold outputs */
    unsigned loop_index;    /* whose link takes the release */
    uint32_t block;         /* of the message, in the response arena */
    uint32_t generation;
    size_t n_inputs; /* blocks of the request arena that outputs lie in */
    struct hc_block **inputs;
};

const char *loop_side_response_memory(const struct pyhost *host, const struct hc_place *place) {
    bool within = place->offset <= host->responses.size &&
                  place->size <= host->responses.size - place->offset;
    return within ? host->responses.base + place->offset : NULL;
}

static void release_response(struct hc_response *base) {
    struct python_response *response = hc_list_item(base, struct python_response, base);
    for (size_t i = 0; i < response->n_inputs; i++) {
        hc_arena_unref(response->host->pins.arena, response->inputs[i]);
    }
    loop_side_release(response->host, response->loop_index, response->block, response->generation);
    pyhost_unref(response->host);
    hc_model_unref(response->model);
    hc_pool_finish(&base->pool);
    free(response);
}

/* The response is that error instead. */
static void fail(struct hc_response *base, const struct hc_error *error) {
    struct hc_text text = hc_text_of(error->message);
    base->code = error->code;
    base->message = (struct hc_text){hc_pool_copy(&base->pool, text), text.size};
    base->n_outputs = 0;
}

/* The data is a client's, which may have taken it away. */
static bool resolve_view(struct python_response *response, const struct hc_request *request,
                         const struct hc_place *place, struct hc_output *output) {
    const struct hc_view *view = views_find(request, place);
    struct hc_error error;
    if (view != NULL &&
        views_deliver(request, view, place, &response->base.pool, output, &error) != HC_OK) {
        fail(&response->base, &error);
    }
    return view != NULL;
}

/* Where an output's data is, once it is certain that all of it may be read. */
static bool resolve(struct python_response *response, const struct hc_request *request,
                    const struct hc_place *place, struct hc_output *output) {
    struct pyhost *host = response->host;
    if (place->size == 0) {
        return true;
    }
    if (place->arena == HC_ARENA_CLIENT) {
        return resolve_view(response, request, place, output);
    }
    if (place->arena == HC_ARENA_GPU) {
        output->in_place = views_find_gpu_place(request, output->name) != NULL;
        return output->in_place;
    }
    if (place->arena == HC_ARENA_RESPONSE) {
        output->data = loop_side_response_memory(host, place);
        return output->data != NULL;
    }
    struct hc_block *block =
        place->arena == HC_ARENA_REQUEST ? pins_find(&host->pins, place) : NULL;
    if (block == NULL) {
        return false;
    }
    response->inputs[response->n_inputs++] = block;
    output->data = hc_arena_file(host->pins.arena)->base + place->offset;
    return true;
}

static bool resolve_outputs(struct python_response *response, const struct hc_request *request,
                            const struct hc_place *places) {
    struct hc_response *base = &response->base;
    response->inputs = hc_pool_alloc(&base->pool, base->n_outputs * sizeof *response->inputs);
    for (size_t i = 0; i < base->n_outputs; i++) {
        if (!resolve(response, request, &places[i], &base->outputs[i])) {
            return false;
        }
    }
    return true;
}

struct hc_response *loop_side_read_response(struct loop_side *side, struct pyhost *host,
                                            const struct hc_request *request,
                                            const struct hc_entry *entry) {
    if (entry->arena != HC_ARENA_RESPONSE || entry->offset > host->responses.size ||
        entry->size > host->responses.size - entry->offset || entry->offset % 64 != 0) {
        return NULL;
    }
    struct python_response *response = hc_new(struct python_response);
    response->base.on_release = release_response;
    response->host = host;
    pyhost_ref(host);
    response->model = side->model->model;
    hc_model_ref(response->model);
    response->loop_index = side->loop_index;
    response->block = entry->block;
    response->generation = entry->generation;
    struct hc_place *places = NULL;
    if (hc_message_read(host->responses.base + entry->offset, entry->size, &response->base, &places,
                        NULL) != HC_OK ||
        !resolve_outputs(response, request, places)) {
        hc_response_release(&response->base);
        return NULL;
    }
    return &response->base;
}
