#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

char scratch_root[32];

int scratch_make(void **state) {
    (void)state;
    snprintf(scratch_root, sizeof scratch_root, "/tmp/hc-model-XXXXXX");
    assert_non_null(mkdtemp(scratch_root));
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

int scratch_remove(void **state) {
    (void)state;
    assert_int_equal(nftw(scratch_root, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    return 0;
}

char *scratch_path(const char *path) {
    static char buffers[8][512];
    static unsigned turn;
    char *buffer = buffers[turn++ % N_ITEMS(buffers)];
    snprintf(buffer, sizeof buffers[0], "%s/%s", scratch_root, path);
    return buffer;
}

static void make_folders_above(char *path) {
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
}

void scratch_make_folder(const char *path) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s/", scratch_root, path);
    make_folders_above(whole);
}

void scratch_write(const char *path, const void *data, size_t size) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", scratch_root, path);
    make_folders_above(whole);
    FILE *file = fopen(whole, "wb");
    if (file == NULL) {
        fail_msg("%s", whole);
        return;
    }
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void scratch_write_text(const char *path, const char *text) {
    scratch_write(path, text, strlen(text));
}
