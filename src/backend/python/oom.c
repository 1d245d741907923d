/* The kernel's count of processes that it killed for want of memory. */
#include "oom.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The number in the line "oom_kill N" of a file. */
static bool read_count(const char *path, uint64_t *count) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "oom_kill %" SCNu64, count) == 1;
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
