/*
 * hippocamp check: looks for mistakes in a repository without serving it.
 */
#ifndef HC_CHECK_REPOSITORY_H
#define HC_CHECK_REPOSITORY_H

#include "core/server.h"

/*
 * Print every problem of the models in the repositories of OPTIONS, "FILE:LINE: what is wrong", and
 * a summary. True when there is none. Backends must have been registered. What a model.py makes of
 * its own config is not known here: nothing in the repository is executed.
 */
bool check_repository(const struct hc_server_options *options);

/* The line of TEXT, a config, that a message about it is about, from 1; 0 when none stands out. */
unsigned find_line(struct hc_text text, const char *message);

#endif
