/*
 * hippocamp-unpack: unpacks an archive of a Python environment.
 *
 *     hippocamp-unpack ARCHIVE FOLDER CONTROL
 *
 * A program of its own, since it takes long and reads what others have packed. Nothing is written
 * outside of FOLDER: an archive with absolute paths, with "..", or with links that lead out of the
 * folder and are written through, is refused. CONTROL is the descriptor of a control socket, over
 * which the server hears what went wrong.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_escape.h"
#include "channel/control.h"

enum { READ_SIZE = 256 * 1024 };

static int control = -1;

static int fail(const char *archive, const char *why) {
    hc_auto_buf reason = {0};
    hc_auto_buf body = {0};
    hc_buf_appendf(&reason, "cannot unpack the Python environment '%s': %s", archive,
                   why != NULL ? why : "unknown error");
    hc_buf_append_string(&body, "{\"message\":");
    hc_json_append_string(&body, hc_buf_text(&reason));
    hc_buf_append_char(&body, '}');
    if (hc_control_send(control, HC_CONTROL_FAILED, hc_buf_text(&body), NULL, 0, NULL) != HC_OK) {
        fprintf(stderr, "hippocamp-unpack: %s\n", hc_buf_string(&reason));
    }
    return 1;
}

/* A hard link's target is a path in the archive, which libarchive does not look at. */
static bool is_inside(const char *path) {
    if (path[0] == '/') {
        return false;
    }
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return false;
        }
    }
    return true;
}

static struct archive *open_archive(const char *path) {
    struct archive *reader = archive_read_new();
    archive_read_support_format_tar(reader);
    archive_read_support_filter_all(reader);
    if (archive_read_open_filename(reader, path, READ_SIZE) != ARCHIVE_OK) {
        exit(fail(path, archive_error_string(reader)));
    }
    return reader;
}

static struct archive *open_disk(void) {
    struct archive *writer = archive_write_disk_new();
    archive_write_disk_set_options(
        writer, ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                    ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
    return writer;
}

static void copy_entry(const char *path, struct archive *reader, struct archive *writer,
                       struct archive_entry *entry) {
    const char *target = archive_entry_hardlink(entry);
    if (target != NULL && !is_inside(target)) {
        exit(fail(path, "a link leads out of it"));
    }
    if (archive_write_header(writer, entry) < ARCHIVE_WARN) {
        exit(fail(path, archive_error_string(writer)));
    }
    const void *data;
    size_t size;
    la_int64_t offset;
    int result;
    while ((result = archive_read_data_block(reader, &data, &size, &offset)) == ARCHIVE_OK) {
        if (archive_write_data_block(writer, data, size, offset) < ARCHIVE_WARN) {
            exit(fail(path, archive_error_string(writer)));
        }
    }
    if (result < ARCHIVE_WARN) {
        exit(fail(path, archive_error_string(reader)));
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        return fail("usage", "hippocamp-unpack ARCHIVE FOLDER CONTROL");
    }
    const char *path = argv[1];
    control = (int)strtol(argv[3], NULL, 10);
    struct archive *reader = open_archive(path);
    struct archive *writer = open_disk();
    if (chdir(argv[2]) != 0) {
        return fail(path, strerror(errno));
    }
    struct archive_entry *entry;
    int result;
    while ((result = archive_read_next_header(reader, &entry)) == ARCHIVE_OK ||
           result == ARCHIVE_WARN) {
        copy_entry(path, reader, writer, entry);
    }
    if (result != ARCHIVE_EOF) {
        return fail(path, archive_error_string(reader));
    }
    if (archive_write_close(writer) != ARCHIVE_OK) {
        return fail(path, archive_error_string(writer));
    }
    archive_read_free(reader);
    archive_write_free(writer);
    return 0;
}
