/* Rows to a GPU, through its stack, and back. */
#include <string.h>

#include "base/alloc.h"
#include "gpu_instance.h"

/* Kernels and library want rows to begin at multiples of this. */
enum { ALIGNMENT = 256 };

/* Larger inputs are sent in slices of half that size, one on its way while the next is staged. */
static const size_t sliced_size = 256 << 10;

static uint32_t rows_of(const struct run_part *part, uint32_t room) {
    return part->n_rows < room ? (uint32_t)part->n_rows : room;
}

/* Rows from the server's memory to pinned memory, from row AT on. */
static void stage(const struct gpu_instance *own, const struct run_part *part, uint32_t at,
                  uint32_t n) {
    size_t row_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    char *to = own->staged_x + at * own->x_size;
    if (row_size == own->x_size) {
        memcpy(to, part->x, n * row_size);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        memcpy(to + i * own->x_size, part->x + i * row_size, row_size);
    }
}

/* Rows that are in the GPU's memory already, to where rows are read, from row AT on. */
static enum hc_code move_in(const struct gpu_instance *own, const struct run_part *part,
                            uint32_t at, uint32_t n, struct hc_error *error) {
    const struct gpu_stack *stack = own->stack;
    enum gpu_number number = gpu_number_of(stack->types.x);
    const struct gpu_step step = {
        .kind = GPU_STEP_APPLY,
        .function = GPU_APPLY + (number == GPU_F64 ? 1 : 0),
        .grid_x = n,
        .grid_y = 1,
        .apply = {.x = part->x_device,
                  .y = own->places[GPU_IN] + at * own->x_size,
                  .n_rows = n,
                  .n = stack->n_in,
                  .n_stored = gpu_pad(stack->n_in),
                  .x_stride = stack->n_in,
                  .y_stride = gpu_pad(stack->n_in),
                  .x_number = number,
                  .y_number = number},
    };
    return gpu_launch(own, &step, error);
}

/* Rows of the server's memory on their way to where rows are read, from row AT on. */
static enum hc_code send(const struct gpu_instance *own, const struct run_part *part, uint32_t at,
                         uint32_t n, struct hc_error *error) {
    const size_t row_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    const size_t max_rows = sliced_size / 2 / own->x_size;
    struct run_part slice = *part;
    for (uint32_t n_left = n; n_left > 0;) {
        uint32_t n_now = n_left < max_rows ? n_left : max_rows == 0 ? 1 : (uint32_t)max_rows;
        stage(own, &slice, at, n_now);
        size_t place = at * own->x_size;
        HC_TRY(hc_cuda_check(own->cuda->copy_in_async(own->places[GPU_IN] + place,
                                                      own->staged_x + place, n_now * own->x_size,
                                                      own->stream),
                             "copying rows to it", error));
        slice.x += n_now * row_size;
        at += n_now;
        n_left -= n_now;
    }
    return HC_OK;
}

static enum hc_code gather(const struct gpu_batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows; part = part->next) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (n == 0) {
            continue;
        }
        if (part->x_device != 0) {
            HC_TRY(move_in(own, part, at, n, error));
        } else if (batch->x_staged) {
            stage(own, part, at, n);
        } else {
            HC_TRY(send(own, part, at, n, error));
        }
        at += n;
    }
    return HC_OK;
}

/* Results to where they belong in the GPU's memory, and others on their way to pinned memory. */
static enum hc_code move_out(const struct gpu_batch *batch, struct hc_error *error) {
    const struct gpu_instance *own = batch->own;
    const struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows; part = part->next) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (n == 0) {
            continue;
        }
        hc_cuda_address from = batch->y + at * own->y_size;
        size_t size = n * own->y_size;
        int result = part->y_device != 0
                         ? own->cuda->copy_async(part->y_device, from, size, own->stream)
                         : own->cuda->copy_out_async(own->staged_y + at * own->y_size, from, size,
                                                     own->stream);
        HC_TRY(hc_cuda_check(result, "copying rows from it", error));
        at += n;
    }
    return HC_OK;
}

/* The batch is done: give the server's memory its results; returns the part to go on with. */
static struct run_part *scatter(const struct gpu_batch *batch) {
    const struct gpu_instance *own = batch->own;
    size_t x_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows;) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (part->y_device != 0) {
            part->y_device += n * own->y_size;
        } else {
            memcpy(part->y, own->staged_y + at * own->y_size, n * own->y_size);
            part->y += n * own->y_size;
        }
        part->x_device += part->x_device != 0 ? n * x_size : 0;
        part->x += part->x != NULL ? n * x_size : 0;
        part->n_rows -= n;
        at += n;
        part = part->n_rows == 0 ? part->next : part;
    }
    return part;
}

/* Whether kernels and library can work on rows there. */
static bool is_aligned(hc_cuda_address address) {
    return address % ALIGNMENT == 0;
}

/* The next batch of PARTS, and where its rows are read and its results written. */
static struct gpu_batch next_batch(struct gpu_instance *own, struct run_part *parts) {
    struct gpu_batch batch = {.own = own,
                              .first = parts,
                              .x_padded = true,
                              .x_staged = true,
                              .y_staged = true,
                              .x = own->places[GPU_IN],
                              .y = own->places[GPU_OUT]};
    bool is_whole = parts->next == NULL && parts->n_rows <= own->capacity;
    for (struct run_part *part = parts; part != NULL && batch.n_rows < own->capacity;
         part = part->next) {
        batch.n_rows += rows_of(part, own->capacity - batch.n_rows);
        batch.x_staged = batch.x_staged && part->x_device == 0;
        batch.y_staged = batch.y_staged && part->y_device == 0;
    }
    batch.x_staged = batch.x_staged && batch.n_rows * own->x_size <= sliced_size;
    if (is_whole && parts->x_device != 0 && is_aligned(parts->x_device)) {
        batch.x = parts->x_device;
        batch.x_padded = own->stack->n_in % GPU_PAD == 0;
    }
    if (is_whole && parts->y_device != 0 && is_aligned(parts->y_device)) {
        batch.y = parts->y_device;
    }
    return batch;
}

static enum hc_code run_batch(struct gpu_instance *own, struct run_part **parts,
                              struct hc_error *error) {
    struct gpu_batch batch = next_batch(own, *parts);
    bool x_in_place = batch.x != own->places[GPU_IN];
    bool y_in_place = batch.y != own->places[GPU_OUT];
    if (!x_in_place) {
        HC_TRY(gather(&batch, error));
    }
    HC_TRY(gpu_start(&batch, error));
    if (!batch.y_staged && !y_in_place) {
        HC_TRY(move_out(&batch, error));
    }
    HC_TRY(gpu_wait(own, error));
    *parts = scatter(&batch);
    return HC_OK;
}

static uint32_t count_rows(const struct gpu_instance *own, const struct run_part *parts) {
    size_t n = 0;
    for (; parts != NULL && n < own->max_capacity; parts = parts->next) {
        n += parts->n_rows < own->max_capacity ? parts->n_rows : own->max_capacity;
    }
    return n < own->max_capacity ? (uint32_t)n : own->max_capacity;
}

enum hc_code gpu_run(struct gpu_instance *own, struct run_part *parts, struct hc_error *error) {
    HC_TRY(hc_cuda_use(own->stack->kernels->device, error));
    HC_TRY(gpu_instance_reserve(own, count_rows(own, parts), error));
    while (parts != NULL) {
        if (parts->n_rows == 0) {
            parts = parts->next;
            continue;
        }
        enum hc_code code = run_batch(own, &parts, error);
        if (code != HC_OK) {
            own->cuda->stream_wait(own->stream); /* nothing of it is under way any more */
            return code;
        }
    }
    return HC_OK;
}
