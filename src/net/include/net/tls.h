/*
 * TLS for servers, by OpenSSL: what connections are encrypted with.
 *
 * A struct hc_tls is made from files once and shared by all loops; servers are handed it with their
 * configuration, and it must outlive them. TLS 1.2 and later, without renegotiation.
 */
#ifndef HC_NET_TLS_H
#define HC_NET_TLS_H

#include <stdbool.h>

#include "base/error.h"

struct hc_tls;

struct hc_tls_config {
    const char *cert_path; /* PEM: the server's certificate, and those that lead to its root */
    const char *key_path;  /* PEM: its private key */
    const char *root_path; /* PEM: who may sign clients' certificates; for `mutual` */
    bool mutual;           /* clients without a valid certificate are refused */
    const char *protocol;  /* that ALPN agrees on: "http/1.1", "h2" */
};

/* HC_INVALID_ARGUMENT when a file cannot be used, with what OpenSSL says about it. */
enum hc_code hc_tls_create(const struct hc_tls_config *config, struct hc_tls **tls,
                           struct hc_error *error);
void hc_tls_destroy(struct hc_tls *tls); /* NULL: nothing */

#endif
