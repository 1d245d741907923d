/*
 * ModelInferRequest. The first byte says in pieces of which size the rest arrives. However it does,
 * the result is the same, and inputs that are accepted have elements of exactly the size announced.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tensor/bytes.h"
#include "wire/infer_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* Raw contents, one after the other. */
struct raws {
    struct hc_buf bytes;
    size_t n;
};

static enum hc_code place(void *user, const struct hc_buf *rest, size_t size, char **memory,
                          struct hc_error *error) {
    (void)error;
    struct raws *raws = user;
    struct hc_text name;
    struct hc_text version;
    hc_infer_proto_peek(hc_buf_text(rest), &name, &version);
    raws->n++;
    hc_buf_reserve(&raws->bytes, size); /* no more than is left of the message */
    *memory = raws->bytes.data + raws->bytes.size;
    memset(*memory, 0, size);
    hc_buf_commit(&raws->bytes, size);
    return HC_OK;
}

static enum hc_code take_in(struct hc_text message, size_t piece_size,
                            struct hc_infer_proto_intake *intake, struct raws *raws) {
    hc_infer_proto_begin(intake, message.size, place, raws);
    for (size_t i = 0; i < message.size; i += piece_size) {
        size_t left = message.size - i;
        size_t piece = left < piece_size ? left : piece_size;
        HC_TRY(hc_infer_proto_take(intake, (struct hc_text){message.data + i, piece}, NULL));
    }
    return hc_infer_proto_end(intake, NULL);
}

static void check_contents(const struct hc_infer_proto_input *input) {
    char *elements = malloc(input->contents_size + 1);
    if (elements == NULL) {
        return;
    }
    elements[input->contents_size] = 0x55;
    hc_infer_proto_copy_contents(input, elements);
    require(elements[input->contents_size] == 0x55);
    uint64_t n;
    require(input->dtype != HC_DTYPE_BYTES || hc_bytes_count(elements, input->contents_size, &n));
    free(elements);
}

static void read_rest(struct hc_text rest, size_t n_raws) {
    hc_auto_pool pool = {0};
    struct hc_infer_proto_request request;
    struct hc_error error = {0};
    if (hc_infer_proto_read(rest, &pool, &request, &error) != HC_OK ||
        hc_infer_proto_check(&request, n_raws, &pool, &error) != HC_OK) {
        require(error.code != HC_OK && error.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < request.n_inputs; i++) {
        const struct hc_infer_proto_input *input = &request.inputs[i];
        require(input->source != HC_INFER_PROTO_RAW || input->raw < n_raws);
        if (input->source == HC_INFER_PROTO_CONTENTS) {
            check_contents(input);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const struct hc_text message = {(const char *)data + 1, size - 1};
    struct hc_infer_proto_intake whole = {0};
    struct hc_infer_proto_intake pieces = {0};
    struct raws whole_raws = {0};
    struct raws pieces_raws = {0};
    enum hc_code code = take_in(message, message.size + 1, &whole, &whole_raws);
    require(take_in(message, data[0] + 1u, &pieces, &pieces_raws) == code);
    require(hc_text_equal(hc_buf_text(&whole.rest), hc_buf_text(&pieces.rest)));
    require(whole_raws.n == pieces_raws.n);
    require(code != HC_OK ||
            hc_text_equal(hc_buf_text(&whole_raws.bytes), hc_buf_text(&pieces_raws.bytes)));
    if (code == HC_OK) {
        read_rest(hc_buf_text(&whole.rest), whole_raws.n);
    }
    hc_infer_proto_finish(&whole);
    hc_infer_proto_finish(&pieces);
    hc_buf_finish(&whole_raws.bytes);
    hc_buf_finish(&pieces_raws.bytes);
    return 0;
}
