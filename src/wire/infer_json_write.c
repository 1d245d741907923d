/* Writing inference responses: Triton's members in Triton's order, without blanks. */
#include "base/json_escape.h"
#include "json_write.h"
#include "wire/number.h"

static void append_number(struct hc_buf *buf, int64_t number) {
    char *place = hc_buf_reserve(buf, HC_NUMBER_ROOM);
    hc_buf_commit(buf, hc_number_print_int64(number, place));
}

static bool write_parameters(struct hc_buf *buf, const struct hc_infer_json_response *response,
                             struct hc_infer_json_policy policy) {
    hc_buf_append_string(buf, ",\"parameters\":");
    for (size_t i = 0; i < response->n_parameters; i++) {
        hc_buf_append_char(buf, i == 0 ? '{' : ',');
        hc_json_append_string(buf, response->parameters[i].name);
        hc_buf_append_char(buf, ':');
        if (!hc_json_write_parameter(buf, &response->parameters[i], policy)) {
            return false;
        }
    }
    hc_buf_append_char(buf, '}');
    return true;
}

static void write_shape(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor) {
    hc_buf_append_char(buf, '[');
    for (size_t i = 0; i < tensor->n_dims; i++) {
        if (i > 0) {
            hc_buf_append_char(buf, ',');
        }
        append_number(buf, tensor->dims[i]);
    }
    hc_buf_append_char(buf, ']');
}

static enum hc_code write_output(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor,
                                 struct hc_infer_json_policy policy, struct hc_error *error) {
    hc_buf_append_string(buf, "{\"name\":");
    hc_json_append_string(buf, tensor->name);
    hc_buf_append_string(buf, ",\"datatype\":\"");
    hc_buf_append_string(buf, hc_dtype_name(tensor->dtype));
    hc_buf_append_string(buf, "\",\"shape\":");
    write_shape(buf, tensor);
    if (tensor->form == HC_INFER_JSON_AS_BINARY) {
        hc_buf_append_string(buf, ",\"parameters\":{\"binary_data_size\":");
        append_number(buf, (int64_t)tensor->size);
        hc_buf_append_char(buf, '}');
    } else if (tensor->form == HC_INFER_JSON_AS_DATA) {
        hc_buf_append_string(buf, ",\"data\":[");
        HC_TRY(hc_json_write_elements(buf, tensor, policy, error));
        hc_buf_append_char(buf, ']');
    }
    hc_buf_append_char(buf, '}');
    return HC_OK;
}

static enum hc_code write_response(struct hc_buf *buf,
                                   const struct hc_infer_json_response *response,
                                   struct hc_infer_json_policy policy, struct hc_error *error) {
    hc_buf_append_char(buf, '{');
    if (response->id.size > 0) {
        hc_buf_append_string(buf, "\"id\":");
        hc_json_append_string(buf, response->id);
        hc_buf_append_char(buf, ',');
    }
    hc_buf_append_string(buf, "\"model_name\":");
    hc_json_append_string(buf, response->model_name);
    hc_buf_append_string(buf, ",\"model_version\":\"");
    append_number(buf, response->model_version);
    hc_buf_append_char(buf, '"');
    if (response->n_parameters > 0 && !write_parameters(buf, response, policy)) {
        return hc_json_write_no_memory(error);
    }
    hc_buf_append_string(buf, ",\"outputs\":[");
    for (size_t i = 0; i < response->n_outputs; i++) {
        if (i > 0) {
            hc_buf_append_char(buf, ',');
        }
        HC_TRY(write_output(buf, &response->outputs[i], policy, error));
    }
    hc_buf_append_string(buf, "]}");
    return HC_OK;
}

enum hc_code hc_infer_json_write(struct hc_buf *buf, const struct hc_infer_json_response *response,
                                 struct hc_infer_json_policy policy, struct hc_error *error) {
    size_t start = buf->size;
    enum hc_code code = write_response(buf, response, policy, error);
    if (code != HC_OK) {
        buf->size = start;
    }
    return code;
}

void hc_infer_json_write_error(struct hc_buf *buf, struct hc_text message) {
    hc_buf_append_string(buf, "{\"error\":");
    hc_json_append_string(buf, message);
    hc_buf_append_char(buf, '}');
}
