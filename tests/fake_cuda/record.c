/* What was done: a line for each process and deed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake.h"

void fake_record(const char *what) {
    const char *path = getenv("FAKE_CUDA_RECORD");
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        dprintf(fd, "%d %s\n", (int)getpid(), what);
        close(fd);
    }
}
