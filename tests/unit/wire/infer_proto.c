/* Inference requests and responses as protocol buffers. */
#include "wire/infer_proto.h"

#include "test.h"
#include "wire/grpc.h"
#include "wire/proto.h"

enum { MAX_RAWS = 4, RAW_ROOM = 16 };

/* Where raw contents go. */
struct places {
    char memory[MAX_RAWS][RAW_ROOM];
    size_t sizes[MAX_RAWS];
    size_t n;
};

static enum hc_code place(void *user, const struct hc_buf *rest, size_t size, char **memory,
                          struct hc_error *error) {
    (void)rest;
    struct places *places = user;
    if (places->n == MAX_RAWS || size > RAW_ROOM) {
        return hc_error_set(error, HC_UNAVAILABLE, "full");
    }
    places->sizes[places->n] = size;
    *memory = places->memory[places->n++];
    return HC_OK;
}

/* A request for "m" with one input "x" and what MORE appends to the input. */
static void begin_request(struct hc_buf *buf, const char *datatype) {
    hc_proto_put_bytes(buf, 1, HC_TEXT("m"));
    hc_proto_put_bytes(buf, 3, HC_TEXT("id"));
    size_t input = hc_proto_begin(buf, 5);
    hc_proto_put_bytes(buf, 1, HC_TEXT("x"));
    hc_proto_put_bytes(buf, 2, hc_text_of(datatype));
    size_t shape = hc_proto_begin(buf, 3);
    hc_proto_put_varint(buf, 2);
    hc_proto_put_varint(buf, (uint64_t)-1);
    hc_proto_end(buf, shape);
    hc_proto_end(buf, input);
}

static enum hc_code take_in(struct hc_text message, size_t piece_size, struct places *places,
                            struct hc_infer_proto_intake *intake, struct hc_error *error) {
    hc_infer_proto_begin(intake, message.size, place, places);
    for (size_t i = 0; i < message.size; i += piece_size) {
        size_t left = message.size - i;
        HC_TRY(hc_infer_proto_take(
            intake, (struct hc_text){message.data + i, left < piece_size ? left : piece_size},
            error));
    }
    return hc_infer_proto_end(intake, error);
}

static void raw_contents_go_to_their_places_however_they_come(void **state) {
    (void)state;
    hc_auto_buf message = {0};
    struct hc_infer_proto_intake intake = {0};
    begin_request(&message, "FP32");
    hc_proto_put_choice_bytes(&message, 7, HC_TEXT("12345678"));
    hc_proto_put_choice_bytes(&message, 7, HC_TEXT(""));
    hc_proto_put_choice_bytes(&message, 99, HC_TEXT("unknown"));
    hc_proto_put_choice_bytes(&message, 7, HC_TEXT("abc"));
    for (size_t size = 1; size <= message.size; size++) {
        struct places places = {0};
        hc_auto_pool pool = {0};
        struct hc_infer_proto_request request;
        assert_int_equal(take_in(hc_buf_text(&message), size, &places, &intake, NULL), HC_OK);
        assert_int_equal(places.n, 3);
        assert_memory_equal(places.memory[0], "12345678", 9);
        assert_int_equal(places.sizes[1], 0);
        assert_memory_equal(places.memory[2], "abc", 4);
        assert_int_equal(hc_infer_proto_read(hc_buf_text(&intake.rest), &pool, &request, NULL),
                         HC_OK);
        assert_true(hc_text_is(request.model_name, "m"));
        assert_true(hc_text_is(request.id, "id"));
        assert_int_equal(request.n_inputs, 1);
        assert_int_equal(request.inputs[0].dtype, HC_DTYPE_FP32);
        assert_int_equal(request.inputs[0].n_dims, 2);
        assert_int_equal(request.inputs[0].dims[0], 2);
        assert_int_equal(request.inputs[0].dims[1], -1);
        assert_int_equal(hc_infer_proto_check(&request, places.n, &pool, NULL), HC_OK);
        assert_int_equal(request.inputs[0].source, HC_INFER_PROTO_RAW);
    }
    hc_infer_proto_finish(&intake);
}

static void cut_messages_are_refused_wherever_they_are_cut(void **state) {
    (void)state;
    hc_auto_buf message = {0};
    struct hc_infer_proto_intake intake = {0};
    begin_request(&message, "FP32");
    size_t whole = message.size; /* a message may end here, and after the id or the name */
    hc_proto_put_choice_bytes(&message, 7, HC_TEXT("12345678"));
    for (size_t size = whole + 1; size < message.size; size++) {
        struct places places = {0};
        struct hc_error error;
        assert_int_equal(take_in((struct hc_text){message.data, size}, 3, &places, &intake, &error),
                         HC_INTERNAL);
        assert_string_equal(error.message, "Unable to parse request");
    }
    hc_infer_proto_finish(&intake);
}

static void what_has_no_place_is_an_error(void **state) {
    (void)state;
    hc_auto_buf message = {0};
    struct places places = {.n = MAX_RAWS};
    struct hc_error error;
    struct hc_infer_proto_intake intake = {0};
    hc_proto_put_choice_bytes(&message, 7, HC_TEXT("12345678"));
    assert_int_equal(take_in(hc_buf_text(&message), 100, &places, &intake, &error), HC_UNAVAILABLE);
    hc_infer_proto_finish(&intake);
}

static void model_and_version_are_known_before_the_rest(void **state) {
    (void)state;
    struct hc_text name;
    struct hc_text version;
    hc_infer_proto_peek(HC_TEXT("\x0a\1m\x12\1"
                                "2\x1a\5i"),
                        &name, &version);
    assert_true(hc_text_is(name, "m"));
    assert_true(hc_text_is(version, "2"));
    hc_infer_proto_peek(HC_TEXT(""), &name, &version);
    assert_int_equal(name.size, 0);
}

/* An input "x" of DATATYPE with CONTENTS. */
static enum hc_code read_contents(const char *datatype, struct hc_text contents,
                                  struct hc_pool *pool, struct hc_infer_proto_request *request,
                                  struct hc_buf *message) {
    size_t input = hc_proto_begin(message, 5);
    hc_proto_put_bytes(message, 2, hc_text_of(datatype));
    hc_proto_put_choice_bytes(message, 5, contents);
    hc_proto_end(message, input);
    HC_TRY(hc_infer_proto_read(hc_buf_text(message), pool, request, NULL));
    return hc_infer_proto_check(request, 0, pool, NULL);
}

static void contents_become_elements(void **state) {
    (void)state;
    static const struct {
        const char *datatype;
        struct hc_text contents;
        struct hc_text elements;
    } cases[] = {
        {"BOOL", HC_TEXT("\x0a\2\1\0"), HC_TEXT("\1\0")},
        {"BOOL", HC_TEXT("\x08\5"), HC_TEXT("\1")}, /* not packed, and any number is true */
        {"INT8", HC_TEXT("\x12\4\x05\x80\x02\x7f"), HC_TEXT("\5\0\x7f")},
        {"UINT16", HC_TEXT("\x22\3\x01\x80\x04"), HC_TEXT("\1\0\0\2")},
        {"INT64", HC_TEXT("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
         HC_TEXT("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"FP32", HC_TEXT("\x35\1\2\3\4\x32\4\5\6\7\x08"), HC_TEXT("\1\2\3\4\5\6\7\x08")},
        {"FP64", HC_TEXT("\x39\1\2\3\4\5\6\7\x08"), HC_TEXT("\1\2\3\4\5\6\7\x08")},
        {"BYTES", HC_TEXT("\x42\2ab\x42\0"), HC_TEXT("\2\0\0\0ab\0\0\0\0")},
        {"FP32", HC_TEXT(""), HC_TEXT("")},
    };
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        hc_auto_pool pool = {0};
        hc_auto_buf message = {0};
        struct hc_infer_proto_request request;
        char elements[32];
        assert_int_equal(
            read_contents(cases[i].datatype, cases[i].contents, &pool, &request, &message), HC_OK);
        assert_int_equal(request.inputs[0].source, HC_INFER_PROTO_CONTENTS);
        assert_int_equal(request.inputs[0].contents_size, cases[i].elements.size);
        hc_infer_proto_copy_contents(&request.inputs[0], elements);
        assert_memory_equal(elements, cases[i].elements.data, cases[i].elements.size);
    }
}

static void contents_of_another_type_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *datatype;
        struct hc_text contents;
    } cases[] = {
        {"FP32", HC_TEXT("\x0a\1\1")},     {"FP16", HC_TEXT("\x35\1\2\3\4")},
        {"INT8", HC_TEXT("\x22\1\1")},     {"BYTES", HC_TEXT("\x0a\1\1")},
        {"FP32", HC_TEXT("\x32\3\1\2\3")}, {"INT32", HC_TEXT("\x12\1\x80")},
    };
    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        hc_auto_pool pool = {0};
        hc_auto_buf message = {0};
        struct hc_infer_proto_request request;
        assert_int_not_equal(
            read_contents(cases[i].datatype, cases[i].contents, &pool, &request, &message), HC_OK);
    }
}

static void too_many_parts_are_refused(void **state) {
    (void)state;
    hc_auto_pool pool = {0};
    hc_auto_buf message = {0};
    struct hc_infer_proto_request request = {.n_inputs = 77};
    for (size_t i = 0; i <= HC_INFER_PROTO_MAX_ITEMS; i++) {
        hc_proto_put_choice_bytes(&message, 5, HC_TEXT(""));
    }
    assert_int_equal(hc_infer_proto_read(hc_buf_text(&message), &pool, &request, NULL),
                     HC_INVALID_ARGUMENT);
    assert_int_equal(request.n_inputs, 77);
}

static void responses_leave_room_for_their_outputs(void **state) {
    (void)state;
    static const int64_t dims[] = {3, 300};
    const struct hc_infer_proto_tensor outputs[] = {
        {HC_TEXT("a"), HC_DTYPE_INT8, dims, 2, 900},
        {HC_TEXT("b"), HC_DTYPE_FP32, NULL, 0, 4},
    };
    const struct hc_wire_parameter parameter = {HC_TEXT("p"), HC_WIRE_INT64, {.int64 = -1}};
    const struct hc_infer_proto_response response = {
        HC_TEXT("m"), HC_TEXT("1"), HC_TEXT("id"), &parameter, 1, outputs, 2,
    };
    for (int form = HC_INFER_PROTO_ALONE; form <= HC_INFER_PROTO_IN_STREAM; form++) {
        hc_auto_buf buf = {0};
        size_t begin;
        size_t places[2];
        assert_int_equal(hc_infer_proto_write(&buf, &response, (enum hc_infer_proto_form)form,
                                              HC_TEXT(""), &begin, places, NULL),
                         HC_OK);
        struct hc_grpc_cutter cutter = {0};
        struct hc_text message = {buf.data + begin, HC_GRPC_PREFIX_SIZE};
        struct hc_text part;
        assert_int_equal(hc_grpc_cut(&cutter, &message, &part, NULL), HC_GRPC_BEGIN);
        assert_int_equal(cutter.size, buf.size - begin - HC_GRPC_PREFIX_SIZE + 904);
        assert_memory_equal(buf.data + places[0] - 3, "\x32\x84\x07", 3);
        assert_memory_equal(buf.data + places[1] - 2, "\x32\x04", 2);
    }
}

static void responses_beyond_2_gib_are_refused(void **state) {
    (void)state;
    static const size_t sizes[] = {INT32_MAX, SIZE_MAX};
    for (size_t i = 0; i < N_ITEMS(sizes); i++) {
        hc_auto_buf buf = {0};
        size_t begin;
        size_t places[1];
        struct hc_error error;
        const struct hc_infer_proto_tensor output = {.size = sizes[i]};
        const struct hc_infer_proto_response response = {.outputs = &output, .n_outputs = 1};
        assert_int_equal(hc_infer_proto_write(&buf, &response, HC_INFER_PROTO_ALONE, HC_TEXT(""),
                                              &begin, places, &error),
                         HC_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "exceeds gRPC's byte size limit 2147483647."));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_contents_go_to_their_places_however_they_come),
        cmocka_unit_test(cut_messages_are_refused_wherever_they_are_cut),
        cmocka_unit_test(what_has_no_place_is_an_error),
        cmocka_unit_test(model_and_version_are_known_before_the_rest),
        cmocka_unit_test(contents_become_elements),
        cmocka_unit_test(contents_of_another_type_are_refused),
        cmocka_unit_test(too_many_parts_are_refused),
        cmocka_unit_test(responses_leave_room_for_their_outputs),
        cmocka_unit_test(responses_beyond_2_gib_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
