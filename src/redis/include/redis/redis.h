/*
 * A client of Redis for one loop: values by keys, without ever waiting for it.
 *
 * It connects with the first question, and again some time after a connection was lost; the log
 * gets one line when it is lost and one when it is back. What the server does not answer in time is
 * answered here: there is no value; a connection that is as slow as that is given up. Everything on
 * the loop's thread.
 */
#ifndef HC_REDIS_REDIS_H
#define HC_REDIS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct hc_loop;
struct hc_redis;

struct hc_redis_options {
    const char *address; /* an IP address */
    uint16_t port;
    const char *user;     /* NULL: the default one */
    const char *password; /* NULL: none is needed */
    unsigned database;
    uint64_t timeout_ns; /* for an answer */
};

/* The IP address of a host's name, to be freed; HC_UNAVAILABLE when there is none. Waits for it. */
enum hc_code hc_redis_resolve(const char *host, char **address, struct hc_error *error);

/* OPTIONS must stay. */
struct hc_redis *hc_redis_create(struct hc_loop *loop, const struct hc_redis_options *options);

/* Answers that are still missing are given. NULL is fine. The loop may have ended. */
void hc_redis_destroy(struct hc_redis *redis);

/* VALUE holds as long as the callback runs; its data is NULL when there is none. */
typedef void hc_redis_on_value(void *user, struct hc_text value);

/* ON_VALUE follows, not before this returns. False, and it does not: there is no connection. */
bool hc_redis_get(struct hc_redis *redis, struct hc_text key, hc_redis_on_value *on_value,
                  void *user);

/* Set the value, if there is a connection. */
void hc_redis_set(struct hc_redis *redis, struct hc_text key, struct hc_text value);

#endif
