/* Which interpreter to become. */
#include "interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

/*
 * Two lines: the executable, and the libpython it is linked with. A python that has one is mapped
 * with it; one that has none may still lie beside it (Debian's).
 */
static const char probe[] =
    "import os, sys\n"
    "name = 'libpython%d.%d%s.so' % (*sys.version_info[:2], getattr(sys, 'abiflags', ''))\n"
    "found = ''\n"
    "with open('/proc/self/maps') as maps:\n"
    "    for line in maps:\n"
    "        if 'libpython' in line and '.so' in line:\n"
    "            found = line.split(None, 5)[5].strip()\n"
    "            break\n"
    "if not found:\n"
    "    machine = getattr(sys.implementation, '_multiarch', '')\n"
    "    for folder in ('lib', 'lib/' + machine, 'lib64'):\n"
    "        for suffix in ('.1.0', ''):\n"
    "            path = os.path.join(sys.base_prefix, folder, name + suffix)\n"
    "            found = found or (path if os.path.exists(path) else '')\n"
    "print(sys.executable)\n"
    "print(found)\n";

void hc_interpreter_finish(struct hc_interpreter *interpreter) {
    free(interpreter->executable);
    free(interpreter->libpython);
    *interpreter = (struct hc_interpreter){0};
}

static enum hc_code start_probe(const char *command, int output, pid_t *pid,
                                struct hc_error *error) {
    char *argv[] = {(char *)command, (char *)"-I", (char *)"-S", (char *)"-c", (char *)probe, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int failure = posix_spawnp(pid, command, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        return hc_error_set(error, HC_NOT_FOUND, "cannot run Python interpreter '%s': %s", command,
                            strerror(failure));
    }
    return HC_OK;
}

static void read_all(int fd, struct hc_buf *buf) {
    ssize_t n;
    do {
        n = read(fd, hc_buf_reserve(buf, 4096), 4096);
        if (n > 0) {
            hc_buf_commit(buf, (size_t)n);
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
}

/* What the probe prints when COMMAND runs it. */
static enum hc_code run_probe(const char *command, struct hc_buf *output, struct hc_error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "pipe: %s", strerror(errno));
    }
    hc_auto(fd) read_end = ends[0];
    pid_t pid;
    enum hc_code code = start_probe(command, ends[1], &pid, error);
    close(ends[1]);
    HC_TRY(code);
    read_all(read_end, output);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return hc_error_set(error, HC_INTERNAL,
                            "'%s' does not work as a Python interpreter (its output is above)",
                            command);
    }
    return HC_OK;
}

enum hc_code hc_interpreter_find(const char *command, struct hc_interpreter *interpreter,
                                 struct hc_error *error) {
    hc_auto_buf output = {0};
    HC_TRY(run_probe(command, &output, error));
    char *first = (char *)hc_buf_string(&output);
    char *second = strchr(first, '\n');
    if (second == NULL || second == first) {
        return hc_error_set(error, HC_INTERNAL, "'%s' does not know its own path", command);
    }
    *second++ = '\0';
    second[strcspn(second, "\n")] = '\0';
    interpreter->executable = hc_strdup(first);
    interpreter->libpython = *second != '\0' ? hc_strdup(second) : NULL;
    return HC_OK;
}
