/*
 * Content codings: bytes compressed and decompressed, for the bodies of HTTP (RFC 9110 §8.4) and
 * the messages of gRPC. No socket, no clock; any thread.
 *
 * gzip (RFC 1952), deflate, which is zlib's form of it (RFC 1950), and zstd (RFC 8878). A reader of
 * gzip takes deflate as well and the other way round, since clients mix them up.
 */
#ifndef HC_WIRE_COMPRESS_H
#define HC_WIRE_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

enum hc_coding {
    HC_CODING_IDENTITY,
    HC_CODING_GZIP,
    HC_CODING_DEFLATE,
    HC_CODING_ZSTD,
};

/* As headers spell it, for Accept-Encoding of answers that refuse another. */
#define HC_CODINGS "gzip, deflate, zstd"

/* The coding called NAME, "" being the identity; false when it is none of these. */
bool hc_coding_find(struct hc_text name, enum hc_coding *coding);
const char *hc_coding_name(enum hc_coding coding);

/*
 * The one that an Accept-Encoding header likes best, of equals the first. What is not listed is not
 * asked for, so the identity is what is left when nothing else is.
 */
enum hc_coding hc_coding_accepted(struct hc_text header);

/*
 * Decompression as the bytes come. Several streams behind each other count as one.
 * hc_inflater_add() appends to OUT what the next BYTES make; hc_inflater_end() says whether what
 * was begun is complete. None of them is to be called again after an error:
 *   HC_INVALID_ARGUMENT    the bytes are not of the coding, or nothing, or end early
 *   HC_OUT_OF_RANGE        they make more than LIMIT bytes
 *   HC_RESOURCE_EXHAUSTED  there is no memory
 */
struct hc_inflater;

/* CODING is not the identity. */
struct hc_inflater *hc_inflater_create(enum hc_coding coding, size_t limit);
enum hc_code hc_inflater_add(struct hc_inflater *inflater, struct hc_text bytes, struct hc_buf *out,
                             struct hc_error *error);
enum hc_code hc_inflater_end(const struct hc_inflater *inflater, struct hc_error *error);
void hc_inflater_destroy(struct hc_inflater *inflater); /* NULL: nothing */

HC_CLEANUP(inflater, struct hc_inflater *, hc_inflater_destroy);

/* All at once. */
enum hc_code hc_inflate(enum hc_coding coding, struct hc_text bytes, size_t limit,
                        struct hc_buf *out, struct hc_error *error);

/*
 * Append to OUT the N_PIECES, one after the other, compressed as one stream: quickly rather than
 * well, for whoever does it lets others wait. HC_RESOURCE_EXHAUSTED without memory.
 */
enum hc_code hc_deflate(enum hc_coding coding, const struct iovec *pieces, size_t n_pieces,
                        struct hc_buf *out, struct hc_error *error);

#endif
