/*
 * JSON of requests to manage the repository: POST /v2/repository/index and
 * /v2/repository/models/M/load and …/unload. An empty body asks for nothing in particular. What is
 * no object has no members, as in Triton. Codes and messages are Triton's, but for base64, which it
 * does not check.
 */
#ifndef HC_WIRE_REPOSITORY_JSON_H
#define HC_WIRE_REPOSITORY_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/text.h"

/* Whether only models that are ready are asked for. */
enum hc_code hc_index_json_read(struct hc_text json, bool *ready, struct hc_error *error);

struct hc_load_json_file {
    struct hc_text path; /* as it stands behind "file:" */
    struct hc_text content;
};

struct hc_load_json {
    struct hc_text config; /* data NULL: none */
    struct hc_load_json_file *files;
    size_t n_files;
};

/* What comes out lies in JSON or in POOL. */
enum hc_code hc_load_json_read(struct hc_text json, struct hc_pool *pool, struct hc_load_json *load,
                               struct hc_error *error);

enum hc_code hc_unload_json_read(struct hc_text json, bool *unload_dependents,
                                 struct hc_error *error);

#endif
