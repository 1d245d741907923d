/* Blocks of threads, and where their threads meet. */
#include "grid.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fiber.h"

enum { MAX_THREADS = 1024, N_LANES = FAKE_WARP, STACK_SIZE = 64 << 10 };

struct thread {
    struct fiber fiber;
    enum { READY, AT_BARRIER, AT_EXCHANGE, RETURNED } state;
    const char *site; /* where it waits */
    unsigned n_exchanges;
};

/* Slots of an exchange stay until the next but one, since lanes leave it one after the other. */
struct warp {
    char slots[2][N_LANES][FAKE_SLOT_SIZE];
};

/* What belongs to threads alone. */
struct arena {
    struct warp warps[MAX_THREADS / N_LANES];
    char stacks[MAX_THREADS][STACK_SIZE];
};

struct fake_here fake_here;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct fake_grid *grid;
static struct fiber scheduler;
static struct arena *arena; /* NULL: fibers are to be made */
static struct thread threads[MAX_THREADS];
static struct thread *running; /* NULL: the scheduler */
static uint64_t n_blocks;
static int result;

/* ---- Threads ---- */

unsigned fake_thread(void) {
    return (unsigned)(running - threads);
}

unsigned fake_lane(void) {
    return fake_thread() % N_LANES;
}

static void run_thread(void) {
    for (;;) {
        grid->run(grid->kernel, grid->parameters);
        running->state = RETURNED;
        fiber_switch(&running->fiber, &scheduler);
    }
}

static void wait_at(int state, const char *site) {
    running->state = state;
    running->site = site;
    fiber_switch(&running->fiber, &scheduler);
}

void fake_barrier(const char *site) {
    wait_at(AT_BARRIER, site);
}

const void *fake_exchange(const char *site, const void *mine, size_t size) {
    struct warp *warp = &arena->warps[fake_thread() / N_LANES];
    char (*slots)[FAKE_SLOT_SIZE] = warp->slots[running->n_exchanges++ % 2];
    memcpy(slots[fake_lane()], mine, size);
    wait_at(AT_EXCHANGE, site);
    return slots;
}

static void tell(const char *format, va_list arguments) {
    fprintf(stderr, "fake_cuda: %s, block (%u, %u), thread %u: ", grid->name, fake_here.block.x,
            fake_here.block.y, fake_thread());
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void fake_fail(int why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
    result = why;
    fiber_switch(&running->fiber, &scheduler);
    __builtin_unreachable(); /* a grid that has failed goes on no more */
}

void fake_trap(const char *site) {
    fake_fail(LAUNCH_FAILED, "trap at %s", site);
}

/* ---- Blocks ---- */

static void resume(struct thread *thread) {
    unsigned number = (unsigned)(thread - threads);
    fake_here.thread = (struct fake_extent){number, 0, 0};
    running = thread;
    fiber_switch(&scheduler, &thread->fiber);
}

static void fail_at(struct thread *thread, const char *why) {
    running = thread;
    fake_here.thread.x = fake_thread();
    fprintf(stderr, "fake_cuda: %s, block (%u, %u), thread %u: %s at %s\n", grid->name,
            fake_here.block.x, fake_here.block.y, fake_thread(), why, thread->site);
    result = LAUNCH_FAILED;
}

/* Whether the lanes of a warp have met, and may go on. */
static bool release_lanes(struct thread *lanes) {
    for (unsigned i = 0; i < N_LANES; i++) {
        if (lanes[i].state != AT_EXCHANGE || strcmp(lanes[i].site, lanes[0].site) != 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < N_LANES; i++) {
        lanes[i].state = READY;
    }
    return true;
}

static void run_warp(struct thread *lanes) {
    do {
        for (unsigned i = 0; i < N_LANES && result == SUCCESS; i++) {
            if (lanes[i].state == READY) {
                resume(&lanes[i]);
            }
        }
    } while (result == SUCCESS && release_lanes(lanes));
}

/* No thread can go on: whether there are some, which have all met at a barrier. */
static bool release_block(void) {
    struct thread *first = NULL;
    for (unsigned i = 0; i < grid->n_threads; i++) {
        struct thread *thread = &threads[i];
        if (thread->state == RETURNED) {
            continue;
        }
        first = first == NULL ? thread : first;
        if (thread->state == AT_EXCHANGE) {
            fail_at(thread, "not all lanes of the warp come to the exchange");
            return false;
        }
        if (strcmp(thread->site, first->site) != 0) {
            fail_at(thread, "not all threads come to the barrier");
            return false;
        }
        thread->state = READY;
    }
    return first != NULL;
}

static void run_block(void) {
    n_blocks++;
    for (unsigned i = 0; i < grid->n_threads; i++) {
        threads[i].state = READY;
        threads[i].n_exchanges = 0;
    }
    do {
        fake_checks_step(n_blocks);
        for (unsigned i = 0; i < grid->n_threads; i += N_LANES) {
            run_warp(&threads[i]);
        }
    } while (result == SUCCESS && release_block());
}

/* ---- Grids ---- */

/* Anew after a grid has failed, since its threads are in the middle of something. */
static void make_threads(void) {
    if (arena == NULL) {
        arena = aligned_alloc(FAKE_SLOT_SIZE, sizeof *arena);
        for (size_t i = 0; i < MAX_THREADS; i++) {
            fiber_init(&threads[i].fiber, arena->stacks[i], STACK_SIZE, run_thread);
        }
    }
    fake_checks_begin(grid, arena, sizeof *arena);
}

/* What sanitizers know of their stacks goes too. */
static void drop_threads(void) {
    free(arena);
    arena = NULL;
}

static void run_blocks(void) {
    for (unsigned y = 0; y < grid->extent.y; y++) {
        for (unsigned x = 0; x < grid->extent.x && result == SUCCESS; x++) {
            fake_here.block = (struct fake_extent){x, y, 0};
            run_block();
        }
    }
}

int fake_run_grid(const struct fake_grid *given) {
    pthread_mutex_lock(&lock);
    grid = given;
    result = SUCCESS;
    fake_here =
        (struct fake_here){.block_extent = {grid->n_threads, 1, 1}, .grid_extent = grid->extent};
    make_threads();
    run_blocks();
    if (result != SUCCESS) {
        drop_threads();
    }
    int returned = result;
    pthread_mutex_unlock(&lock);
    return returned;
}
