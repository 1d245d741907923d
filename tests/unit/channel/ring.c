#include "channel/ring.h"

#include <pthread.h>
#include <sched.h>

#include "test.h"

enum { N_SLOTS = 2, N_ENTRIES = 200000 };

static struct hc_ring_shared *new_shared(uint32_t capacity) {
    struct hc_ring_shared *shared = aligned_alloc(HC_CACHE_LINE, hc_ring_shared_size(capacity));
    memset(shared, 0, hc_ring_shared_size(capacity));
    return shared;
}

static void entries_come_out_in_order(void **state) {
    (void)state;
    struct hc_ring_shared *shared = new_shared(4);
    struct hc_ring producer;
    struct hc_ring consumer;
    hc_ring_init(&producer, shared, 4);
    hc_ring_init(&consumer, shared, 4);
    struct hc_entry entry = {0};
    uint64_t expected = 0;
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(hc_ring_room(&producer), 4 - i % 4);
        assert_true(hc_ring_write(&producer, &(struct hc_entry){.handle = i}));
        if (i % 4 == 3) {
            assert_false(hc_ring_write(&producer, &entry));
            assert_int_equal(hc_ring_pop(&consumer, &entry), HC_RING_EMPTY);
            hc_ring_publish(&producer);
            while (hc_ring_pop(&consumer, &entry) == HC_RING_ENTRY) {
                assert_int_equal(entry.handle, expected++);
            }
        }
    }
    assert_int_equal(expected, 100);
    free(shared);
}

static void indexes_may_wrap(void **state) {
    (void)state;
    struct hc_ring_shared *shared = new_shared(4);
    struct hc_ring producer;
    struct hc_ring consumer;
    hc_ring_init(&producer, shared, 4);
    hc_ring_init(&consumer, shared, 4);
    producer._own = producer._peer = consumer._own = consumer._peer = UINT32_MAX - 1;
    atomic_store(&shared->tail, UINT32_MAX - 1);
    atomic_store(&shared->head, UINT32_MAX - 1);
    for (uint64_t i = 0; i < 10; i++) {
        struct hc_entry entry;
        assert_true(hc_ring_write(&producer, &(struct hc_entry){.handle = i}));
        hc_ring_publish(&producer);
        assert_int_equal(hc_ring_pop(&consumer, &entry), HC_RING_ENTRY);
        assert_int_equal(entry.handle, i);
    }
    free(shared);
}

static void a_lying_producer_is_found_out(void **state) {
    (void)state;
    struct hc_ring_shared *shared = new_shared(4);
    struct hc_ring consumer;
    hc_ring_init(&consumer, shared, 4);
    struct hc_entry entry;
    atomic_store(&shared->tail, 5);
    assert_int_equal(hc_ring_pop(&consumer, &entry), HC_RING_CORRUPT);
    atomic_store(&shared->tail, UINT32_MAX);
    assert_int_equal(hc_ring_pop(&consumer, &entry), HC_RING_CORRUPT);
    free(shared);
}

static void a_lying_consumer_gets_nothing_more(void **state) {
    (void)state;
    struct hc_ring_shared *shared = new_shared(4);
    struct hc_ring producer;
    hc_ring_init(&producer, shared, 4);
    for (int i = 0; i < 4; i++) {
        assert_true(hc_ring_write(&producer, &(struct hc_entry){0}));
    }
    atomic_store(&shared->head, 1000);
    assert_int_equal(hc_ring_room(&producer), 0);
    assert_false(hc_ring_write(&producer, &(struct hc_entry){0}));
    free(shared);
}

/* Two threads and a ring of two slots, both sleeping whenever they can: every entry arrives once.
 */
struct crossing {
    struct hc_ring_shared *shared;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool rung;
};

static void *produce(void *user) {
    struct crossing *crossing = user;
    struct hc_ring ring;
    hc_ring_init(&ring, crossing->shared, N_SLOTS);
    for (uint64_t i = 0; i < N_ENTRIES; i++) {
        struct hc_entry entry = {.handle = i, .end_ns = ~i};
        while (!hc_ring_write(&ring, &entry)) {
            sched_yield();
        }
        hc_ring_publish(&ring);
        if (hc_ring_disarm(&ring)) {
            pthread_mutex_lock(&crossing->lock);
            crossing->rung = true;
            pthread_cond_signal(&crossing->bell);
            pthread_mutex_unlock(&crossing->lock);
        }
    }
    return NULL;
}

static void sleep_until_rung(struct crossing *crossing) {
    pthread_mutex_lock(&crossing->lock);
    while (!crossing->rung) {
        pthread_cond_wait(&crossing->bell, &crossing->lock);
    }
    crossing->rung = false;
    pthread_mutex_unlock(&crossing->lock);
}

static void no_wake_up_is_lost_between_threads(void **state) {
    (void)state;
    struct crossing crossing = {.shared = new_shared(N_SLOTS),
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .bell = PTHREAD_COND_INITIALIZER};
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, &crossing), 0);
    struct hc_ring ring;
    hc_ring_init(&ring, crossing.shared, N_SLOTS);
    uint64_t expected = 0;
    while (expected < N_ENTRIES) {
        struct hc_entry entry;
        if (hc_ring_pop(&ring, &entry) == HC_RING_ENTRY) {
            assert_int_equal(entry.handle, expected);
            assert_int_equal(entry.end_ns, ~expected);
            expected++;
        } else if (hc_ring_arm(&ring)) {
            hc_ring_unarm(&ring);
        } else {
            sleep_until_rung(&crossing);
        }
    }
    pthread_join(producer, NULL);
    free(crossing.shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_in_order),
        cmocka_unit_test(indexes_may_wrap),
        cmocka_unit_test(a_lying_producer_is_found_out),
        cmocka_unit_test(a_lying_consumer_gets_nothing_more),
        cmocka_unit_test(no_wake_up_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
