/* The log: one line, one write(). */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_escape.h"

static atomic_bool level_disabled[HC_LOG_VERBOSE];
static atomic_uint verbosity;
static atomic_int line_format = HC_LOG_FORMAT_DEFAULT;
static int log_file = -1; /* set before other threads start */
static char *log_path;    /* likewise */

void hc_log_enable(enum hc_log_level level, bool enabled) {
    if (level != HC_LOG_VERBOSE) {
        atomic_store(&level_disabled[level], !enabled);
    }
}

bool hc_log_enabled(enum hc_log_level level) {
    if (level == HC_LOG_VERBOSE) {
        return atomic_load_explicit(&verbosity, memory_order_relaxed) > 0;
    }
    return !atomic_load_explicit(&level_disabled[level], memory_order_relaxed);
}

void hc_log_set_verbosity(unsigned value) {
    atomic_store(&verbosity, value <= INT_MAX ? value : 0);
}

unsigned hc_log_verbosity(void) {
    return atomic_load(&verbosity);
}

void hc_log_set_format(enum hc_log_format format) {
    atomic_store(&line_format, (int)format);
}

enum hc_log_format hc_log_get_format(void) {
    return (enum hc_log_format)atomic_load(&line_format);
}

enum hc_code hc_log_open(const char *path, struct hc_error *error) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "cannot open log file '%s': %s", path,
                            strerror(errno));
    }
    log_file = fd;
    log_path = hc_strdup(path);
    return HC_OK;
}

const char *hc_log_path(void) {
    return log_path != NULL ? log_path : "";
}

static bool escaping(void) {
    const char *setting = getenv("TRITON_SERVER_ESCAPE_LOG_MESSAGES");
    return setting == NULL || strcmp(setting, "0") != 0;
}

static void append_head(struct hc_buf *out, enum hc_log_level level, const char *file, int line) {
    static const char letters[] = {
        [HC_LOG_INFO] = 'I', [HC_LOG_WARNING] = 'W', [HC_LOG_ERROR] = 'E', [HC_LOG_VERBOSE] = 'I'};
    uint64_t now_ns = hc_clock_wall_ns();
    time_t seconds = (time_t)(now_ns / HC_NS_PER_S);
    unsigned micros = (unsigned)(now_ns % HC_NS_PER_S / HC_NS_PER_US);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    if (hc_log_get_format() == HC_LOG_FORMAT_ISO8601) {
        hc_buf_appendf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ %c %d %s:%d] ", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       letters[level], (int)getpid(), name, line);
    } else {
        hc_buf_appendf(out, "%c%02d%02d %02d:%02d:%02d.%06u %d %s:%d] ", letters[level],
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, micros,
                       (int)getpid(), name, line);
    }
}

static void write_line(struct hc_buf *line) {
    hc_buf_append_char(line, '\n');
    int fd = log_file >= 0 ? log_file : STDERR_FILENO;
    const char *place = line->data;
    size_t rest = line->size;
    while (rest > 0) {
        ssize_t n = write(fd, place, rest);
        if (n < 0 && errno != EINTR) {
            return; /* nowhere left to say so */
        }
        if (n > 0) {
            place += n;
            rest -= (size_t)n;
        }
    }
}

void hc_log_write(enum hc_log_level level, const char *file, int line, const char *format, ...) {
    hc_auto_buf message = {0};
    va_list args;
    va_start(args, format);
    hc_buf_appendfv(&message, format, args);
    va_end(args);
    hc_auto_buf out = {0};
    append_head(&out, level, file, line);
    if (escaping()) {
        hc_json_append_string(&out, hc_buf_text(&message));
    } else {
        hc_buf_append_text(&out, hc_buf_text(&message));
    }
    write_line(&out);
}

void hc_log_write_raw(enum hc_log_level level, const char *file, int line, const char *text) {
    hc_auto_buf out = {0};
    append_head(&out, level, file, line);
    hc_buf_append_char(&out, '\n');
    hc_buf_append_string(&out, text);
    write_line(&out);
}
