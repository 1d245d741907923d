#include "wire/compress.h"

#include "test.h"

static const enum hc_coding codings[] = {HC_CODING_GZIP, HC_CODING_DEFLATE, HC_CODING_ZSTD};

/* A megabyte that repeats itself, but not too often. */
static void fill(struct hc_buf *buf) {
    for (uint32_t i = 0; i < 1 << 18; i++) {
        uint32_t number = i * i >> 7;
        hc_buf_append(buf, &number, sizeof number);
    }
}

static void compress_pieces(enum hc_coding coding, const struct hc_buf *from, struct hc_buf *to) {
    const struct iovec pieces[] = {
        {from->data, 10},
        {from->data + 10, 0},
        {from->data + 10, from->size - 10},
    };
    assert_int_equal(hc_deflate(coding, pieces, N_ITEMS(pieces), to, NULL), HC_OK);
}

static void compress_text(enum hc_coding coding, struct hc_text text, struct hc_buf *to) {
    const struct iovec piece = {(void *)text.data, text.size};
    assert_int_equal(hc_deflate(coding, &piece, 1, to, NULL), HC_OK);
}

static void pieces_come_back_as_one(void **state) {
    (void)state;
    hc_auto_buf original = {0};
    fill(&original);
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        compress_pieces(codings[i], &original, &compressed);
        assert_true(compressed.size < original.size);
        assert_int_equal(
            hc_inflate(codings[i], hc_buf_text(&compressed), original.size, &back, NULL), HC_OK);
        assert_true(hc_text_equal(hc_buf_text(&original), hc_buf_text(&back)));
    }
}

static void bytes_may_come_one_by_one(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        compress_text(codings[i], HC_TEXT("hello, hello"), &compressed);
        hc_auto(inflater) inflater = hc_inflater_create(codings[i], 12);
        for (size_t j = 0; j < compressed.size; j++) {
            assert_int_not_equal(hc_inflater_end(inflater, NULL), HC_OK);
            struct hc_text byte = {compressed.data + j, 1};
            assert_int_equal(hc_inflater_add(inflater, byte, &back, NULL), HC_OK);
        }
        assert_int_equal(hc_inflater_end(inflater, NULL), HC_OK);
        assert_true(hc_text_equal(hc_buf_text(&back), HC_TEXT("hello, hello")));
    }
}

static void streams_may_follow_each_other(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        compress_text(codings[i], HC_TEXT("one"), &compressed);
        compress_text(codings[i], HC_TEXT("two"), &compressed);
        assert_int_equal(hc_inflate(codings[i], hc_buf_text(&compressed), 6, &back, NULL), HC_OK);
        assert_true(hc_text_equal(hc_buf_text(&back), HC_TEXT("onetwo")));
    }
}

static void nothing_compresses_to_something(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        assert_int_equal(hc_deflate(codings[i], NULL, 0, &compressed, NULL), HC_OK);
        assert_true(compressed.size > 0);
        assert_int_equal(hc_inflate(codings[i], hc_buf_text(&compressed), 0, &back, NULL), HC_OK);
        assert_int_equal(back.size, 0);
    }
}

static void the_limit_is_exact(void **state) {
    (void)state;
    hc_auto_buf original = {0};
    fill(&original);
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        compress_pieces(codings[i], &original, &compressed);
        assert_int_equal(
            hc_inflate(codings[i], hc_buf_text(&compressed), original.size - 1, &back, NULL),
            HC_OUT_OF_RANGE);
        assert_true(back.size < original.size);
    }
}

static void gzip_and_deflate_stand_for_each_other(void **state) {
    (void)state;
    hc_auto_buf compressed = {0};
    hc_auto_buf back = {0};
    compress_text(HC_CODING_GZIP, HC_TEXT("one"), &compressed);
    assert_int_equal(hc_inflate(HC_CODING_DEFLATE, hc_buf_text(&compressed), 3, &back, NULL),
                     HC_OK);
}

static void damage_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(codings); i++) {
        hc_auto_buf compressed = {0};
        hc_auto_buf back = {0};
        struct hc_error error;
        compress_text(codings[i], HC_TEXT("hello, hello"), &compressed);
        struct hc_text cut = {compressed.data, compressed.size - 1};
        assert_int_equal(hc_inflate(codings[i], cut, 100, &back, &error), HC_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "ends early"));
        hc_buf_append_string(&compressed, "rest");
        assert_int_not_equal(hc_inflate(codings[i], hc_buf_text(&compressed), 100, &back, &error),
                             HC_OK);
        assert_int_equal(hc_inflate(codings[i], HC_TEXT("{\"inputs\":[]}"), 100, &back, &error),
                         HC_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "is not valid"));
        assert_int_equal(hc_inflate(codings[i], HC_TEXT(""), 100, &back, &error),
                         HC_INVALID_ARGUMENT);
    }
}

struct accepted_row {
    const char *header;
    enum hc_coding coding;
};

static void what_the_client_likes_best_is_chosen(void **state) {
    (void)state;
    static const struct accepted_row rows[] = {
        {"", HC_CODING_IDENTITY},
        {"gzip", HC_CODING_GZIP},
        {"GZip", HC_CODING_GZIP},
        {"deflate, gzip", HC_CODING_DEFLATE},
        {"gzip, deflate, br, zstd", HC_CODING_GZIP},
        {"br, zstd", HC_CODING_ZSTD},
        {"identity, gzip", HC_CODING_IDENTITY},
        {"gzip;q=0.5, deflate;q=0.8", HC_CODING_DEFLATE},
        {" gzip ; q=0.2 , identity;q=0.1", HC_CODING_GZIP},
        {"gzip;q=0", HC_CODING_IDENTITY},
        {"gzip;q=x", HC_CODING_IDENTITY},
        {"gzip;q=-1", HC_CODING_IDENTITY},
        {"gzip;q=2", HC_CODING_GZIP},
        {"gzip;q=0.11111111111111111111", HC_CODING_GZIP},
        {"*", HC_CODING_IDENTITY},
        {",;,;q=1,gzip", HC_CODING_GZIP},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(hc_coding_accepted(hc_text_of(rows[i].header)), rows[i].coding);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_back_as_one),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(streams_may_follow_each_other),
        cmocka_unit_test(nothing_compresses_to_something),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(gzip_and_deflate_stand_for_each_other),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(what_the_client_likes_best_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
