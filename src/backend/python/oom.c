/* The kernel's count of processes that it killed for want of memory. */
#include "oom.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number in the line "oom_kill N" of a file. */
static bool read_count(const char *path, uint64_t *count) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    static const char name[] = "oom_kill ";
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, name, strlen(name)) == 0;
        *count = found ? strtoull(line + strlen(name), NULL, 10) : *count;
    }
    fclose(file);
    return found;
}

uint64_t oom_count(void) {
    uint64_t count = 0;
    if (!read_count("/sys/fs/cgroup/memory.events", &count)) {
        read_count("/proc/vmstat", &count);
    }
    return count;
}
