/*
 * The message of a call, a request that a model makes, as a pyhost that means harm may write it: it
 * is refused, or everything that it names lies within it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "message.h"
#include "tensor/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* The sanitizer looks at every byte that is read. */
static void read_bytes(const void *bytes, size_t size) {
    const volatile char *place = bytes;
    for (size_t i = 0; i < size; i++) {
        (void)place[i];
    }
}

static void read_text(struct hc_text text) {
    read_bytes(text.data, text.size);
}

static void read_call(const struct hc_request *request, const struct hc_message_call_head *head) {
    read_text(head->model_name);
    read_text(request->id);
    read_text(request->correlation.string);
    for (size_t i = 0; i < request->n_parameters; i++) {
        const struct hc_wire_parameter *parameter = &request->parameters[i];
        read_text(parameter->name);
        if (parameter->kind == HC_WIRE_STRING) {
            read_text(parameter->string);
        }
    }
    for (size_t i = 0; i < request->n_outputs; i++) {
        read_text(request->outputs[i]);
    }
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_input *input = &request->inputs[i];
        int64_t count;
        read_text(input->name);
        require(input->dtype > HC_DTYPE_INVALID && input->dtype < HC_N_DTYPES);
        require(hc_shape_count(input->dims, input->n_dims, &count) && count >= 0);
        require(input->size == head->places[i].size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hc_request request = {0};
    struct hc_message_call_head head = {0};
    struct hc_error error = {0};
    hc_auto(memory) memory = hc_alloc(size); /* as large as it says, so that no byte is borrowed */
    memcpy(memory, data, size);
    if (hc_message_read_call(memory, size, &request, &head, &error) == HC_OK) {
        read_call(&request, &head);
    } else {
        require(error.code == HC_INTERNAL && error.message[0] != '\0');
    }
    hc_pool_finish(&request.pool);
    return 0;
}
