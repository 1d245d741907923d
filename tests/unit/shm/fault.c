#include "fault.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

struct fixture {
    int fd;
    size_t page;
    char *memory; /* of two pages, the second of which the file has lost */
    char *own;    /* two pages as well */
};

static int set_up(void **state) {
    static struct fixture fixture;
    fixture.page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = 2 * fixture.page;
    fixture.fd = memfd_create("fault", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fixture.fd, (off_t)size), 0);
    fixture.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fixture.fd, 0);
    assert_ptr_not_equal(fixture.memory, MAP_FAILED);
    memset(fixture.memory, 'a', size);
    assert_int_equal(ftruncate(fixture.fd, (off_t)fixture.page), 0);
    fixture.own = test_malloc(size);
    memset(fixture.own, 'b', size);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    munmap(fixture->memory, 2 * fixture->page);
    close(fixture->fd);
    test_free(fixture->own);
    return 0;
}

/* cmocka handles SIGBUS itself until a test has begun. */
static void what_is_there_is_copied(void **state) {
    struct fixture *fixture = *state;
    hc_fault_prepare();
    assert_true(hc_fault_copy(fixture->own, fixture->memory, fixture->page));
    assert_int_equal(fixture->own[fixture->page - 1], 'a');
    assert_int_equal(fixture->own[fixture->page], 'b');
    assert_true(hc_fault_copy(fixture->memory + 1, "xyz", 3));
    assert_memory_equal(fixture->memory, "axyza", 5);
    assert_true(hc_fault_copy(fixture->memory + 2, fixture->memory + 1, 3));
    assert_memory_equal(fixture->memory, "axxyza", 6);
}

static void copies_of_what_is_gone_fail(void **state) {
    struct fixture *fixture = *state;
    hc_fault_prepare();
    for (int i = 0; i < 3; i++) {
        assert_false(hc_fault_copy(fixture->own, fixture->memory, fixture->page + 1));
        assert_false(hc_fault_copy(fixture->memory, fixture->own, 2 * fixture->page));
        assert_false(hc_fault_copy(fixture->own, fixture->memory + fixture->page, 1));
    }
    what_is_there_is_copied(state);
}

/* Large enough to be copied past the caches, from and to every alignment. */
static void large_copies_are_exact(void **state) {
    enum { SIZE = 9 << 20, ROOM = SIZE + 64 };
    char *from = test_malloc(ROOM);
    char *to = test_malloc(ROOM);
    (void)state;
    hc_fault_prepare();
    for (size_t i = 0; i < ROOM; i++) {
        from[i] = (char)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < 20; i++) {
        memset(to, 0, ROOM);
        assert_true(hc_fault_copy(to + i, from + 3 * i, SIZE - i));
        assert_memory_equal(to + i, from + 3 * i, SIZE - i);
        assert_int_equal(to[SIZE], 0);
    }
    memcpy(to, from, ROOM);
    assert_true(hc_fault_copy(to + 5, to, SIZE));
    assert_memory_equal(to + 5, from, SIZE);
    test_free(from);
    test_free(to);
}

/* How a process ends that touches what is gone by itself. */
static void other_faults_end_the_process(void **state) {
    struct fixture *fixture = *state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        hc_fault_prepare();
        alarm(10);
        if (!hc_fault_copy(fixture->own, fixture->memory + fixture->page, 1)) {
            *(volatile char *)(fixture->memory + fixture->page) = 'c';
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FAULT_TEST(what_is_there_is_copied),
        cmocka_unit_test(large_copies_are_exact),
        FAULT_TEST(copies_of_what_is_gone_fail),
        FAULT_TEST(other_faults_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
