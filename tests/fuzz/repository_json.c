/* Fuzzes the reading of requests to manage the repository: what comes out lies where it may. */
#include <stdlib.h>

#include "wire/repository_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct hc_text text) {
    volatile char sum = 0;
    for (size_t i = 0; i < text.size; i++) {
        sum = (char)(sum + text.data[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hc_auto_pool pool = {0};
    struct hc_text text = {(const char *)data, size};
    struct hc_load_json load;
    bool flag;
    hc_index_json_read(text, &flag, NULL);
    hc_unload_json_read(text, &flag, NULL);
    if (hc_load_json_read(text, &pool, &load, NULL) == HC_OK) {
        touch(load.config);
        for (size_t i = 0; i < load.n_files; i++) {
            touch(load.files[i].path);
            touch(load.files[i].content);
        }
    }
    return 0;
}
