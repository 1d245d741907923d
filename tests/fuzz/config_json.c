/*
 * Configs in JSON: any text is read or refused with a message; what is read is printed as JSON that
 * reads back as the same JSON.
 */
#include <stdlib.h>

#include "model/config_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hc_text text = {(const char *)data, size};
    struct hc_error error = {0};
    hc_auto(config) config = NULL;
    hc_auto(config) read = NULL;
    if (hc_config_json_read(text, &config, &error) != HC_OK) {
        require(error.code == HC_INVALID_ARGUMENT && error.message[0] != '\0');
        return 0;
    }
    hc_auto_buf json = {0};
    hc_auto_buf again = {0};
    hc_config_json_print(config, &json);
    require(hc_config_json_read(hc_buf_text(&json), &read, NULL) == HC_OK);
    hc_config_json_print(read, &again);
    require(hc_text_equal(hc_buf_text(&json), hc_buf_text(&again)));
    return 0;
}
