#include "channel/memfile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static void both_sides_see_the_same_bytes(void **state) {
    (void)state;
    struct hc_memfile ours = HC_MEMFILE_NONE;
    struct hc_memfile theirs = HC_MEMFILE_NONE;
    assert_int_equal(hc_memfile_create("test", 100000, &ours, NULL), HC_OK);
    assert_int_equal(hc_memfile_open(dup(ours.fd), &theirs, NULL), HC_OK);
    assert_int_equal(ours.size, theirs.size);
    ours.base[99999] = 'x';
    assert_int_equal(theirs.base[99999], 'x');
    hc_memfile_close(&ours);
    assert_int_equal(theirs.base[99999], 'x');
    hc_memfile_close(&theirs);
    hc_memfile_close(&theirs);
}

static void nobody_can_cut_it(void **state) {
    (void)state;
    struct hc_memfile file = HC_MEMFILE_NONE;
    assert_int_equal(hc_memfile_create("test", 4096, &file, NULL), HC_OK);
    assert_int_equal(ftruncate(file.fd, 0), -1);
    hc_memfile_close(&file);
}

static void files_of_other_kinds_are_refused(void **state) {
    (void)state;
    struct hc_memfile file = HC_MEMFILE_NONE;
    struct hc_error error;
    assert_int_equal(hc_memfile_open(open("/dev/null", O_RDWR), &file, &error), HC_INTERNAL);
    int fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_int_equal(hc_memfile_open(fd, &file, &error), HC_INTERNAL);
    assert_int_equal(file.fd, -1);
    assert_int_equal(hc_memfile_create("test", 0, &file, &error), HC_INVALID_ARGUMENT);
}

static size_t resident(const struct hc_memfile *file) {
    struct stat status;
    fstat(file->fd, &status);
    return (size_t)status.st_blocks * 512;
}

static void pages_are_given_back(void **state) {
    (void)state;
    struct hc_memfile file = HC_MEMFILE_NONE;
    assert_int_equal(hc_memfile_create("test", 1 << 20, &file, NULL), HC_OK);
    assert_int_equal(resident(&file), 0);
    memset(file.base, 1, 1 << 20);
    assert_int_equal(resident(&file), 1 << 20);
    hc_memfile_release_pages(&file, 1, (1 << 20) - 1);
    assert_int_equal(resident(&file), 4096);
    assert_int_equal(file.base[0], 1);
    assert_int_equal(file.base[4096], 0);
    hc_memfile_close(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_see_the_same_bytes),
        cmocka_unit_test(nobody_can_cut_it),
        cmocka_unit_test(files_of_other_kinds_are_refused),
        cmocka_unit_test(pages_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
