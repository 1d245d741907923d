/* The text that Prometheus scrapes. */
#include "metrics/text.h"

#include <math.h>

#include "test.h"

static void numbers_are_written_as_they_are(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "m 0\n"},
        {59, "m 59\n"},
        {-3, "m -3\n"},
        {0.25, "m 0.25\n"},
        {1e14, "m 100000000000000\n"},
        {1e300, "m 1e300\n"},
        {NAN, "m Nan\n"},
        {INFINITY, "m +Inf\n"},
        {-INFINITY, "m -Inf\n"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto_buf text = {0};
        hc_metrics_text_value(&text, "m", HC_TEXT(""), rows[i].value);
        assert_string_equal(hc_buf_string(&text), rows[i].text);
    }
}

static void counts_are_exact(void **state) {
    (void)state;
    hc_auto_buf text = {0};
    hc_metrics_text_count(&text, "m", HC_TEXT("a=\"b\""), UINT64_MAX);
    assert_string_equal(hc_buf_string(&text), "m{a=\"b\"} 18446744073709551615\n");
}

static void names_of_labels_are_made_fit(void **state) {
    (void)state;
    hc_auto_buf labels = {0};
    hc_metrics_text_label(&labels, HC_TEXT("1 a-b"), HC_TEXT(""));
    hc_metrics_text_label(&labels, HC_TEXT("ok_2"), HC_TEXT("x"));
    assert_string_equal(hc_buf_string(&labels), "__a_b=\"\",ok_2=\"x\"");
}

static void samples_join_the_family_that_is_there(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *type;
        const char *text;
    } rows[] = {
        {"b", "gauge", "# HELP a A\n# TYPE a counter\na 1\n# HELP b B\n# TYPE b gauge\nb 2\nX\n"},
        {"a", "counter", "# HELP a A\n# TYPE a counter\na 1\nX\n# HELP b B\n# TYPE b gauge\nb 2\n"},
        {"a", "gauge", "# HELP a A\n# TYPE a counter\na 1\n# HELP b B\n# TYPE b gauge\nb 2\n"},
        {"c", "gauge",
         "# HELP a A\n# TYPE a counter\na 1\n# HELP b B\n# TYPE b gauge\nb 2\n"
         "# HELP c mine\n# TYPE c gauge\nX\n"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto_buf text = {0};
        hc_metrics_text_head(&text, "a", "A", "counter");
        hc_metrics_text_count(&text, "a", HC_TEXT(""), 1);
        hc_metrics_text_head(&text, "b", "B", "gauge");
        hc_metrics_text_count(&text, "b", HC_TEXT(""), 2);
        hc_metrics_text_join(&text, rows[i].name, "mine", rows[i].type, HC_TEXT("X\n"));
        assert_string_equal(hc_buf_string(&text), rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_they_are),
        cmocka_unit_test(counts_are_exact),
        cmocka_unit_test(names_of_labels_are_made_fit),
        cmocka_unit_test(samples_join_the_family_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
