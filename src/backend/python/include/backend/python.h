/*
 * The Python backend: models whose instances are pyhosts, processes that embed CPython.
 *
 * How the parts fit together:
 *
 *     python.c      the table of functions
 *     lives.c       when instances start, start again, and end
 *     pyhost.c      one life of one pyhost: spawn, control conversation, death
 *     loop_*.c      what each loop does: submit to rings, read replies, deliver responses
 *     pins.c        request memory that a pyhost holds
 *     message_*.c   what lies in the arenas
 *
 * The control thread owns models, instances and lives. Each loop has a *side* of each model: the
 * lives that it may talk to, adopted and dropped by tasks that the control thread posts, so that a
 * ring is only ever touched by its loop. An instance is dispatched to only while every loop has
 * adopted its life.
 */
#ifndef HC_BACKEND_PYTHON_PYTHON_H
#define HC_BACKEND_PYTHON_PYTHON_H

#include "core/model.h"
#include "core/server.h"

extern const struct hc_backend hc_python_backend;

/* Once, before models are loaded and after the server's loops exist. */
enum hc_code hc_python_start(struct hc_server *server, struct hc_error *error);

/* After the loops have stopped. */
void hc_python_finish(void);

#endif
