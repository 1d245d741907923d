/*
 * Responses: what a backend answers to a request.
 *
 * A response is handed to the request's on_response on the request's loop and belongs to whoever is
 * called there, until hc_response_release(), on the same loop. Texts, shapes and tensor data stay
 * in place until then. Tensor data may lie in memory that another process writes to: its size is
 * checked, what it says is not.
 */
#ifndef HC_CORE_RESPONSE_H
#define HC_CORE_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/text.h"
#include "tensor/dtype.h"
#include "wire/parameter.h"

struct hc_output {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims; /* none negative */
    size_t n_dims;
    const char *data; /* row-major, little-endian; strings in BYTES encoding */
    size_t size;
    bool in_place; /* it is where the request's output_places wanted it, and nowhere else */
};

struct hc_response {
    enum hc_code code;      /* HC_OK: outputs; else message */
    struct hc_text message; /* may be longer than a struct hc_error holds */
    const struct hc_wire_parameter *parameters;
    size_t n_parameters;
    struct hc_output *outputs;
    size_t n_outputs;
    struct hc_pool pool;                              /* for what belongs to the response */
    void (*on_release)(struct hc_response *response); /* frees it as well */
};

/* An error that the server itself has found. */
struct hc_response *hc_response_error(enum hc_code code, struct hc_text message);

/* NULL is fine. */
static inline void hc_response_release(struct hc_response *response) {
    if (response != NULL) {
        response->on_release(response);
    }
}

#endif
