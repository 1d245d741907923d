/* Calls: requests that a model makes to another one, or to itself. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "core/chain.h"
#include "core/infer.h"
#include "core/server.h"
#include "internal.h"
#include "message.h"

struct call {
    struct hc_list link; /* among those of a pyhost's link */
    struct loop_side *side;
    struct pyhost *host; /* referenced; NULL: its life has ended */
    uint64_t id;
    struct hc_request *request;
};

static void end_call(struct call *call) {
    hc_list_remove(&call->link);
    if (call->host != NULL) {
        pyhost_unref(call->host);
    }
    hc_request_release(call->request);
    free(call);
}

/* ---- Answers ---- */

/* Write RESPONSE for the caller and hand it over; *ENTRY says where it is. */
static enum hc_code place_response(const struct call *call, const struct hc_response *response,
                                   struct hc_entry *entry) {
    struct pins *pins = &call->host->pins;
    struct hc_block *block;
    size_t size;
    HC_TRY(hc_message_write_response(pins->arena, response, &block, &size, NULL));
    pins_add(pins, block, NULL, 0, 0);
    hc_arena_unref(pins->arena, block);
    entry->arena = HC_ARENA_REQUEST;
    entry->offset = block->offset;
    entry->size = size;
    entry->block = block->index;
    entry->generation = block->generation;
    return HC_OK;
}

/* Without room for a response, that is the response; without room for that, there is none. */
static void place_some_response(const struct call *call, const struct hc_response *response,
                                struct hc_entry *entry) {
    if (place_response(call, response, entry) != HC_OK) {
        struct hc_response *error = hc_response_error(
            HC_UNAVAILABLE, HC_TEXT("no room for the response: the inputs and responses that the "
                                    "calling model keeps fill its arena"));
        place_response(call, error, entry);
        hc_response_release(error);
    }
}

static void answer(struct call *call, const struct hc_response *response, bool final) {
    if (call->host == NULL) {
        return;
    }
    struct hc_entry entry = {
        .kind = HC_EVENT_RESPONSE,
        .flags = final ? HC_REPLY_FINAL : 0,
        .handle = call->id,
    };
    if (response != NULL) {
        place_some_response(call, response, &entry);
    }
    loop_side_send_event(call->side, call->host, &entry);
}

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct call *call = request->user;
    answer(call, response, final);
    hc_response_release(response);
    if (final) {
        end_call(call);
    }
}

/* ---- Calls ---- */

/* Whatever fails before a model runs is an internal error in Triton's words. */
static void refuse(struct call *call, struct hc_text model_name, const char *message) {
    hc_auto(text) text = hc_format("Model %.*s - Error when running inference: %s",
                                   HC_TEXT_ARGS(model_name), message);
    struct hc_response *response = hc_response_error(HC_INTERNAL, hc_text_of(text));
    answer(call, response, true);
    hc_response_release(response);
    end_call(call);
}

static enum hc_code check_decoupled(const struct hc_model *model, bool decoupled,
                                    struct hc_error *error) {
    if (!model->decoupled || decoupled) {
        return HC_OK;
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "Model %s is using the decoupled. The current BLS request call doesn't "
                        "support models using the decoupled transaction policy. Please use "
                        "'decoupled=True' argument to the 'exec' or 'async_exec' calls for "
                        "decoupled models.'",
                        model->name);
}

/* Where the data at PLACE is, and the block to be given back afterwards, if any. */
static const char *find_data(struct pyhost *host, const struct hc_place *place,
                             struct hc_block **block) {
    *block = NULL;
    if (place->arena == HC_ARENA_RESPONSE) {
        return loop_side_response_memory(host, place);
    }
    *block = place->arena == HC_ARENA_REQUEST ? pins_find(&host->pins, place) : NULL;
    return *block == NULL ? NULL : hc_arena_file(host->pins.arena)->base + place->offset;
}

static bool copy_input(struct pyhost *host, const struct hc_place *place, char *memory) {
    struct hc_block *block;
    const char *data = find_data(host, place, &block);
    if (data == NULL) {
        return false;
    }
    memcpy(memory, data, place->size);
    if (block != NULL) {
        hc_arena_unref(host->pins.arena, block);
    }
    return true;
}

/* What the inputs take in the arena; false when there is no such size. */
static bool inputs_size(const struct hc_request *request, size_t *total) {
    *total = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        size_t size = request->inputs[i].size;
        if (size > SIZE_MAX / 2 ||
            !hc_size_add(*total, hc_align_up(size, HC_BLOCK_ALIGNMENT), total)) {
            return false;
        }
    }
    return true;
}

/* Copy the data of the inputs to the arena of the model that is called. */
static enum hc_code copy_inputs(const struct call *call, const struct hc_place *places,
                                struct hc_error *error) {
    struct hc_request *request = call->request;
    struct hc_block *block;
    char *memory;
    size_t total;
    if (!inputs_size(request, &total)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "the inputs are too large");
    }
    if (total == 0) {
        return HC_OK;
    }
    HC_TRY(hc_request_alloc(request, total, &block, &memory, error));
    size_t offset = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        struct hc_input *input = &request->inputs[i];
        if (input->size > 0) {
            if (!copy_input(call->host, &places[i], memory + offset)) {
                return hc_error_set(error, HC_INTERNAL, "an input lies outside of its arena");
            }
            input->block = block;
            input->offset = offset;
        }
        offset += hc_align_up(input->size, HC_BLOCK_ALIGNMENT);
    }
    return HC_OK;
}

static enum hc_code infer(struct call *call, const struct hc_message_call_head *head,
                          struct hc_error *error) {
    struct hc_request *request = call->request;
    struct hc_model *model;
    if (hc_catalog_model(hc_server_catalog(request->context->server), head->model_name,
                         head->model_version, &model, NULL) != HC_OK) {
        return hc_error_set(error, HC_UNAVAILABLE,
                            "Failed for execute the inference request. Model '%.*s' is not ready.",
                            HC_TEXT_ARGS(head->model_name));
    }
    HC_TRY(check_decoupled(model, head->decoupled, error));
    hc_model_ref(model);
    request->model = model;
    if (head->execution != 0) {
        hc_chain_join(request, call->host->owner->instance, head->execution);
        HC_TRY(hc_chain_check(request, error));
    }
    HC_TRY(copy_inputs(call, head->places, error));
    return hc_infer(request, error);
}

static void release_message(struct loop_side *side, struct pyhost *host,
                            const struct hc_entry *entry) {
    const struct hc_entry event = {
        .kind = HC_EVENT_RELEASE,
        .arena = HC_ARENA_RESPONSE,
        .block = entry->block,
        .generation = entry->generation,
    };
    loop_side_send_event(side, host, &event);
}

static struct call *make_call(struct loop_side *side, struct pyhost *host, uint64_t id) {
    struct call *call = hc_new(struct call);
    struct hc_context *context = &side->model->server->contexts[side->loop_index];
    pyhost_ref(host);
    *call = (struct call){
        .side = side,
        .host = host,
        .id = id,
        .request = hc_request_create(context),
    };
    call->request->user = call;
    call->request->on_response = on_response;
    call->request->received_ns = hc_clock_ns();
    hc_list_append(&host->links[side->loop_index].calls, &call->link);
    return call;
}

bool calls_begin(struct loop_side *side, struct pyhost *host, const struct hc_entry *entry) {
    const struct hc_place place = {
        .arena = entry->arena, .offset = entry->offset, .size = entry->size};
    const char *memory = loop_side_response_memory(host, &place);
    if (memory == NULL || entry->arena != HC_ARENA_RESPONSE || entry->offset % 64 != 0) {
        return false;
    }
    struct call *call = make_call(side, host, entry->handle);
    struct hc_message_call_head head;
    struct hc_error error;
    if (hc_message_read_call(memory, entry->size, call->request, &head, &error) != HC_OK) {
        end_call(call);
        return false;
    }
    enum hc_code code = infer(call, &head, &error); /* on success the call is its own */
    release_message(side, host, entry);
    if (code != HC_OK) {
        refuse(call, head.model_name, error.message);
    }
    return true;
}

void calls_cancel(struct pyhost_link *link, uint64_t id) {
    hc_list_each (item, &link->calls) {
        struct call *call = hc_list_item(item, struct call, link);
        if (call->id == id) {
            hc_infer_cancel(call->request);
            return;
        }
    }
}

void calls_abandon(struct pyhost_link *link) {
    struct hc_list *item;
    while ((item = hc_list_pop(&link->calls)) != NULL) {
        struct call *call = hc_list_item(item, struct call, link);
        pyhost_unref(hc_take(call->host));
        hc_infer_cancel(call->request);
    }
}
