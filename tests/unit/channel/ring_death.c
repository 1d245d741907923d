/*
 * A producer in another process dies after each possible step of publishing; the consumer must find
 * a whole number of whole entries, and never wait for one that will not come.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/ring.h"
#include "test.h"

enum { CAPACITY = 8, N_STEPS_EACH = 3, N_ROUNDS = 6 };

static void die(void) {
    kill(getpid(), SIGKILL);
}

/* Run the producer for STEPS steps (write, publish, disarm, write, …) and die. */
static void produce_and_die(struct hc_ring_shared *shared, int steps) {
    struct hc_ring ring;
    hc_ring_init(&ring, shared, CAPACITY);
    for (int step = 0; step < steps; step++) {
        switch (step % N_STEPS_EACH) {
        case 0:
            hc_ring_write(&ring, &(struct hc_entry){.handle = (uint64_t)step, .end_ns = 7});
            break;
        case 1:
            hc_ring_publish(&ring);
            break;
        default:
            hc_ring_disarm(&ring);
            break;
        }
    }
    die();
}

static void death_at_any_step_leaves_whole_entries(void **state) {
    (void)state;
    for (int steps = 0; steps <= N_ROUNDS * N_STEPS_EACH; steps++) {
        size_t size = hc_ring_shared_size(CAPACITY);
        struct hc_ring_shared *shared =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(shared, MAP_FAILED);
        pid_t child = fork();
        if (child == 0) {
            produce_and_die(shared, steps);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct hc_ring ring;
        hc_ring_init(&ring, shared, CAPACITY);
        struct hc_entry entry;
        int n = 0;
        while (hc_ring_pop(&ring, &entry) == HC_RING_ENTRY) {
            assert_int_equal(entry.handle, n * N_STEPS_EACH);
            assert_int_equal(entry.end_ns, 7);
            n++;
        }
        assert_int_equal(n, (steps + 1) / N_STEPS_EACH);
        munmap(shared, size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_at_any_step_leaves_whole_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
