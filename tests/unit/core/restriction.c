#include "core/restriction.h"

#include "test.h"

static void groups_are_restricted_by_a_header(void **state) {
    (void)state;
    struct hc_restrictions restrictions = {0};
    assert_int_equal(hc_restrictions_add(&restrictions, "health,shared-memory:a=b=c", NULL), HC_OK);
    assert_int_equal(hc_restrictions_add(&restrictions, "model-repository:key=", NULL), HC_OK);
    assert_string_equal(restrictions.apis[HC_API_HEALTH].header, "a");
    assert_string_equal(restrictions.apis[HC_API_SHARED_MEMORY].value, "b=c");
    assert_string_equal(restrictions.apis[HC_API_MODEL_REPOSITORY].value, "");
    assert_null(restrictions.apis[HC_API_INFERENCE].header);
    hc_restrictions_finish(&restrictions);
    assert_null(restrictions.apis[HC_API_HEALTH].header);
}

static void what_says_nothing_is_refused(void **state) {
    (void)state;
    static const char *const options[] = {
        "",           "health",      "health:key",        "health:=value", ":key=value",
        "nobody:a=b", "health,:a=b", "health,health:a=b", "Health:a=b",
    };
    for (size_t i = 0; i < N_ITEMS(options); i++) {
        struct hc_restrictions restrictions = {0};
        struct hc_error error;
        assert_int_equal(hc_restrictions_add(&restrictions, options[i], &error),
                         HC_INVALID_ARGUMENT);
        hc_restrictions_finish(&restrictions);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_restricted_by_a_header),
        cmocka_unit_test(what_says_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
