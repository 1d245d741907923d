#include "wire/json_pick.h"

#include "test.h"

static enum hc_code pick(const char *text, struct hc_json_member members[2],
                         struct hc_error *error) {
    members[0] = (struct hc_json_member){.name = "a"};
    members[1] = (struct hc_json_member){.name = "b"};
    return hc_json_pick(hc_text_of(text), members, 2, error);
}

static void members_are_found_by_name(void **state) {
    (void)state;
    struct hc_json_member members[2];
    uint64_t number;
    assert_int_equal(pick(" {\"x\":[1,{\"a\":2}],\"b\":{\"a\":[3]},\"a\":7 } ", members, NULL),
                     HC_OK);
    assert_int_equal(hc_json_as_uint64(&members[0].value, &number, NULL), HC_OK);
    assert_int_equal(number, 7);
    assert_int_equal(members[1].value.kind, HC_JSON_OBJECT);
    assert_true(hc_text_is(members[1].text, "{\"a\":[3]}"));
}

static void of_the_same_name_the_first_counts(void **state) {
    (void)state;
    struct hc_json_member members[2];
    assert_int_equal(pick("{\"a\":null,\"a\":7}", members, NULL), HC_OK);
    assert_int_equal(members[0].value.kind, HC_JSON_NULL);
    assert_int_equal(members[1].value.kind, HC_JSON_NONE);
}

static void what_is_no_object_has_no_members(void **state) {
    (void)state;
    static const char *const texts[] = {"[]", "7", "null", "[{\"a\":1}]", "{}"};
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct hc_json_member members[2];
        assert_int_equal(pick(texts[i], members, NULL), HC_OK);
        assert_int_equal(members[0].value.kind, HC_JSON_NONE);
    }
}

static void what_is_no_json_is_an_error(void **state) {
    (void)state;
    static const char *const texts[] = {"", "{", "{\"a\":1,}", "{}x", "{\"a\":[}"};
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct hc_json_member members[2];
        struct hc_error error;
        assert_int_equal(pick(texts[i], members, &error), HC_INTERNAL);
        assert_non_null(strstr(error.message, "failed to parse the request JSON buffer"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_by_name),
        cmocka_unit_test(of_the_same_name_the_first_counts),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(what_is_no_json_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
