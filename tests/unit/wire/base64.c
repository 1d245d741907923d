/* Base64 against the vectors of RFC 4648, and what is none. */
#include "wire/base64.h"

#include "test.h"

static void the_vectors_of_the_standard_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *bytes;
    } rows[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"Zg", "f"},
        {"Zm8", "fo"},
        {"+/+/", "\xfb\xff\xbf"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char place[32];
        size_t size = 77;
        struct hc_text text = hc_text_of(rows[i].text);
        assert_true(hc_base64_max_size(text.size) <= sizeof place);
        assert_true(hc_base64_decode(text, place, &size));
        assert_int_equal(size, strlen(rows[i].bytes));
        assert_memory_equal(place, rows[i].bytes, size);
    }
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Z", "Zm9vZ", "Zm9v=", "Z===", "====", "Zm 9", "Zm-_", "Z=g="};
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        char place[32];
        size_t size;
        assert_false(hc_base64_decode(hc_text_of(texts[i]), place, &size));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_are_read),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
