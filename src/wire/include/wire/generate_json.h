/*
 * Requests and responses of the generate endpoints: JSON whose members are tensors and parameters
 * by name, with datatypes and shapes taken from the model. They are read into, and written from,
 * the structs of inference in JSON; what is said there of memory, names and errors holds here.
 *
 * A member with the name of an input is a tensor: a value, or an array whose length is the number
 * of its elements. Any other is a parameter, `id` too, though it is also the id of the request.
 * Members of the object `parameters` are taken as if they stood outside of it; a parameter that is
 * given inside and outside is there twice, in their order.
 */
#ifndef HC_WIRE_GENERATE_JSON_H
#define HC_WIRE_GENERATE_JSON_H

#include "wire/infer_json.h"

/* An input of the model; extents that are free are -1, that of the batch among them. */
struct hc_generate_json_input {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
};

/*
 * The elements go to the fixed extents of the model, from the innermost on; what is left goes to
 * the innermost free one, the other free ones are 1. HC_INVALID_ARGUMENT if that does not come out
 * even. All inputs of the request have DATA as their source; it requests no outputs.
 */
enum hc_code hc_generate_json_read(struct hc_text text,
                                   const struct hc_generate_json_input *model_inputs,
                                   size_t n_model_inputs, struct hc_pool *pool,
                                   struct hc_infer_json_request *request, struct hc_error *error);

/*
 * Append the response: id, model_name, model_version, parameters and tensors in one object, sorted
 * by name; of the same names the first of these counts. A tensor of one element is that element,
 * others are flat arrays; their form is not looked at. Errors as for hc_infer_json_write().
 */
enum hc_code hc_generate_json_write(struct hc_buf *buf,
                                    const struct hc_infer_json_response *response,
                                    struct hc_infer_json_policy policy, struct hc_error *error);

#endif
