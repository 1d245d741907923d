/* The wire format of protocol buffers. */
#include "wire/proto.h"

#include "test.h"

static void fields_that_were_written_are_read(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    struct hc_proto_field field;
    hc_proto_put_number(&buf, 1, 300);
    hc_proto_put_number(&buf, 2, 0);
    hc_proto_put_bytes(&buf, 3, HC_TEXT("abc"));
    hc_proto_put_choice(&buf, 4, 0);
    hc_proto_put_choice_double(&buf, 16, 1.0);
    struct hc_proto_reader reader = {hc_buf_text(&buf), false};
    assert_true(hc_proto_next(&reader, &field));
    assert_int_equal(field.id, 1);
    assert_int_equal(field.number, 300);
    assert_true(hc_proto_next(&reader, &field));
    assert_int_equal(field.id, 3);
    assert_true(hc_text_is(field.bytes, "abc"));
    assert_true(hc_proto_next(&reader, &field));
    assert_int_equal(field.id, 4);
    assert_true(hc_proto_next(&reader, &field));
    assert_int_equal(field.id, 16);
    assert_int_equal(field.type, HC_PROTO_64_BITS);
    assert_int_equal(field.number, UINT64_C(0x3ff0000000000000));
    assert_false(hc_proto_next(&reader, &field));
    assert_false(reader.failed);
}

static void sizes_of_any_length_go_before_a_message(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 3000000};
    for (size_t i = 0; i < N_ITEMS(sizes); i++) {
        hc_auto_buf buf = {0};
        struct hc_proto_field field;
        size_t mark = hc_proto_begin(&buf, 5);
        for (size_t j = 0; j < sizes[i]; j++) {
            hc_buf_append_char(&buf, (char)j);
        }
        hc_proto_end(&buf, mark);
        struct hc_proto_reader reader = {hc_buf_text(&buf), false};
        assert_true(hc_proto_next(&reader, &field));
        assert_int_equal(field.bytes.size, sizes[i]);
        assert_true(sizes[i] == 0 || field.bytes.data[sizes[i] - 1] == (char)(sizes[i] - 1));
        assert_int_equal(reader.left.size, 0);
    }
}

static void malformed_messages_are_refused(void **state) {
    (void)state;
    static const struct hc_text messages[] = {
        HC_TEXT("\x80"),                                         /* a tag cut short */
        HC_TEXT("\x00\x01"),                                     /* a field without number */
        HC_TEXT("\x08"),                                         /* no value */
        HC_TEXT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), /* a number without end */
        HC_TEXT("\x0b"),                                         /* a group */
        HC_TEXT("\x0e\x01"),                                     /* no type */
        HC_TEXT("\x0a\x05"
                "abcd"),                                         /* too few bytes */
        HC_TEXT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* 2^64-1 of them */
        HC_TEXT("\x0d\1\2\3"),
        HC_TEXT("\x09\1\2\3\4\5\6\7"),
    };
    for (size_t i = 0; i < N_ITEMS(messages); i++) {
        struct hc_proto_reader reader = {messages[i], false};
        struct hc_proto_field field;
        assert_false(hc_proto_next(&reader, &field));
        assert_true(reader.failed);
        assert_false(hc_proto_next(&reader, &field));
    }
}

static void repeated_numbers_are_read_packed_or_not(void **state) {
    (void)state;
    struct hc_proto_numbers numbers;
    uint64_t number;
    struct hc_proto_field field = {.type = HC_PROTO_BYTES, .bytes = HC_TEXT("\x01\x80\x01")};
    hc_proto_numbers_begin(&numbers, &field, HC_PROTO_VARINT);
    assert_true(hc_proto_numbers_next(&numbers, &number));
    assert_int_equal(number, 1);
    assert_true(hc_proto_numbers_next(&numbers, &number));
    assert_int_equal(number, 128);
    assert_false(hc_proto_numbers_next(&numbers, &number));
    assert_false(numbers.failed);
    field = (struct hc_proto_field){.type = HC_PROTO_VARINT, .number = 7};
    hc_proto_numbers_begin(&numbers, &field, HC_PROTO_VARINT);
    assert_true(hc_proto_numbers_next(&numbers, &number));
    assert_int_equal(number, 7);
    assert_false(hc_proto_numbers_next(&numbers, &number));
    hc_proto_numbers_begin(&numbers, &field, HC_PROTO_32_BITS); /* of another type: unknown */
    assert_false(hc_proto_numbers_next(&numbers, &number));
    field = (struct hc_proto_field){.type = HC_PROTO_BYTES, .bytes = HC_TEXT("\1\2\3\4\5")};
    hc_proto_numbers_begin(&numbers, &field, HC_PROTO_32_BITS);
    assert_true(hc_proto_numbers_next(&numbers, &number));
    assert_int_equal(number, 0x04030201);
    assert_false(hc_proto_numbers_next(&numbers, &number));
    assert_true(numbers.failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_were_written_are_read),
        cmocka_unit_test(sizes_of_any_length_go_before_a_message),
        cmocka_unit_test(malformed_messages_are_refused),
        cmocka_unit_test(repeated_numbers_are_read_packed_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
