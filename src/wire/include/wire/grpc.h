/*
 * What gRPC adds to HTTP/2: messages with a prefix, deadlines and statuses in headers
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 */
#ifndef HC_WIRE_GRPC_H
#define HC_WIRE_GRPC_H

#include "base/buf.h"
#include "base/error.h"

enum { HC_GRPC_PREFIX_SIZE = 5 };

/* No message is longer. */
enum { HC_GRPC_MAX_MESSAGE_SIZE = INT32_MAX };

/*
 * Cuts a body into messages. Zeroed at first. While `left` is not 0, that many bytes of a message
 * come next.
 */
struct hc_grpc_cutter {
    bool compressed;
    uint32_t size; /* of the message, as it is sent */
    uint32_t left;
    unsigned char _prefix[HC_GRPC_PREFIX_SIZE];
    unsigned _n_prefix;
};

enum hc_grpc_step {
    HC_GRPC_MORE,    /* all bytes are used */
    HC_GRPC_BEGIN,   /* a message begins, of which `size` bytes come, perhaps 0 */
    HC_GRPC_PAYLOAD, /* *PART are some of them; when `left` is 0 they are the last */
    HC_GRPC_BAD,     /* ERROR says why this is no gRPC */
};

/* The next step; takes what it uses off BYTES. */
enum hc_grpc_step hc_grpc_cut(struct hc_grpc_cutter *cutter, struct hc_text *bytes,
                              struct hc_text *part, struct hc_error *error);

/* Whether a body may end here. */
bool hc_grpc_between_messages(const struct hc_grpc_cutter *cutter);

void hc_grpc_write_prefix(char place[HC_GRPC_PREFIX_SIZE], bool compressed, uint32_t size);

/* The value of grpc-message: bytes that are not printable ASCII, and '%', as %XX. */
void hc_grpc_append_percent(struct hc_buf *buf, struct hc_text message);

/* The value of grpc-timeout, with as many digits as somebody likes and blanks before its unit, as
 * gRPC's own servers take it; false when it is none. Beyond UINT64_MAX it is UINT64_MAX. */
bool hc_grpc_read_timeout(struct hc_text value, uint64_t *timeout_ns);

#endif
