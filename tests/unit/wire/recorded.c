/*
 * What Triton answered to more than a thousand requests (tests/conformance/record_infer_json.py),
 * and what we make of them: the same status and message, the same response. Numbers count by value.
 * Where we differ on purpose, the list of differences says how and why.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "recorded_differences.h"
#include "recorded_models.h"
#include "test.h"

/* What becomes of a request as far as this library goes. */
struct outcome {
    bool read;          /* the request was: what remains is for the model */
    int status;         /* 0: the model is needed to know */
    char message[2048]; /* of an error */
    struct hc_buf answer;
};

static unsigned hex_digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct hc_buf read_bytes(const cJSON *record, const char *key) {
    struct hc_buf bytes = {0};
    char hex_key[32];
    snprintf(hex_key, sizeof hex_key, "%s_hex", key);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(record, key));
    const char *hex = cJSON_GetStringValue(cJSON_GetObjectItem(record, hex_key));
    if (text != NULL) {
        hc_buf_append_string(&bytes, text);
    }
    for (; hex != NULL && *hex != '\0'; hex += 2) {
        hc_buf_append_char(&bytes, (char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1])));
    }
    return bytes;
}

/* Whether what the request comes to depends on the model or on shared memory. */
static bool needs_server(const struct hc_infer_json_request *request) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (request->inputs[i].source == HC_INFER_JSON_SHARED) {
            return true;
        }
    }
    for (size_t i = 0; i < request->n_outputs; i++) {
        if (request->outputs[i].shared || request->outputs[i].classification > 0) {
            return true;
        }
    }
    return false;
}

static enum hc_code read_request(const char *model, bool generate, struct hc_text body,
                                 struct hc_pool *pool, struct hc_infer_json_request *request,
                                 struct hc_error *error) {
    struct hc_generate_json_input inputs[MODEL_INPUTS_MAX];
    if (generate) {
        size_t n_inputs = model_inputs(model, inputs);
        return hc_generate_json_read(body, inputs, n_inputs, pool, request, error);
    }
    HC_TRY(hc_infer_json_read(body, pool, request, error));
    return hc_infer_json_check_binary(request, 0, hc_text_of(model), error);
}

static void run(const char *model, bool generate, struct hc_text body, struct hc_pool *pool,
                struct outcome *outcome) {
    struct hc_infer_json_request request;
    struct hc_error error;
    enum hc_code code = read_request(model, generate, body, pool, &request, &error);
    outcome->read = code == HC_OK;
    if (outcome->read && needs_server(&request)) {
        return;
    }
    if (outcome->read) {
        code = answer_request(model, generate, &request, pool, &outcome->answer, &error);
    }
    outcome->status = hc_code_http(code);
    if (code != HC_OK) {
        snprintf(outcome->message, sizeof outcome->message, "%s", error.message);
    }
}

/* Errors that Triton finds when it looks at the model or at shared memory. */
static bool is_server_error(const char *message) {
    static const char *const parts[] = {
        "unexpected inference input '",
        "unexpected inference output '",
        "inputs but got",
        "unexpected shape for input '",
        "data-type is '",
        "input byte size mismatch for input '",
        "string elements for inference",
        "unexpected number of string elements",
        "has no shape but model",
        "Unable to find shared memory region: '",
        "client shared memory",
    };
    for (size_t i = 0; i < N_ITEMS(parts); i++) {
        if (strstr(message, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool number_begins(const char *place, const char *start) {
    return (*place >= '0' && *place <= '9') &&
           (place == start || strchr("[,: -", place[-1]) != NULL);
}

/* Equal texts, but for numbers, which are equal but for the last digit of a double. */
static bool same_answer(const char *ours, const char *theirs) {
    const char *start = ours;
    while (*ours != '\0' && *theirs != '\0') {
        if (number_begins(ours, start) && *theirs >= '0' && *theirs <= '9') {
            char *ours_end;
            char *theirs_end;
            double a = strtod(ours, &ours_end);
            double b = strtod(theirs, &theirs_end);
            bool integers = strcspn(ours, ".e") >= (size_t)(ours_end - ours);
            if (integers ? ours_end - ours != theirs_end - theirs ||
                               memcmp(ours, theirs, (size_t)(ours_end - ours)) != 0
                         : fabs(a - b) > 1e-15 * fabs(b)) {
                return false;
            }
            ours = ours_end;
            theirs = theirs_end;
        } else if (*ours++ != *theirs++) {
            return false;
        }
    }
    return *ours == *theirs;
}

static bool agrees(struct outcome *outcome, const cJSON *record) {
    int status = cJSON_GetObjectItem(record, "status")->valueint;
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(record, "error"));
    if (error != NULL && is_server_error(error)) {
        return outcome->read;
    }
    if (outcome->status == 0) {
        return status == 200; /* classification, for one */
    }
    if (outcome->status != status) {
        return false;
    }
    if (error != NULL) {
        return strcmp(outcome->message, error) == 0;
    }
    hc_auto_buf answer = read_bytes(record, "answer");
    return same_answer(hc_buf_string(&outcome->answer), hc_buf_string(&answer));
}

static const struct difference *find_difference(const char *group, const char *name) {
    for (size_t i = 0; i < N_ITEMS(differences); i++) {
        if (strcmp(differences[i].group, group) == 0 && strcmp(differences[i].name, name) == 0) {
            return &differences[i];
        }
    }
    return NULL;
}

static int n_failures;

static void fail_case(const char *group, const char *name, const char *how,
                      const struct outcome *outcome, const cJSON *record) {
    char *theirs = cJSON_PrintUnformatted(record);
    print_error("%s, %s: %s\n    ours:   %d %s%.*s\n    theirs: %s\n", group, name, how,
                outcome->status, outcome->message, HC_TEXT_ARGS(hc_buf_text(&outcome->answer)),
                theirs);
    free(theirs);
    n_failures++;
}

static void check_case(const char *group, const cJSON *record) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(record, "name"));
    const char *model = cJSON_GetStringValue(cJSON_GetObjectItem(record, "model"));
    const struct difference *difference = find_difference(group, name);
    hc_auto_pool pool = {0};
    hc_auto_buf body = read_bytes(record, "body");
    struct outcome outcome = {0};
    run(model, strcmp(group, "generate") == 0, hc_buf_text(&body), &pool, &outcome);
    if (difference == NULL) {
        if (!agrees(&outcome, record)) {
            fail_case(group, name, "differs", &outcome, record);
        }
    } else if (agrees(&outcome, record)) {
        fail_case(group, name, "does not differ", &outcome, record);
    } else if (outcome.status != difference->status ||
               strcmp(outcome.message, difference->message) != 0) {
        fail_case(group, name, "differs otherwise than listed", &outcome, record);
    }
    hc_buf_finish(&outcome.answer);
}

static struct hc_buf read_file(const char *group) {
    struct hc_buf text = {0};
    char path[4096];
    snprintf(path, sizeof path, RECORDED "/%s.json", group);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    assert_true(fd >= 0);
    while ((n = read(fd, hc_buf_reserve(&text, 65536), 65536)) > 0) {
        hc_buf_commit(&text, (size_t)n);
    }
    close(fd);
    return text;
}

/* Every case of a group, and every difference listed for it. */
static void check_group(const char *group) {
    struct hc_buf text = read_file(group);
    cJSON *records = cJSON_Parse(hc_buf_string(&text));
    hc_buf_finish(&text);
    assert_non_null(records);
    size_t n_differences = 0;
    const cJSON *record;
    n_failures = 0;
    cJSON_ArrayForEach(record, records) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(record, "name"));
        n_differences += find_difference(group, name) != NULL ? 1 : 0;
        check_case(group, record);
    }
    assert_true(cJSON_GetArraySize(records) > 50);
    cJSON_Delete(records);
    assert_int_equal(n_failures, 0);
    for (size_t i = 0; i < N_ITEMS(differences); i++) {
        n_differences -= strcmp(differences[i].group, group) == 0 ? 1 : 0;
    }
    assert_int_equal(n_differences, 0);
}

static void text_that_is_no_json_is_refused_alike(void **state) {
    (void)state;
    check_group("syntax");
}

static void requests_are_read_alike(void **state) {
    (void)state;
    check_group("request");
}

static void inputs_are_read_alike(void **state) {
    (void)state;
    check_group("inputs");
}

static void data_is_read_and_written_alike(void **state) {
    (void)state;
    check_group("data");
}

static void outputs_are_read_and_written_alike(void **state) {
    (void)state;
    check_group("outputs");
}

static void requests_to_generate_are_read_and_answered_alike(void **state) {
    (void)state;
    check_group("generate");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_no_json_is_refused_alike),
        cmocka_unit_test(requests_are_read_alike),
        cmocka_unit_test(inputs_are_read_alike),
        cmocka_unit_test(data_is_read_and_written_alike),
        cmocka_unit_test(outputs_are_read_and_written_alike),
        cmocka_unit_test(requests_to_generate_are_read_and_answered_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
