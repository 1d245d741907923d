/*
 * What the parts of the reader of inference requests share. Private to this library. Errors are not
 * NULL here.
 */
#ifndef HC_WIRE_INFER_JSON_PARTS_H
#define HC_WIRE_INFER_JSON_PARTS_H

#include "elements.h"
#include "wire/infer_json.h"
#include "wire/json_reader.h"

/* An array that grows in a pool. */
struct hc_pool_array {
    void *items;
    size_t n;
    size_t capacity;
};

/* One more item, uninitialised; NULL without memory. Moves the items. */
void *hc_pool_array_add(struct hc_pool_array *array, size_t item_size, struct hc_pool *pool);

/* For each of N names, whether an earlier one equals it; NULL without memory. */
bool *hc_find_repeats(const struct hc_text *names, size_t n, struct hc_pool *pool);

enum hc_code hc_infer_json_no_memory(struct hc_error *error);

/* A string of the request, as far as its first NUL. */
enum hc_code hc_infer_json_text(struct hc_json_string string, struct hc_pool *pool,
                                struct hc_text *text, struct hc_error *error);

/* The index of the string among N names; N when it is none of them. */
unsigned hc_infer_json_find(struct hc_json_string string, const struct hc_text *names, unsigned n);

/* CODE; when it is a failure, the message says that it came from the member NAME. */
enum hc_code hc_infer_json_of(enum hc_code code, const char *name, struct hc_error *error);

/* An error if the member is not there. */
enum hc_code hc_infer_json_require(const struct hc_json_value *member, const char *name,
                                   struct hc_error *error);

/* A parameter that the protocol gives no meaning. */
enum hc_code hc_infer_json_parameter(struct hc_text name, const struct hc_json_value *value,
                                     struct hc_pool *pool, struct hc_wire_parameter *parameter,
                                     struct hc_error *error);

/* "[request id: ID] input 'NAME' already exists in request" */
enum hc_code hc_infer_json_repeated_input(struct hc_text id, struct hc_text name,
                                          struct hc_error *error);

enum hc_infer_json_member {
    HC_INFER_JSON_NAME,
    HC_INFER_JSON_DATATYPE,
    HC_INFER_JSON_SHAPE,
    HC_INFER_JSON_TENSOR_DATA,
    HC_INFER_JSON_PARAMETERS,
    HC_INFER_JSON_N_MEMBERS,
};

enum hc_infer_json_tensor_parameter {
    HC_INFER_JSON_BINARY_DATA_SIZE,
    HC_INFER_JSON_BINARY_DATA,
    HC_INFER_JSON_CLASSIFICATION,
    HC_INFER_JSON_REGION,
    HC_INFER_JSON_REGION_OFFSET,
    HC_INFER_JSON_REGION_SIZE,
    HC_INFER_JSON_N_TENSOR_PARAMETERS,
};

/* An item of `inputs` or `outputs` as it was found; what was not is HC_JSON_NONE. */
struct hc_infer_json_item {
    struct hc_json_value members[HC_INFER_JSON_N_MEMBERS];
    struct hc_json_value parameters[HC_INFER_JSON_N_TENSOR_PARAMETERS];
    struct hc_elements_summary data;
    char *elements; /* those of data, if datatype and shape were known before; else NULL */
    struct hc_pool_array dims; /* int64_t */
    bool bad_dims;             /* an extent is no unsigned integer */
    bool no_memory;
};

static inline bool hc_infer_json_has(const struct hc_infer_json_item *item,
                                     enum hc_infer_json_tensor_parameter parameter) {
    return item->parameters[parameter].kind != HC_JSON_NONE;
}

/* A member that must be there and a string. */
enum hc_code hc_infer_json_take_string(const struct hc_infer_json_item *item,
                                       enum hc_infer_json_member member, struct hc_pool *pool,
                                       struct hc_text *text, struct hc_error *error);

/* The parameters about shared memory, those that are there. */
enum hc_code hc_infer_json_take_region(const struct hc_infer_json_item *item, struct hc_pool *pool,
                                       struct hc_infer_json_region *region, struct hc_error *error);

/*
 * A list of the request, `inputs` or `outputs`. It is read item by item until one is wrong, whose
 * error is kept until the mistakes that go before it in Triton's order are known.
 */
struct hc_infer_json_list {
    struct hc_json_value value;
    struct hc_pool_array items;
    size_t n_named; /* inputs: those whose name counts, perhaps with the one that is wrong */
    struct hc_error error;
};

/* Takes an item, or sets the error of the list. */
typedef void hc_infer_json_on_item(const struct hc_infer_json_item *item, struct hc_pool *pool,
                                   struct hc_infer_json_list *list);

/* Read the list that VALUE is. */
void hc_infer_json_read_list(struct hc_json_reader *json, const struct hc_json_value *value,
                             struct hc_pool *pool, hc_infer_json_on_item *on_item,
                             struct hc_infer_json_list *list);

hc_infer_json_on_item hc_infer_json_on_input;
hc_infer_json_on_item hc_infer_json_on_output;

/* The lists as the request has them, or what is wrong with them. The id is known. */
enum hc_code hc_infer_json_take_inputs(const struct hc_infer_json_list *list, struct hc_pool *pool,
                                       struct hc_infer_json_request *request,
                                       struct hc_error *error);
enum hc_code hc_infer_json_take_outputs(const struct hc_infer_json_list *list, struct hc_pool *pool,
                                        struct hc_infer_json_request *request,
                                        struct hc_error *error);

/*
 * Read the array VALUE and sum it up. Where possible its COUNT elements of DTYPE are collected, in
 * memory of POOL; NULL where not, which may also be for want of memory. They are only right if the
 * summary is.
 */
char *hc_infer_json_read_elements(struct hc_json_reader *json, const struct hc_json_value *value,
                                  enum hc_dtype dtype, uint64_t count, struct hc_pool *pool,
                                  struct hc_elements_summary *summary);

/*
 * Check the value that SUMMARY tells of as the elements of INPUT, whose name and datatype are known
 * and which has COUNT of them by its shape, at least one; fill in its data but for the elements.
 */
enum hc_code hc_infer_json_check_data(const struct hc_elements_summary *summary, uint64_t count,
                                      struct hc_infer_json_input *input, struct hc_error *error);

/* Refuse the datatypes that have no form in JSON. */
enum hc_code hc_infer_json_check_dtype(const struct hc_infer_json_input *input,
                                       struct hc_error *error);

/* Collect the elements of an input that has been checked. False without memory. */
bool hc_infer_json_collect(struct hc_infer_json_input *input, struct hc_pool *pool);

#endif
