/*
 * A piece of memory to be sent without being copied.
 *
 * `release` (may be NULL) is called exactly once with `context`: when the socket has taken the
 * bytes, or will never take them because the connection died. It runs in the loop's thread and must
 * not send or answer anything itself. Segments of at most HC_SEGMENT_COPY_SIZE bytes are copied and
 * released before the call that takes them returns, which is cheaper than remembering them.
 */
#ifndef HC_NET_SEGMENT_H
#define HC_NET_SEGMENT_H

#include <stddef.h>

enum { HC_SEGMENT_COPY_SIZE = 2048 };

struct hc_segment {
    const void *data;
    size_t size;
    void (*release)(void *context);
    void *context;
};

#endif
