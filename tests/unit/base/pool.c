#include "base/pool.h"

#include "test.h"

static void allocations_do_not_overlap(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    unsigned char *blocks[200];
    for (size_t i = 0; i < N_ITEMS(blocks); i++) {
        blocks[i] = hc_pool_alloc(&pool, i * 7);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < N_ITEMS(blocks); i++) {
        for (size_t j = 0; j < i * 7; j++) {
            assert_int_equal(blocks[i][j], i);
        }
    }
}

static void large_ones_get_a_chunk_of_their_own(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    memset(hc_pool_alloc(&pool, 1 << 20), 1, 1 << 20);
    memset(hc_pool_alloc(&pool, 10), 2, 10);
}

static void reset_reuses_the_first_chunk(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    void *first = hc_pool_alloc(&pool, 10);
    hc_pool_alloc(&pool, 100000);
    hc_pool_reset(&pool);
    assert_ptr_equal(hc_pool_alloc(&pool, 10), first);
}

static void impossible_sizes_are_refused(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    assert_null(hc_pool_alloc_try(&pool, SIZE_MAX, 8));
    assert_null(hc_pool_alloc_try(&pool, 1, SIZE_MAX - 3));
}

static void copies_end_with_a_nul(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    assert_string_equal(hc_pool_copy(&pool, (struct hc_text){"abcdef", 3}), "abc");
    assert_string_equal(hc_pool_copy(&pool, (struct hc_text){NULL, 0}), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(large_ones_get_a_chunk_of_their_own),
        cmocka_unit_test(reset_reuses_the_first_chunk),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(copies_end_with_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
