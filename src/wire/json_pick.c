/* Picking members out of a JSON document. */
#include "wire/json_pick.h"

/* The member of that name, unless it was found before: the first counts. */
static struct hc_json_member *find(struct hc_json_member *members, size_t n,
                                   struct hc_json_string name) {
    for (size_t i = 0; i < n; i++) {
        if (members[i].value.kind == HC_JSON_NONE && hc_json_string_is(name, members[i].name)) {
            return &members[i];
        }
    }
    return NULL;
}

static void read_members(struct hc_json_reader *json, struct hc_json_member *members, size_t n) {
    struct hc_json_string name;
    struct hc_json_value value;
    while (hc_json_next_member(json, &name) && hc_json_read(json, &value) &&
           hc_json_skip(json, &value)) {
        struct hc_json_member *member = find(members, n, name);
        if (member != NULL) {
            member->value = value;
            member->text = (struct hc_text){value.start, (size_t)(json->_place - value.start)};
        }
    }
}

enum hc_code hc_json_pick(struct hc_text text, struct hc_json_member *members, size_t n,
                          struct hc_error *error) {
    struct hc_json_reader json;
    struct hc_json_value root;
    for (size_t i = 0; i < n; i++) {
        members[i].value.kind = HC_JSON_NONE;
    }
    hc_json_begin(&json, text);
    if (hc_json_read(&json, &root)) {
        if (root.kind == HC_JSON_OBJECT) {
            read_members(&json, members, n);
        } else {
            hc_json_skip(&json, &root);
        }
    }
    return hc_json_end(&json, error);
}
