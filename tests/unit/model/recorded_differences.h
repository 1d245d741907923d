/*
 * Where we make something else of a config than Triton did, on purpose: what, and why.
 */
#ifndef HC_TESTS_UNIT_MODEL_RECORDED_DIFFERENCES_H
#define HC_TESTS_UNIT_MODEL_RECORDED_DIFFERENCES_H

#define DATA_TYPES                                                                                 \
    "TYPE_INVALID, TYPE_BOOL, TYPE_UINT8, TYPE_UINT16, TYPE_UINT32, TYPE_UINT64, TYPE_INT8, "      \
    "TYPE_INT16, TYPE_INT32, TYPE_INT64, TYPE_FP16, TYPE_FP32, TYPE_FP64, TYPE_STRING, TYPE_BF16"

/*
 * Mistakes in the text. Triton says only "failed to read text proto from config.pbtxt"; what is
 * wrong, protobuf writes to stderr in a line of its own, without the name of the file and with the
 * column behind the word (the second line of the recorded .error). Ours says all of it at once:
 * this follows "failed to read text proto from config.pbtxt:".
 */
static const struct mistake {
    const char *name;
    const char *ours;
} mistakes[] = {
    {"bad_bool_number", "2:26: found \"2\", expected true or false for enable"},
    {"bad_bool_word", "2:26: found \"yes\", expected true or false for enable"},
    {"bad_c_comment", "2:11: found \"/\", expected the name of a field"},
    {"bad_case", "2:1: ModelConfig has no field \"Name\"; did you mean \"name\"?"},
    {"bad_character", "2:11: found \"@\", expected the name of a field"},
    {"bad_double_minus", "2:18: found \"-\", expected an integer for max_batch_size"},
    {"bad_duplicate", "3:1: max_batch_size is given twice"},
    {"bad_duplicate_message", "3:1: response_cache is given twice"},
    {"bad_enum_lower_case",
     "2:30: DataType has no value \"type_fp32\"; did you mean \"TYPE_FP32\"?"},
    {"bad_enum_string", "2:30: found the string \"TYPE_FP32\", expected a name for data_type"},
    {"bad_escape", "2:8: a string has no such escape"},
    {"bad_extension", "2:1: found \"[\", expected the name of a field"},
    {"bad_extra_brace", "2:1: found \"}\", expected the name of a field"},
    {"bad_extra_value", "2:19: found \"5\", expected the name of a field"},
    {"bad_float_for_int", "2:17: found \"4.0\", expected an integer for max_batch_size"},
    {"bad_hex_float",
     "2:56: found \"0x1\", expected a decimal number for minimum_slot_utilization"},
    {"bad_int_for_string", "2:7: found \"4\", expected a string in quotes for name"},
    {"bad_json", "2:1: found \"{\", expected the name of a field"},
    {"bad_list_for_singular", "2:17: found \"[\", expected an integer for max_batch_size"},
    {"bad_negative_unsigned",
     "2:50: found \"-\", expected an integer from 0 for max_queue_delay_microseconds"},
    {"bad_newline_in_string", "2:7: this string has no closing \" on its line"},
    {"bad_no_colon", "2:16: found \"4\", expected \":\""},
    {"bad_no_value", "3:1: found the end of the file, expected an integer for max_batch_size"},
    {"bad_octal", "2:18: a number that begins with 0 is octal and has no digits 8 and 9"},
    {"bad_open_brace",
     "3:1: found the end of the file, expected the \"}\" of input, which begins on line 2"},
    {"bad_open_string", "2:7: this string has no closing \" on its line"},
    {"bad_out_of_range", "2:17: 2147483648 is out of range for max_batch_size"},
    {"bad_out_of_range_64", "2:46: 9223372036854775808 is out of range for dims"},
    {"bad_same_scheduler_twice", "3:1: dynamic_batching is given twice"},
    {"bad_scalar_for_message", "2:8: found the string \"x\", expected \"{\" for input"},
    {"bad_string_for_int", "2:17: found the string \"4\", expected an integer for max_batch_size"},
    {"bad_trailing_comma", "2:54: found \"]\", expected an integer for dims"},
    {"bad_two_schedulers", "3:1: sequence_batching cannot be given together with dynamic_batching"},
    {"bad_unknown_enum", "2:30: DataType has no value \"TYPE_FLOAT32\"; it has " DATA_TYPES},
    {"bad_unknown_field",
     "2:1: ModelConfig has no field \"max_batchsize\"; did you mean \"max_batch_size\"?"},
    {"bad_unknown_inner_field",
     "2:19: ModelInput has no field \"data_typ\"; did you mean \"data_type\"?"},
    {"bad_wrong_brace", "2:19: found \">\", expected the \"}\" of input, which begins on line 2"},
};

static const struct difference {
    const char *name;
    const char *ours; /* our message, or a part of our JSON; NULL: only the order of a map */
    const char *reason;
} differences[] = {
    {"bad_enum_number",
     "failed to read text proto from REPOSITORY/bad_enum_number/config.pbtxt:2:30: DataType has no "
     "value \"99\"; it has " DATA_TYPES,
     "Triton takes any number for an enum and goes on with a datatype that there is not"},
    {"bad_nul_in_string",
     "failed to read text proto from REPOSITORY/bad_nul_in_string/config.pbtxt:2:19: a string "
     "cannot hold a NUL byte",
     "protobuf-c ends strings with one"},
    {"floats_extreme", "\"fp32_false_true\":[0,3.40282347e38]",
     "Triton's reading of numbers adds 4e22, which is less than half a float"},
    {"newer_ensemble", "\"max_inflight_requests\":4", "a field that came after Triton 2.51"},
    {"newer_metrics",
     "\"model_metrics\":{\"metric_control\":[{\"metric_identifier\":{\"family\":\"f\"},"
     "\"histogram_options\":{\"buckets\":[1,2.5]}}]}",
     "a field that came after Triton 2.51"},
    {"refused_agent", "unable to find repo agent 'checksum': this server has no repository agents",
     "there is no folder of agents to tell"},
    {"refused_warmup_no_data", "warmup setting expects input 'x' to have input_data_type set",
     "there is no request yet whose id could be unknown"},
    {"refused_warmup_short_file",
     "warmup setting expects 12 bytes, but the data provided from five only has 5 bytes",
     "there is no request yet; and a blank"},
    {"refused_warmup_wrong_shape", "\"model_warmup\":[{\"name\":\"w\"",
     "found when the sample is sent to the model"},
    {"refused_warmup_wrong_type", "\"model_warmup\":[{\"name\":\"w\"",
     "found when the sample is sent to the model"},
    {"sequence_state_bare", "sequence batching state '' must specify 'input_name'",
     "here states work with Python models, and this one could not"},
    {"sequence_state_twice", "sequence batching state 'i' has the name of another tensor",
     "likewise"},
    {"strings", NULL, "Triton's maps have no order, ours that of their keys"},
    {"strings_not_utf8", "\"string_value\":\"a\xef\xbf\xbd\xef\xbf\xbd(\"",
     "Triton's JSON ends such a string with its first byte that is not UTF-8"},
};

#endif
