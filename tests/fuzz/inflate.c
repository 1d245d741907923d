/*
 * Decompression in pieces. The first byte of the input chooses the coding, the second the size of
 * the pieces; what the coding makes of the rest stays below the limit.
 */
#include <assert.h>

#include "wire/compress.h"

enum { LIMIT = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    enum hc_coding coding = (enum hc_coding)(HC_CODING_GZIP + data[0] % 3);
    size_t piece_size = (size_t)data[1] + 1;
    struct hc_text rest = {(const char *)data + 2, size - 2};
    hc_auto(inflater) inflater = hc_inflater_create(coding, LIMIT);
    hc_auto_buf out = {0};
    while (rest.size > 0) {
        struct hc_text piece = {rest.data, rest.size < piece_size ? rest.size : piece_size};
        if (hc_inflater_add(inflater, piece, &out, NULL) != HC_OK) {
            break;
        }
        rest = (struct hc_text){rest.data + piece.size, rest.size - piece.size};
    }
    assert(out.size <= LIMIT);
    hc_inflater_end(inflater, NULL);
    return 0;
}
