/*
 * The models that the recordings were made with: those whose outputs are their inputs, OUT<i> for
 * IN<i>, and `echo` and `generate`, which tell what they see of a request.
 */
#ifndef HC_TESTS_UNIT_WIRE_RECORDED_MODELS_H
#define HC_TESTS_UNIT_WIRE_RECORDED_MODELS_H

#include "wire/generate_json.h"

enum { MODEL_INPUTS_MAX = 5 };

/* The inputs of MODEL; returns how many there are. */
size_t model_inputs(const char *model, struct hc_generate_json_input *inputs);

/*
 * Append the response of MODEL to a request whose inputs are in the JSON text or empty, as that of
 * its endpoint `generate` or `infer`.
 */
enum hc_code answer_request(const char *model, bool generate,
                            const struct hc_infer_json_request *request, struct hc_pool *pool,
                            struct hc_buf *answer, struct hc_error *error);

#endif
