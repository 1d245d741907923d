/*
 * Codings of the messages that go to clients.
 */
#ifndef HC_GRPC_COMPRESS_H
#define HC_GRPC_COMPRESS_H

#include "grpc/grpc.h"
#include "net/segment.h"
#include "wire/compress.h"

/* The coding for a client that sent ACCEPTED as grpc-accept-encoding; as gRPC's own servers choose.
 */
enum hc_coding grpc_choose_coding(enum hc_grpc_compression compression, struct hc_text accepted);

/*
 * Make COMPRESSED the message, with its prefix, that SEGMENTS are uncompressed, also with their
 * prefix. False when it is not worth it, or there is no memory.
 */
bool grpc_compress(enum hc_coding coding, const struct hc_segment *segments, size_t n_segments,
                   struct hc_buf *compressed);

#endif
