#include "shm/shm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "test.h"

enum { SIZE = 10000 };

struct fixture {
    struct hc_shm *shm;
    char key[64];
    int fd;
};

static int set_up(void **state) {
    static struct fixture fixture;
    fixture.shm = hc_shm_create();
    snprintf(fixture.key, sizeof fixture.key, "/hippocamp-unit-%d", (int)getpid());
    fixture.fd = shm_open(fixture.key, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fixture.fd >= 0);
    assert_int_equal(ftruncate(fixture.fd, SIZE), 0);
    assert_int_equal(pwrite(fixture.fd, "0123456789", 10, 100), 10);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    hc_shm_destroy(fixture->shm);
    shm_unlink(fixture->key);
    close(fixture->fd);
    return 0;
}

static enum hc_code add(struct fixture *fixture, const char *name, uint64_t offset, uint64_t size,
                        struct hc_error *error) {
    return hc_shm_register(fixture->shm, hc_text_of(name), hc_text_of(fixture->key), offset, size,
                           error);
}

static enum hc_code take(struct fixture *fixture, const char *name, uint64_t offset, uint64_t size,
                         struct hc_shm_region **region) {
    return hc_shm_take(fixture->shm, hc_text_of(name), offset, size, region, NULL);
}

static void bytes_go_both_ways(void **state) {
    struct fixture *fixture = *state;
    struct hc_shm_region *region;
    char bytes[4];
    assert_int_equal(add(fixture, "a", 100, 50, NULL), HC_OK);
    assert_int_equal(take(fixture, "a", 2, 48, &region), HC_OK);
    assert_int_equal(hc_shm_read(region, 2, bytes, sizeof bytes, NULL), HC_OK);
    assert_memory_equal(bytes, "2345", 4);
    assert_int_equal(hc_shm_write(region, 3, "xy", 2, NULL), HC_OK);
    assert_int_equal(pread(fixture->fd, bytes, 4, 102), 4);
    assert_memory_equal(bytes, "2xy5", 4);
    hc_shm_release(region);
}

struct range_row {
    uint64_t offset, size;
    enum hc_code code;
};

static void only_what_lies_in_the_memory_is_registered(void **state) {
    static const struct range_row rows[] = {
        {0, SIZE, HC_OK},
        {SIZE - 1, 1, HC_OK},
        {0, 0, HC_INVALID_ARGUMENT},
        {0, SIZE + 1, HC_INVALID_ARGUMENT},
        {SIZE, 1, HC_INVALID_ARGUMENT},
        {UINT64_MAX, 1, HC_INVALID_ARGUMENT},
        {UINT64_MAX - 5, 10, HC_INVALID_ARGUMENT},
        {10, UINT64_MAX, HC_INVALID_ARGUMENT},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(add(fixture, "a", rows[i].offset, rows[i].size, NULL), rows[i].code);
        hc_shm_unregister(fixture->shm, HC_SHM_SYSTEM, HC_TEXT("a"));
    }
}

static void only_what_lies_in_the_region_is_used(void **state) {
    static const struct range_row rows[] = {
        {0, 50, HC_OK},
        {49, 1, HC_OK},
        {0, 0, HC_INVALID_ARGUMENT},
        {0, 51, HC_INVALID_ARGUMENT},
        {50, 1, HC_INVALID_ARGUMENT},
        {1, UINT64_MAX, HC_INVALID_ARGUMENT},
        {UINT64_MAX, 2, HC_INVALID_ARGUMENT},
    };
    struct fixture *fixture = *state;
    assert_int_equal(add(fixture, "a", 100, 50, NULL), HC_OK);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_shm_region *region = NULL;
        assert_int_equal(take(fixture, "a", rows[i].offset, rows[i].size, &region), rows[i].code);
        hc_shm_release(region);
    }
}

static void what_cannot_be_opened_is_refused(void **state) {
    static const char *const keys[] = {"", "/", "/../etc/passwd", "/hippocamp-nobody",
                                       "/triton_python_backend_shm_region_1"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < N_ITEMS(keys); i++) {
        struct hc_error error;
        assert_int_equal(
            hc_shm_register(fixture->shm, HC_TEXT("a"), hc_text_of(keys[i]), 0, 1, &error),
            HC_INTERNAL);
        assert_non_null(strstr(error.message, "Unable to open shared memory region: '"));
    }
}

static void a_region_in_use_outlives_its_name(void **state) {
    struct fixture *fixture = *state;
    struct hc_shm_region *region;
    struct hc_shm_region *none;
    char byte;
    assert_int_equal(add(fixture, "a", 100, 50, NULL), HC_OK);
    assert_int_equal(take(fixture, "a", 0, 1, &region), HC_OK);
    hc_shm_unregister(fixture->shm, HC_SHM_SYSTEM, HC_TEXT(""));
    assert_int_equal(take(fixture, "a", 0, 1, &none), HC_NOT_FOUND);
    assert_int_equal(hc_shm_read(region, 0, &byte, 1, NULL), HC_OK);
    assert_int_equal(byte, '0');
    hc_shm_release(region);
}

static void memory_that_was_cut_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct hc_shm_region *region;
    char byte = 'a';
    assert_int_equal(add(fixture, "a", 0, SIZE, NULL), HC_OK);
    assert_int_equal(take(fixture, "a", 0, SIZE, &region), HC_OK);
    assert_int_equal(ftruncate(fixture->fd, 10), 0);
    assert_int_equal(hc_shm_read(region, 10, &byte, 1, NULL), HC_INTERNAL);
    assert_int_equal(hc_shm_write(region, 10, &byte, 1, NULL), HC_INTERNAL);
    assert_int_equal(lseek(fixture->fd, 0, SEEK_END), 10);
    hc_shm_release(region);
}

static void regions_are_listed_by_name(void **state) {
    static const char *const names[] = {"b", "a", "c", "ab"};
    struct fixture *fixture = *state;
    hc_auto_shm_list list = {0};
    struct hc_error error;
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        assert_int_equal(add(fixture, names[i], i, 5, NULL), HC_OK);
    }
    assert_int_equal(add(fixture, "a", 0, 5, &error), HC_ALREADY_EXISTS);
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_SYSTEM, HC_TEXT(""), &list, NULL), HC_OK);
    assert_int_equal(list.n, 4);
    assert_string_equal(list.items[0].name, "a");
    assert_string_equal(list.items[1].name, "ab");
    assert_string_equal(list.items[3].name, "c");
    assert_string_equal(list.items[0].key, fixture->key);
    assert_int_equal(list.items[0].offset, 1);
    hc_shm_list_finish(&list);
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_SYSTEM, HC_TEXT("c"), &list, NULL), HC_OK);
    assert_int_equal(list.n, 1);
    hc_shm_list_finish(&list);
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_SYSTEM, HC_TEXT("d"), &list, &error),
                     HC_NOT_FOUND);
    assert_string_equal(error.message, "Unable to find system shared memory region: 'd'");
}

static void there_is_no_cuda_memory(void **state) {
    struct fixture *fixture = *state;
    hc_auto_shm_list list = {0};
    struct hc_error error;
    assert_int_equal(add(fixture, "a", 0, 5, NULL), HC_OK);
    assert_int_equal(hc_shm_register_cuda(fixture->shm, HC_TEXT("b"), HC_TEXT(""), 0, 1, &error),
                     HC_INVALID_ARGUMENT);
    hc_shm_unregister(fixture->shm, HC_SHM_CUDA, HC_TEXT(""));
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_CUDA, HC_TEXT(""), &list, NULL), HC_OK);
    assert_int_equal(list.n, 0);
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_CUDA, HC_TEXT("a"), &list, &error),
                     HC_NOT_FOUND);
    assert_non_null(strstr(error.message, "registered as system shared memory"));
    assert_int_equal(hc_shm_list(fixture->shm, HC_SHM_SYSTEM, HC_TEXT("a"), &list, NULL), HC_OK);
}

#define SHM_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SHM_TEST(bytes_go_both_ways),
        SHM_TEST(only_what_lies_in_the_memory_is_registered),
        SHM_TEST(only_what_lies_in_the_region_is_used),
        SHM_TEST(what_cannot_be_opened_is_refused),
        SHM_TEST(a_region_in_use_outlives_its_name),
        SHM_TEST(memory_that_was_cut_is_an_error),
        SHM_TEST(regions_are_listed_by_name),
        SHM_TEST(there_is_no_cuda_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
