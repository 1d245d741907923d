#include "tensor/shape.h"

#include "test.h"

static void counts_elements(void **state) {
    (void)state;
    static const struct {
        int64_t dims[4];
        size_t n_dims;
        bool ok;
        int64_t count;
    } rows[] = {
        {{0}, 0, true, 1},
        {{3, 4}, 2, true, 12},
        {{3, 0}, 2, true, 0},
        {{-1, 4}, 2, false, 0},
        {{INT64_MAX, 2}, 2, false, 0},
        {{INT64_MAX, 1}, 2, true, INT64_MAX},
        {{INT64_MAX, 2, 0}, 3, true, 0},
        {{0, -1}, 2, false, 0},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int64_t count = 0;
        assert_int_equal(hc_shape_count(rows[i].dims, rows[i].n_dims, &count), rows[i].ok);
        assert_int_equal(count, rows[i].count);
    }
}

static void byte_sizes_do_not_overflow(void **state) {
    (void)state;
    size_t size = 0;
    assert_true(hc_shape_byte_size(HC_DTYPE_FP32, (int64_t[]){3, 4}, 2, &size));
    assert_int_equal(size, 48);
    assert_false(hc_shape_byte_size(HC_DTYPE_FP64, (int64_t[]){INT64_MAX / 2}, 1, &size));
    assert_false(hc_shape_byte_size(HC_DTYPE_BYTES, (int64_t[]){1}, 1, &size));
    assert_int_equal(size, 48);
}

static void prints_without_spaces(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_shape_append(&buf, (int64_t[]){-1, 16}, 2);
    hc_shape_append(&buf, NULL, 0);
    assert_string_equal(hc_buf_string(&buf), "[-1,16][]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_elements),
        cmocka_unit_test(byte_sizes_do_not_overflow),
        cmocka_unit_test(prints_without_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
