#include "base/buf.h"

#include <stdlib.h>

#include "base/json_escape.h"
#include "test.h"

static void grows_and_keeps_its_bytes(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    for (int i = 0; i < 1000; i++) {
        hc_buf_appendf(&buf, "%d,", i);
    }
    assert_int_equal(buf.size, 3890);
    assert_memory_equal(buf.data, "0,1,2,3,", 8);
    assert_memory_equal(buf.data + buf.size - 4, "999,", 4);
}

static void appendf_fits_exactly(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_buf_reserve(&buf, 1);
    size_t room = buf.capacity;
    for (size_t i = 0; i < room - 4; i++) {
        hc_buf_append_char(&buf, 'x');
    }
    hc_buf_appendf(&buf, "%s", "abcd");
    assert_int_equal(buf.size, room);
    assert_memory_equal(buf.data + room - 4, "abcd", 4);
}

static void consume_moves_the_rest(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_buf_append_string(&buf, "hello world");
    hc_buf_consume(&buf, 6);
    assert_string_equal(hc_buf_string(&buf), "world");
    hc_buf_consume(&buf, 100);
    assert_int_equal(buf.size, 0);
}

static void impossible_sizes_are_refused(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_buf_append_string(&buf, "x");
    assert_null(hc_buf_reserve_try(&buf, SIZE_MAX));
    assert_null(hc_buf_reserve_try(&buf, SIZE_MAX / 2));
    assert_string_equal(hc_buf_string(&buf), "x");
}

static void take_hands_over(void **state) {
    (void)state;
    struct hc_buf buf = {0};
    hc_buf_append_string(&buf, "mine");
    char *text = hc_buf_take(&buf);
    assert_string_equal(text, "mine");
    assert_null(buf.data);
    free(text);
}

static void json_strings_are_escaped(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_json_append_string(&buf, HC_TEXT("a\"b\\c\n\t\x01/\xc3\xa9"));
    assert_string_equal(hc_buf_string(&buf), "\"a\\\"b\\\\c\\n\\t\\u0001/\xc3\xa9\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_its_bytes), cmocka_unit_test(appendf_fits_exactly),
        cmocka_unit_test(consume_moves_the_rest),    cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(take_hands_over),           cmocka_unit_test(json_strings_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
