#include "channel/bell.h"

#include <pthread.h>
#include <stdbool.h>

#include "test.h"

enum { N_TURNS = 20000 };

struct turns {
    _Atomic uint32_t bell[2];
    _Atomic uint32_t turn; /* whose turn it is */
};

static void wait_for_turn(struct turns *turns, uint32_t own) {
    while (atomic_load(&turns->turn) != own) {
        hc_bell_prepare(&turns->bell[own]);
        if (atomic_load(&turns->turn) == own) {
            hc_bell_cancel(&turns->bell[own]);
            break;
        }
        hc_bell_wait(&turns->bell[own], 0);
    }
}

static void take_turns(struct turns *turns, uint32_t own) {
    for (int i = 0; i < N_TURNS; i++) {
        wait_for_turn(turns, own);
        atomic_store(&turns->turn, 1 - own);
        hc_bell_ring(&turns->bell[1 - own]);
    }
}

static void *second_player(void *user) {
    take_turns(user, 1);
    return NULL;
}

static void nobody_oversleeps(void **state) {
    (void)state;
    struct turns turns = {0};
    pthread_t second;
    assert_int_equal(pthread_create(&second, NULL, second_player, &turns), 0);
    take_turns(&turns, 0);
    pthread_join(second, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_oversleeps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
