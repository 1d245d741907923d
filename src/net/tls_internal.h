/* What the files of TLS share. OpenSSL is seen here only. */
#ifndef HC_NET_TLS_INTERNAL_H
#define HC_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "net/tls.h"

struct hc_tls {
    SSL_CTX *context;
    unsigned char protocols[32]; /* as ALPN lists them */
    unsigned protocols_size;
};

#endif
