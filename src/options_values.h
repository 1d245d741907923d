/*
 * The values of options, from the words of the command line. False: the word is none.
 */
#ifndef HC_OPTIONS_VALUES_H
#define HC_OPTIONS_VALUES_H

#include <stdbool.h>

#include "core/server.h"

/* The text up to END, or all of it; *REST is what comes after that. */
struct hc_text text_cut(struct hc_text text, char end, struct hc_text *rest);

/* true, on, 1, false, off, 0, in any case. */
bool parse_bool(const char *word, bool *value);
bool parse_uint(const char *word, unsigned *value);

/* A number, or a truth for 1 and 0. */
bool parse_level(const char *word, unsigned *value);

/* With or without a fraction, which is dropped. */
bool parse_milliseconds(const char *word, unsigned *value);

bool parse_control_mode(const char *word, enum hc_control_mode *mode);

/* Whether the rate limiter is on. */
bool parse_rate_limit(const char *word, bool *on);

/* "setting=value"; may be given again and again. */
bool parse_metrics_config(const char *word, struct hc_server_metrics *metrics);
void set_quantiles(struct hc_server_metrics *metrics, const double *ranks, size_t n);

/* Whether it is a setting of tracing that does not turn it on. */
bool is_trace_config(const char *word);
bool is_number(const char *word);

/* Whether it has the form of a setting of a backend. */
bool is_backend_config(const char *word);

/* ---- options_settings.c ---- */

/* "name:count" or "name:count:device"; one that was given before is replaced. */
bool parse_rate_limit_resource(const char *word, struct hc_server_options *options);

/* "policy,cpu-cores=0-3,6" or "policy,numa-node=1"; both may be given for a policy. */
bool parse_host_policy(const char *word, struct hc_server_options *options);

/* "cache,setting=value", for one cache; or the size of the local one, 0 for none. */
bool parse_cache_config(const char *word, struct hc_server_cache *cache);
bool parse_cache_size(const char *word, struct hc_server_cache *cache);

#endif
