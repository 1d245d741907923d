#include "tensor/bytes.h"

#include "test.h"

static void elements_are_walked(void **state) {
    (void)state;
    static const char data[] = "\x03\0\0\0abc\0\0\0\0\x01\0\0\0z";
    struct hc_bytes_reader reader = {data, sizeof data - 1, 0};
    struct hc_text element;
    assert_int_equal(hc_bytes_next(&reader, &element), HC_BYTES_ELEMENT);
    assert_true(hc_text_is(element, "abc"));
    assert_int_equal(hc_bytes_next(&reader, &element), HC_BYTES_ELEMENT);
    assert_int_equal(element.size, 0);
    assert_int_equal(hc_bytes_next(&reader, &element), HC_BYTES_ELEMENT);
    assert_true(hc_text_is(element, "z"));
    assert_int_equal(hc_bytes_next(&reader, &element), HC_BYTES_END);
}

static void bad_framing_is_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        enum hc_bytes_step step;
    } rows[] = {
        {"", 0, HC_BYTES_END},
        {"\x01\0\0", 3, HC_BYTES_INCOMPLETE_PREFIX},
        {"\x01\0\0\0", 4, HC_BYTES_INCOMPLETE_DATA},
        {"\xff\xff\xff\xff"
         "abc",
         7, HC_BYTES_INCOMPLETE_DATA},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_bytes_reader reader = {rows[i].data, rows[i].size, 0};
        struct hc_text element;
        assert_int_equal(hc_bytes_next(&reader, &element), rows[i].step);
    }
}

static void counts(void **state) {
    (void)state;
    uint64_t count = 99;
    assert_true(hc_bytes_count("\x01\0\0\0a\0\0\0\0", 9, &count));
    assert_int_equal(count, 2);
    assert_false(hc_bytes_count("\x01\0\0\0a\0\0\0", 8, &count));
    assert_int_equal(count, 2);
    assert_true(hc_bytes_count(NULL, 0, &count));
    assert_int_equal(count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_walked),
        cmocka_unit_test(bad_framing_is_told_apart),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
