/* What connections are encrypted with: a server's certificate, key and rules. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls_internal.h"

HC_CLEANUP(tls, struct hc_tls *, hc_tls_destroy);

/* WHAT, which a file was used for, went wrong. */
static enum hc_code fail(const char *what, const char *path, struct hc_error *error) {
    char reason[256];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    return hc_error_set(error, HC_INVALID_ARGUMENT, "cannot use %s '%s': %s", what, path, reason);
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                           const unsigned char *offered, unsigned offered_size, void *context) {
    (void)ssl;
    const struct hc_tls *tls = context;
    unsigned char *found;
    if (SSL_select_next_proto(&found, chosen_size, tls->protocols, tls->protocols_size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/* The only protocol that is spoken, in the form of ALPN: a byte that counts, and the name. */
static void set_protocol(struct hc_tls *tls, const char *name) {
    size_t size = strlen(name);
    tls->protocols[0] = (unsigned char)size;
    memcpy(tls->protocols + 1, name, size);
    tls->protocols_size = (unsigned)size + 1;
    SSL_CTX_set_alpn_select_cb(tls->context, choose_protocol, tls);
}

static enum hc_code use_files(struct hc_tls *tls, const struct hc_tls_config *config,
                              struct hc_error *error) {
    SSL_CTX *context = tls->context;
    if (SSL_CTX_use_certificate_chain_file(context, config->cert_path) != 1) {
        return fail("server certificate", config->cert_path, error);
    }
    if (SSL_CTX_use_PrivateKey_file(context, config->key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return fail("server key", config->key_path, error);
    }
    if (!config->mutual) {
        return HC_OK;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(config->root_path);
    if (names == NULL || SSL_CTX_load_verify_locations(context, config->root_path, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail("root certificate", config->root_path, error);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return HC_OK;
}

enum hc_code hc_tls_create(const struct hc_tls_config *config, struct hc_tls **tls_out,
                           struct hc_error *error) {
    static const unsigned char session_context[] = "hippocamp";
    hc_auto(tls) tls = hc_new(struct hc_tls);
    tls->context = SSL_CTX_new(TLS_server_method());
    if (tls->context == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for TLS");
    }
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                          SSL_OP_CIPHER_SERVER_PREFERENCE |
                                          SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(tls->context, session_context, sizeof session_context - 1);
    set_protocol(tls, config->protocol);
    HC_TRY(use_files(tls, config, error));
    *tls_out = hc_take(tls);
    return HC_OK;
}

void hc_tls_destroy(struct hc_tls *tls) {
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        free(tls);
    }
}
