/* What end-to-end tests do not show of requests to manage the repository. */
#include "wire/repository_json.h"

#include "base/buf.h"

#include "test.h"

static void a_body_may_be_empty_or_something_else(void **state) {
    (void)state;
    static const char *const texts[] = {"", "{}", "[]", "7", "{\"other\":[{}]}"};
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        hc_auto_pool pool = {0};
        struct hc_text text = hc_text_of(texts[i]);
        bool flag = true;
        struct hc_load_json load;
        assert_int_equal(hc_index_json_read(text, &flag, NULL), HC_OK);
        assert_false(flag);
        flag = true;
        assert_int_equal(hc_unload_json_read(text, &flag, NULL), HC_OK);
        assert_false(flag);
        assert_int_equal(hc_load_json_read(text, &pool, &load, NULL), HC_OK);
        assert_null(load.config.data);
        assert_int_equal(load.n_files, 0);
    }
}

static void flags_are_read(void **state) {
    (void)state;
    bool flag = false;
    assert_int_equal(hc_index_json_read(HC_TEXT("{\"x\":{},\"ready\":true}"), &flag, NULL), HC_OK);
    assert_true(flag);
    flag = false;
    assert_int_equal(
        hc_unload_json_read(HC_TEXT("{\"parameters\":{\"x\":[1],\"unload_dependents\":true}}"),
                            &flag, NULL),
        HC_OK);
    assert_true(flag);
}

static void a_config_and_many_files_are_read(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    struct hc_load_json load;
    hc_auto_buf text = {0};
    hc_buf_append_string(&text, "{\"parameters\":{\"config\":\"{\\\"a\\\":1}\"");
    for (int i = 0; i < 20; i++) {
        hc_buf_appendf(&text, ",\"file:%d/a\\u002epy\":\"Zm9v\"", i);
    }
    hc_buf_append_string(&text, "},\"more\":null}");
    assert_int_equal(hc_load_json_read(hc_buf_text(&text), &pool, &load, NULL), HC_OK);
    assert_true(hc_text_is(load.config, "{\"a\":1}"));
    assert_int_equal(load.n_files, 20);
    assert_true(hc_text_is(load.files[19].path, "19/a.py"));
    assert_true(hc_text_is(load.files[19].content, "foo"));
}

static void outputs_are_untouched_on_failure(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum hc_code code;
    } rows[] = {
        {"{\"parameters\":{\"file:a\":\"Z\"}}", HC_INVALID_ARGUMENT},
        {"{\"parameters\":{\"config\":\"\",}}", HC_INTERNAL},
        {"{\"parameters\":[]}", HC_INTERNAL},
        {"{", HC_INTERNAL},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto_pool pool = {0};
        struct hc_load_json load = {.n_files = 77};
        assert_int_equal(hc_load_json_read(hc_text_of(rows[i].text), &pool, &load, NULL),
                         rows[i].code);
        assert_int_equal(load.n_files, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_may_be_empty_or_something_else),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(a_config_and_many_files_are_read),
        cmocka_unit_test(outputs_are_untouched_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
