/* The modification stamp of a loaded version: a sum over its files, so that their order is free. */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "files.h"
#include "model/repository.h"

static bool ends_with(struct hc_text text, const char *end) {
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* Byte code that Python writes and files that editors have while they work: .x.swp, .#x, #x#, x~
 * and vim's 4913. */
static bool is_ignored(struct hc_text name, bool folder) {
    bool swap = hc_text_starts(name, ".") && name.size > 4 && name.data[name.size - 4] == '.' &&
                name.data[name.size - 3] == 's' && name.data[name.size - 2] == 'w';
    bool emacs = hc_text_starts(name, ".#") || (hc_text_starts(name, "#") && ends_with(name, "#"));
    return swap || emacs || ends_with(name, "~") || (hc_text_is(name, "4913") && !folder) ||
           hc_text_is(name, "__pycache__") || hc_text_is(name, ".ipynb_checkpoints") ||
           hc_text_starts(name, ".nfs");
}

/* FNV-1a, a number at a time: another number is another hash. */
static uint64_t mix(uint64_t hash, uint64_t number) {
    return (hash ^ number) * UINT64_C(0x100000001b3);
}

/* PATH is that below the top, so that a repository may be moved. */
static uint64_t hash_path(const char *path) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *path != '\0'; path++) {
        hash = mix(hash, (unsigned char)*path);
    }
    return hash;
}

static uint64_t hash_file(const char *path, const struct stat *status) {
    uint64_t hash = mix(hash_path(path), (uint64_t)status->st_size);
    hash = mix(hash, (uint64_t)status->st_mtim.tv_sec);
    hash = mix(hash, (uint64_t)status->st_mtim.tv_nsec);
    hash = mix(hash, (uint64_t)status->st_ctim.tv_sec);
    return mix(hash, (uint64_t)status->st_ctim.tv_nsec);
}

/* Whether an entry directly in a model's folder belongs to another version or is a config. VERSION
 * is NULL when everything counts. */
static bool is_elsewhere(const FTSENT *entry, const char *version) {
    const char *name = entry->fts_name;
    uint64_t number;
    if (version == NULL) {
        return false;
    }
    return strcmp(name, "config.pbtxt") == 0 || strcmp(name, "configs") == 0 ||
           (hc_text_number(hc_text_of(name), INT64_MAX, &number) && strcmp(name, version) != 0);
}

static uint64_t sum_up(FTS *tree, const char *top, const char *version) {
    uint64_t sum = 0;
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        struct hc_text name = {entry->fts_name, entry->fts_namelen};
        bool folder = entry->fts_info == FTS_D || entry->fts_info == FTS_DP;
        if (entry->fts_level > 0 &&
            (is_ignored(name, folder) || (entry->fts_level == 1 && is_elsewhere(entry, version)))) {
            fts_set(tree, entry, FTS_SKIP);
            continue;
        }
        const char *path = entry->fts_path + strlen(top);
        switch (entry->fts_info) {
        case FTS_F:
        case FTS_SL:
        case FTS_SLNONE:
        case FTS_DEFAULT:
            sum += hash_file(path, entry->fts_statp);
            break;
        case FTS_DNR:
        case FTS_NS:
        case FTS_ERR: /* once it can be read, that is a change */
            sum += hash_path(path);
            break;
        default: /* a folder: what is in it counts; FTS_DC: a link back, which is not followed */
            sum += version == NULL && entry->fts_info == FTS_D ? hash_path(path) : 0;
            break;
        }
    }
    return sum;
}

static enum hc_code read_tree(const char *folder, const char *version, uint64_t *stamp,
                              struct hc_error *error) {
    hc_auto(text) top = hc_strdup(folder);
    FTS *tree = NULL;
    if (hc_path_is_folder(folder)) {
        tree = fts_open((char *[]){top, NULL}, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    }
    if (tree == NULL) {
        return hc_error_set(error, HC_INTERNAL, "failed to open directory %s: %s", folder,
                            strerror(errno));
    }
    *stamp = sum_up(tree, top, version);
    fts_close(tree);
    return HC_OK;
}

enum hc_code hc_repository_stamp(const char *folder, int64_t version, uint64_t *stamp,
                                 struct hc_error *error) {
    hc_auto(text) number = hc_format("%" PRId64, version);
    return read_tree(folder, number, stamp, error);
}

enum hc_code hc_repository_look(const char *folder, uint64_t *stamp, struct hc_error *error) {
    HC_TRY(read_tree(folder, NULL, stamp, error));
    *stamp = *stamp != 0 ? *stamp : 1;
    return HC_OK;
}
