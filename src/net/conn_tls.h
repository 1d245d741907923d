/*
 * What hc_conn_read(), hc_conn_flush() and hc_conn_probe() do on an encrypted connection.
 */
#ifndef HC_NET_CONN_TLS_H
#define HC_NET_CONN_TLS_H

#include "conn.h"

enum hc_conn_status hc_conn_tls_read(struct hc_conn *conn, const struct iovec *iov, size_t n,
                                     size_t *size);
enum hc_conn_status hc_conn_tls_flush(struct hc_conn *conn, struct hc_outq *queue);
enum hc_conn_status hc_conn_tls_probe(struct hc_conn *conn);

#endif
