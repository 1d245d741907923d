/* The answers of the models that the recordings were made with. */
#include "recorded_models.h"

#include <ctype.h>
#include <stdio.h>

#include "base/json_escape.h"
#include "tensor/bytes.h"
#include "tensor/shape.h"
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

/* What a model answers, before it is written. */
struct reply {
    struct hc_infer_json_tensor tensors[5];
    struct hc_infer_json_response response;
};

static void add_tensor(struct reply *reply, struct hc_infer_json_tensor tensor) {
    reply->tensors[reply->response.n_outputs++] = tensor;
}

static void *copy_data(const struct hc_infer_json_input *input, struct hc_pool *pool) {
    void *data = hc_pool_alloc(pool, input->data.size);
    hc_infer_json_copy_data(input, data);
    return data;
}

/* The model whose outputs are its inputs. */
static void reply_identity(const struct hc_infer_json_request *request, struct hc_pool *pool,
                           struct reply *reply) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_infer_json_input *input = &request->inputs[i];
        struct hc_text name = output_name(input, pool);
        const struct hc_infer_json_output *output = find_output(request, name);
        if (request->n_outputs > 0 && output == NULL) {
            continue;
        }
        bool binary = output != NULL ? output->binary : request->binary_outputs;
        add_tensor(reply, (struct hc_infer_json_tensor){
                              .name = name,
                              .dtype = input->dtype,
                              .dims = input->dims,
                              .n_dims = input->n_dims,
                              .form = binary ? HC_INFER_JSON_AS_BINARY : HC_INFER_JSON_AS_DATA,
                              .data = copy_data(input, pool),
                              .size = input->data.size,
                          });
    }
}

static void append_uint64(struct hc_buf *text, uint64_t number) {
    char *place = hc_buf_reserve(text, HC_NUMBER_ROOM);
    hc_buf_commit(text, hc_number_print_uint64(number, place));
}

static void append_parameter(struct hc_buf *text, const struct hc_wire_parameter *parameter) {
    char number[HC_NUMBER_ROOM];
    hc_json_append_string(text, parameter->name);
    hc_buf_append_char(text, ':');
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

static void append_parameters(struct hc_buf *text, const struct hc_infer_json_request *request) {
    hc_buf_append_char(text, '{');
    for (size_t i = 0; i < request->n_parameters; i++) {
        hc_buf_append_string(text, i > 0 ? "," : "");
        append_parameter(text, &request->parameters[i]);
    }
    hc_buf_append_char(text, '}');
}

/* The model that tells id, sequence id, flags, timeout and parameters. */
static void append_echo(struct hc_buf *text, const struct hc_infer_json_request *request) {
    hc_buf_append_char(text, '[');
    hc_json_append_string(text, request->id);
    hc_buf_append_char(text, ',');
    if (request->sequence == HC_INFER_JSON_SEQUENCE_STRING) {
        hc_json_append_string(text, request->sequence_string);
    } else {
        append_uint64(text, request->sequence_number);
    }
    hc_buf_appendf(text, ",%d,", request->sequence_start + 2 * request->sequence_end);
    append_uint64(text, request->timeout_us);
    hc_buf_append_char(text, ',');
    append_parameters(text, request);
    hc_buf_append_char(text, ']');
}

/* `"data":[…]` without the name, taken out of a response. */
static void append_data(struct hc_buf *text, const struct hc_infer_json_input *input,
                        struct hc_pool *pool) {
    static const char head[] = "\"data\":";
    hc_auto_buf answer = {0};
    struct hc_error error;
    struct reply reply = {.response = {.outputs = reply.tensors}};
    add_tensor(&reply, (struct hc_infer_json_tensor){.dtype = input->dtype,
                                                     .dims = input->dims,
                                                     .n_dims = input->n_dims,
                                                     .data = copy_data(input, pool),
                                                     .size = input->data.size});
    hc_infer_json_write(&answer, &reply.response, (struct hc_infer_json_policy){0}, &error);
    const char *data = strstr(hc_buf_string(&answer), head);
    if (data != NULL) { /* else the strings do not fit the shape, as the server would say */
        hc_buf_append(text, data + strlen(head), strlen(data) - strlen(head) - strlen("}]}"));
    }
}

static const struct hc_infer_json_input *find_input(const struct hc_infer_json_request *request,
                                                    struct hc_text name) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, name)) {
            return &request->inputs[i];
        }
    }
    return NULL;
}

/* The model that tells id, parameters, and its inputs sorted by name. */
static void append_seen(struct hc_buf *text, const struct hc_infer_json_request *request,
                        struct hc_pool *pool) {
    static const char *const names[] = {"FIX", "HALF", "MAT", "NUM", "TEXT"};
    hc_buf_append_char(text, '[');
    hc_json_append_string(text, request->id);
    hc_buf_append_char(text, ',');
    append_parameters(text, request);
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        const struct hc_infer_json_input *input = find_input(request, hc_text_of(names[i]));
        if (input != NULL) {
            hc_buf_appendf(text, ",[\"%s\",", names[i]);
            hc_shape_append(text, input->dims, input->n_dims);
            hc_buf_append_char(text, ',');
            append_data(text, input, pool);
            hc_buf_append_char(text, ']');
        }
    }
    hc_buf_append_char(text, ']');
}

static const int64_t one_string[] = {1};

/* A model with one output, of one string. */
static void reply_text(struct hc_text name, struct hc_text text, struct hc_pool *pool,
                       struct reply *reply) {
    char *data = hc_pool_alloc(pool, HC_BYTES_PREFIX_SIZE + text.size);
    hc_bytes_put_prefix(data, (uint32_t)text.size);
    memcpy(data + HC_BYTES_PREFIX_SIZE, text.data, text.size);
    add_tensor(reply, (struct hc_infer_json_tensor){.name = name,
                                                    .dtype = HC_DTYPE_BYTES,
                                                    .dims = one_string,
                                                    .n_dims = 1,
                                                    .data = data,
                                                    .size = HC_BYTES_PREFIX_SIZE + text.size});
}

enum hc_code answer_request(const char *model, bool generate,
                            const struct hc_infer_json_request *request, struct hc_pool *pool,
                            struct hc_buf *answer, struct hc_error *error) {
    struct hc_infer_json_policy policy = {0};
    hc_auto_buf text = {0};
    struct reply reply = {.response = {
                              .id = request->id,
                              .model_name = hc_text_of(model),
                              .model_version = 1,
                              .outputs = reply.tensors,
                          }};
    if (strcmp(model, "echo") == 0) {
        append_echo(&text, request);
        reply_text(HC_TEXT("OUT0"), hc_buf_text(&text), pool, &reply);
    } else if (strcmp(model, "generate") == 0) {
        append_seen(&text, request, pool);
        reply_text(HC_TEXT("SEEN"), hc_buf_text(&text), pool, &reply);
    } else {
        reply_identity(request, pool, &reply);
    }
    return generate ? hc_generate_json_write(answer, &reply.response, policy, error)
                    : hc_infer_json_write(answer, &reply.response, policy, error);
}

static const int64_t free_extent[] = {-1};
static const int64_t batch_of_one[] = {-1, 1};
static const int64_t batch_of_any[] = {-1, -1};
static const int64_t batch_of_matrices[] = {-1, 2, -1};
static const int64_t batch_of_three[] = {-1, 3};

static const struct hc_generate_json_input generate_inputs[] = {
    {HC_TEXT("TEXT"), HC_DTYPE_BYTES, batch_of_one, 2},
    {HC_TEXT("NUM"), HC_DTYPE_INT32, batch_of_any, 2},
    {HC_TEXT("MAT"), HC_DTYPE_FP32, batch_of_matrices, 3},
    {HC_TEXT("FIX"), HC_DTYPE_FP64, batch_of_three, 2},
    {HC_TEXT("HALF"), HC_DTYPE_FP16, batch_of_one, 2},
};

size_t model_inputs(const char *model, struct hc_generate_json_input *inputs) {
    char dtype[8];
    if (strcmp(model, "generate") == 0) {
        memcpy(inputs, generate_inputs, sizeof generate_inputs);
        return N_ITEMS(generate_inputs);
    }
    if (strcmp(model, "keyword") == 0) {
        *inputs =
            (struct hc_generate_json_input){HC_TEXT("parameters"), HC_DTYPE_INT32, free_extent, 1};
        return 1;
    }
    size_t size = 0;
    for (; model[size] != '\0' && size < sizeof dtype; size++) {
        dtype[size] = (char)toupper((unsigned char)model[size]);
    }
    *inputs = (struct hc_generate_json_input){
        HC_TEXT("IN0"), hc_dtype_parse((struct hc_text){dtype, size}), free_extent, 1};
    return 1;
}
