/*
 * The models that the recordings were made with: those whose outputs are their inputs, OUT<i> for
 * IN<i>, and `echo`, which tells what it sees of a request.
 */
#ifndef HC_TESTS_UNIT_WIRE_RECORDED_MODELS_H
#define HC_TESTS_UNIT_WIRE_RECORDED_MODELS_H

#include "wire/infer_json.h"

/* Append the response of MODEL to a request whose inputs are in the JSON text or empty. */
enum hc_code answer_request(const char *model, const struct hc_infer_json_request *request,
                            struct hc_pool *pool, struct hc_buf *answer, struct hc_error *error);

#endif
