/* Requests and the contexts that own them. */
#include "core/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "core/arena.h"
#include "core/cached.h"
#include "core/context.h"
#include "core/model.h"
#include "core/order.h"
#include "core/pause.h"
#include "core/reshape.h"
#include "shm/shm.h"

enum { MIN_SLOTS = 64, MAX_SPARE = 256 };

static const uint32_t no_slot = UINT32_MAX;

void hc_context_init(struct hc_context *context, struct hc_server *server, struct hc_loop *loop,
                     unsigned index) {
    *context =
        (struct hc_context){.server = server, .loop = loop, .index = index, ._first_free = no_slot};
    hc_list_init(&context->_catalog_watches);
    context->_spare = hc_alloc_array(MAX_SPARE, sizeof *context->_spare);
}

static void free_request(struct hc_request *request) {
    hc_pool_finish(&request->pool);
    free(request);
}

void hc_context_finish(struct hc_context *context) {
    for (size_t i = 0; i < context->_n_spare; i++) {
        free_request(context->_spare[i]);
    }
    free(context->_spare);
    free(context->_slots);
}

void hc_context_watch(struct hc_context *context, struct hc_catalog_watch *watch) {
    hc_list_append(&context->_catalog_watches, &watch->_link);
}

void hc_context_unwatch(struct hc_catalog_watch *watch) {
    hc_list_remove(&watch->_link);
}

static void add_slots(struct hc_context *context) {
    uint32_t n = context->_n_slots > 0 ? 2 * context->_n_slots : MIN_SLOTS;
    context->_slots = hc_realloc(context->_slots, n * sizeof *context->_slots);
    for (uint32_t i = n; i-- > context->_n_slots;) {
        context->_slots[i] = (struct hc_context_slot){.next_free = context->_first_free};
        context->_first_free = i;
    }
    context->_n_slots = n;
}

/* A handle is the slot's index above its generation, which is never 0: no handle is 0. */
static uint64_t take_slot(struct hc_context *context, struct hc_request *request) {
    if (context->_first_free == no_slot) {
        add_slots(context);
    }
    uint32_t index = context->_first_free;
    struct hc_context_slot *slot = &context->_slots[index];
    context->_first_free = slot->next_free;
    slot->request = request;
    if (++slot->generation == 0) {
        slot->generation = 1;
    }
    return (uint64_t)index << 32 | slot->generation;
}

static void give_slot(struct hc_context *context, uint64_t handle) {
    uint32_t index = (uint32_t)(handle >> 32);
    context->_slots[index].request = NULL;
    context->_slots[index].next_free = context->_first_free;
    context->_first_free = index;
}

struct hc_request *hc_context_find(const struct hc_context *context, uint64_t handle) {
    uint64_t index = handle >> 32;
    if (index >= context->_n_slots || context->_slots[index].generation != (uint32_t)handle) {
        return NULL;
    }
    return context->_slots[index].request;
}

struct hc_request *hc_request_create(struct hc_context *context) {
    struct hc_request *request;
    if (context->_n_spare > 0) {
        request = context->_spare[--context->_n_spare];
        struct hc_pool pool = request->pool;
        *request = (struct hc_request){.pool = pool};
    } else {
        request = hc_new(struct hc_request);
    }
    request->context = context;
    request->handle = take_slot(context, request);
    return request;
}

void hc_request_release(struct hc_request *request) {
    if (request == NULL) {
        return;
    }
    struct hc_context *context = request->context;
    assert(request->_instance == NULL && !hc_list_in(&request->_job.link));
    give_slot(context, request->handle);
    free(request->_cache_key);
    for (size_t i = 0; i < request->_n_blocks; i++) {
        hc_arena_unref(request->model->arena, request->_blocks[i]);
    }
    if (request->model != NULL) {
        hc_model_unref(request->model);
    }
    hc_pool_reset(&request->pool);
    if (context->_n_spare < MAX_SPARE) {
        context->_spare[context->_n_spare++] = request;
    } else {
        free_request(request);
    }
}

enum hc_code hc_request_alloc(struct hc_request *request, size_t size, struct hc_block **block,
                              char **memory, struct hc_error *error) {
    struct hc_arena *arena = request->model->arena;
    HC_TRY(hc_arena_alloc(arena, size, block, error));
    struct hc_block **blocks =
        hc_pool_alloc(&request->pool, (request->_n_blocks + 1) * sizeof(struct hc_block *));
    if (request->_n_blocks > 0) {
        memcpy(blocks, request->_blocks, request->_n_blocks * sizeof(struct hc_block *));
    }
    blocks[request->_n_blocks++] = *block;
    request->_blocks = blocks;
    *memory = hc_arena_memory(arena, *block);
    return HC_OK;
}

void hc_request_deliver(struct hc_request *request, struct hc_response *response, bool final) {
    if (!request->uncounted) {
        hc_stats_count_response(request, response, final);
    }
    if (final) {
        hc_pause_end(request);
    }
    request->on_response(request, response, final);
}

void hc_request_answer(struct hc_request *request, struct hc_response *response, bool final) {
    if (request->model->reshapes && response != NULL && !request->cached) {
        hc_reshape_outputs(request, response);
    }
    if (final && request->_cache_key != NULL) {
        hc_cached_keep(request, response);
    }
    if (hc_order_has(request)) {
        hc_order_answer(request, response, final);
    } else {
        hc_request_deliver(request, response, final);
    }
}

/*
 * Where SIZE bytes from OFFSET of REGION are, if the model works on them in place: they are in the
 * memory of the GPU that all its instances run on. Tensors that the server itself has to see, or to
 * make, are in its own memory.
 */
static struct hc_device_place find_device_place(const struct hc_request *request,
                                                const struct hc_shm_region *region, uint64_t offset,
                                                uint64_t size) {
    const struct hc_model *model = request->model;
    struct hc_device_place place = {.size = size};
    int device;
    if (model->backend->works_on != NULL && !model->caches && !model->has_sequences &&
        hc_shm_find_device(region, offset, &device, &place.address) &&
        !model->backend->works_on(model, device)) {
        place.address = 0;
    }
    return place;
}

struct hc_output_place hc_request_output_place(const struct hc_request *request,
                                               struct hc_shm_region *region, uint64_t offset,
                                               uint64_t size) {
    return (struct hc_output_place){
        .region = region,
        .offset = offset,
        .size = size,
        .address = find_device_place(request, region, offset, size).address,
    };
}

/* Whether the model looks at SIZE bytes of the region where they are: VIEW says from where on. */
static bool sees(const struct hc_model *model, const struct hc_shm_region *region, size_t size,
                 struct hc_view *view) {
    if (!hc_shm_is_system(region)) {
        view->offset = view->region_offset;
        return model->takes_gpu_inputs;
    }
    return model->views_inputs &&
           hc_shm_find_file(region, view->region_offset, size, &view->fd, &view->offset);
}

/* Strings are checked by the server, so they have to be its own; other data must be aligned. */
static struct hc_view find_view(const struct hc_request *request, struct hc_shm_region *region,
                                uint64_t offset, const struct hc_input *input) {
    const struct hc_model *model = request->model;
    size_t element_size = hc_dtype_size(input->dtype);
    struct hc_view view = {.region_offset = offset};
    if (!model->caches && element_size > 0 && input->size > 0 &&
        sees(model, region, input->size, &view) && view.offset % element_size == 0) {
        view.region = region;
    }
    return view;
}

/* A GPU that reads a number at an odd place fails all that comes after. */
static bool is_readable(uint64_t address, enum hc_dtype dtype) {
    size_t element_size = hc_dtype_size(dtype);
    return element_size > 0 && address % element_size == 0;
}

bool hc_request_leave_input(const struct hc_request *request, struct hc_shm_region *region,
                            uint64_t offset, struct hc_input *input) {
    input->place = find_device_place(request, region, offset, input->size);
    if (!is_readable(input->place.address, input->dtype)) {
        input->place.address = 0;
    }
    input->view = find_view(request, region, offset, input);
    return hc_input_is_left(input);
}

const char *hc_request_input_data(const struct hc_request *request, const struct hc_input *input) {
    if (input->block == NULL) {
        return input->elsewhere;
    }
    return hc_arena_memory(request->model->arena, input->block) + input->offset;
}

enum hc_code hc_request_error(const struct hc_request *request, enum hc_code code,
                              struct hc_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hc_error_setv(error, code, format, args);
    va_end(args);
    struct hc_text id = request->id.size > 0 ? request->id : HC_TEXT("<id_unknown>");
    hc_error_prefix(error, "[request id: %.*s] ", HC_TEXT_ARGS(id));
    return code;
}
