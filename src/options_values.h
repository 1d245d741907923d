/*
 * The values of options, from the words of the command line. False: the word is none.
 */
#ifndef HC_OPTIONS_VALUES_H
#define HC_OPTIONS_VALUES_H

#include <stdbool.h>

#include "core/server.h"

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

/* "name:count" or "name:count:device"; one that was given before is replaced. */
bool parse_rate_limit_resource(const char *word, struct hc_server_options *options);

/* "setting=value"; may be given again and again. */
bool parse_metrics_config(const char *word, struct hc_server_metrics *metrics);
void set_quantiles(struct hc_server_metrics *metrics, const double *ranks, size_t n);

/* Whether it has the form of a setting of a backend. */
bool is_backend_config(const char *word);

#endif
