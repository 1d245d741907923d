/*
 * Processes that models run in, and those that these are forked from.
 *
 * A process is spawned by the server or forked by another one that waits for that: a zygote, which
 * is an interpreter with NumPy in it, or a template, which holds a model's module besides. Either
 * way it has a control socket and leads a process group of its own. The server is not the parent of
 * what was forked, so it has the parent collect the exit status; children outlive their parent.
 *
 * Control thread only, but for process_kill().
 */
#ifndef HC_BACKEND_PYTHON_PROCESS_H
#define HC_BACKEND_PYTHON_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "channel/control.h"
#include "net/loop.h"
#include "output.h"

struct process;

struct process_events {
    /* A forked process runs: it may be talked to. May be NULL. */
    void (*on_started)(struct process *process);
    /* All but log lines and failures, which are taken care of. */
    void (*on_frame)(struct process *process, const struct hc_control_frame *frame);
    /* It has ended, or could not be started; all that it said has been heard. It may be freed. */
    void (*on_end)(struct process *process);
};

enum process_state { PROCESS_NEW, PROCESS_RUNNING, PROCESS_ENDED };

struct process {
    const struct process_events *events;
    struct hc_loop *loop;
    const char *name; /* for messages; the owner's */
    enum process_state state;
    pid_t pid;
    int pid_fd; /* kept until process_finish(): any thread may kill it until then */
    int control;
    char *failure; /* what it said when it could not go on */
    bool has_status;
    int status;           /* as of waitpid() */
    struct output output; /* of one that is forked */
    const char *verdict;  /* why the server killed it; NULL: it did not, or not for that */
    bool out_of_memory;   /* it was killed, and somewhere the kernel killed for want of memory */
    uint64_t _oom_count;  /* when it started */

    bool _spawned; /* by the server itself */
    bool _doomed;  /* to be killed as soon as it is known */
    bool _reaping; /* its parent was asked for its status */
    struct process *_parent;
    struct hc_list _link;     /* among the parent's, or where it waits to be forked */
    struct hc_list _forking;  /* children that were asked for */
    struct hc_list _children; /* those that live, or whose status was asked for */
    struct hc_watch _death_watch;
    struct hc_watch _control_watch;
    struct hc_control_reader _reader;
    struct hc_task _end_task;
};

/* PREFIX, or NULL: what is put before each line that it prints. */
void process_init(struct process *process, struct hc_loop *loop, const char *name,
                  const char *prefix, const struct process_events *events);

/* After its end, or before its start. */
void process_finish(struct process *process);

/* Run argv[0] with descriptor 3 as its control socket. */
enum hc_code process_spawn(struct process *process, char *const *argv, char *const *variables,
                           struct hc_error *error);
enum { PROCESS_CONTROL_FD = 3 };

/* Have PARENT, which runs, fork CHILD as soon as it can. */
enum hc_code process_fork(struct process *parent, struct process *child, struct hc_error *error);

/* Keep CHILD, to be forked or failed later, in the list WAITING. */
void process_wait(struct process *child, struct hc_list *waiting);

/* The first of WAITING, NULL when there is none. */
struct process *process_pop(struct hc_list *waiting);

/* CHILD will not be started, for that reason: its end follows in a later turn of the loop. */
void process_fail(struct process *child, const char *reason);

/* Kill it; its end follows. Any thread, once it runs. */
void process_kill(struct process *process);

/* Have it print where it is, and remember WHY, a literal, as the reason when it is killed. */
void process_condemn(struct process *process, const char *why);

/* Kill it for a FRAME that was not expected. */
void process_refuse(struct process *process, const struct hc_control_frame *frame);

/* Kill one that was spawned and wait for its end, of which nobody is told: the loop has stopped. */
void process_abandon(struct process *process);

/* How it ended, in words, to be freed. */
char *process_describe_end(const struct process *process);

/* The same for the log, with the last of its output unless it said itself what was the matter. */
char *process_tell_end(const struct process *process);

#endif
