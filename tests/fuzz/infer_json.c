/*
 * Inference and generate requests in JSON. What is accepted has elements of exactly the size
 * announced, which are the same after they have been written as a response and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "tensor/bytes.h"
#include "wire/generate_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hc_infer_json_policy policy = {0};

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* The elements of an input, between guards. NULL without memory. */
static char *copy_elements(const struct hc_infer_json_input *input) {
    size_t size = input->data.size;
    char *place = malloc(size + 1);
    if (place != NULL) {
        place[size] = 0x55;
        hc_infer_json_copy_data(input, place);
        require(place[size] == 0x55);
    }
    return place;
}

/* The text of a request whose only input is what a response has as its only output. */
static void append_request(struct hc_buf *text, const struct hc_infer_json_response *response) {
    static const char head[] = "{\"model_name\":\"\",\"model_version\":\"0\",\"outputs\":";
    hc_auto_buf answer = {0};
    require(hc_infer_json_write(&answer, response, policy, NULL) == HC_OK);
    require(hc_text_starts(hc_buf_text(&answer), head));
    hc_buf_append_string(text, "{\"inputs\":");
    hc_buf_append(text, answer.data + strlen(head), answer.size - strlen(head));
}

/* The elements of the tensor, written and read again, are the same. */
static void check_round_trip(const struct hc_infer_json_input *input, const char *elements) {
    int64_t n = (int64_t)input->data.n_elements;
    struct hc_infer_json_tensor tensor = {
        .name = HC_TEXT("x"),
        .dtype = input->dtype,
        .dims = &n,
        .n_dims = 1,
        .data = elements,
        .size = input->data.size,
    };
    struct hc_infer_json_response response = {.outputs = &tensor, .n_outputs = 1};
    struct hc_infer_json_request request;
    hc_auto_buf text = {0};
    hc_auto_pool pool = {0};
    append_request(&text, &response);
    require(hc_infer_json_read(hc_buf_text(&text), &pool, &request, NULL) == HC_OK);
    require(request.n_inputs == 1 && request.inputs[0].data.size == input->data.size);
    char *again = copy_elements(&request.inputs[0]);
    require(again == NULL || memcmp(again, elements, input->data.size) == 0);
    free(again);
}

static void check_input(const struct hc_infer_json_input *input) {
    if (input->source != HC_INFER_JSON_DATA || input->data.n_elements == 0) {
        return;
    }
    char *elements = copy_elements(input);
    if (elements == NULL) {
        return;
    }
    if (input->dtype == HC_DTYPE_BYTES) {
        uint64_t n;
        require(hc_bytes_count(elements, input->data.size, &n) && n == input->data.n_elements);
    }
    check_round_trip(input, elements);
    free(elements);
}

static void check_inputs(const struct hc_infer_json_request *request) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        check_input(&request->inputs[i]);
    }
}

/* A refused request has an error, with a code and a message that can be sent. */
static void check_error(const struct hc_error *error) {
    hc_auto_buf text = {0};
    require(error->code != HC_OK && hc_code_http(error->code) >= 400);
    require(strnlen(error->message, sizeof error->message) < sizeof error->message);
    hc_infer_json_write_error(&text, hc_text_of(error->message));
}

static void read_infer(struct hc_text text) {
    hc_auto_pool pool = {0};
    struct hc_infer_json_request request;
    struct hc_error error;
    if (hc_infer_json_read(text, &pool, &request, &error) != HC_OK) {
        check_error(&error);
        return;
    }
    check_inputs(&request);
    hc_infer_json_check_binary(&request, text.size, HC_TEXT("m"), NULL);
}

static void read_generate(struct hc_text text) {
    static const int64_t batch[] = {-1, 1};
    static const int64_t matrix[] = {-1, 2, -1};
    static const struct hc_generate_json_input inputs[] = {
        {HC_TEXT("x"), HC_DTYPE_FP32, matrix, 3},
        {HC_TEXT("t"), HC_DTYPE_BYTES, batch, 2},
        {HC_TEXT("i"), HC_DTYPE_INT16, NULL, 0},
    };
    hc_auto_pool pool = {0};
    struct hc_infer_json_request request;
    struct hc_error error;
    if (hc_generate_json_read(text, inputs, 3, &pool, &request, &error) != HC_OK) {
        check_error(&error);
        return;
    }
    check_inputs(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hc_text text = {(const char *)data, size};
    read_infer(text);
    read_generate(text);
    return 0;
}
