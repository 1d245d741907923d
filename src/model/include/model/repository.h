/*
 * Model repositories on disk: folders with a folder for each model, in which there are the model's
 * config.pbtxt and a folder for each version, named by its number.
 *
 *     repository/linear/config.pbtxt
 *     repository/linear/1/model.py
 *
 * Folders and files may be links. A model's name is that of its folder; one whose name begins with
 * a dot (.git, .ipynb_checkpoints) is not looked at, nor is one that is a repository itself: it has
 * neither a config.pbtxt nor versions, but folders with a config.pbtxt. Nothing is kept between
 * calls, and any thread may call.
 */
#ifndef HC_MODEL_REPOSITORY_H
#define HC_MODEL_REPOSITORY_H

#include "model/config.h"

/* A folder in a repository. */
struct hc_repository_model {
    char *name;
    char *folder; /* NULL when several repositories have one of that name: it cannot be loaded */
};

/* Ascending by name. Zeroed is empty. */
struct hc_repository_listing {
    struct hc_repository_model *models;
    size_t n;
};

/*
 * All models in the repositories ROOTS; one named twice among them counts once. HC_INTERNAL when
 * one cannot be read; what was found in the others is in LISTING all the same.
 */
enum hc_code hc_repository_list(char *const *roots, size_t n_roots,
                                struct hc_repository_listing *listing, struct hc_error *error);
void hc_repository_listing_finish(struct hc_repository_listing *listing);

#define hc_auto_repository_listing                                                                 \
    __attribute__((cleanup(hc_repository_listing_finish))) struct hc_repository_listing

/* Whether NAME, which came from a client, can be the name of a model's folder: no path. */
enum hc_code hc_repository_check_name(struct hc_text name, struct hc_error *error);

/*
 * The folder of the model NAME, to be freed. HC_NOT_FOUND when no repository has it,
 * HC_INVALID_ARGUMENT when several do.
 */
enum hc_code hc_repository_find(char *const *roots, size_t n_roots, const char *name, char **folder,
                                struct hc_error *error);

/* Numbers of versions, ascending. Zeroed is empty. */
struct hc_versions {
    int64_t *numbers;
    size_t n;
};

void hc_versions_finish(struct hc_versions *versions);

#define hc_auto_versions __attribute__((cleanup(hc_versions_finish))) struct hc_versions

/*
 * The versions in a model's FOLDER: names of digits only, without leading zeros. Other folders are
 * ignored, with a warning in the log unless they are configs, warmup or initial_state.
 */
enum hc_code hc_repository_versions(const char *folder, struct hc_versions *versions,
                                    struct hc_error *error);

/*
 * Those of ALL that the config's version policy chooses; specific ones that there are not are
 * reported in the log. HC_INVALID_ARGUMENT when none is left.
 */
enum hc_code hc_repository_choose(const Inference__ModelConfig *config,
                                  const struct hc_versions *all, struct hc_versions *chosen,
                                  struct hc_error *error);

/* The path of a version's folder, and of the file default_model_filename in it; to be freed. */
char *hc_repository_version_folder(const char *folder, int64_t version);
char *hc_repository_model_file(const char *folder, int64_t version,
                               const Inference__ModelConfig *config);

/*
 * A number that is another one when anything changed that a loaded version may have read: a file
 * added, removed, renamed or written below the version's folder, or in the model's folder beside
 * the versions and the config files. Neither __pycache__ nor what editors leave while they work
 * (swap files, backups) counts, nor that a folder itself was touched.
 */
enum hc_code hc_repository_stamp(const char *folder, int64_t version, uint64_t *stamp,
                                 struct hc_error *error);

/*
 * As above, of all that is in a model's folder, config files and folders included: when it changes,
 * somebody is at work there. Never 0.
 */
enum hc_code hc_repository_look(const char *folder, uint64_t *stamp, struct hc_error *error);

#endif
