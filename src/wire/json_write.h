/*
 * Writing values as JSON, for the writers of responses. Private to this library. What comes from a
 * model has any size: these functions return false without memory.
 */
#ifndef HC_WIRE_JSON_WRITE_H
#define HC_WIRE_JSON_WRITE_H

#include "wire/infer_json.h"

bool hc_json_write_text(struct hc_buf *buf, struct hc_text text);

/* TEXT, of which bytes that are not UTF-8 are each replaced by U+FFFD. */
bool hc_json_write_text_replaced(struct hc_buf *buf, struct hc_text text);

/* The value of a parameter. */
bool hc_json_write_parameter(struct hc_buf *buf, const struct hc_wire_parameter *parameter,
                             struct hc_infer_json_policy policy);

/* As hc_number_print_double(), but null for what is no finite number. */
size_t hc_json_print_double_or_null(double value, char *place);

/* Elements with commas between them. Errors as for hc_infer_json_write(). */
enum hc_code hc_json_write_elements(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor,
                                    struct hc_infer_json_policy policy, struct hc_error *error);

enum hc_code hc_json_write_no_memory(struct hc_error *error);

#endif
