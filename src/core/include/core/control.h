/*
 * Management of models at run time: the repository's index, loading and unloading.
 *
 * Any thread that runs a loop may call. The work is done on the control thread; the callback comes
 * on the calling loop, once, never before the call returns. What a call is given must stay where it
 * is until then; what a callback is given holds while it runs. Codes and messages are Triton's:
 *
 *   HC_UNAVAILABLE       loading and unloading are not allowed in the server's control mode, or the
 *                        server is stopping
 *   HC_INVALID_ARGUMENT  the name is wrong, or a version did not load
 *   HC_INTERNAL          no repository has the model, or its config or an override is wrong; the
 *                        log says what
 */
#ifndef HC_CORE_CONTROL_H
#define HC_CORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct hc_server;

/* MESSAGE is empty with HC_OK; it may be longer than a struct hc_error holds. */
typedef void hc_control_on_done(void *user, enum hc_code code, struct hc_text message);

/* A file that takes the place of the repository's, with its path in the model's folder. */
struct hc_control_file {
    struct hc_text path; /* "1/model.py" */
    struct hc_text content;
};

struct hc_control_load {
    struct hc_text model;
    struct hc_text config; /* a ModelConfig as JSON instead of the repository's; data NULL: none */
    const struct hc_control_file *files; /* instead of all of the model's folder; with a config */
    size_t n_files;
};

/*
 * Load a model, or load it again when anything of it changed; the old versions serve until the new
 * ones are ready. Done when all versions are, or when one has failed.
 */
void hc_control_load(struct hc_server *server, const struct hc_control_load *load,
                     hc_control_on_done *on_done, void *user);

/*
 * Unload a model, with those that it is made of when UNLOAD_DEPENDENTS and nobody else needs them.
 * Done when it takes no new requests; those in flight are finished.
 */
void hc_control_unload(struct hc_server *server, struct hc_text model, bool unload_dependents,
                       hc_control_on_done *on_done, void *user);

/* One version of a model in the index, or a model without any. */
struct hc_control_model {
    const char *name;
    const char *version; /* "1"; NULL: none was ever loaded */
    const char *state;   /* "READY", "UNAVAILABLE", "LOADING", "UNLOADING", "UNKNOWN"; NULL: none */
    const char *reason;  /* of the state; NULL: none */
};

typedef void hc_control_on_index(void *user, const struct hc_control_model *models, size_t n_models,
                                 const struct hc_error *error);

/*
 * All that is in the repositories, ascending by name and version; READY_ONLY leaves out what is not
 * ready. ERROR is NULL, or says why there is no list.
 */
void hc_control_index(struct hc_server *server, bool ready_only, hc_control_on_index *done,
                      void *user);

#endif
