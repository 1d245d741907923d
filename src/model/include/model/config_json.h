/*
 * Model configurations as JSON: what /v2/models/M/config answers and a Python model finds in
 * args["model_config"], and what the load API's `config` and auto_complete_config() give.
 *
 * Printed is what Triton prints: proto3 JSON with the names of the .proto file, in its order, with
 * every scalar, list and map, set or not, but only those messages and members of oneofs that are
 * set; 64-bit integers as numbers. Of Triton's habits these are kept:
 *
 *   - the 64-bit integers that its conversion misses stay strings: device_id of secondary devices,
 *     the dims of an initial state, the dim of a CUDA graph's shape;
 *   - a oneof's message stands in its place, a oneof's scalar behind the other fields;
 *   - floats have six significant digits, or nine where six are not enough.
 *
 * Fields newer than Triton 2.51 are printed only when set. Maps are in the order of their keys,
 * where Triton has none.
 *
 * Read is proto3 JSON (https://protobuf.dev/programming-guides/json): names as in the .proto file
 * or in camelCase, numbers and truth also in strings, enums by name in any case or by number, a
 * list of one as that one, null for the default. Refused are fields that there are not, those given
 * twice, and strings with a NUL byte; bytes that are not UTF-8 are replaced. The reader is
 * hc_wire's: cJSON would keep only the 53 bits of an integer that fit a double, and no trace of the
 * text they came from.
 */
#ifndef HC_MODEL_CONFIG_JSON_H
#define HC_MODEL_CONFIG_JSON_H

#include "base/buf.h"
#include "base/error.h"
#include "model/config.h"

/* Append CONFIG as JSON, without blanks and line ends. */
void hc_config_json_print(const Inference__ModelConfig *config, struct hc_buf *json);

/*
 * Read a config, to be released by hc_config_free(). HC_INVALID_ARGUMENT for a mistake, which is
 * told with its place: "input[0].dims[1]: found true, expected an integer".
 */
enum hc_code hc_config_json_read(struct hc_text json, Inference__ModelConfig **config,
                                 struct hc_error *error);

#endif
