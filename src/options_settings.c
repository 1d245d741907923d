/* Options whose values have parts: rate limits, host policies, caches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "options_values.h"

struct hc_text text_cut(struct hc_text text, char end, struct hc_text *rest) {
    const char *place = text.size == 0 ? NULL : memchr(text.data, end, text.size);
    if (place == NULL) {
        *rest = (struct hc_text){0};
        return text;
    }
    size_t size = (size_t)(place - text.data);
    *rest = (struct hc_text){place + 1, text.size - size - 1};
    return (struct hc_text){text.data, size};
}

/* ---- Rate limits ---- */

static struct hc_limiter_limit *find_limit(const struct hc_server_options *options,
                                           struct hc_text resource, int device) {
    for (size_t i = 0; i < options->n_rate_limits; i++) {
        struct hc_limiter_limit *limit = &options->rate_limits[i];
        if (limit->device == device && hc_text_is(resource, limit->resource)) {
            return limit;
        }
    }
    return NULL;
}

bool parse_rate_limit_resource(const char *word, struct hc_server_options *options) {
    enum { MAX_DEVICE = 4096 };
    struct hc_text counts;
    struct hc_text device_text;
    struct hc_text name = text_cut(hc_text_of(word), ':', &counts);
    struct hc_text count_text = text_cut(counts, ':', &device_text);
    uint64_t count;
    uint64_t device = 0;
    bool has_device = device_text.data != NULL;
    if (!hc_text_number(count_text, INT32_MAX, &count) ||
        (has_device && !hc_text_number(device_text, MAX_DEVICE, &device))) {
        return false;
    }
    int where = has_device ? (int)device : -1;
    struct hc_limiter_limit *limit = find_limit(options, name, where);
    if (limit == NULL) {
        options->rate_limits = hc_realloc(options->rate_limits, (options->n_rate_limits + 1) *
                                                                    sizeof *options->rate_limits);
        limit = &options->rate_limits[options->n_rate_limits++];
        limit->resource = hc_strndup(name.data, name.size);
        limit->device = where;
    }
    limit->count = (uint32_t)count;
    return true;
}

/* ---- Host policies ---- */

static struct hc_host_policy *get_policy(struct hc_server_options *options, struct hc_text name) {
    for (size_t i = 0; i < options->n_host_policies; i++) {
        if (hc_text_is(name, options->host_policies[i].name)) {
            return &options->host_policies[i];
        }
    }
    options->host_policies = hc_realloc(options->host_policies, (options->n_host_policies + 1) *
                                                                    sizeof *options->host_policies);
    struct hc_host_policy *policy = &options->host_policies[options->n_host_policies++];
    *policy = (struct hc_host_policy){.name = hc_strndup(name.data, name.size), .numa_node = -1};
    return policy;
}

/* "0-3,6": of these at least one must be there to be used. */
static bool parse_cores(struct hc_text list, cpu_set_t *cores) {
    cpu_set_t usable;
    CPU_ZERO(cores);
    for (struct hc_text rest = list; rest.size > 0;) {
        struct hc_text last_text;
        struct hc_text range = text_cut(rest, ',', &rest);
        struct hc_text first_text = text_cut(range, '-', &last_text);
        uint64_t first;
        uint64_t last;
        if (!hc_text_number(first_text, CPU_SETSIZE - 1, &first)) {
            return false;
        }
        last = first;
        if (last_text.data != NULL && !hc_text_number(last_text, CPU_SETSIZE - 1, &last)) {
            return false;
        }
        for (uint64_t i = first; i <= last; i++) {
            CPU_SET((size_t)i, cores);
        }
    }
    if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
        return CPU_COUNT(cores) > 0;
    }
    CPU_AND(&usable, &usable, cores);
    return CPU_COUNT(&usable) > 0;
}

static bool parse_node(struct hc_text word, int *node) {
    enum { MAX_NODES = 1024 };
    uint64_t number;
    char path[64];
    if (!hc_text_number(word, MAX_NODES - 1, &number)) {
        return false;
    }
    snprintf(path, sizeof path, "/sys/devices/system/node/node%u", (unsigned)number);
    *node = (int)number;
    return number == 0 || access(path, F_OK) == 0;
}

bool parse_host_policy(const char *word, struct hc_server_options *options) {
    struct hc_text setting;
    struct hc_text value;
    struct hc_text name = text_cut(hc_text_of(word), ',', &setting);
    struct hc_text key = text_cut(setting, '=', &value);
    if (name.size == 0 || value.data == NULL) {
        return false;
    }
    struct hc_host_policy *policy = get_policy(options, name);
    if (hc_text_is(key, "cpu-cores")) {
        policy->has_cores = parse_cores(value, &policy->cores);
        return policy->has_cores;
    }
    return hc_text_is(key, "numa-node") && parse_node(value, &policy->numa_node);
}

/* ---- Caches ---- */

static void set_cache(struct hc_server_cache *cache, struct hc_text name, struct hc_text value) {
    struct hc_cache_setting *setting = NULL;
    for (size_t i = 0; i < cache->n_settings; i++) {
        if (hc_text_is(name, cache->settings[i].name)) {
            setting = &cache->settings[i];
            free(setting->name);
            free(setting->value);
        }
    }
    if (setting == NULL) {
        cache->settings =
            hc_realloc(cache->settings, (cache->n_settings + 1) * sizeof *cache->settings);
        setting = &cache->settings[cache->n_settings++];
    }
    setting->name = hc_strndup(name.data, name.size);
    setting->value = hc_strndup(value.data, value.size);
}

bool parse_cache_config(const char *word, struct hc_server_cache *cache) {
    struct hc_text setting;
    struct hc_text value;
    struct hc_text kind = text_cut(hc_text_of(word), ',', &setting);
    struct hc_text name = text_cut(setting, '=', &value);
    bool other = cache->kind != NULL && !hc_text_is(kind, cache->kind);
    if (kind.size == 0 || name.size == 0 || value.data == NULL || other) {
        return false;
    }
    if (cache->kind == NULL) {
        cache->kind = hc_strndup(kind.data, kind.size);
    }
    set_cache(cache, name, value);
    return true;
}

bool parse_cache_size(const char *word, struct hc_server_cache *cache) {
    uint64_t size;
    if (!hc_text_number(hc_text_of(word), UINT64_MAX, &size)) {
        return false;
    }
    if (size > 0) {
        free(cache->kind);
        cache->kind = hc_strdup("local");
        set_cache(cache, HC_TEXT("size"), hc_text_of(word));
    }
    return true;
}
