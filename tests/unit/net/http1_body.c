#include "base/buf.h"
#include "net/http1.h"
#include "test.h"

#define WHOLE   SIZE_MAX
#define CHUNKED UINT64_MAX /* for a length */

struct outcome {
    struct hc_http1_body body;
    struct hc_buf bytes;
    enum hc_http1_result result; /* HC_HTTP1_DONE: the whole body */
    size_t n_used;
};

/* Give the body TEXT in pieces, each in memory of its own size. */
static struct outcome *read_body(uint64_t length, struct hc_text text, size_t piece_size) {
    struct outcome *outcome = calloc(1, sizeof *outcome);
    struct hc_http1_head head = {
        .request = {.chunked = length == CHUNKED, .content_length = length}};
    hc_http1_body_init(&outcome->body, &head);
    while (outcome->n_used < text.size && !outcome->body.done && outcome->result != HC_HTTP1_BAD) {
        size_t size = text.size - outcome->n_used;
        size = size < piece_size ? size : piece_size;
        char *piece = malloc(size);
        size_t used = 0;
        memcpy(piece, text.data + outcome->n_used, size);
        if (outcome->body.run > 0) {
            used = size < outcome->body.run ? size : outcome->body.run;
            hc_buf_append(&outcome->bytes, piece, used);
            hc_http1_body_take(&outcome->body, used);
        } else {
            outcome->result = hc_http1_body_read(&outcome->body, piece, size, &used);
        }
        outcome->n_used += used;
        free(piece);
    }
    if (outcome->result != HC_HTTP1_BAD) {
        outcome->result = outcome->body.done ? HC_HTTP1_DONE : HC_HTTP1_MORE;
    }
    return outcome;
}

static void finish_outcome(struct outcome *outcome) {
    hc_buf_finish(&outcome->bytes);
    free(outcome);
}

struct chunked_row {
    const char *text;
    const char *bytes; /* NULL: refused */
    const char *rest;
};

static const struct chunked_row chunked_rows[] = {
    {"0\r\n\r\n", "", ""},
    {"0\r\n\r\nGET", "", "GET"},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"5\r\nhello\r\n6\r\n world\r\n00\r\n\r\nX", "hello world", "X"},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
    {"0000000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"5\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n", ""},
    {"2;a\r\nhi\r\n0\r\n\r\n", "hi", ""},
    {"2;a=b;c\r\nhi\r\n0;x\r\n\r\n", "hi", ""},
    {"2 ; a = b\r\nhi\r\n0\r\n\r\n", "hi", ""},
    {"2;a=\"b;\\\" c\\\\\"\t;d\r\nhi\r\n0\r\n\r\n", "hi", ""},
    {"2\r\nhi\r\n0\r\nA: b\r\nC:\r\n\r\n!", "hi", "!"},
    {"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", "", "hello"},
    /* sizes */
    {"\r\n\r\n", NULL, NULL},
    {"x\r\n\r\n", NULL, NULL},
    {"0x5\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"+5\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"-5\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {" 5\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"5 \r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"5 5\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"5_\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"8000000000000000\r\nhello", NULL, NULL},
    {"ffffffffffffffff\r\nhello", NULL, NULL},
    {"10000000000000005\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    /* line ends */
    {"5\nhello\n0\n\n", NULL, NULL},
    {"5\rhello\r\n0\r\n\r\n", NULL, NULL},
    {"5\r\r\nhello\r\n0\r\n\r\n", NULL, NULL},
    {"5\r\nhello\n0\r\n\r\n", NULL, NULL},
    {"5\r\nhello\r0\r\n\r\n", NULL, NULL},
    {"5\r\nhello!\r\n0\r\n\r\n", NULL, NULL},
    {"5\r\nhell\r\n0\r\n\r\n", NULL, NULL},
    {"5\r\nhello0\r\n\r\n", NULL, NULL},
    {"5\r\nhelloXX0\r\n\r\n", NULL, NULL},
    {"5\r\nhello\r\n0\r\n\n", NULL, NULL},
    {"0\n\r\n", NULL, NULL},
    /* extensions */
    {"2;\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;=b\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=b c\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a \r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=\"b\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=\"b\\\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=\"b\x01\"\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a=\"\\\x01\"\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2;a\rb\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    {"2,a\r\nhi\r\n0\r\n\r\n", NULL, NULL},
    /* trailers */
    {"0\r\nA\r\n\r\n", NULL, NULL},
    {"0\r\nA : b\r\n\r\n", NULL, NULL},
    {"0\r\n A: b\r\n\r\n", NULL, NULL},
    {"0\r\nA: b\r\n c\r\n\r\n", NULL, NULL},
    {"0\r\nA: b\n\r\n", NULL, NULL},
    {"0\r\nA: b\rc\r\n\r\n", NULL, NULL},
};

static void check_chunked(const struct chunked_row *row, size_t piece_size) {
    struct hc_text text = hc_text_of(row->text);
    struct outcome *outcome = read_body(CHUNKED, text, piece_size);
    if (outcome->result != (row->bytes != NULL ? HC_HTTP1_DONE : HC_HTTP1_BAD)) {
        fail_msg("%s\nin pieces of %zu: result %d", row->text, piece_size, outcome->result);
    }
    if (row->bytes != NULL) {
        assert_string_equal(hc_buf_string(&outcome->bytes), row->bytes);
        assert_string_equal(row->text + outcome->n_used, row->rest);
    } else {
        assert_int_equal(outcome->body.failure.status, 400);
        assert_non_null(outcome->body.failure.message);
    }
    finish_outcome(outcome);
}

static void chunks_are_read_in_whole_and_in_pieces(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(chunked_rows); i++) {
        check_chunked(&chunked_rows[i], WHOLE);
        for (size_t size = 1; size < 8; size++) {
            check_chunked(&chunked_rows[i], size);
        }
    }
}

static void a_length_is_counted(void **state) {
    (void)state;
    for (size_t size = 1; size < 8; size++) {
        struct outcome *outcome = read_body(5, hc_text_of("hello, world"), size);
        assert_int_equal(outcome->result, HC_HTTP1_DONE);
        assert_int_equal(outcome->n_used, 5);
        assert_string_equal(hc_buf_string(&outcome->bytes), "hello");
        finish_outcome(outcome);
    }
}

static void no_body_is_done_at_once(void **state) {
    (void)state;
    struct outcome *outcome = read_body(0, hc_text_of("GET"), WHOLE);
    assert_int_equal(outcome->result, HC_HTTP1_DONE);
    assert_int_equal(outcome->n_used, 0);
    finish_outcome(outcome);
}

static void the_largest_chunk_is_below_two_to_the_63(void **state) {
    (void)state;
    struct outcome *outcome = read_body(CHUNKED, hc_text_of("7fffffffffffffff\r\nx"), WHOLE);
    assert_int_equal(outcome->result, HC_HTTP1_MORE);
    assert_int_equal(outcome->body.run, INT64_MAX - 1);
    finish_outcome(outcome);
}

/* BEFORE, N_TIMES bytes 'a', AFTER; in pieces. */
static enum hc_http1_result read_padded(const char *before, size_t n_times, const char *after,
                                        size_t piece_size) {
    hc_auto_buf text = {0};
    hc_buf_append_string(&text, before);
    memset(hc_buf_reserve(&text, n_times), 'a', n_times);
    hc_buf_commit(&text, n_times);
    hc_buf_append_string(&text, after);
    struct outcome *outcome = read_body(CHUNKED, hc_buf_text(&text), piece_size);
    enum hc_http1_result result = outcome->result;
    finish_outcome(outcome);
    return result;
}

static void lines_are_limited(void **state) {
    (void)state;
    static const size_t piece_sizes[] = {1, 100, WHOLE};
    for (size_t i = 0; i < N_ITEMS(piece_sizes); i++) {
        size_t size = HC_HTTP1_CHUNK_LINE_SIZE;
        const char *end = "\r\n\r\n";
        assert_int_equal(read_padded("0;", size - 4, end, piece_sizes[i]), HC_HTTP1_DONE);
        assert_int_equal(read_padded("0;", size - 3, end, piece_sizes[i]), HC_HTTP1_BAD);
        assert_int_equal(read_padded("0;", size, "", piece_sizes[i]), HC_HTTP1_BAD);
        assert_int_equal(read_padded("0\r\nA:", size - 4, end, piece_sizes[i]), HC_HTTP1_DONE);
        assert_int_equal(read_padded("0\r\nA:", size - 3, end, piece_sizes[i]), HC_HTTP1_BAD);
    }
}

static void extensions_and_trailers_are_limited_in_all(void **state) {
    (void)state;
    static const char *const lines[] = {"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n",
                                        "A:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"};
    for (size_t i = 0; i < N_ITEMS(lines); i++) {
        hc_auto_buf text = {0};
        hc_buf_append_string(&text, i == 0 ? "" : "0\r\n");
        for (size_t n = 0; n < HC_HTTP1_CHUNK_EXTRA_SIZE / 32 + 1; n++) {
            hc_buf_append_string(&text, lines[i]);
        }
        struct outcome *outcome = read_body(CHUNKED, hc_buf_text(&text), WHOLE);
        assert_int_equal(outcome->result, HC_HTTP1_BAD);
        assert_string_equal(outcome->body.failure.message,
                            "chunk extensions and trailers too large");
        finish_outcome(outcome);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_read_in_whole_and_in_pieces),
        cmocka_unit_test(a_length_is_counted),
        cmocka_unit_test(no_body_is_done_at_once),
        cmocka_unit_test(the_largest_chunk_is_below_two_to_the_63),
        cmocka_unit_test(lines_are_limited),
        cmocka_unit_test(extensions_and_trailers_are_limited_in_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
