/* Codings of the messages that go to clients. */
#include "compress.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "wire/grpc.h"

bool hc_grpc_compression_find(const char *word, enum hc_grpc_compression *compression) {
    static const char *const words[] = {
        [HC_GRPC_COMPRESSION_NONE] = "none",
        [HC_GRPC_COMPRESSION_LOW] = "low",
        [HC_GRPC_COMPRESSION_MEDIUM] = "medium",
        [HC_GRPC_COMPRESSION_HIGH] = "high",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(word, words[i]) == 0) {
            *compression = (enum hc_grpc_compression)i;
            return true;
        }
    }
    return false;
}

static bool lists(struct hc_text list, const char *name) {
    while (list.size > 0) {
        const char *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        struct hc_text word = {list.data, size};
        while (word.size > 0 && word.data[0] == ' ') {
            word = (struct hc_text){word.data + 1, word.size - 1};
        }
        if (hc_text_is(word, name)) {
            return true;
        }
        size_t used = comma != NULL ? size + 1 : size;
        list = (struct hc_text){list.data + used, list.size - used};
    }
    return false;
}

enum hc_coding grpc_choose_coding(enum hc_grpc_compression compression, struct hc_text accepted) {
    bool gzip = lists(accepted, "gzip");
    bool deflate = lists(accepted, "deflate");
    if (compression == HC_GRPC_COMPRESSION_NONE || (!gzip && !deflate)) {
        return HC_CODING_IDENTITY;
    }
    bool prefers_gzip = compression == HC_GRPC_COMPRESSION_LOW;
    return gzip && (prefers_gzip || !deflate) ? HC_CODING_GZIP : HC_CODING_DEFLATE;
}

bool grpc_compress(enum hc_coding coding, const struct hc_segment *segments, size_t n_segments,
                   struct hc_buf *compressed) {
    struct iovec *pieces = hc_alloc_array(n_segments, sizeof *pieces);
    size_t size = 0;
    for (size_t i = 0; i < n_segments; i++) {
        size_t prefix = i == 0 ? HC_GRPC_PREFIX_SIZE : 0;
        pieces[i] = (struct iovec){(char *)segments[i].data + prefix, segments[i].size - prefix};
        size += pieces[i].iov_len;
    }
    hc_buf_reserve(compressed, HC_GRPC_PREFIX_SIZE);
    hc_buf_commit(compressed, HC_GRPC_PREFIX_SIZE);
    enum hc_code code = hc_deflate(coding, pieces, n_segments, compressed, NULL);
    free(pieces);
    if (code != HC_OK || compressed->size - HC_GRPC_PREFIX_SIZE >= size) {
        hc_buf_finish(compressed);
        return false;
    }
    hc_grpc_write_prefix(compressed->data, true,
                         (uint32_t)(compressed->size - HC_GRPC_PREFIX_SIZE));
    return true;
}
