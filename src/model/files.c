/* Small files and paths. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

char *hc_path_join(const char *folder, const char *name) {
    return hc_format("%s/%s", folder, name);
}

bool hc_path_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool hc_path_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static enum hc_code fail(const char *path, int error_number, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "failed to open text file for read %s: %s", path,
                        strerror(error_number));
}

static enum hc_code open_file(const char *path, int *fd, struct stat *status,
                              struct hc_error *error) {
    hc_auto(fd) file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, status) != 0) {
        return fail(path, errno, error);
    }
    if (!S_ISREG(status->st_mode)) {
        return fail(path, S_ISDIR(status->st_mode) ? EISDIR : EINVAL, error);
    }
    *fd = hc_fd_take(&file);
    return HC_OK;
}

enum hc_code hc_file_size(const char *path, size_t *size, struct hc_error *error) {
    hc_auto(fd) fd = -1;
    struct stat status;
    HC_TRY(open_file(path, &fd, &status, error));
    *size = (size_t)status.st_size;
    return HC_OK;
}

enum hc_code hc_file_read(const char *path, size_t limit, struct hc_buf *content,
                          struct hc_error *error) {
    enum { PIECE_SIZE = 16384 };
    hc_auto(fd) fd = -1;
    struct stat status;
    HC_TRY(open_file(path, &fd, &status, error));
    size_t size = 0;
    for (;;) {
        ssize_t n = read(fd, hc_buf_reserve(content, PIECE_SIZE), PIECE_SIZE);
        if (n == 0) {
            return HC_OK;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(path, errno, error);
        }
        hc_buf_commit(content, (size_t)n);
        size += (size_t)n;
        if (size > limit) {
            return fail(path, EFBIG, error);
        }
    }
}
