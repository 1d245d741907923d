/* Compression. */
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "wire/compress.h"

enum {
    GZIP_FORM = 16, /* zlib: write gzip's header and trailer */
    ZLIB_MEMORY = 8,
    ZSTD_LEVEL = 1,
};

static enum hc_code no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory to compress the data");
}

/* How much PIECES are together. */
static bool total_size(const struct iovec *pieces, size_t n_pieces, size_t *total) {
    *total = 0;
    for (size_t i = 0; i < n_pieces; i++) {
        if (!hc_size_add(*total, pieces[i].iov_len, total)) {
            return false;
        }
    }
    return true;
}

/* Compress one piece into OUT, which has room for all that it may become. */
static void add_zlib(z_stream *zlib, const struct iovec *piece, int flush, struct hc_buf *out) {
    size_t left = piece->iov_len;
    zlib->next_in = piece->iov_base;
    do {
        uInt part = left < UINT32_MAX ? (uInt)left : UINT32_MAX;
        size_t room = out->capacity - out->size;
        uInt given = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
        zlib->avail_in = part;
        zlib->next_out = (Bytef *)out->data + out->size;
        zlib->avail_out = given;
        deflate(zlib, part == left ? flush : Z_NO_FLUSH);
        left -= part - zlib->avail_in;
        hc_buf_commit(out, given - zlib->avail_out);
    } while (left > 0);
}

static enum hc_code deflate_zlib(int form, const struct iovec *pieces, size_t n_pieces,
                                 size_t total, struct hc_buf *out, struct hc_error *error) {
    z_stream zlib = {0};
    if (deflateInit2(&zlib, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + form, ZLIB_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return no_memory(error);
    }
    bool ok = hc_buf_reserve_try(out, deflateBound(&zlib, total)) != NULL;
    for (size_t i = 0; ok && i < n_pieces; i++) {
        add_zlib(&zlib, &pieces[i], Z_NO_FLUSH, out);
    }
    if (ok) {
        add_zlib(&zlib, &(struct iovec){0}, Z_FINISH, out);
    }
    deflateEnd(&zlib);
    return ok ? HC_OK : no_memory(error);
}

static enum hc_code deflate_zstd(const struct iovec *pieces, size_t n_pieces, size_t total,
                                 struct hc_buf *out, struct hc_error *error) {
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(total);
    if (zstd == NULL || hc_buf_reserve_try(out, bound) == NULL) {
        ZSTD_freeCCtx(zstd);
        return no_memory(error);
    }
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setPledgedSrcSize(zstd, total);
    ZSTD_outBuffer to = {out->data + out->size, bound, 0};
    size_t result = 0;
    for (size_t i = 0; i <= n_pieces && !ZSTD_isError(result); i++) {
        struct iovec piece = i < n_pieces ? pieces[i] : (struct iovec){0};
        ZSTD_inBuffer from = {piece.iov_base, piece.iov_len, 0};
        result =
            ZSTD_compressStream2(zstd, &to, &from, i < n_pieces ? ZSTD_e_continue : ZSTD_e_end);
    }
    ZSTD_freeCCtx(zstd);
    if (ZSTD_isError(result)) {
        return no_memory(error);
    }
    hc_buf_commit(out, to.pos);
    return HC_OK;
}

enum hc_code hc_deflate(enum hc_coding coding, const struct iovec *pieces, size_t n_pieces,
                        struct hc_buf *out, struct hc_error *error) {
    size_t total;
    if (!total_size(pieces, n_pieces, &total)) {
        return no_memory(error);
    }
    return coding == HC_CODING_ZSTD ? deflate_zstd(pieces, n_pieces, total, out, error)
                                    : deflate_zlib(coding == HC_CODING_GZIP ? GZIP_FORM : 0, pieces,
                                                   n_pieces, total, out, error);
}
