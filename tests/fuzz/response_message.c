/*
 * The message of a response, as a pyhost that means harm may write it: it is refused, or everything
 * that it names lies within it.
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

static void read_response(const struct hc_response *response) {
    read_bytes(response->message.data, response->message.size);
    for (size_t i = 0; i < response->n_parameters; i++) {
        const struct hc_wire_parameter *parameter = &response->parameters[i];
        read_bytes(parameter->name.data, parameter->name.size);
        if (parameter->kind == HC_WIRE_STRING) {
            read_bytes(parameter->string.data, parameter->string.size);
        }
    }
    for (size_t i = 0; i < response->n_outputs; i++) {
        const struct hc_output *output = &response->outputs[i];
        int64_t count;
        read_bytes(output->name.data, output->name.size);
        require(output->dtype > HC_DTYPE_INVALID && output->dtype < HC_N_DTYPES);
        require(hc_shape_count(output->dims, output->n_dims, &count) && count >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hc_response response = {0};
    struct hc_place *places = NULL;
    struct hc_error error = {0};
    hc_auto(memory) memory = hc_alloc(size); /* as large as it says, so that no byte is borrowed */
    memcpy(memory, data, size);
    if (hc_message_read(memory, size, &response, &places, &error) == HC_OK) {
        read_response(&response);
        read_bytes(places, response.n_outputs * sizeof *places);
    } else {
        require(error.code == HC_INTERNAL && error.message[0] != '\0');
    }
    hc_pool_finish(&response.pool);
    return 0;
}
