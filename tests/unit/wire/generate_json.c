/* What recordings of Triton do not show of generate requests and responses. */
#include "wire/generate_json.h"

#include "test.h"

static const int64_t batch_of_one[] = {-1, 1};
static const int64_t batch_of_empty[] = {-1, 0};
static const int64_t fixed[] = {2};
static const struct hc_generate_json_input model[] = {
    {HC_TEXT("text"), HC_DTYPE_BYTES, batch_of_one, 2},
    {HC_TEXT("empty"), HC_DTYPE_INT8, batch_of_empty, 2},
    {HC_TEXT("fixed"), HC_DTYPE_INT8, fixed, 1},
    {HC_TEXT("scalar"), HC_DTYPE_INT8, NULL, 0},
};

static enum hc_code read_text(struct hc_text text, struct hc_pool *pool,
                              struct hc_infer_json_request *request, struct hc_error *error) {
    return hc_generate_json_read(text, model, N_ITEMS(model), pool, request, error);
}

static void tensors_and_parameters_are_told_by_name(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    struct hc_infer_json_request request;
    char data[64];
    assert_int_equal(read_text(HC_TEXT("{\"id\":\"7\",\"stream\":false,\"text\":\"hi\","
                                       "\"parameters\":{\"fixed\":[1,2],\"top_k\":5}}"),
                               &pool, &request, NULL),
                     HC_OK);
    assert_true(hc_text_is(request.id, "7"));
    assert_int_equal(request.n_parameters, 3);
    assert_true(hc_text_is(request.parameters[0].name, "id"));
    assert_true(hc_text_is(request.parameters[2].name, "top_k"));
    assert_int_equal(request.n_inputs, 2);
    assert_int_equal(request.inputs[0].data.size, 6);
    hc_infer_json_copy_data(&request.inputs[0], data);
    assert_memory_equal(data, "\2\0\0\0hi", 6);
    assert_int_equal(request.inputs[0].dims[0], 1);
    hc_infer_json_copy_data(&request.inputs[1], data);
    assert_memory_equal(data, "\1\2", 2);
    assert_int_equal(request.n_outputs, 0);
}

static void shapes_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"empty\":[]}",        "{\"empty\":[1]}",    "{\"fixed\":[]}",
        "{\"fixed\":[1,2,3,4]}", "{\"scalar\":[1,2]}",
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        hc_auto_pool pool = {0};
        struct hc_infer_json_request request = {.n_inputs = 77};
        struct hc_error error;
        assert_int_equal(read_text(hc_text_of(texts[i]), &pool, &request, &error),
                         HC_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "to tensor with proper shape"));
        assert_int_equal(request.n_inputs, 77);
    }
}

static void a_tensor_without_extents_takes_one_element(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    struct hc_infer_json_request request;
    assert_int_equal(read_text(HC_TEXT("{\"scalar\":5}"), &pool, &request, NULL), HC_OK);
    assert_int_equal(request.inputs[0].n_dims, 0);
    assert_int_equal(request.inputs[0].data.size, 1);
}

static void a_parameter_inside_and_outside_is_there_twice(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    struct hc_infer_json_request request;
    assert_int_equal(read_text(HC_TEXT("{\"a\":1,\"a\":2,\"parameters\":{\"a\":3,\"a\":4}}"), &pool,
                               &request, NULL),
                     HC_OK);
    assert_int_equal(request.n_parameters, 2);
    assert_int_equal(request.parameters[0].int64, 1);
    assert_int_equal(request.parameters[1].int64, 3);
}

static const char *write_text(const struct hc_infer_json_response *response) {
    static struct hc_buf buf;
    static struct hc_error error;
    hc_buf_clear(&buf);
    if (hc_generate_json_write(&buf, response, (struct hc_infer_json_policy){0}, &error) != HC_OK) {
        assert_int_equal(buf.size, 0);
        return error.message;
    }
    return hc_buf_string(&buf);
}

static void members_are_sorted_and_the_first_of_a_name_counts(void **state) {
    (void)state;
    static const struct hc_wire_parameter parameters[] = {
        {HC_TEXT("z"), HC_WIRE_BOOL, {.boolean = true}},
        {HC_TEXT("model_name"), HC_WIRE_INT64, {.int64 = 5}},
        {HC_TEXT("a"), HC_WIRE_INT64, {.int64 = 1}},
    };
    const struct hc_infer_json_tensor tensors[] = {
        {HC_TEXT("text"), HC_DTYPE_BYTES, fixed, 1, HC_INFER_JSON_AS_DATA, "\1\0\0\0x\1\0\0\0\"",
         10},
        {HC_TEXT("a"), HC_DTYPE_INT8, NULL, 0, HC_INFER_JSON_AS_DATA, "\2", 1},
        {HC_TEXT("B"), HC_DTYPE_INT8, NULL, 0, HC_INFER_JSON_AS_DATA, "\3", 1},
        {HC_TEXT(""), HC_DTYPE_INT8, NULL, 0, HC_INFER_JSON_AS_DATA, "\4", 1},
        {HC_TEXT("texts"), HC_DTYPE_BYTES, (int64_t[]){0}, 1, HC_INFER_JSON_AS_DATA, "", 0},
    };
    struct hc_infer_json_response response = {
        .id = HC_TEXT("7"),
        .model_name = HC_TEXT("m"),
        .model_version = 2,
        .parameters = parameters,
        .n_parameters = N_ITEMS(parameters),
        .outputs = tensors,
        .n_outputs = N_ITEMS(tensors),
    };
    assert_string_equal(write_text(&response),
                        "{\"\":4,\"B\":3,\"a\":1,\"id\":\"7\",\"model_name\":\"m\","
                        "\"model_version\":\"2\",\"text\":[\"x\",\"\\\"\"],\"texts\":[],"
                        "\"z\":true}");
}

static void a_tensor_that_does_not_fit_is_refused(void **state) {
    (void)state;
    const struct hc_infer_json_tensor tensor = {.name = HC_TEXT("x"),
                                                .dtype = HC_DTYPE_INT8,
                                                .dims = fixed,
                                                .n_dims = 1,
                                                .data = "\1",
                                                .size = 1};
    struct hc_infer_json_response response = {.outputs = &tensor, .n_outputs = 1};
    assert_string_equal(write_text(&response),
                        "output tensor shape does not match size of output for 'x'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_and_parameters_are_told_by_name),
        cmocka_unit_test(shapes_that_cannot_be_are_refused),
        cmocka_unit_test(a_tensor_without_extents_takes_one_element),
        cmocka_unit_test(a_parameter_inside_and_outside_is_there_twice),
        cmocka_unit_test(members_are_sorted_and_the_first_of_a_name_counts),
        cmocka_unit_test(a_tensor_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
