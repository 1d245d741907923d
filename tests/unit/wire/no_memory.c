/* Every allocation of a reader may fail: the request is refused then, and nothing is lost. */
#include "base/buf.h"
#include "test.h"
#include "wire/generate_json.h"

/* Allocations until the one that fails; negative: none does. */
static long countdown = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size) {
    if (countdown == 0) {
        return NULL;
    }
    countdown -= countdown > 0 ? 1 : 0;
    return __real_malloc(size);
}

enum { N_ITEMS_MANY = 200 };

/* A request that needs memory for everything that ever does, more than a chunk of a pool. */
static void append_request(struct hc_buf *text) {
    hc_buf_append_string(text, "{\"id\":\"\\u0041\",\"parameters\":{");
    for (int i = 0; i < N_ITEMS_MANY; i++) {
        hc_buf_appendf(text, "%s\"\\u0061 parameter %d\":\"\\u0078\"", i > 0 ? "," : "", i);
    }
    hc_buf_append_string(text, "},\"inputs\":[");
    for (int i = 0; i < N_ITEMS_MANY; i++) {
        hc_buf_appendf(text,
                       "%s{\"data\":[1,[2]],\"shape\":[1,1,1,1,2],\"datatype\":\"FP32\","
                       "\"name\":\"\\u0061n input %d\"}",
                       i > 0 ? "," : "", i);
    }
    hc_buf_append_string(text, "],\"outputs\":[");
    for (int i = 0; i < N_ITEMS_MANY; i++) {
        hc_buf_appendf(text, "%s{\"name\":\"output %d\"}", i > 0 ? "," : "", i);
    }
    hc_buf_append_string(text, "]}");
}

static void append_generate(struct hc_buf *text) {
    hc_buf_append_string(text, "{\"id\":\"\\u0041\",\"x\":[1");
    for (int i = 0; i < 2000; i++) {
        hc_buf_append_string(text, ",2");
    }
    hc_buf_append_string(text, "],\"parameters\":{");
    for (int i = 0; i < N_ITEMS_MANY; i++) {
        hc_buf_appendf(text, "%s\"\\u0061 parameter %d\":\"\\u0078\"", i > 0 ? "," : "", i);
    }
    hc_buf_append_string(text, "}}");
}

typedef enum hc_code read_request(struct hc_text text, struct hc_pool *pool);

static enum hc_code read_infer(struct hc_text text, struct hc_pool *pool) {
    struct hc_infer_json_request request;
    return hc_infer_json_read(text, pool, &request, NULL);
}

static enum hc_code read_generate(struct hc_text text, struct hc_pool *pool) {
    static const int64_t free_extent[] = {-1};
    static const struct hc_generate_json_input input = {HC_TEXT("x"), HC_DTYPE_FP32, free_extent,
                                                        1};
    struct hc_infer_json_request request;
    return hc_generate_json_read(text, &input, 1, pool, &request, NULL);
}

static void check_every_allocation(struct hc_text text, read_request *read) {
    enum hc_code code = HC_UNAVAILABLE;
    long n = 0;
    for (; code != HC_OK; n++) {
        hc_auto_pool pool = {0};
        countdown = n;
        code = read(text, &pool);
        countdown = -1;
        assert_true(code == HC_OK || code == HC_UNAVAILABLE);
    }
    assert_true(n > 10);
}

static void requests_are_refused(void **state) {
    (void)state;
    hc_auto_buf text = {0};
    append_request(&text);
    check_every_allocation(hc_buf_text(&text), read_infer);
}

static void requests_to_generate_are_refused(void **state) {
    (void)state;
    hc_auto_buf text = {0};
    append_generate(&text);
    check_every_allocation(hc_buf_text(&text), read_generate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_refused),
        cmocka_unit_test(requests_to_generate_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
