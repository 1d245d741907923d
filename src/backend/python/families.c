/* Metrics that models make for themselves: which families and metrics each life has opened. */
#include <math.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "internal.h"
#include "metrics/metrics.h"

HC_CLEANUP(json, cJSON *, cJSON_Delete);

/* A family that was opened once, and the metrics that were opened through it, each once. */
struct opened_family {
    struct hc_list link;
    uint64_t id; /* in the conversation with the pyhost */
    struct hc_metric_family *family;
    struct hc_metric **metrics;
    size_t n_metrics;
};

/* ---- What is open ---- */

static void close_family(struct opened_family *opened) {
    for (size_t i = 0; i < opened->n_metrics; i++) {
        hc_metric_close(opened->metrics[i]);
    }
    hc_metric_family_close(opened->family);
    hc_list_remove(&opened->link);
    free(opened->metrics);
    free(opened);
}

/* Keep METRIC, taken over, unless it is kept already. */
static void keep_metric(struct opened_family *opened, struct hc_metric *metric) {
    for (size_t i = 0; i < opened->n_metrics; i++) {
        if (opened->metrics[i] == metric) {
            hc_metric_close(metric);
            return;
        }
    }
    size_t n = opened->n_metrics++;
    opened->metrics = hc_realloc(opened->metrics, (n + 1) * sizeof(struct hc_metric *));
    opened->metrics[n] = metric;
}

static struct opened_family *find_by_id(struct hc_list *families, uint64_t id) {
    hc_list_each (link, families) {
        struct opened_family *opened = hc_list_item(link, struct opened_family, link);
        if (opened->id == id) {
            return opened;
        }
    }
    return NULL;
}

static struct opened_family *find_same(struct hc_list *families,
                                       const struct opened_family *wanted) {
    hc_list_each (link, families) {
        struct opened_family *opened = hc_list_item(link, struct opened_family, link);
        if (opened->family == wanted->family) {
            return opened;
        }
    }
    return NULL;
}

/* Put OPENED among FAMILIES, where its family may be already. */
static void merge_family(struct hc_list *families, struct opened_family *opened) {
    struct opened_family *same = find_same(families, opened);
    hc_list_remove(&opened->link);
    if (same == NULL) {
        hc_list_append(families, &opened->link);
        return;
    }
    for (size_t i = 0; i < opened->n_metrics; i++) {
        keep_metric(same, opened->metrics[i]);
    }
    opened->n_metrics = 0;
    close_family(opened);
}

void families_close(struct hc_list *families) {
    struct hc_list *link;
    while ((link = hc_list_pop(families)) != NULL) {
        close_family(hc_list_item(link, struct opened_family, link));
    }
}

void families_keep(struct hc_list *families, struct hc_list *kept) {
    while (!hc_list_empty(families)) {
        merge_family(kept, hc_list_item(families->next, struct opened_family, link));
    }
}

/* ---- Questions ---- */

/* With "error" as the answer to a question that cannot be granted. */
static void refuse(struct pyhost *host, const struct hc_error *error) {
    hc_auto(json) body = cJSON_CreateObject();
    hc_auto(text) message = hc_format("Failed to process the request for model '%s', message: %s",
                                      host->owner->instance->name, error->message);
    cJSON_AddStringToObject(body, "error", message);
    questions_answer(host, body);
}

/* A number that is a whole one from 0 to MAX; false for anything else. */
static bool read_whole(const cJSON *json, double max, uint64_t *number) {
    double value = cJSON_GetNumberValue(json); /* NaN when it is none */
    if (!(value >= 0 && value <= max) || value != floor(value)) {
        return false;
    }
    *number = (uint64_t)value;
    return true;
}

static bool open_family(struct pyhost *host, const cJSON *json) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(json, "name"));
    const char *help = cJSON_GetStringValue(cJSON_GetObjectItem(json, "help"));
    uint64_t kind;
    if (name == NULL || help == NULL ||
        !read_whole(cJSON_GetObjectItem(json, "kind"), HC_METRIC_HISTOGRAM, &kind)) {
        return false;
    }
    struct hc_metric_family *family;
    struct hc_error error;
    if (hc_metric_family_open(host->owner->model->server->metrics, (enum hc_metric_kind)kind,
                              hc_text_of(name), hc_text_of(help), &family, &error) != HC_OK) {
        refuse(host, &error);
        return true;
    }
    struct opened_family *opened = hc_new(struct opened_family);
    opened->family = family;
    opened->id = ++host->last_family;
    hc_list_append(&host->families, &opened->link);
    hc_auto(json) body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "family", (double)opened->id);
    questions_answer(host, body);
    return true;
}

/* The labels in the object JSON, which must be texts; *LABELS is to be freed. */
static enum hc_code read_labels(const cJSON *json, struct hc_metric_label **labels, size_t *n,
                                struct hc_error *error) {
    *n = 0;
    *labels = hc_alloc_array((size_t)cJSON_GetArraySize(json) + 1, sizeof **labels);
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        if (!cJSON_IsString(item)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "attempt to access JSON non-string as string");
        }
        (*labels)[(*n)++] =
            (struct hc_metric_label){hc_text_of(item->string), hc_text_of(item->valuestring)};
    }
    return HC_OK;
}

/* The numbers in the array JSON, to be freed. */
static double *read_bounds(const cJSON *json, size_t *n) {
    double *bounds = hc_alloc_array((size_t)cJSON_GetArraySize(json) + 1, sizeof *bounds);
    *n = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        bounds[(*n)++] = cJSON_GetNumberValue(item);
    }
    return bounds;
}

static enum hc_code open_metric(const struct opened_family *opened, const cJSON *json,
                                struct hc_metric **metric, struct hc_error *error) {
    struct hc_metric_label *labels;
    size_t n_labels;
    size_t n_bounds;
    enum hc_code code = read_labels(cJSON_GetObjectItem(json, "labels"), &labels, &n_labels, error);
    double *bounds = read_bounds(cJSON_GetObjectItem(json, "buckets"), &n_bounds);
    if (code == HC_OK) {
        code = hc_metric_open(opened->family, labels, n_labels, bounds, n_bounds, metric, error);
    }
    free(bounds);
    free(labels);
    return code;
}

static void answer_metric(struct pyhost *host, const struct hc_metric *metric) {
    size_t n_bounds;
    const double *bounds = hc_metric_bounds(metric, &n_bounds);
    hc_auto(json) body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "offset", (double)hc_metric_offset(metric));
    cJSON_AddItemToObject(body, "buckets", cJSON_CreateDoubleArray(bounds, (int)n_bounds));
    questions_answer(host, body);
}

static bool begin_metric(struct pyhost *host, const cJSON *json) {
    uint64_t id;
    if (!read_whole(cJSON_GetObjectItem(json, "family"), 1e15, &id)) {
        return false;
    }
    struct opened_family *opened = find_by_id(&host->families, id);
    if (opened == NULL) {
        return false;
    }
    struct hc_metric *metric;
    struct hc_error error;
    if (open_metric(opened, json, &metric, &error) != HC_OK) {
        refuse(host, &error);
        return true;
    }
    keep_metric(opened, metric);
    answer_metric(host, metric);
    return true;
}

static bool end_family(struct pyhost *host, const cJSON *json) {
    uint64_t id;
    struct opened_family *opened = read_whole(cJSON_GetObjectItem(json, "family"), 1e15, &id)
                                       ? find_by_id(&host->families, id)
                                       : NULL;
    if (opened == NULL) {
        return false;
    }
    close_family(opened);
    return true;
}

bool families_begin(struct pyhost *host, const struct hc_control_frame *frame) {
    hc_auto(json) json = cJSON_ParseWithLength(frame->body.data, frame->body.size);
    switch (frame->kind) {
    case HC_CONTROL_FAMILY_OPEN:
        return open_family(host, json);
    case HC_CONTROL_METRIC_OPEN:
        return begin_metric(host, json);
    case HC_CONTROL_FAMILY_CLOSE:
        return end_family(host, json);
    default:
        return false;
    }
}
