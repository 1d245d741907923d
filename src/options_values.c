/* The values of options, from the words of the command line. */
#include "options_values.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

bool parse_bool(const char *word, bool *value) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"1", true},  {"on", true},
                 {"false", false}, {"0", false}, {"off", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(word, words[i].word) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    return false;
}

bool parse_uint(const char *word, unsigned *value) {
    uint64_t number;
    if (!hc_text_number(hc_text_of(word), INT_MAX, &number)) {
        return false;
    }
    *value = (unsigned)number;
    return true;
}

bool parse_level(const char *word, unsigned *value) {
    bool on;
    if (parse_uint(word, value)) {
        return true;
    }
    if (!parse_bool(word, &on)) {
        return false;
    }
    *value = on ? 1 : 0;
    return true;
}

bool parse_control_mode(const char *word, enum hc_control_mode *mode) {
    static const char *const words[] = {
        [HC_CONTROL_NONE] = "none",
        [HC_CONTROL_POLL] = "poll",
        [HC_CONTROL_EXPLICIT] = "explicit",
    };
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *mode = (enum hc_control_mode)i;
            return true;
        }
    }
    return false;
}

bool parse_rate_limit(const char *word, bool *on) {
    *on = strcasecmp(word, "execution_count") == 0;
    return *on || strcasecmp(word, "off") == 0;
}

void set_quantiles(struct hc_server_metrics *metrics, const double *ranks, size_t n) {
    free(metrics->quantiles);
    metrics->quantiles = hc_alloc_array(n, sizeof *ranks);
    memcpy(metrics->quantiles, ranks, n * sizeof *ranks);
    metrics->n_quantiles = n;
}

/* "0.5:0.05,0.9:0.01": a rank and how far off it may be, which here is always less. */
static bool parse_quantiles(const char *list, struct hc_server_metrics *metrics) {
    enum { MAX_QUANTILES = 32 };
    double ranks[MAX_QUANTILES];
    size_t n = 0;
    for (const char *place = list; n < MAX_QUANTILES; place++) {
        char *end;
        ranks[n] = strtod(place, &end);
        if (end == place || *end != ':' || !(ranks[n] >= 0 && ranks[n] <= 1)) {
            return false;
        }
        n++;
        place = end + 1;
        if (strtod(place, &end) < 0 || end == place || (*end != ',' && *end != '\0')) {
            return false;
        }
        if (*end == '\0') {
            set_quantiles(metrics, ranks, n);
            return true;
        }
        place = end;
    }
    return false;
}

/* "setting=value"; settings that are not known are Triton's of another version. */
bool parse_metrics_config(const char *word, struct hc_server_metrics *metrics) {
    const struct {
        const char *name;
        bool *value;
    } settings[] = {
        {"counter_latencies=", &metrics->counters},
        {"summary_latencies=", &metrics->summaries},
        {"histogram_latencies=", &metrics->histograms},
    };
    struct hc_text text = hc_text_of(word);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (hc_text_starts(text, settings[i].name)) {
            return parse_bool(word + strlen(settings[i].name), settings[i].value);
        }
    }
    if (hc_text_starts(text, "summary_quantiles=")) {
        return parse_quantiles(word + strlen("summary_quantiles="), metrics);
    }
    const char *equals = strchr(word, '=');
    return equals != NULL && equals > word && memchr(word, ',', (size_t)(equals - word)) == NULL;
}

bool parse_milliseconds(const char *word, unsigned *value) {
    char *end;
    double number = strtod(word, &end);
    if (end == word || *end != '\0' || !(number >= 0 && number <= INT_MAX)) {
        return false;
    }
    *value = (unsigned)number;
    return true;
}

bool is_number(const char *word) {
    char *end;
    strtoll(word, &end, 10);
    return end != word && *end == '\0';
}

bool is_trace_config(const char *word) {
    static const char *const numbers[] = {"rate", "count", "triton,log-frequency"};
    struct hc_text value;
    struct hc_text name = text_cut(hc_text_of(word), '=', &value);
    if (name.size == 0 || value.data == NULL) {
        return false;
    }
    if (hc_text_is(name, "level")) {
        return strcasecmp(value.data, "off") == 0;
    }
    if (hc_text_is(name, "mode")) {
        return hc_text_is(value, "triton") || hc_text_is(value, "opentelemetry");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (hc_text_is(name, numbers[i])) {
            return is_number(value.data);
        }
    }
    return true;
}

/* "setting=value", or that behind "backend,". */
bool is_backend_config(const char *word) {
    const char *equals = strchr(word, '=');
    return equals != NULL && equals > word && equals[-1] != ',';
}
