#include "cache/cache.h"

#include <stdio.h>

#include "test.h"

static bool holds(struct hc_cache *cache, const char *key, const char *value) {
    struct hc_cache_entry *entry = hc_cache_find(cache, hc_text_of(key));
    bool holds = entry != NULL && hc_text_is(hc_cache_value(entry), value);
    hc_cache_release(entry);
    return holds;
}

static void insert(struct hc_cache *cache, const char *key, const char *value) {
    hc_cache_insert(cache, hc_text_of(key), hc_text_of(value));
}

static void what_was_inserted_is_found(void **state) {
    (void)state;
    struct hc_cache *cache = hc_cache_create(10000);
    assert_null(hc_cache_find(cache, HC_TEXT("a")));
    insert(cache, "a", "one");
    insert(cache, "b", "two");
    insert(cache, "", "nothing");
    assert_true(holds(cache, "a", "one"));
    assert_true(holds(cache, "b", "two"));
    assert_true(holds(cache, "", "nothing"));
    insert(cache, "a", "three");
    assert_true(holds(cache, "a", "three"));
    assert_int_equal(hc_cache_usage(cache).n_entries, 3);
    hc_cache_destroy(cache);
}

static void values_are_aligned(void **state) {
    (void)state;
    struct hc_cache *cache = hc_cache_create(10000);
    for (size_t i = 1; i < 40; i++) {
        struct hc_text key = {"0123456789012345678901234567890123456789", i};
        hc_cache_insert(cache, key, HC_TEXT("value"));
        struct hc_cache_entry *entry = hc_cache_find(cache, key);
        assert_int_equal((uintptr_t)hc_cache_value(entry).data % 16, 0);
        hc_cache_release(entry);
    }
    hc_cache_destroy(cache);
}

static void what_is_not_used_goes_first(void **state) {
    (void)state;
    enum { SIZE = 4096, N = 200 };
    struct hc_cache *cache = hc_cache_create(SIZE);
    char key[16];
    insert(cache, "kept", "value");
    for (size_t i = 0; i < N; i++) {
        snprintf(key, sizeof key, "%zu", i);
        insert(cache, key, key);
        assert_true(hc_cache_usage(cache).size <= SIZE);
        assert_true(holds(cache, "kept", "value"));
        assert_true(holds(cache, key, key));
    }
    struct hc_cache_usage usage = hc_cache_usage(cache);
    assert_int_equal(usage.n_entries + usage.n_evictions, N + 1);
    assert_false(holds(cache, "0", "0"));
    hc_cache_destroy(cache);
}

static void what_is_too_large_stays_outside(void **state) {
    (void)state;
    struct hc_cache *cache = hc_cache_create(300);
    static char large[300];
    insert(cache, "a", "one");
    hc_cache_insert(cache, HC_TEXT("b"), (struct hc_text){large, sizeof large});
    assert_true(holds(cache, "a", "one"));
    assert_null(hc_cache_find(cache, HC_TEXT("b")));
    hc_cache_destroy(cache);
}

static void what_was_found_outlives_its_place(void **state) {
    (void)state;
    struct hc_cache *cache = hc_cache_create(10000);
    insert(cache, "a", "one");
    struct hc_cache_entry *entry = hc_cache_find(cache, HC_TEXT("a"));
    insert(cache, "a", "two");
    assert_true(hc_text_is(hc_cache_value(entry), "one"));
    hc_cache_destroy(cache);
    assert_true(hc_text_is(hc_cache_value(entry), "one"));
    hc_cache_release(entry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_inserted_is_found),
        cmocka_unit_test(values_are_aligned),
        cmocka_unit_test(what_is_not_used_goes_first),
        cmocka_unit_test(what_is_too_large_stays_outside),
        cmocka_unit_test(what_was_found_outlives_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
