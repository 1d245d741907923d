/* Metrics that models make for themselves: shared by name and labels, of three kinds. */
#include "metrics/metrics.h"

#include <math.h>

#include "test.h"

static const struct hc_metric_label two_labels[] = {
    {HC_TEXT("zone"), HC_TEXT("b\"ack\\slash\n")},
    {HC_TEXT("model"), HC_TEXT("m")},
};

static struct hc_metrics *metrics;
static struct hc_error error;

static int begin(void **state) {
    (void)state;
    return hc_metrics_create(&metrics, &error) == HC_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    hc_metrics_destroy(metrics);
    return 0;
}

static struct hc_metric_family *open_family(enum hc_metric_kind kind, const char *name) {
    struct hc_metric_family *family = NULL;
    assert_int_equal(hc_metric_family_open(metrics, kind, hc_text_of(name), HC_TEXT("help\nit"),
                                           &family, &error),
                     HC_OK);
    return family;
}

static struct hc_metric *open_metric(struct hc_metric_family *family, size_t n_labels) {
    struct hc_metric *metric = NULL;
    assert_int_equal(hc_metric_open(family, two_labels, n_labels, NULL, 0, &metric, &error), HC_OK);
    return metric;
}

static void assert_text(const char *expected) {
    hc_auto_buf text = {0};
    hc_metrics_write(metrics, &text);
    assert_string_equal(hc_buf_string(&text), expected);
}

static void a_family_without_metrics_is_not_written(void **state) {
    (void)state;
    struct hc_metric_family *family = open_family(HC_METRIC_GAUGE, "a");
    assert_text("");
    hc_metric_family_close(family);
}

static void labels_are_sorted_and_escaped(void **state) {
    (void)state;
    struct hc_metric_family *family = open_family(HC_METRIC_GAUGE, "a");
    struct hc_metric *metric = open_metric(family, 2);
    hc_metric_cell_set(hc_metric_cell(metric), -1.5);
    assert_text("# HELP a help\\nit\n# TYPE a gauge\n"
                "a{model=\"m\",zone=\"b\\\"ack\\\\slash\\n\"} -1.5\n");
    hc_metric_close(metric);
    hc_metric_family_close(family);
}

static void those_with_the_same_labels_are_one(void **state) {
    (void)state;
    struct hc_metric_family *family = open_family(HC_METRIC_COUNTER, "a");
    struct hc_metric_family *again = open_family(HC_METRIC_COUNTER, "a");
    struct hc_metric *first = open_metric(family, 1);
    struct hc_metric *second = open_metric(again, 1);
    assert_ptr_equal(first, second);
    hc_metric_cell_add(hc_metric_cell(first), 2);
    hc_metric_close(first);
    hc_metric_family_close(family);
    assert_true(hc_metric_cell_value(hc_metric_cell(second)) == 2);
    hc_metric_family_close(again);
    hc_metric_close(second);
    assert_text("");
}

static void a_name_has_one_kind(void **state) {
    (void)state;
    struct hc_metric_family *family = open_family(HC_METRIC_COUNTER, "a");
    struct hc_metric_family *other = NULL;
    assert_int_equal(
        hc_metric_family_open(metrics, HC_METRIC_GAUGE, HC_TEXT("a"), HC_TEXT(""), &other, &error),
        HC_INVALID_ARGUMENT);
    assert_null(other);
    hc_metric_family_close(family);
}

static void names_that_prometheus_would_refuse_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"", "1a", "a b", "a-b", "\xc3\xa4"};
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        struct hc_metric_family *family = NULL;
        assert_int_equal(hc_metric_family_open(metrics, HC_METRIC_GAUGE, hc_text_of(names[i]),
                                               HC_TEXT(""), &family, &error),
                         HC_INVALID_ARGUMENT);
    }
}

static void labels_that_prometheus_would_refuse_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"", "1a", "a b", "a:b", "__a"};
    struct hc_metric_family *family = open_family(HC_METRIC_GAUGE, "a");
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        const struct hc_metric_label label = {hc_text_of(names[i]), HC_TEXT("x")};
        struct hc_metric *metric = NULL;
        assert_int_equal(hc_metric_open(family, &label, 1, NULL, 0, &metric, &error),
                         HC_INVALID_ARGUMENT);
        assert_null(metric);
    }
    hc_metric_family_close(family);
}

static void values_are_shared_through_the_file(void **state) {
    (void)state;
    struct hc_metric_family *family = open_family(HC_METRIC_COUNTER, "a");
    struct hc_metric *metric = open_metric(family, 1);
    char *base = hc_metrics_file(metrics)->base;
    hc_metric_cell_add((void *)(base + hc_metric_offset(metric)), 2.5);
    assert_true(hc_metric_cell_value(hc_metric_cell(metric)) == 2.5);
    hc_metric_close(metric);
    metric = open_metric(family, 1);
    assert_true(hc_metric_cell_value(hc_metric_cell(metric)) == 0);
    hc_metric_close(metric);
    hc_metric_family_close(family);
}

static void a_histogram_keeps_its_first_buckets(void **state) {
    (void)state;
    static const double first[] = {1, 2};
    static const double second[] = {3};
    struct hc_metric_family *family = open_family(HC_METRIC_HISTOGRAM, "h");
    struct hc_metric *metric = NULL;
    struct hc_metric *again = NULL;
    assert_int_equal(hc_metric_open(family, NULL, 0, first, 2, &metric, &error), HC_OK);
    assert_int_equal(hc_metric_open(family, NULL, 0, second, 1, &again, &error), HC_OK);
    size_t n;
    assert_true(hc_metric_bounds(again, &n)[1] == 2);
    assert_int_equal(n, 2);
    hc_metric_close(metric);
    hc_metric_close(again);
    hc_metric_family_close(family);
}

static void buckets_count_what_is_not_above_them(void **state) {
    (void)state;
    static const double bounds[] = {0.5, 1, 10};
    static const double values[] = {0.5, 0.75, 1, 11, 0.25};
    struct hc_metric_family *family = open_family(HC_METRIC_HISTOGRAM, "h");
    struct hc_metric *metric = NULL;
    assert_int_equal(hc_metric_open(family, NULL, 0, bounds, 3, &metric, &error), HC_OK);
    for (size_t i = 0; i < N_ITEMS(values); i++) {
        hc_metric_cell_observe(hc_metric_cell(metric), bounds, 3, values[i]);
    }
    assert_text("# HELP h help\\nit\n# TYPE h histogram\nh_count 5\nh_sum 13.5\n"
                "h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 4\nh_bucket{le=\"10\"} 4\n"
                "h_bucket{le=\"+Inf\"} 5\n");
    hc_metric_close(metric);
    hc_metric_family_close(family);
}

static void buckets_must_be_ascending(void **state) {
    (void)state;
    static const double bounds[][2] = {{1, 1}, {2, 1}, {1, NAN}};
    struct hc_metric_family *histogram = open_family(HC_METRIC_HISTOGRAM, "h");
    struct hc_metric *metric = NULL;
    for (size_t i = 0; i < N_ITEMS(bounds); i++) {
        assert_int_equal(hc_metric_open(histogram, NULL, 0, bounds[i], 2, &metric, &error),
                         HC_INVALID_ARGUMENT);
    }
    assert_null(metric);
    hc_metric_family_close(histogram);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_family_without_metrics_is_not_written, begin, end),
        cmocka_unit_test_setup_teardown(labels_are_sorted_and_escaped, begin, end),
        cmocka_unit_test_setup_teardown(those_with_the_same_labels_are_one, begin, end),
        cmocka_unit_test_setup_teardown(a_name_has_one_kind, begin, end),
        cmocka_unit_test_setup_teardown(names_that_prometheus_would_refuse_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(labels_that_prometheus_would_refuse_are_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(values_are_shared_through_the_file, begin, end),
        cmocka_unit_test_setup_teardown(a_histogram_keeps_its_first_buckets, begin, end),
        cmocka_unit_test_setup_teardown(buckets_count_what_is_not_above_them, begin, end),
        cmocka_unit_test_setup_teardown(buckets_must_be_ascending, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
