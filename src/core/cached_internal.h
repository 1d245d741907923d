/*
 * What the files of the response cache know of each other.
 */
#ifndef HC_CORE_CACHED_INTERNAL_H
#define HC_CORE_CACHED_INTERNAL_H

#include "base/buf.h"
#include "core/cached.h"
#include "core/request.h"

enum { CACHED_ALIGNMENT = 16 };

/* ---- cached_bytes.c ---- */

/* All that the answer to REQUEST depends on; with SHARED, in the same way for all servers. */
void cached_make_key(struct hc_buf *buf, const struct hc_request *request, bool shared);

/* A response as bytes. */
void cached_make_value(struct hc_buf *buf, const struct hc_response *response);

/*
 * The outputs of a response from VALUE, which is aligned as above and has to stay; false when it
 * does not hold together.
 */
bool cached_read_value(struct hc_text value, struct hc_response *response);

/* ---- cached_redis.c ---- */

/* The cache of --cache-config=redis. */
enum hc_code cached_redis_start(struct hc_server *server, struct hc_error *error);
void cached_redis_finish(struct hc_server *server);

/*
 * Ask for the answer to REQUEST, whose key is known: true, and it is answered or run when that has
 * come. False: it is to be run.
 */
bool cached_redis_ask(struct hc_request *request);

/* Keep VALUE for the request's key. */
void cached_redis_keep(struct hc_request *request, struct hc_text key, struct hc_text value);

/* ---- cached.c ---- */

/* The answer to REQUEST, which was looked for since BEGIN_NS, has been found: count it. */
void cached_hit(struct hc_request *request, uint64_t begin_ns);

#endif
