/* Processes: spawned or forked, listened to, killed, buried. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "oom.h"

HC_CLEANUP(json, cJSON *, cJSON_Delete);

void process_init(struct process *process, struct hc_loop *loop, const char *name,
                  const char *prefix, const struct process_events *events) {
    *process =
        (struct process){.events = events, .loop = loop, .name = name, .pid_fd = -1, .control = -1};
    output_init(&process->output, prefix);
    process->_oom_count = oom_count();
    hc_list_init(&process->_forking);
    hc_list_init(&process->_children);
}

void process_finish(struct process *process) {
    hc_fd_close(hc_fd_take(&process->pid_fd));
    hc_control_reader_finish(&process->_reader);
    output_finish(&process->output);
    free(hc_take(process->failure));
}

static void fail(struct process *process, const char *reason) {
    if (process->failure == NULL) {
        process->failure = hc_strdup(reason);
    }
}

/* ---- The end ---- */

/* Of one that was forked and whose parent has died, nobody learns how it ended. */
char *process_describe_end(const struct process *process) {
    if (process->failure != NULL) {
        return hc_strdup(process->failure);
    }
    if (process->verdict != NULL) {
        return hc_format("Stub process '%s' is not healthy: it was killed, since %s.",
                         process->name, process->verdict);
    }
    if (!process->has_status) {
        return hc_format("Stub process '%s' is not healthy: it has ended.", process->name);
    }
    if (WIFSIGNALED(process->status)) {
        int number = WTERMSIG(process->status);
        return hc_format("Stub process '%s' is not healthy: it was killed by signal %d (%s)%s.",
                         process->name, number, strsignal(number),
                         process->out_of_memory ? " when the system was out of memory" : "");
    }
    return hc_format("Stub process '%s' is not healthy: it exited with status %d.", process->name,
                     WEXITSTATUS(process->status));
}

char *process_tell_end(const struct process *process) {
    hc_auto(text) end = process_describe_end(process);
    hc_auto(text) lines = process->failure == NULL ? output_last_lines(&process->output) : NULL;
    return lines == NULL ? hc_take(end) : hc_format("%s The last of its output:\n%s", end, lines);
}

static void end(struct process *process);

static struct process *process_of(struct hc_list *link) {
    return hc_list_item(link, struct process, _link);
}

/* Children that were not forked yet never will be; the others have no parent any more. */
static void end_parenthood(struct hc_list *forking, struct hc_list *children, const char *reason) {
    struct hc_list *link;
    while ((link = hc_list_pop(children)) != NULL) {
        struct process *child = process_of(link);
        child->_parent = NULL;
        if (child->_reaping) {
            end(child);
        }
    }
    while ((link = hc_list_pop(forking)) != NULL) {
        struct process *child = process_of(link);
        fail(child, reason);
        end(child);
    }
}

static void move_list(struct hc_list *from, struct hc_list *to) {
    hc_list_init(to);
    struct hc_list *link;
    while ((link = hc_list_pop(from)) != NULL) {
        hc_list_append(to, link);
    }
}

static void end(struct process *process) {
    hc_watch_stop(&process->_control_watch);
    hc_fd_close(hc_fd_take(&process->control));
    output_close(&process->output);
    hc_list_remove(&process->_link);
    process->_parent = NULL;
    process->state = PROCESS_ENDED;
    process->out_of_memory = process->has_status && WIFSIGNALED(process->status) &&
                             WTERMSIG(process->status) == SIGKILL &&
                             oom_count() > process->_oom_count;
    struct hc_list forking;
    struct hc_list children;
    move_list(&process->_forking, &forking);
    move_list(&process->_children, &children);
    hc_auto(text) reason = process_describe_end(process);
    process->events->on_end(process); /* PROCESS may be gone */
    end_parenthood(&forking, &children, reason);
}

static void on_end_task(struct hc_task *task) {
    end(hc_list_item(task, struct process, _end_task));
}

void process_fail(struct process *child, const char *reason) {
    hc_list_remove(&child->_link);
    fail(child, reason);
    child->_end_task.run = on_end_task;
    hc_loop_post(child->loop, &child->_end_task);
}

static void bury_own(struct process *process) {
    while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR) {
    }
    process->has_status = true;
    end(process);
}

/* Have the parent collect the status; HC_CONTROL_REAPED or the parent's end follows. */
static void bury_forked(struct process *process) {
    const struct hc_control_child body = {.pid = process->pid};
    const struct hc_text text = {(const char *)&body, sizeof body};
    if (process->_parent == NULL ||
        hc_control_send(process->_parent->control, HC_CONTROL_REAP, text, NULL, 0, NULL) != HC_OK) {
        end(process);
    } else {
        process->_reaping = true;
    }
}

static bool read_control(struct process *process, bool *any);

static void on_death(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct process *process = hc_list_item(watch, struct process, _death_watch);
    hc_watch_stop(watch);
    bool any = true;
    while (any && read_control(process, &any)) { /* its last words */
    }
    /* Its children. The number is not reused as long as nobody has collected the status. */
    kill(-process->pid, SIGKILL);
    if (process->_spawned) {
        bury_own(process);
    } else {
        bury_forked(process);
    }
}

void process_condemn(struct process *process, const char *why) {
    process->verdict = why;
    syscall(SYS_pidfd_send_signal, process->pid_fd, HC_CONTROL_DUMP_SIGNAL, NULL, 0);
}

void process_kill(struct process *process) {
    if (process->pid_fd >= 0) {
        /* Not by process id: that may be another's by now. */
        syscall(SYS_pidfd_send_signal, process->pid_fd, SIGKILL, NULL, 0);
    } else if (process->_parent != NULL) {
        process->_doomed = true;
    } else if (hc_list_in(&process->_link)) {
        process_fail(process, "it was not started any more");
    }
}

void process_abandon(struct process *process) {
    hc_watch_stop(&process->_death_watch);
    hc_watch_stop(&process->_control_watch);
    kill(-process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    hc_fd_close(hc_fd_take(&process->control));
    process->state = PROCESS_ENDED;
}

/* ---- What it says ---- */

static void on_failed(struct process *process, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));
    if (message != NULL) {
        fail(process, message);
    }
}

static void on_log(struct hc_text body) {
    struct hc_control_log head;
    if (body.size < sizeof head) {
        return;
    }
    memcpy(&head, body.data, sizeof head);
    struct hc_text rest = {body.data + sizeof head, body.size - sizeof head};
    if (head.file_size > rest.size || head.level > HC_LOG_VERBOSE ||
        !hc_log_enabled((enum hc_log_level)head.level)) {
        return;
    }
    hc_auto(text) file = hc_strndup(rest.data, head.file_size);
    hc_log_write((enum hc_log_level)head.level, file, (int)head.line, "%.*s",
                 (int)(rest.size - head.file_size), rest.data + head.file_size);
}

static bool read_child(struct hc_text body, struct hc_control_child *child) {
    if (body.size != sizeof *child) {
        return false;
    }
    memcpy(child, body.data, sizeof *child);
    return child->pid > 0;
}

static enum hc_code watch(struct process *process, struct hc_error *error) {
    HC_TRY(hc_watch_start(process->loop, &process->_death_watch, HC_WATCH_READ, error));
    return hc_watch_start(process->loop, &process->_control_watch, HC_WATCH_READ, error);
}

/* The first descriptor that came with frames and nobody has taken; -1: none. */
static int take_descriptor(struct hc_control_reader *reader) {
    if (reader->n_fds == 0) {
        return -1;
    }
    int fd = reader->fds[0];
    reader->n_fds--;
    memmove(reader->fds, reader->fds + 1, reader->n_fds * sizeof reader->fds[0]);
    return fd;
}

static void start_forked(struct process *child) {
    struct hc_error error;
    child->state = PROCESS_RUNNING;
    if (watch(child, &error) != HC_OK) {
        fail(child, error.message);
        child->_doomed = true;
    }
    if (child->_doomed) {
        process_kill(child);
    } else if (child->events->on_started != NULL) {
        child->events->on_started(child);
    }
}

/* False: nobody asked for a child. */
static bool on_forked(struct process *parent, struct hc_text body) {
    struct hc_control_child child_body;
    hc_auto(fd) pid_fd = take_descriptor(&parent->_reader);
    struct hc_list *link = hc_list_pop(&parent->_forking);
    if (link == NULL) {
        return false;
    }
    struct process *child = process_of(link);
    if (pid_fd < 0 || !read_child(body, &child_body)) {
        child->_parent = NULL;
        process_fail(child, "a process could not be forked");
        return true;
    }
    hc_list_append(&parent->_children, &child->_link);
    child->pid = child_body.pid;
    child->pid_fd = hc_fd_take(&pid_fd);
    child->_death_watch.fd = child->pid_fd;
    start_forked(child);
    return true;
}

static bool on_reaped(struct process *parent, struct hc_text body) {
    struct hc_control_child child_body;
    if (!read_child(body, &child_body)) {
        return false;
    }
    hc_list_each (link, &parent->_children) {
        struct process *child = process_of(link);
        if (child->pid == child_body.pid && child->_reaping) {
            child->has_status = true;
            child->status = child_body.status;
            end(child);
            return true;
        }
    }
    return false;
}

static void on_frame(struct process *process, const struct hc_control_frame *frame) {
    bool expected = true;
    switch (frame->kind) {
    case HC_CONTROL_LOG:
        on_log(frame->body);
        break;
    case HC_CONTROL_FAILED:
        on_failed(process, frame->body);
        break;
    case HC_CONTROL_FORKED:
        expected = on_forked(process, frame->body);
        break;
    case HC_CONTROL_REAPED:
        expected = on_reaped(process, frame->body);
        break;
    default:
        process->events->on_frame(process, frame);
        break;
    }
    if (!expected) {
        process_refuse(process, frame);
    }
}

void process_refuse(struct process *process, const struct hc_control_frame *frame) {
    hc_log_error("'%s' sent an unexpected control message %u; it is killed", process->name,
                 frame->kind);
    process_kill(process);
}

/* Read what there is; *ANY: there was something. False at the socket's end. */
static bool read_control(struct process *process, bool *any) {
    if (hc_control_fill(&process->_reader, process->control, any, NULL) != HC_OK) {
        return false;
    }
    struct hc_control_frame frame;
    int found;
    while ((found = hc_control_next(&process->_reader, HC_CONTROL_MAX_BODY, &frame)) > 0) {
        on_frame(process, &frame);
    }
    if (found < 0) {
        process_kill(process);
    }
    return found == 0;
}

static void on_control(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct process *process = hc_list_item(watch, struct process, _control_watch);
    bool any;
    if (!read_control(process, &any)) {
        hc_watch_stop(watch);
    }
}

/* ---- The start ---- */

/* Both ends of a control socket: the server's is kept, *OTHER is the process's. */
static enum hc_code connect_control(struct process *process, int *other, struct hc_error *error) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "socketpair: %s", strerror(errno));
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    process->control = ends[0];
    process->_control_watch = (struct hc_watch){.fd = ends[0], .on_ready = on_control};
    process->_death_watch = (struct hc_watch){.fd = -1, .on_ready = on_death};
    *other = ends[1];
    return HC_OK;
}

/* Signals as at a program's start, a process group of its own. */
static int spawn(pid_t *pid, int control, char *const *argv, char *const *variables) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, control, PROCESS_CONTROL_FD);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    int failure = posix_spawn(pid, argv[0], &actions, &attributes, argv, variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

static enum hc_code start_spawned(struct process *process, int control, char *const *argv,
                                  char *const *variables, struct hc_error *error) {
    int failure = spawn(&process->pid, control, argv, variables);
    if (failure != 0) {
        return hc_error_set(error, HC_INTERNAL, "cannot start '%s': %s", argv[0],
                            strerror(failure));
    }
    process->pid_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    process->_death_watch.fd = process->pid_fd;
    enum hc_code code = process->pid_fd >= 0
                            ? watch(process, error)
                            : hc_error_set(error, HC_INTERNAL, "pidfd_open: %s", strerror(errno));
    if (code != HC_OK) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    return code;
}

enum hc_code process_spawn(struct process *process, char *const *argv, char *const *variables,
                           struct hc_error *error) {
    hc_auto(fd) other = -1;
    HC_TRY(connect_control(process, &other, error));
    process->_spawned = true;
    enum hc_code code = start_spawned(process, other, argv, variables, error);
    if (code != HC_OK) {
        hc_watch_stop(&process->_death_watch);
        hc_fd_close(hc_fd_take(&process->control));
        return code;
    }
    process->state = PROCESS_RUNNING;
    return HC_OK;
}

/* Pipes for what it prints go along with its end of the control socket. */
static enum hc_code send_fork(struct process *parent, struct process *child,
                              struct hc_error *error) {
    int fds[1 + OUTPUT_N_STREAMS] = {-1, -1, -1};
    enum hc_code code = connect_control(child, &fds[0], error);
    if (code == HC_OK) {
        code = output_open(&child->output, child->loop, &fds[1], error);
    }
    if (code == HC_OK) {
        code = hc_control_send(parent->control, HC_CONTROL_FORK, HC_TEXT(""), fds,
                               1 + OUTPUT_N_STREAMS, error);
    }
    for (size_t i = 0; i < 1 + OUTPUT_N_STREAMS; i++) {
        hc_fd_close(fds[i]);
    }
    return code;
}

enum hc_code process_fork(struct process *parent, struct process *child, struct hc_error *error) {
    enum hc_code code = send_fork(parent, child, error);
    if (code != HC_OK) {
        hc_fd_close(hc_fd_take(&child->control));
        output_close(&child->output);
        return code;
    }
    child->_parent = parent;
    hc_list_append(&parent->_forking, &child->_link);
    return HC_OK;
}

void process_wait(struct process *child, struct hc_list *waiting) {
    hc_list_append(waiting, &child->_link);
}

struct process *process_pop(struct hc_list *waiting) {
    struct hc_list *link = hc_list_pop(waiting);
    return link == NULL ? NULL : process_of(link);
}
