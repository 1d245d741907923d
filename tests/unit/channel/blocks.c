#include "channel/blocks.h"

#include "test.h"

static void blocks_are_aligned_and_apart(void **state) {
    (void)state;
    struct hc_blocks *blocks = hc_blocks_create(1 << 20);
    uint64_t end = 0;
    for (uint64_t size = 0; size < 300; size += 7) {
        struct hc_block *block = hc_blocks_alloc(blocks, size);
        assert_non_null(block);
        assert_int_equal(block->offset % HC_BLOCK_ALIGNMENT, 0);
        assert_true(block->size >= size);
        assert_true(block->offset >= end);
        end = block->offset + block->size;
    }
    assert_true(hc_blocks_valid(blocks));
    hc_blocks_destroy(blocks);
}

static void what_is_freed_first_comes_back_whole(void **state) {
    (void)state;
    struct hc_blocks *blocks = hc_blocks_create(1 << 16);
    struct hc_block *held[64];
    for (size_t i = 0; i < N_ITEMS(held); i++) {
        held[i] = hc_blocks_alloc(blocks, 1024);
        assert_non_null(held[i]);
    }
    assert_null(hc_blocks_alloc(blocks, 1));
    for (size_t i = 0; i < N_ITEMS(held); i += 2) {
        hc_blocks_free(blocks, held[i]);
    }
    assert_null(hc_blocks_alloc(blocks, 2048));
    for (size_t i = 1; i < N_ITEMS(held); i += 2) {
        hc_blocks_free(blocks, held[i]);
    }
    assert_int_equal(hc_blocks_used(blocks), 0);
    assert_non_null(hc_blocks_alloc(blocks, 1 << 16));
    assert_true(hc_blocks_valid(blocks));
    hc_blocks_destroy(blocks);
}

static void a_stale_reference_is_found_out(void **state) {
    (void)state;
    struct hc_blocks *blocks = hc_blocks_create(1 << 16);
    struct hc_block *block = hc_blocks_alloc(blocks, 100);
    uint32_t index = block->index;
    uint32_t generation = block->generation;
    assert_ptr_equal(hc_blocks_find(blocks, index, generation), block);
    assert_null(hc_blocks_find(blocks, index, generation + 1));
    assert_null(hc_blocks_find(blocks, UINT32_MAX, generation));
    hc_blocks_free(blocks, block);
    assert_null(hc_blocks_find(blocks, index, generation));
    assert_null(hc_blocks_find(blocks, index, generation + 1));
    hc_blocks_destroy(blocks);
}

static void sizes_beyond_the_arena_are_refused(void **state) {
    (void)state;
    struct hc_blocks *blocks = hc_blocks_create(1 << 16);
    assert_null(hc_blocks_alloc(blocks, (1 << 16) + 1));
    assert_null(hc_blocks_alloc(blocks, UINT64_MAX));
    hc_blocks_destroy(blocks);
}

struct ranges {
    size_t n;
    uint64_t size;
};

static void count_range(uint64_t offset, uint64_t size, void *user) {
    (void)offset;
    struct ranges *ranges = user;
    ranges->n++;
    ranges->size += size;
}

static void only_touched_memory_is_trimmed_and_once(void **state) {
    (void)state;
    struct hc_blocks *blocks = hc_blocks_create(1 << 20);
    struct hc_block *low = hc_blocks_alloc(blocks, 4096);
    struct hc_block *high = hc_blocks_alloc(blocks, 4096);
    struct ranges ranges = {0};
    hc_blocks_trim(blocks, count_range, &ranges);
    assert_int_equal(ranges.n, 0);
    hc_blocks_free(blocks, low);
    hc_blocks_trim(blocks, count_range, &ranges);
    assert_int_equal(ranges.n, 1);
    assert_int_equal(ranges.size, 4096);
    hc_blocks_trim(blocks, count_range, &ranges);
    assert_int_equal(ranges.n, 1);
    hc_blocks_free(blocks, high);
    hc_blocks_destroy(blocks);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Random allocations and releases: the rules hold and nothing overlaps. */
static void any_order_of_use_keeps_the_rules(void **state) {
    (void)state;
    enum { ARENA_SIZE = 1 << 22, N_HELD = 200, N_STEPS = 20000 };
    struct hc_blocks *blocks = hc_blocks_create(ARENA_SIZE);
    unsigned char *arena = calloc(1, ARENA_SIZE);
    struct hc_block *held[N_HELD] = {NULL};
    uint32_t seed = 7;
    for (int step = 0; step < N_STEPS; step++) {
        size_t i = next_random(&seed) % N_HELD;
        if (held[i] != NULL) {
            for (uint64_t j = 0; j < held[i]->size; j += 64) {
                assert_int_equal(arena[held[i]->offset + j], i + 1);
            }
            memset(arena + held[i]->offset, 0, held[i]->size);
            hc_blocks_free(blocks, held[i]);
            held[i] = NULL;
        } else {
            uint64_t size = next_random(&seed) % (1u << (next_random(&seed) % 17));
            held[i] = hc_blocks_alloc(blocks, size);
            if (held[i] != NULL) {
                for (uint64_t j = 0; j < held[i]->size; j += 64) {
                    assert_int_equal(arena[held[i]->offset + j], 0);
                }
                memset(arena + held[i]->offset, (int)i + 1, held[i]->size);
            }
        }
        if (step % 500 == 0) {
            assert_true(hc_blocks_valid(blocks));
        }
    }
    for (size_t i = 0; i < N_HELD; i++) {
        if (held[i] != NULL) {
            hc_blocks_free(blocks, held[i]);
        }
    }
    assert_true(hc_blocks_valid(blocks));
    assert_int_equal(hc_blocks_used(blocks), 0);
    free(arena);
    hc_blocks_destroy(blocks);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_apart),
        cmocka_unit_test(what_is_freed_first_comes_back_whole),
        cmocka_unit_test(a_stale_reference_is_found_out),
        cmocka_unit_test(sizes_beyond_the_arena_are_refused),
        cmocka_unit_test(only_touched_memory_is_trimmed_and_once),
        cmocka_unit_test(any_order_of_use_keeps_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
