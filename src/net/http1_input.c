/* What a connection receives: heads, into the exchange's buffer, and bodies, to their readers. */
#include "base/alloc.h"
#include "http1_conn.h"

enum {
    MIN_ROOM = 4 << 10,     /* for input beyond what must stay where it is */
    MAX_RECEIVED = 1 << 20, /* of bodies, by one connection, before the others have their turn */
    MAX_HEADS = 64 << 10,   /* of heads, each of which is much more work */
};

static size_t input_size(const struct hc_http_exchange *exchange) {
    return exchange->in_end - exchange->in_begin;
}

static size_t input_room(const struct hc_http_exchange *exchange) {
    return exchange->in_capacity - exchange->in_end;
}

/*
 * Make room behind what has been received: by moving it to the front, where earlier requests were,
 * or else by growing, which the limits of heads bound. KEPT is where the request in hand begins.
 */
static void make_room(struct hc_http_exchange *exchange, size_t kept, size_t end) {
    if (exchange->in_capacity - end < MIN_ROOM && kept > 0) {
        memmove(exchange->in, exchange->in + kept, exchange->in_end - kept);
        exchange->in_begin -= kept;
        exchange->in_end -= kept;
        end -= kept;
    }
    if (exchange->in_capacity - end < MIN_ROOM) {
        exchange->in_capacity *= 2;
        exchange->in = hc_realloc(exchange->in, exchange->in_capacity);
    }
}

bool hc_http1_may_receive(struct hc_http1_conn *http, size_t limit) {
    if (http->n_received >= limit) {
        hc_conn_again(&http->conn);
        return false;
    }
    return true;
}

enum hc_conn_status hc_http1_receive_head(struct hc_http_exchange *exchange) {
    struct hc_http1_conn *http = exchange->conn;
    size_t size;
    if (!hc_http1_may_receive(http, MAX_HEADS)) {
        return HC_CONN_WAIT;
    }
    make_room(exchange, exchange->in_begin, exchange->in_end);
    struct iovec room = {exchange->in + exchange->in_end, input_room(exchange)};
    enum hc_conn_status status = hc_conn_read(&http->conn, &room, 1, &size);
    if (status == HC_CONN_OK) {
        exchange->in_end += size;
        http->n_received += size;
    }
    return status;
}

enum hc_http1_result hc_http1_parse_head(struct hc_http_exchange *exchange) {
    size_t size;
    size_t begin = exchange->in_begin;
    enum hc_http1_result result =
        hc_http1_head_read(&exchange->head, exchange->in + begin, input_size(exchange), &size);
    if (result != HC_HTTP1_DONE) {
        return result;
    }
    exchange->in_begin = begin + size;
    make_room(exchange, begin, exchange->in_begin); /* for the body's framing at least */
    exchange->in_kept = exchange->in_begin;
    hc_http1_head_move(&exchange->head, exchange->in + exchange->in_kept - size);
    hc_http1_body_init(&exchange->body, &exchange->head);
    return HC_HTTP1_DONE;
}

static bool gathers(const struct hc_http1_read *read) {
    return read->kind == HC_HTTP1_READ_SIZE || read->kind == HC_HTTP1_READ_SOME ||
           read->kind == HC_HTTP1_READ_ALL;
}

/* How many of the bytes that come next the read has use for, at most LIMIT. */
static size_t wanted(const struct hc_http_exchange *exchange, size_t limit) {
    uint64_t size = exchange->body.run;
    size = size < exchange->read.left ? size : exchange->read.left;
    return size < limit ? (size_t)size : limit;
}

bool hc_http1_prepare_memory(struct hc_http_exchange *exchange) {
    /* A client that has sent a megabyte is believed when it announces more. */
    size_t limit = exchange->gathered.size < MAX_RECEIVED ? MAX_RECEIVED : SIZE_MAX;
    return !gathers(&exchange->read) ||
           hc_buf_reserve_try(&exchange->gathered, wanted(exchange, limit)) != NULL;
}

/* SIZE bytes of the body were put where they belong. */
static void count(struct hc_http_exchange *exchange, size_t size) {
    if (gathers(&exchange->read)) {
        hc_buf_commit(&exchange->gathered, size);
    }
    exchange->read.left -= size;
    hc_http1_body_take(&exchange->body, size);
}

static void advance_vectors(struct hc_http1_read *read, size_t size) {
    while (size > 0) {
        struct iovec *first = read->iov;
        size_t part = size < first->iov_len ? size : first->iov_len;
        first->iov_base = (char *)first->iov_base + part;
        first->iov_len -= part;
        size -= part;
        if (first->iov_len == 0) {
            read->iov++;
            read->n_iov--;
        }
    }
}

void hc_http1_copy_input(struct hc_http_exchange *exchange) {
    struct hc_http1_read *read = &exchange->read;
    const char *from = exchange->in + exchange->in_begin;
    size_t size = wanted(exchange, input_size(exchange));
    if (gathers(read)) {
        size = size < MAX_RECEIVED ? size : MAX_RECEIVED;
        memcpy(exchange->gathered.data + exchange->gathered.size, from, size);
    }
    for (size_t rest = size; read->kind == HC_HTTP1_READ_INTO && rest > 0;) {
        size_t part = rest < read->iov->iov_len ? rest : read->iov->iov_len;
        memcpy(read->iov->iov_base, from, part);
        advance_vectors(read, part);
        from += part;
        rest -= part;
    }
    exchange->in_begin += size;
    count(exchange, size);
}

/* Describe where the next bytes of the body go; returns the number of vectors. */
static size_t describe_body(struct hc_http_exchange *exchange, struct iovec *iov, size_t max,
                            size_t *size) {
    struct hc_http1_read *read = &exchange->read;
    size_t room = wanted(exchange, MAX_RECEIVED);
    size_t n = 0;
    *size = 0;
    if (gathers(read) && room > 0) {
        iov[n++] = (struct iovec){exchange->gathered.data + exchange->gathered.size, room};
        *size = room;
    }
    for (; read->kind == HC_HTTP1_READ_INTO && n < max && room > *size; n++) {
        iov[n] = read->iov[n];
        if (iov[n].iov_len > room - *size) {
            iov[n].iov_len = room - *size;
        }
        *size += iov[n].iov_len;
    }
    return n;
}

enum hc_conn_status hc_http1_receive_body(struct hc_http_exchange *exchange) {
    struct hc_http1_conn *http = exchange->conn;
    struct iovec iov[HC_CONN_IOV];
    size_t size;
    size_t body_size;
    if (!hc_http1_may_receive(http, MAX_RECEIVED)) {
        return HC_CONN_WAIT;
    }
    exchange->in_begin = exchange->in_kept;
    exchange->in_end = exchange->in_kept;
    size_t n = describe_body(exchange, iov, HC_CONN_IOV - 1, &body_size);
    iov[n++] = (struct iovec){exchange->in + exchange->in_end, input_room(exchange)};
    enum hc_conn_status status = hc_conn_read(&http->conn, iov, n, &size);
    if (status != HC_CONN_OK) {
        return status;
    }
    http->n_received += size;
    hc_http1_body_came(http, size);
    if (size < body_size) {
        body_size = size;
    }
    exchange->in_end += size - body_size;
    if (exchange->read.kind == HC_HTTP1_READ_INTO) {
        advance_vectors(&exchange->read, body_size);
    }
    count(exchange, body_size);
    return HC_CONN_OK;
}
