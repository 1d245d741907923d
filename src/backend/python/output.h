/*
 * What a process prints: its standard output and error come through pipes and go on, at once and as
 * they are, to the server's own. The last of it is kept, to be told when the process has died.
 *
 * Control thread only.
 */
#ifndef HC_BACKEND_PYTHON_OUTPUT_H
#define HC_BACKEND_PYTHON_OUTPUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "net/loop.h"

enum { OUTPUT_N_STREAMS = 2 };

struct output {
    const char *prefix; /* put before each line, in brackets; NULL: nothing is */
    struct output_stream {
        struct hc_watch watch; /* fd -1: closed */
        struct output *output;
        int target;
        bool in_line; /* what came last was no whole line */
    } streams[OUTPUT_N_STREAMS];
    struct hc_buf last;
};

void output_init(struct output *output, const char *prefix);

/* Make the pipes; WRITE_ENDS are the caller's, for standard output and error. */
enum hc_code output_open(struct output *output, struct hc_loop *loop, int *write_ends,
                         struct hc_error *error);

/* Pass on what there is and close. */
void output_close(struct output *output);

/* Forget what was kept. */
void output_finish(struct output *output);

/* The last lines, to be freed; NULL when there are none. */
char *output_last_lines(const struct output *output);

#endif
