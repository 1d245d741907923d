/* Folders made of the files that came with a request to load a model. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lifecycle_internal.h"

/* The name of a model's folder is that of the model nowhere else but in its repository. */
static enum hc_code make_folder(char **folder, struct hc_error *error) {
    const char *place = getenv("TMPDIR");
    hc_auto(text) path = hc_format("%s/hippocamp-XXXXXX", place != NULL ? place : "/tmp");
    if (mkdtemp(path) == NULL) {
        return hc_error_set(error, HC_INTERNAL, "cannot make a folder like %s: %s", path,
                            strerror(errno));
    }
    *folder = hc_take(path);
    return HC_OK;
}

static void remove_tree(const char *folder) {
    FTS *tree = fts_open((char *[]){(char *)folder, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        return;
    }
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info != FTS_D && remove(entry->fts_accpath) != 0) {
            hc_log_warning("cannot remove %s: %s", entry->fts_path, strerror(errno));
        }
    }
    fts_close(tree);
}

/* Whether PATH leads to something in the folder, step by step. */
static bool stays_inside(struct hc_text path) {
    int depth = 0;
    size_t start = 0;
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') {
            continue;
        }
        struct hc_text part = {path.data + start, i - start};
        depth += hc_text_is(part, "..") ? -1 : part.size == 0 || hc_text_is(part, ".") ? 0 : 1;
        if (depth < 0) {
            return false;
        }
        start = i + 1;
    }
    return depth > 0 && memchr(path.data, '\0', path.size) == NULL;
}

/* Make the folders that are missing on the way to a file. */
static enum hc_code make_way(char *path, size_t start, struct hc_error *error) {
    for (char *slash = path + start; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) {
            return hc_error_set(error, HC_INTERNAL, "cannot make a folder for %s: %s", path,
                                strerror(errno));
        }
    }
    return HC_OK;
}

static bool write_all(int fd, struct hc_text content) {
    while (content.size > 0) {
        ssize_t n = write(fd, content.data, content.size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        size_t written = n > 0 ? (size_t)n : 0;
        content = (struct hc_text){content.data + written, content.size - written};
    }
    return true;
}

static enum hc_code write_file(const char *folder, const struct hc_control_file *file,
                               struct hc_error *error) {
    if (!stays_inside(file->path)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Invalid file parameter 'file:%.*s' must stay within model directory.",
                            HC_TEXT_ARGS(file->path));
    }
    hc_auto(text) path = hc_format("%s/%.*s", folder, HC_TEXT_ARGS(file->path));
    HC_TRY(make_way(path, strlen(folder) + 1, error));
    hc_auto(fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, file->content)) {
        return hc_error_set(error, HC_INTERNAL, "cannot write %s: %s", path, strerror(errno));
    }
    return HC_OK;
}

static void remember(struct hc_lifecycle *lifecycle, const char *folder) {
    size_t n = lifecycle->n_temporary_folders++;
    lifecycle->temporary_folders =
        hc_realloc(lifecycle->temporary_folders, (n + 1) * sizeof(char *));
    lifecycle->temporary_folders[n] = hc_strdup(folder);
}

enum hc_code make_override_folder(struct hc_lifecycle *lifecycle,
                                  const struct hc_control_file *files, size_t n_files,
                                  char **folder_out, struct hc_error *error) {
    hc_auto(text) folder = NULL;
    HC_TRY(make_folder(&folder, error));
    remember(lifecycle, folder);
    for (size_t i = 0; i < n_files; i++) {
        HC_TRY(write_file(folder, &files[i], error)); /* removed with what is unused */
    }
    *folder_out = hc_take(folder);
    return HC_OK;
}

static bool is_used(const struct hc_lifecycle *lifecycle, const char *folder) {
    hc_list_each (link, &lifecycle->alive) {
        if (strcmp(hc_list_item(link, struct hc_model, lifecycle_link)->folder, folder) == 0) {
            return true;
        }
    }
    hc_list_each (link, &lifecycle->loads) {
        if (strcmp(hc_list_item(link, struct loading, link)->folder, folder) == 0) {
            return true;
        }
    }
    hc_list_each (link, &lifecycle->models) {
        const struct managed *managed = hc_list_item(link, struct managed, link);
        if (managed->wanted && managed->folder != NULL && strcmp(managed->folder, folder) == 0) {
            return true;
        }
    }
    return false;
}

void remove_unused_folders(struct hc_lifecycle *lifecycle) {
    size_t n = 0;
    for (size_t i = 0; i < lifecycle->n_temporary_folders; i++) {
        char *folder = lifecycle->temporary_folders[i];
        if (is_used(lifecycle, folder)) {
            lifecycle->temporary_folders[n++] = folder;
        } else {
            remove_tree(folder);
            free(folder);
        }
    }
    lifecycle->n_temporary_folders = n;
}

void remove_all_folders(struct hc_lifecycle *lifecycle) {
    for (size_t i = 0; i < lifecycle->n_temporary_folders; i++) {
        remove_tree(lifecycle->temporary_folders[i]);
        free(lifecycle->temporary_folders[i]);
    }
    free(lifecycle->temporary_folders);
}
