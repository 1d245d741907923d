/*
 * The table of options, and what is done with it. Private to the command line.
 */
#ifndef HC_OPTIONS_TABLE_H
#define HC_OPTIONS_TABLE_H

#include <stdio.h>

#include "options.h"

enum option_kind {
    FLAG, /* bool, true when given */
    NOT,  /* bool, false when given */
    BOOL, /* bool by a word */
    UINT, /* unsigned */
    SIZE, /* uint64_t */
    TEXT, /* char * */
    REPOSITORY,
    STARTUP_MODEL,
    CONTROL_MODE,
    RATE_LIMIT,
    RATE_LIMIT_RESOURCE,
    METRICS_CONFIG,
    LEVEL, /* unsigned, or a bool */
    RESTRICTION,
    MILLISECONDS,
    HOST_POLICY,
    CACHE_CONFIG,
    CACHE_SIZE,
    TRACE_CONFIG,   /* checked: whatever does not begin to trace */
    TRACE_LEVEL,    /* likewise */
    STRICT_CONFIG,  /* the opposite of server.auto_complete */
    BACKEND_CONFIG, /* checked, no more */
    UNUSED_NUMBER,  /* the same, of a number */
    UNUSED,         /* accepted; `help` says why there is nothing to do */
    UNSUPPORTED,    /* a bool that must be false */
    HELP,
    VERSION,
};

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset; /* in struct hc_options */
    const char *group;
    const char *help;
};

extern const struct option_row option_rows[];
extern const size_t n_option_rows;

static inline bool option_takes_value(const struct option_row *row) {
    return row->kind != FLAG && row->kind != NOT && row->kind != HELP && row->kind != VERSION;
}

/* ---- options_help.c ---- */

void option_print_help(FILE *out);

/* ---- options_apply.c ---- */

/* Repositories are kept as a sorted set. */
void option_add_repository(struct hc_server_options *options, const char *path);

/* Take the value WORD of an option; HC_INVALID_ARGUMENT says what is wrong with it. */
enum hc_code option_apply(const struct option_row *row, const char *word,
                          struct hc_options *options, struct hc_error *error);

#endif
