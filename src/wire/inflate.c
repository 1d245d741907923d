/* Decompression. */
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "wire/compress.h"

enum {
    ROOM = 64 << 10,          /* for output, before there is known to be more */
    ANY_ZLIB_HEADER = 32,     /* zlib: find out whether it is gzip or zlib */
    MAX_ZSTD_WINDOW_LOG = 23, /* RFC 9659: 8 MB */
};

struct hc_inflater {
    enum hc_coding coding;
    size_t left;   /* of the limit */
    bool begun;    /* there were bytes */
    bool complete; /* what was begun has ended */
    z_stream zlib;
    ZSTD_DCtx *zstd;
};

struct hc_inflater *hc_inflater_create(enum hc_coding coding, size_t limit) {
    struct hc_inflater *inflater = hc_new(struct hc_inflater);
    inflater->coding = coding;
    inflater->left = limit;
    return inflater;
}

void hc_inflater_destroy(struct hc_inflater *inflater) {
    if (inflater == NULL) {
        return;
    }
    if (inflater->begun && inflater->coding != HC_CODING_ZSTD) {
        inflateEnd(&inflater->zlib);
    }
    ZSTD_freeDCtx(inflater->zstd);
    free(inflater);
}

static enum hc_code no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory to decompress the data");
}

static enum hc_code malformed(const struct hc_inflater *inflater, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "the data is not valid %s",
                        hc_coding_name(inflater->coding));
}

static enum hc_code begin(struct hc_inflater *inflater, struct hc_error *error) {
    bool ok = true;
    if (inflater->coding == HC_CODING_ZSTD) {
        inflater->zstd = ZSTD_createDCtx();
        ok = inflater->zstd != NULL &&
             !ZSTD_isError(
                 ZSTD_DCtx_setParameter(inflater->zstd, ZSTD_d_windowLogMax, MAX_ZSTD_WINDOW_LOG));
    } else {
        ok = inflateInit2(&inflater->zlib, MAX_WBITS + ANY_ZLIB_HEADER) == Z_OK;
    }
    inflater->begun = ok;
    return ok ? HC_OK : no_memory(error);
}

/* One call of the library: from the front of BYTES to PLACE. */
static enum hc_code step_zlib(struct hc_inflater *inflater, struct hc_text *bytes, char *place,
                              size_t room, size_t *n_made, struct hc_error *error) {
    z_stream *zlib = &inflater->zlib;
    uInt n_given = bytes->size < UINT32_MAX ? (uInt)bytes->size : UINT32_MAX;
    zlib->next_in = (Bytef *)bytes->data;
    zlib->avail_in = n_given;
    zlib->next_out = (Bytef *)place;
    zlib->avail_out = (uInt)room;
    int result = inflate(zlib, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) {
        return no_memory(error);
    }
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return malformed(inflater, error);
    }
    inflater->complete = result == Z_STREAM_END;
    if (inflater->complete) {
        inflateReset(zlib);
    }
    size_t n_used = n_given - zlib->avail_in;
    *bytes = (struct hc_text){bytes->data + n_used, bytes->size - n_used};
    *n_made = room - zlib->avail_out;
    return HC_OK;
}

static enum hc_code step_zstd(struct hc_inflater *inflater, struct hc_text *bytes, char *place,
                              size_t room, size_t *n_made, struct hc_error *error) {
    ZSTD_inBuffer in = {bytes->data, bytes->size, 0};
    ZSTD_outBuffer out = {place, room, 0};
    size_t result = ZSTD_decompressStream(inflater->zstd, &out, &in);
    if (ZSTD_isError(result)) {
        return malformed(inflater, error);
    }
    inflater->complete = result == 0;
    *bytes = (struct hc_text){bytes->data + in.pos, bytes->size - in.pos};
    *n_made = out.pos;
    return HC_OK;
}

/* Decompress until PLACE is full or BYTES are used up; *FULL: there may be more to come of them. */
static enum hc_code step(struct hc_inflater *inflater, struct hc_text *bytes, struct hc_buf *out,
                         bool *full, struct hc_error *error) {
    /* One byte more than is allowed, so that passing the limit shows. */
    size_t room = inflater->left < ROOM ? inflater->left + 1 : ROOM;
    char *place = hc_buf_reserve_try(out, room);
    size_t n_made = 0;
    if (place == NULL) {
        return no_memory(error);
    }
    HC_TRY(inflater->coding == HC_CODING_ZSTD
               ? step_zstd(inflater, bytes, place, room, &n_made, error)
               : step_zlib(inflater, bytes, place, room, &n_made, error));
    if (n_made > inflater->left) {
        return hc_error_set(error, HC_OUT_OF_RANGE, "the decompressed data is too large");
    }
    inflater->left -= n_made;
    hc_buf_commit(out, n_made);
    *full = n_made == room && !inflater->complete;
    return HC_OK;
}

enum hc_code hc_inflater_add(struct hc_inflater *inflater, struct hc_text bytes, struct hc_buf *out,
                             struct hc_error *error) {
    if (bytes.size > 0 && !inflater->begun) {
        HC_TRY(begin(inflater, error));
    }
    bool full = false;
    while (bytes.size > 0 || full) {
        HC_TRY(step(inflater, &bytes, out, &full, error));
    }
    return HC_OK;
}

enum hc_code hc_inflater_end(const struct hc_inflater *inflater, struct hc_error *error) {
    if (!inflater->begun) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "nothing to be decompressed");
    }
    if (!inflater->complete) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "the %s data ends early",
                            hc_coding_name(inflater->coding));
    }
    return HC_OK;
}

enum hc_code hc_inflate(enum hc_coding coding, struct hc_text bytes, size_t limit,
                        struct hc_buf *out, struct hc_error *error) {
    hc_auto(inflater) inflater = hc_inflater_create(coding, limit);
    HC_TRY(hc_inflater_add(inflater, bytes, out, error));
    return hc_inflater_end(inflater, error);
}
