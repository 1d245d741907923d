/* The answers of the models that the recordings were made with. */
#include "recorded_models.h"

#include <stdio.h>

#include "base/json_escape.h"
#include "tensor/bytes.h"
#include "test.h"
#include "wire/number.h"

/* The output of the model that is asked for an input: OUT<i> for IN<i>. */
static struct hc_text output_name(const struct hc_infer_json_input *input, struct hc_pool *pool) {
    char *name = hc_pool_alloc(pool, 8);
    snprintf(name, 8, "OUT%.*s", (int)input->name.size - 2, input->name.data + 2);
    return hc_text_of(name);
}

static const struct hc_infer_json_output *find_output(const struct hc_infer_json_request *request,
                                                      struct hc_text name) {
    for (size_t i = 0; i < request->n_outputs; i++) {
        if (hc_text_equal(request->outputs[i].name, name)) {
            return &request->outputs[i];
        }
    }
    return NULL;
}

/* The response of a model whose outputs are its inputs. */
static enum hc_code answer_identity(const char *model, const struct hc_infer_json_request *request,
                                    struct hc_pool *pool, struct hc_buf *answer,
                                    struct hc_error *error) {
    struct hc_infer_json_tensor tensors[2] = {0};
    struct hc_infer_json_response response = {
        .id = request->id,
        .model_name = hc_text_of(model),
        .model_version = 1,
        .outputs = tensors,
    };
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_infer_json_input *input = &request->inputs[i];
        struct hc_text name = output_name(input, pool);
        const struct hc_infer_json_output *output = find_output(request, name);
        if (request->n_outputs > 0 && output == NULL) {
            continue;
        }
        char *data = hc_pool_alloc(pool, input->data.size);
        hc_infer_json_copy_data(input, data);
        bool binary = output != NULL ? output->binary : request->binary_outputs;
        tensors[response.n_outputs++] = (struct hc_infer_json_tensor){
            .name = name,
            .dtype = input->dtype,
            .dims = input->dims,
            .n_dims = input->n_dims,
            .form = binary ? HC_INFER_JSON_AS_BINARY : HC_INFER_JSON_AS_DATA,
            .data = data,
            .size = input->data.size,
        };
    }
    return hc_infer_json_write(answer, &response, (struct hc_infer_json_policy){0}, error);
}

static void append_uint64(struct hc_buf *text, uint64_t number) {
    char *place = hc_buf_reserve(text, HC_NUMBER_ROOM);
    hc_buf_commit(text, hc_number_print_uint64(number, place));
}

static void append_parameter(struct hc_buf *text, const struct hc_wire_parameter *parameter) {
    char number[HC_NUMBER_ROOM];
    hc_json_append_string(text, parameter->name);
    hc_buf_append_string(text, ": ");
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        hc_json_append_string(text, parameter->string);
        break;
    case HC_WIRE_INT64:
        hc_buf_append(text, number, hc_number_print_int64(parameter->int64, number));
        break;
    case HC_WIRE_BOOL:
        hc_buf_append_string(text, parameter->boolean ? "true" : "false");
        break;
    case HC_WIRE_DOUBLE:
        hc_buf_append(text, number, hc_number_print_double(parameter->real, number));
        break;
    }
}

/* The text that the model `echo` makes of a request: id, sequence id, flags, timeout, parameters.
 */
static void append_echo(struct hc_buf *text, const struct hc_infer_json_request *request) {
    hc_buf_append_char(text, '[');
    hc_json_append_string(text, request->id);
    hc_buf_append_string(text, ", ");
    if (request->sequence == HC_INFER_JSON_SEQUENCE_STRING) {
        hc_json_append_string(text, request->sequence_string);
    } else {
        append_uint64(text, request->sequence_number);
    }
    hc_buf_appendf(text, ", %d, ", request->sequence_start + 2 * request->sequence_end);
    append_uint64(text, request->timeout_us);
    hc_buf_append_string(text, ", {");
    for (size_t i = 0; i < request->n_parameters; i++) {
        hc_buf_append_string(text, i > 0 ? ", " : "");
        append_parameter(text, &request->parameters[i]);
    }
    hc_buf_append_string(text, "}]");
}

static enum hc_code answer_echo(const struct hc_infer_json_request *request, struct hc_buf *answer,
                                struct hc_error *error) {
    hc_auto_buf data = {0};
    hc_buf_reserve(&data, HC_BYTES_PREFIX_SIZE);
    hc_buf_commit(&data, HC_BYTES_PREFIX_SIZE);
    append_echo(&data, request);
    hc_bytes_put_prefix(data.data, (uint32_t)(data.size - HC_BYTES_PREFIX_SIZE));
    struct hc_infer_json_tensor tensor = {
        .name = HC_TEXT("OUT0"),
        .dtype = HC_DTYPE_BYTES,
        .dims = (int64_t[]){1},
        .n_dims = 1,
        .data = data.data,
        .size = data.size,
    };
    struct hc_infer_json_response response = {
        .id = request->id,
        .model_name = HC_TEXT("echo"),
        .model_version = 1,
        .outputs = &tensor,
        .n_outputs = 1,
    };
    return hc_infer_json_write(answer, &response, (struct hc_infer_json_policy){0}, error);
}

enum hc_code answer_request(const char *model, const struct hc_infer_json_request *request,
                            struct hc_pool *pool, struct hc_buf *answer, struct hc_error *error) {
    if (strcmp(model, "echo") == 0) {
        return answer_echo(request, answer, error);
    }
    return answer_identity(model, request, pool, answer, error);
}
