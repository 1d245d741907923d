/* A client of Redis: hiredis on a loop of ours. */
#include "redis/redis.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/async.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "net/loop.h"

static const uint64_t retry_ns = HC_NS_PER_S;

/* Values that the server has not sent yet are so many bytes at most; more are not cached. */
enum { MAX_UNSENT = 64 << 20 };

struct hc_redis {
    struct hc_loop *loop;
    const struct hc_redis_options *options;
    redisAsyncContext *connection; /* NULL: there is none */
    struct hc_watch watch;
    unsigned events;       /* that hiredis waits for */
    struct hc_list asked;  /* struct question, the oldest first */
    struct hc_timer timer; /* for the oldest one's time */
    uint64_t next_try_ns;  /* no connection is made before */
    bool lost;             /* the log says that there is no connection */
};

struct question {
    struct hc_list link;
    struct hc_redis *redis;
    uint64_t due_ns;
    hc_redis_on_value *on_value;
    void *user;
};

enum hc_code hc_redis_resolve(const char *host, char **address, struct hc_error *error) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char text[NI_MAXHOST];
    int result = getaddrinfo(host, NULL, &hints, &found);
    if (result == 0) {
        result = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                             NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    if (result != 0) {
        return hc_error_set(error, HC_UNAVAILABLE, "the address of '%s' is not known: %s", host,
                            gai_strerror(result));
    }
    *address = hc_strdup(text);
    return HC_OK;
}

/* ---- What hiredis waits for ---- */

static void on_ready(struct hc_watch *watch, unsigned events) {
    struct hc_redis *redis = hc_list_item(watch, struct hc_redis, watch);
    if ((events & HC_WATCH_READ) != 0) {
        redisAsyncHandleRead(redis->connection);
    }
    if ((events & HC_WATCH_WRITE) != 0 && redis->connection != NULL) {
        redisAsyncHandleWrite(redis->connection);
    }
}

static void wait_for(struct hc_redis *redis, unsigned events) {
    struct hc_error error = {0};
    enum hc_code code = HC_OK;
    if (events == redis->events) {
        return;
    }
    if (events == 0) {
        hc_watch_stop(&redis->watch);
    } else if (redis->events == 0) {
        redis->watch.fd = redis->connection->c.fd;
        code = hc_watch_start(redis->loop, &redis->watch, events, &error);
    } else {
        code = hc_watch_change(&redis->watch, events, &error);
    }
    redis->events = code == HC_OK ? events : 0; /* else the answers come when their time is over */
}

static void add_read(void *user) {
    struct hc_redis *redis = user;
    wait_for(redis, redis->events | HC_WATCH_READ);
}

static void remove_read(void *user) {
    struct hc_redis *redis = user;
    wait_for(redis, redis->events & ~(unsigned)HC_WATCH_READ);
}

static void add_write(void *user) {
    struct hc_redis *redis = user;
    wait_for(redis, redis->events | HC_WATCH_WRITE);
}

static void remove_write(void *user) {
    struct hc_redis *redis = user;
    wait_for(redis, redis->events & ~(unsigned)HC_WATCH_WRITE);
}

/* The connection is about to be closed. */
static void clean_up(void *user) {
    struct hc_redis *redis = user;
    wait_for(redis, 0);
    redis->connection = NULL;
}

/* ---- Connections ---- */

static void note_loss(struct hc_redis *redis, const char *why) {
    redis->next_try_ns = hc_clock_ns() + retry_ns;
    if (!redis->lost) {
        redis->lost = true;
        hc_log_warning("no connection to Redis at %s:%u: %s; nothing is cached until it is back",
                       redis->options->address, redis->options->port, why);
    }
}

static void on_connected(const redisAsyncContext *connection, int status) {
    struct hc_redis *redis = connection->data;
    if (status != REDIS_OK) {
        note_loss(redis, connection->errstr);
    } else if (redis->lost) {
        redis->lost = false;
        hc_log_info("connected to Redis at %s:%u again", redis->options->address,
                    redis->options->port);
    }
}

static void on_disconnected(const redisAsyncContext *connection, int status) {
    if (status != REDIS_OK) {
        note_loss(connection->data, connection->errstr);
    }
}

/* A wrong password or database: the connection is of no use. */
static void on_prepared(redisAsyncContext *connection, void *reply_, void *unused) {
    (void)unused;
    const redisReply *reply = reply_;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        note_loss(connection->data, reply->str);
        redisAsyncDisconnect(connection);
    }
}

static void prepare(const struct hc_redis_options *options, redisAsyncContext *connection) {
    if (options->password != NULL && options->user != NULL) {
        redisAsyncCommand(connection, on_prepared, NULL, "AUTH %s %s", options->user,
                          options->password);
    } else if (options->password != NULL) {
        redisAsyncCommand(connection, on_prepared, NULL, "AUTH %s", options->password);
    }
    if (options->database != 0) {
        redisAsyncCommand(connection, on_prepared, NULL, "SELECT %u", options->database);
    }
}

static bool connect_now(struct hc_redis *redis) {
    const struct hc_redis_options *options = redis->options;
    if (redis->connection != NULL) {
        return true;
    }
    if (hc_clock_ns() < redis->next_try_ns) {
        return false;
    }
    redisAsyncContext *connection = redisAsyncConnect(options->address, options->port);
    if (connection == NULL || connection->err != 0) {
        note_loss(redis, connection == NULL ? "no memory" : connection->errstr);
        if (connection != NULL) {
            redisAsyncFree(connection);
        }
        return false;
    }
    redis->connection = connection;
    connection->data = redis;
    connection->ev.data = redis;
    connection->ev.addRead = add_read;
    connection->ev.delRead = remove_read;
    connection->ev.addWrite = add_write;
    connection->ev.delWrite = remove_write;
    connection->ev.cleanup = clean_up;
    redisAsyncSetConnectCallback(connection, on_connected);
    redisAsyncSetDisconnectCallback(connection, on_disconnected);
    prepare(options, connection);
    return redis->connection != NULL;
}

/* ---- Questions ---- */

static void watch_time(struct hc_redis *redis) {
    if (hc_list_empty(&redis->asked)) {
        hc_timer_stop(&redis->timer);
    } else {
        const struct question *oldest = hc_list_item(redis->asked.next, struct question, link);
        hc_timer_start(redis->loop, &redis->timer, oldest->due_ns);
    }
}

/* The oldest question has not been answered in time: all that were asked have no value. */
static void on_late(struct hc_timer *timer) {
    struct hc_redis *redis = hc_list_item(timer, struct hc_redis, timer);
    note_loss(redis, "it does not answer in time");
    redisAsyncFree(redis->connection);
}

static void on_reply(redisAsyncContext *connection, void *reply_, void *user) {
    (void)connection;
    struct question *question = user;
    const redisReply *reply = reply_;
    struct hc_text value = {0};
    if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
        value = (struct hc_text){reply->str, (size_t)reply->len};
    }
    hc_list_remove(&question->link);
    watch_time(question->redis);
    question->on_value(question->user, value);
    free(question);
}

struct hc_redis *hc_redis_create(struct hc_loop *loop, const struct hc_redis_options *options) {
    struct hc_redis *redis = hc_new(struct hc_redis);
    redis->loop = loop;
    redis->options = options;
    redis->watch.on_ready = on_ready;
    redis->timer.on_due = on_late;
    hc_list_init(&redis->asked);
    return redis;
}

void hc_redis_destroy(struct hc_redis *redis) {
    if (redis != NULL && redis->connection != NULL) {
        redisAsyncFree(redis->connection);
    }
    free(redis);
}

bool hc_redis_get(struct hc_redis *redis, struct hc_text key, hc_redis_on_value *on_value,
                  void *user) {
    if (!connect_now(redis)) {
        return false;
    }
    struct question *question = hc_new(struct question);
    *question = (struct question){
        .redis = redis,
        .due_ns = hc_clock_ns() + redis->options->timeout_ns,
        .on_value = on_value,
        .user = user,
    };
    if (redisAsyncCommand(redis->connection, on_reply, question, "GET %b", key.data, key.size) !=
        REDIS_OK) {
        free(question);
        return false;
    }
    hc_list_append(&redis->asked, &question->link);
    watch_time(redis);
    return true;
}

void hc_redis_set(struct hc_redis *redis, struct hc_text key, struct hc_text value) {
    if (!connect_now(redis) || value.size > MAX_UNSENT ||
        sdslen(redis->connection->c.obuf) > MAX_UNSENT) {
        return;
    }
    redisAsyncCommand(redis->connection, NULL, NULL, "SET %b %b", key.data, key.size, value.data,
                      value.size);
}
