#include "outq.h"

#include "test.h"

/* A segment's context: how often it was released. */
static void count_release(void *context) {
    ++*(int *)context;
}

static char large[10 * HC_SEGMENT_COPY_SIZE];

static void add_large(struct hc_outq *queue, size_t size, int *n_releases) {
    struct hc_segment segment = {large, size, count_release, n_releases};
    hc_outq_add(queue, &segment);
}

/* All that is unsent, as one text. */
static struct hc_buf contents(const struct hc_outq *queue) {
    struct iovec iov[64];
    struct hc_buf text = {0};
    size_t n = hc_outq_gather(queue, iov, N_ITEMS(iov));
    for (size_t i = 0; i < n; i++) {
        hc_buf_append(&text, iov[i].iov_base, iov[i].iov_len);
    }
    return text;
}

static void small_segments_are_copied_and_released_at_once(void **state) {
    (void)state;
    struct hc_outq queue = {0};
    int n_releases = 0;
    char word[] = "word";
    hc_outq_add(&queue, &(struct hc_segment){word, 4, count_release, &n_releases});
    assert_int_equal(n_releases, 1);
    add_large(&queue, HC_SEGMENT_COPY_SIZE, &n_releases);
    assert_int_equal(n_releases, 2);
    assert_int_equal(queue.n_references, 0);
    word[0] = 'X';
    struct iovec iov[3];
    assert_int_equal(hc_outq_gather(&queue, iov, 3), 1); /* both in one piece */
    assert_memory_equal(iov[0].iov_base, "word", 4);
    hc_outq_finish(&queue);
    assert_int_equal(n_releases, 2);
}

static void large_segments_are_referred_to_and_released_when_taken(void **state) {
    (void)state;
    struct hc_outq queue = {0};
    int n_releases = 0;
    hc_outq_copy(&queue, "head", 4);
    add_large(&queue, 5000, &n_releases);
    hc_outq_copy(&queue, "tail", 4);
    struct iovec iov[8];
    assert_int_equal(hc_outq_gather(&queue, iov, 8), 3);
    assert_ptr_equal(iov[1].iov_base, large);
    assert_int_equal(queue.n_references, 1);
    hc_outq_take(&queue, 4 + 4999);
    assert_int_equal(n_releases, 0);
    assert_int_equal(hc_outq_gather(&queue, iov, 8), 2);
    assert_ptr_equal(iov[0].iov_base, large + 4999);
    hc_outq_take(&queue, 2);
    assert_int_equal(n_releases, 1);
    assert_int_equal(queue.n_references, 0);
    assert_int_equal(queue.size, 3);
    hc_outq_finish(&queue);
}

static void dropping_releases_what_is_left(void **state) {
    (void)state;
    struct hc_outq queue = {0};
    int n_releases[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        add_large(&queue, 3000, &n_releases[i]);
    }
    hc_outq_take(&queue, 3001);
    hc_outq_drop(&queue);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(n_releases[i], 1);
    }
    assert_int_equal(queue.size, 0);
    hc_outq_copy(&queue, "again", 5);
    assert_int_equal(queue.size, 5);
    hc_outq_finish(&queue);
}

/* The same sequence everywhere (xorshift). */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void any_mixture_comes_out_as_it_went_in(void **state) {
    (void)state;
    enum { N_STEPS = 20000 };
    static int n_releases[N_STEPS];
    struct hc_outq queue = {0};
    hc_auto_buf expected = {0};
    uint64_t random = 88172645463325252u;
    size_t n_large = 0;
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)('a' + i % 26);
    }
    for (size_t step = 0; step < N_STEPS; step++) {
        size_t size = next_random(&random) % 300;
        if (next_random(&random) % 2 == 0) {
            hc_outq_copy(&queue, large, size);
        } else {
            size += HC_SEGMENT_COPY_SIZE + 1;
            add_large(&queue, size, &n_releases[n_large++]);
        }
        hc_buf_append(&expected, large, size);
        assert_int_equal(queue.size, expected.size);
        /* About as much as is added, so that the queue is seldom empty. */
        size_t taken = next_random(&random) % 2400;
        if (taken > queue.size || next_random(&random) % 3000 == 0) {
            taken = queue.size;
        }
        hc_outq_take(&queue, taken);
        hc_buf_consume(&expected, taken);
        struct hc_buf text = contents(&queue);
        assert_memory_equal(text.data, expected.data, text.size);
        hc_buf_finish(&text);
    }
    hc_outq_finish(&queue);
    for (size_t i = 0; i < n_large; i++) {
        assert_int_equal(n_releases[i], 1);
    }
}

static void what_is_moved_in_parts_is_released_with_the_last(void **state) {
    (void)state;
    struct hc_outq from = {0};
    struct hc_outq queue = {0};
    int n_releases = 0;
    hc_outq_copy(&from, "head", 4);
    add_large(&from, 5000, &n_releases);
    hc_outq_move(&queue, &from, 2004);
    assert_int_equal(from.size, 3000);
    hc_outq_take(&queue, queue.size);
    assert_int_equal(n_releases, 0);
    hc_outq_move(&queue, &from, 3000);
    assert_int_equal(from.size, 0);
    assert_int_equal(n_releases, 0);
    hc_outq_take(&queue, 2999);
    assert_int_equal(n_releases, 0);
    hc_outq_take(&queue, 1);
    assert_int_equal(n_releases, 1);
    hc_outq_finish(&from);
    hc_outq_finish(&queue);
}

static void what_is_dropped_is_released_behind_the_parts_that_were_moved(void **state) {
    (void)state;
    struct hc_outq from = {0};
    struct hc_outq queue = {0};
    int n_divided = 0;
    int n_whole = 0;
    add_large(&from, 5000, &n_divided);
    add_large(&from, 4000, &n_whole);
    hc_outq_move(&queue, &from, 2000);
    hc_outq_drop_after(&from, &queue);
    assert_int_equal(from.size, 0);
    assert_int_equal(n_whole, 1);
    assert_int_equal(n_divided, 0);
    hc_outq_take(&queue, 1999);
    assert_int_equal(n_divided, 0);
    hc_outq_take(&queue, 1);
    assert_int_equal(n_divided, 1);
    add_large(&from, 5000, &n_whole); /* the other queue is empty: at once */
    hc_outq_move(&queue, &from, 2000);
    hc_outq_take(&queue, 2000);
    hc_outq_drop_after(&from, &queue);
    assert_int_equal(n_whole, 2);
    hc_outq_finish(&from);
    hc_outq_finish(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_segments_are_copied_and_released_at_once),
        cmocka_unit_test(large_segments_are_referred_to_and_released_when_taken),
        cmocka_unit_test(dropping_releases_what_is_left),
        cmocka_unit_test(any_mixture_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_moved_in_parts_is_released_with_the_last),
        cmocka_unit_test(what_is_dropped_is_released_behind_the_parts_that_were_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
