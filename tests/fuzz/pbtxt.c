/*
 * config.pbtxt: any text is read or refused with its place; what is read goes through every step
 * that needs no folder, and its JSON reads back as the same JSON.
 */
#include <stdlib.h>

#include "model/config_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

static void require_round_trip(const Inference__ModelConfig *config) {
    hc_auto_buf json = {0};
    hc_auto_buf again = {0};
    hc_auto(config) read = NULL;
    hc_config_json_print(config, &json);
    require(hc_config_json_read(hc_buf_text(&json), &read, NULL) == HC_OK);
    hc_config_json_print(read, &again);
    require(hc_text_equal(hc_buf_text(&json), hc_buf_text(&again)));
}

static void take_steps(Inference__ModelConfig *config) {
    static const int32_t ids[] = {0, 1};
    struct hc_error error;
    hc_config_normalise(config);
    hc_auto(config) completed = hc_config_copy(config);
    require(hc_config_same_model(config, completed));
    if (hc_config_check(config, &error) == HC_OK &&
        hc_config_place(config, &(struct hc_gpus){ids, 2}, &error) == HC_OK &&
        hc_config_merge(config, completed, &error) == HC_OK &&
        hc_config_settle(config, "/nowhere", &error) == HC_OK) {
        hc_auto_instances instances;
        hc_config_list_instances(config, &instances);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hc_text text = {(const char *)data, size};
    struct hc_error error = {0};
    hc_auto(config) config = NULL;
    if (hc_config_parse(text, "f", &config, &error) != HC_OK) {
        require(error.code == HC_INVALID_ARGUMENT && strncmp(error.message, "f:", 2) == 0);
        return 0;
    }
    require_round_trip(config);
    take_steps(config);
    return 0;
}
