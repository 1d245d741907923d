/*
 * The members of a small JSON document that are asked for by name: requests of the control plane.
 */
#ifndef HC_WIRE_JSON_PICK_H
#define HC_WIRE_JSON_PICK_H

#include "wire/json_reader.h"

struct hc_json_member {
    const char *name; /* the caller's */
    struct hc_json_value value;
    struct hc_text text; /* the value as it stands in the document */
};

/*
 * Look for N MEMBERS in the object that TEXT is, and fill in their values; those that are not there
 * have none (HC_JSON_NONE). What is not an object has no members, as in Triton. Errors are those of
 * hc_json_end().
 */
enum hc_code hc_json_pick(struct hc_text text, struct hc_json_member *members, size_t n,
                          struct hc_error *error);

#endif
