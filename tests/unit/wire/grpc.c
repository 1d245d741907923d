/* What gRPC adds to HTTP/2. */
#include "wire/grpc.h"

#include "test.h"

/* Cut BODY, handed over in pieces of SIZE bytes, and note the steps: "B3" a message of 3 bytes,
 * "P" and bytes of it. */
static enum hc_grpc_step cut_all(struct hc_text body, size_t size, struct hc_buf *journal) {
    struct hc_grpc_cutter cutter = {0};
    struct hc_error error;
    for (size_t i = 0; i < body.size; i += size) {
        struct hc_text piece = {body.data + i, body.size - i < size ? body.size - i : size};
        struct hc_text part;
        enum hc_grpc_step step;
        while ((step = hc_grpc_cut(&cutter, &piece, &part, &error)) != HC_GRPC_MORE) {
            if (step == HC_GRPC_BAD) {
                return step;
            }
            if (step == HC_GRPC_BEGIN) {
                hc_buf_appendf(journal, "B%u%s", cutter.size, cutter.compressed ? "z" : "");
            } else {
                hc_buf_append_text(journal, part);
            }
        }
    }
    return hc_grpc_between_messages(&cutter) ? HC_GRPC_MORE : HC_GRPC_PAYLOAD;
}

static void bodies_are_cut_into_messages_however_they_come(void **state) {
    (void)state;
    const struct hc_text body = HC_TEXT("\0\0\0\0\3abc\0\0\0\0\0\1\0\0\0\2de");
    for (size_t size = 1; size <= body.size; size++) {
        hc_auto_buf journal = {0};
        assert_int_equal(cut_all(body, size, &journal), HC_GRPC_MORE);
        assert_string_equal(hc_buf_string(&journal), "B3abcB0B2zde");
    }
}

static void incomplete_messages_are_noticed(void **state) {
    (void)state;
    const struct hc_text body = HC_TEXT("\0\0\0\0\3abc");
    for (size_t size = 1; size < body.size; size++) {
        hc_auto_buf journal = {0};
        assert_int_equal(cut_all((struct hc_text){body.data, size}, size, &journal),
                         HC_GRPC_PAYLOAD);
    }
}

static void what_is_no_message_is_refused(void **state) {
    (void)state;
    static const struct hc_text bodies[] = {
        HC_TEXT("\2\0\0\0\1a"),
        HC_TEXT("\0\x80\0\0\0"),
        HC_TEXT("\0\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < N_ITEMS(bodies); i++) {
        hc_auto_buf journal = {0};
        assert_int_equal(cut_all(bodies[i], 3, &journal), HC_GRPC_BAD);
    }
}

static void messages_of_statuses_are_percent_encoded(void **state) {
    (void)state;
    static const struct {
        struct hc_text message;
        const char *encoded;
    } cases[] = {
        {HC_TEXT(""), ""},
        {HC_TEXT("it is ~ok"), "it is ~ok"},
        {HC_TEXT("100%\n\x7f\xc3\xbc"), "100%25%0A%7F%C3%BC"},
        {HC_TEXT("a\0b"), "a%00b"},
    };
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        hc_auto_buf buf = {0};
        hc_grpc_append_percent(&buf, cases[i].message);
        assert_string_equal(hc_buf_string(&buf), cases[i].encoded);
    }
}

static void timeouts_are_read(void **state) {
    (void)state;
    static const struct {
        const char *value;
        uint64_t ns;
    } cases[] = {
        {"1H", UINT64_C(3600000000000)},
        {"2M", UINT64_C(120000000000)},
        {"3S", UINT64_C(3000000000)},
        {"4m", 4000000},
        {"5u", 5000},
        {"99999999n", 99999999},
        {"99999999H", UINT64_MAX},
        {"0S", 0},
        {"1  S", UINT64_C(1000000000)},
        {"999999999S", UINT64_C(999999999000000000)},
        {"99999999999999999999999n", UINT64_MAX},
    };
    static const char *const bad[] = {"",    "1",   "S",  "1s",   "-1S", "+1S",
                                      " 1S", "1S ", "1 ", "1.5S", "1SS", " "};
    uint64_t ns;
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        assert_true(hc_grpc_read_timeout(hc_text_of(cases[i].value), &ns));
        assert_int_equal(ns, cases[i].ns);
    }
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        assert_false(hc_grpc_read_timeout(hc_text_of(bad[i]), &ns));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_cut_into_messages_however_they_come),
        cmocka_unit_test(incomplete_messages_are_noticed),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(messages_of_statuses_are_percent_encoded),
        cmocka_unit_test(timeouts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
