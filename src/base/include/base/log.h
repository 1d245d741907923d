/*
 * The log, in the format that Triton writes:
 *
 *     I0122 12:01:38.001149 1234 http.c:81] "Started HTTPService at 0.0.0.0:8000"
 *
 * severity, month and day, UTC time, process, source, and the message as a JSON-escaped string
 * (raw when the environment has TRITON_SERVER_ESCAPE_LOG_MESSAGES=0; tables are always raw).
 * Everything goes to stderr, or to a file. A line is one write(). Settings may be changed while
 * other threads log.
 */
#ifndef HC_BASE_LOG_H
#define HC_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/error.h"

enum hc_log_level { HC_LOG_INFO, HC_LOG_WARNING, HC_LOG_ERROR, HC_LOG_VERBOSE };
enum hc_log_format { HC_LOG_FORMAT_DEFAULT, HC_LOG_FORMAT_ISO8601 };

void hc_log_enable(enum hc_log_level level, bool enabled); /* all but HC_LOG_VERBOSE */
bool hc_log_enabled(enum hc_log_level level);
/* 0, or more than INT_MAX: no verbose messages. */
void hc_log_set_verbosity(unsigned value);
unsigned hc_log_verbosity(void);
void hc_log_set_format(enum hc_log_format format);
enum hc_log_format hc_log_get_format(void);

/* Append to PATH from now on. Once, before other threads log. */
enum hc_code hc_log_open(const char *path, struct hc_error *error);

/* The path of hc_log_open(), "" before. */
const char *hc_log_path(void);

/* FILE may be a path: its last part is printed. */
void hc_log_write(enum hc_log_level level, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A table or another text of several lines, never escaped; TEXT begins on a line of its own. */
void hc_log_write_raw(enum hc_log_level level, const char *file, int line, const char *text);

#define HC_LOG_AT(level, ...)                                                                      \
    do {                                                                                           \
        if (hc_log_enabled(level)) {                                                               \
            hc_log_write((level), __FILE__, __LINE__, __VA_ARGS__);                                \
        }                                                                                          \
    } while (0)

#define hc_log_info(...)    HC_LOG_AT(HC_LOG_INFO, __VA_ARGS__)
#define hc_log_warning(...) HC_LOG_AT(HC_LOG_WARNING, __VA_ARGS__)
#define hc_log_error(...)   HC_LOG_AT(HC_LOG_ERROR, __VA_ARGS__)
#define hc_log_verbose(...) HC_LOG_AT(HC_LOG_VERBOSE, __VA_ARGS__)

#endif
