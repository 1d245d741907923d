/* Writing generate responses: all members sorted by name, as Triton's map has them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json_escape.h"
#include "json_write.h"
#include "tensor/shape.h"
#include "wire/generate_json.h"
#include "wire/number.h"

/* One of the three is set: what the member is made of. */
struct member {
    struct hc_text name;
    size_t rank; /* of the same names the first counts */
    struct hc_text text;
    const struct hc_wire_parameter *parameter;
    const struct hc_infer_json_tensor *tensor;
};

static int compare(const void *left, const void *right) {
    const struct member *a = left;
    const struct member *b = right;
    size_t size = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = size > 0 ? memcmp(a->name.data, b->name.data, size) : 0;
    if (order == 0 && a->name.size != b->name.size) {
        return a->name.size < b->name.size ? -1 : 1;
    }
    return order != 0 ? order : a->rank < b->rank ? -1 : 1;
}

static void add(struct member *members, size_t *n, struct member member) {
    member.rank = *n;
    members[(*n)++] = member;
}

enum { N_FIXED_MEMBERS = 3 };

static size_t gather(const struct hc_infer_json_response *response, struct hc_text version,
                     struct member *members) {
    size_t n = 0;
    if (response->id.size > 0) {
        add(members, &n, (struct member){.name = HC_TEXT("id"), .text = response->id});
    }
    add(members, &n, (struct member){.name = HC_TEXT("model_name"), .text = response->model_name});
    add(members, &n, (struct member){.name = HC_TEXT("model_version"), .text = version});
    for (size_t i = 0; i < response->n_parameters; i++) {
        const struct hc_wire_parameter *parameter = &response->parameters[i];
        add(members, &n, (struct member){.name = parameter->name, .parameter = parameter});
    }
    for (size_t i = 0; i < response->n_outputs; i++) {
        const struct hc_infer_json_tensor *tensor = &response->outputs[i];
        add(members, &n, (struct member){.name = tensor->name, .tensor = tensor});
    }
    qsort(members, n, sizeof *members, compare);
    return n;
}

static enum hc_code write_tensor(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor,
                                 struct hc_infer_json_policy policy, struct hc_error *error) {
    int64_t n = 0;
    bool single = hc_shape_count(tensor->dims, tensor->n_dims, &n) && n == 1;
    if (!single) {
        hc_buf_append_char(buf, '[');
    }
    HC_TRY(hc_json_write_elements(buf, tensor, policy, error));
    if (!single) {
        hc_buf_append_char(buf, ']');
    }
    return HC_OK;
}

static enum hc_code write_member(struct hc_buf *buf, const struct member *member,
                                 struct hc_infer_json_policy policy, struct hc_error *error) {
    hc_json_append_string(buf, member->name);
    hc_buf_append_char(buf, ':');
    if (member->tensor != NULL) {
        return write_tensor(buf, member->tensor, policy, error);
    }
    if (member->parameter == NULL) {
        hc_json_append_string(buf, member->text);
        return HC_OK;
    }
    return hc_json_write_parameter(buf, member->parameter, policy) ? HC_OK
                                                                   : hc_json_write_no_memory(error);
}

static enum hc_code write_members(struct hc_buf *buf, const struct member *members, size_t n,
                                  struct hc_infer_json_policy policy, struct hc_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && hc_text_equal(members[i].name, members[i - 1].name)) {
            continue;
        }
        hc_buf_append_char(buf, i == 0 ? '{' : ',');
        HC_TRY(write_member(buf, &members[i], policy, error));
    }
    hc_buf_append_char(buf, '}');
    return HC_OK;
}

enum hc_code hc_generate_json_write(struct hc_buf *buf,
                                    const struct hc_infer_json_response *response,
                                    struct hc_infer_json_policy policy, struct hc_error *error) {
    char version[HC_NUMBER_ROOM];
    size_t start = buf->size;
    size_t n_members = N_FIXED_MEMBERS + response->n_parameters + response->n_outputs;
    hc_auto(memory) members = hc_alloc_array(n_members, sizeof(struct member));
    size_t version_size = hc_number_print_int64(response->model_version, version);
    size_t n = gather(response, (struct hc_text){version, version_size}, members);
    enum hc_code code = write_members(buf, members, n, policy, error);
    if (code != HC_OK) {
        buf->size = start;
    }
    return code;
}
