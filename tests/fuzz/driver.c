/*
 * Runs a fuzz target without a fuzzer: once for each file named on the command line, and for each
 * file in the folders named there. Inputs are copied to memory of exactly their size, so that
 * AddressSanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t n_inputs;

static int fail(const char *path) {
    perror(path);
    return 1;
}

static int run_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail(path);
    }
    uint8_t *data = malloc(size > 0 ? size : 1);
    int result = 0;
    if (data == NULL || fread(data, 1, size, file) != size) {
        result = fail(path);
    } else {
        LLVMFuzzerTestOneInput(data, size);
        n_inputs++;
    }
    free(data);
    fclose(file);
    return result;
}

static int run_path(const char *path);

static int run_folder(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return fail(path);
    }
    int result = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *inner = NULL;
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0) {
            result = fail(path);
            break;
        }
        result |= run_path(inner);
        free(inner);
    }
    closedir(folder);
    return result;
}

static int run_path(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return fail(path);
    }
    return S_ISDIR(status.st_mode) ? run_folder(path) : run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv) {
    int result = 0;
    for (int i = 1; i < argc; i++) {
        result |= run_path(argv[i]);
    }
    if (n_inputs == 0) {
        fprintf(stderr, "%s: no inputs\n", argv[0]);
        return 1;
    }
    printf("%zu inputs\n", n_inputs);
    return result;
}
