/* Answers: responses whose outputs the backend computes straight into. */
#include <stdlib.h>

#include "base/alloc.h"
#include "core/dispatch.h"
#include "internal.h"

/* So much is kept for reuse by each loop; more is given back. */
enum { MAX_SPARE = 128, MAX_SPARE_SIZE = 256 << 10 };

static void free_answer(struct linear_answer *answer) {
    free(answer->memory);
    free(answer->failure);
    free(answer);
}

void linear_side_finish(struct linear_side *side) {
    while (side->spare != NULL) {
        struct linear_answer *answer = side->spare;
        side->spare = answer->next;
        free_answer(answer);
    }
}

static void keep(struct linear_answer *answer) {
    struct linear_side *side = answer->side;
    if (side->n_spare == MAX_SPARE || side->spare_size + answer->memory_size > MAX_SPARE_SIZE) {
        free_answer(answer);
        return;
    }
    side->n_spare++;
    side->spare_size += answer->memory_size;
    answer->next = side->spare;
    side->spare = answer;
}

static struct linear_answer *take(struct linear_side *side) {
    struct linear_answer *answer = side->spare;
    if (answer == NULL) {
        return hc_new(struct linear_answer);
    }
    side->spare = answer->next;
    side->n_spare--;
    side->spare_size -= answer->memory_size;
    return answer;
}

/* On the loop that it was made on, which is also the one that it is released on. */
static void release(struct hc_response *base) {
    struct linear_answer *answer = hc_list_item(base, struct linear_answer, base);
    struct hc_model *model = answer->model;
    keep(answer);
    hc_model_unref(model);
}

static bool reserve(struct linear_answer *answer, size_t size) {
    if (answer->memory_size < size) {
        free(answer->memory);
        answer->memory = hc_alloc_try(size);
        answer->memory_size = answer->memory == NULL ? 0 : size;
    }
    return answer->memory != NULL || size == 0;
}

/* The output's shape: the input's, but for the last extent. */
static void describe(const struct hc_model *model, const struct hc_input *input, size_t size,
                     struct linear_answer *answer) {
    const struct stack *stack = linear_model_of(model)->stack;
    for (size_t i = 0; i < input->n_dims; i++) {
        answer->dims[i] = input->dims[i];
    }
    answer->dims[input->n_dims - 1] = (int64_t)stack->n_out;
    bool in_place = answer->part.y_device != 0;
    answer->output = (struct hc_output){
        .name = model->outputs[0].name,
        .dtype = model->outputs[0].dtype,
        .dims = answer->dims,
        .n_dims = input->n_dims,
        .data = in_place ? NULL : answer->memory,
        .size = size,
        .in_place = in_place,
    };
    answer->base = (struct hc_response){
        .code = HC_OK,
        .outputs = &answer->output,
        .n_outputs = 1,
        .on_release = release,
    };
}

/* Where the client wants SIZE bytes of output in a GPU's memory; 0: it does not, or they are more.
 */
static hc_cuda_address find_place(const struct hc_request *request, size_t size) {
    const struct hc_output_place *places = request->output_places;
    return request->n_outputs == 1 && places != NULL && size <= places[0].size ? places[0].address
                                                                               : 0;
}

enum hc_code linear_answer_create(struct hc_request *request, struct linear_answer **answer_out,
                                  struct hc_error *error) {
    struct hc_model *model = request->model;
    struct linear_model *own = linear_model_of(model);
    const struct hc_input *input = &request->inputs[0];
    size_t n_rows = input->size / (own->stack->n_in * hc_dtype_size(input->dtype));
    size_t row_size = own->stack->n_out * hc_dtype_size(model->outputs[0].dtype);
    size_t size;
    hc_cuda_address place = 0;
    struct linear_answer *answer = take(&own->sides[request->context->index]);
    answer->side = &own->sides[request->context->index];
    bool fits = hc_size_mul(n_rows, row_size, &size);
    if (fits) {
        place = find_place(request, size);
    }
    if (!fits || (place == 0 && !reserve(answer, size))) {
        keep(answer);
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the output of %zu rows",
                            n_rows);
    }
    answer->model = model;
    hc_model_ref(model);
    answer->request = request;
    answer->part = (struct run_part){
        .x = hc_request_input_data(request, input),
        .y = answer->memory,
        .n_rows = n_rows,
        .x_device = input->place.address,
        .y_device = place,
    };
    answer->device = atomic_load(&own->device);
    describe(model, input, size, answer);
    answer->executed_by = NULL;
    answer->next = NULL;
    free(hc_take(answer->failure));
    *answer_out = answer;
    return HC_OK;
}

void linear_answer_fail(struct linear_answer *answer, const struct hc_error *error) {
    answer->failure = hc_strdup(error->message);
    answer->base.code = error->code;
    answer->base.message = hc_text_of(answer->failure);
    answer->base.n_outputs = 0;
}

void linear_answer_discard(struct linear_answer *answer) {
    hc_response_release(&answer->base);
}

static void deliver(struct hc_task *task) {
    struct linear_answer *answer = hc_list_item(task, struct linear_answer, task);
    struct hc_request *request = answer->request;
    if (answer->executed_by != NULL) {
        hc_dispatch_executed(answer->executed_by, answer->execution_id, &request->times);
    }
    hc_dispatch_answered(request);
    request->_backend = NULL;
    hc_request_answer(request, &answer->base, true);
}

void linear_answer_deliver(struct linear_answer *answer) {
    answer->task.run = deliver;
    hc_loop_post(answer->request->context->loop, &answer->task);
}
