#include "model/ensemble.h"

#include <stdio.h>

#include "test.h"

enum { N_MODELS_MAX = 4 };

static Inference__ModelConfig *parse_config(const char *text) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = NULL;
    if (hc_config_parse(hc_text_of(text), "file", &config, &error) != HC_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    return config;
}

static const Inference__ModelConfig *find(void *context,
                                          const Inference__ModelEnsembling__Step *step) {
    Inference__ModelConfig **models = context;
    for (size_t i = 0; i < N_MODELS_MAX && models[i] != NULL; i++) {
        if (strcmp(models[i]->name, step->model_name) == 0) {
            return models[i];
        }
    }
    return NULL;
}

/* Hold the ensemble's config against those of the models. */
static enum hc_code settle(const char *ensemble, const char *const models[N_MODELS_MAX],
                           bool *decoupled, struct hc_error *error) {
    hc_auto(config) config = parse_config(ensemble);
    Inference__ModelConfig *configs[N_MODELS_MAX] = {NULL};
    for (size_t i = 0; i < N_MODELS_MAX && models[i] != NULL; i++) {
        configs[i] = parse_config(models[i]);
    }
    hc_config_normalise(config);
    enum hc_code code = hc_config_check(config, error);
    if (code == HC_OK) {
        code = hc_ensemble_settle(config, find, configs, error);
    }
    *decoupled = hc_config_is_decoupled(config);
    for (size_t i = 0; i < N_MODELS_MAX; i++) {
        hc_config_free(configs[i]);
    }
    return code;
}

#define MODEL(name, more)                                                                          \
    "name: '" name "' input { name: 'x' data_type: TYPE_FP32 dims: 3 } output { name: 'y' "        \
    "data_type: TYPE_FP32 dims: 3 } " more
#define ENSEMBLE(more)                                                                             \
    "name: 'e' platform: 'ensemble' input { name: 'a' data_type: TYPE_FP32 dims: 3 } output { "    \
    "name: 'b' data_type: TYPE_FP32 dims: 3 } " more
#define STEP(model, input, output)                                                                 \
    "ensemble_scheduling { step { model_name: '" model "' input_map { key: 'x' value: '" input     \
    "' } output_map { key: 'y' value: '" output "' } } "
#define NEXT_STEP(model, input, output)                                                            \
    "step { model_name: '" model "' input_map { key: 'x' value: '" input                           \
    "' } output_map { key: 'y' value: '" output "' } } "
#define DECOUPLED "model_transaction_policy { decoupled: true }"

static void steps_are_held_against_their_models(void **state) {
    (void)state;
    static const struct {
        const char *ensemble;
        const char *models[N_MODELS_MAX];
        const char *message; /* NULL: it fits */
        bool decoupled;
    } rows[] = {
        {ENSEMBLE(STEP("m", "a", "b") "}"), {MODEL("m", "")}, NULL, false},
        {ENSEMBLE(STEP("m", "a", "c") NEXT_STEP("n", "c", "b") "}"),
         {MODEL("m", ""), MODEL("n", "")},
         NULL,
         false},
        {ENSEMBLE(STEP("m", "a", "b") "}"), {MODEL("m", DECOUPLED)}, NULL, true},
        {ENSEMBLE(STEP("m", "a", "b") "}"),
         {"name: 'm' input { name: 'x' data_type: TYPE_FP32 dims: -1 } output { name: 'y' "
          "data_type: TYPE_FP32 dims: 3 }"},
         NULL,
         false},
        {ENSEMBLE(STEP("m", "a", "b") "}"),
         {MODEL("m", "input { name: 'more' data_type: TYPE_INT8 dims: 1 optional: true }")},
         NULL,
         false},
        {ENSEMBLE(STEP("m", "a", "b") "}"),
         {NULL},
         "ensemble e contains models that are not available or ambiguous: m",
         false},
        {ENSEMBLE("max_batch_size: 4 " STEP("m", "a", "b") "}"),
         {MODEL("m", "max_batch_size: 2")},
         "ensemble e allows maximum batch size 4, but it contains model m which only allows "
         "maximum batch size to be 2",
         false},
        {ENSEMBLE("max_batch_size: 4 " STEP("m", "a", "b") "}"),
         {"name: 'm' input { name: 'x' data_type: TYPE_FP32 dims: [ -1, 3 ] } output { name: 'y' "
          "data_type: TYPE_FP32 dims: [ 4, 3 ] }"},
         NULL,
         false},
        {ENSEMBLE("max_batch_size: 4 " STEP("m", "a", "b") "}"), {MODEL("m", "")}, NULL, false},
        {ENSEMBLE(STEP("m", "a", "b") "}"),
         {"name: 'm' input { name: 'x' data_type: TYPE_FP32 dims: 3 } output { name: 'y' "
          "data_type: TYPE_FP32 dims: [ 1, 3 ] }"},
         "in ensemble e, ensemble tensor b: inconsistent shape: [3] is inferred from model e while "
         "[1,3] is inferred from model m",
         false},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_error error = {0};
        bool decoupled;
        enum hc_code code = settle(rows[i].ensemble, rows[i].models, &decoupled, &error);
        assert_string_equal(error.message, rows[i].message != NULL ? rows[i].message : "");
        assert_int_equal(code, rows[i].message != NULL ? HC_INVALID_ARGUMENT : HC_OK);
        assert_int_equal(decoupled, rows[i].decoupled);
    }
}

static const char join[] =
    "name: 'join' input { name: 'x' data_type: TYPE_FP32 dims: 3 } input { name: 'z' data_type: "
    "TYPE_FP32 dims: 3 } output { name: 'y' data_type: TYPE_FP32 dims: 3 }";

static void answers_of_different_decoupled_models_are_not_joined(void **state) {
    (void)state;
    static const char ensemble[] =
        ENSEMBLE(STEP("m", "a", "c")
                     NEXT_STEP("n", "a", "d") "step { model_name: 'join' input_map { key: "
                                              "'x' value: 'c' } input_map { key: 'z' value: "
                                              "'d' } output_map { key: 'y' value: 'b' } } }");
    static const struct {
        const char *models[N_MODELS_MAX];
        bool ok;
    } rows[] = {
        {{MODEL("m", ""), MODEL("n", ""), join}, true},
        {{MODEL("m", DECOUPLED), MODEL("n", ""), join}, false},
        {{MODEL("m", DECOUPLED), MODEL("n", DECOUPLED), join}, false},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_error error = {0};
        bool decoupled;
        enum hc_code code = settle(ensemble, rows[i].models, &decoupled, &error);
        assert_int_equal(code, rows[i].ok ? HC_OK : HC_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            rows[i].ok ? ""
                                       : "in ensemble e, step of model 'join' receives inputs "
                                         "originated from different decoupled models");
    }
}

static void outputs_of_different_decoupled_models_do_not_make_one_answer(void **state) {
    (void)state;
    static const char ensemble[] =
        ENSEMBLE("output { name: 'c' data_type: TYPE_FP32 dims: 3 } " STEP("m", "a", "b")
                     NEXT_STEP("n", "a", "c") "}");
    struct hc_error error = {0};
    bool decoupled;
    const char *const models[N_MODELS_MAX] = {MODEL("m", DECOUPLED), MODEL("n", "")};
    assert_int_equal(settle(ensemble, models, &decoupled, &error), HC_INVALID_ARGUMENT);
    assert_string_equal(error.message, "in ensemble e, step of model 'e' receives inputs "
                                       "originated from different decoupled models");
}

static void the_order_of_steps_does_not_matter(void **state) {
    (void)state;
    static const char ensemble[] =
        ENSEMBLE(STEP("n", "d", "b") NEXT_STEP("m", "c", "d") NEXT_STEP("m", "a", "c") "}");
    const char *const models[N_MODELS_MAX] = {MODEL("m", DECOUPLED), MODEL("n", "")};
    bool decoupled;
    assert_int_equal(settle(ensemble, models, &decoupled, NULL), HC_OK);
    assert_true(decoupled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_held_against_their_models),
        cmocka_unit_test(answers_of_different_decoupled_models_are_not_joined),
        cmocka_unit_test(outputs_of_different_decoupled_models_do_not_make_one_answer),
        cmocka_unit_test(the_order_of_steps_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
