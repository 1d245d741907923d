/* What reading the head of an HTTP/1.1 request costs, for heads as clients send them. */
#include "net/http1.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { N_ROUNDS = 200000, N_TRIES = 20 };

static const char *const heads[] = {
    "POST /v2/models/linear/infer HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\n"
    "Content-Length: 135\r\n"
    "\r\n",
    "POST /v2/models/linear/versions/1/infer HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 135\r\n"
    "Connection: keep-alive\r\n"
    "\r\n",
    "POST /v2/models/linear/infer HTTP/1.1\r\n"
    "Host: inference.example.com:8000\r\n"
    "User-Agent: python-requests/2.32.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept: */*\r\n"
    "Connection: keep-alive\r\n"
    "Inference-Header-Content-Length: 182\r\n"
    "Content-Type: application/octet-stream\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    "Content-Length: 1048758\r\n"
    "\r\n",
};

static const struct hc_http1_limits limits = HC_HTTP1_DEFAULT_LIMITS;

static double measure(const char *text) {
    struct hc_http_header headers[100];
    size_t size = strlen(text);
    uint64_t began_ns = hc_clock_ns();
    for (size_t i = 0; i < N_ROUNDS; i++) {
        struct hc_http1_head head;
        size_t head_size;
        hc_http1_head_init(&head, &limits, headers);
        if (hc_http1_head_read(&head, text, size, &head_size) != HC_HTTP1_DONE) {
            abort();
        }
        __asm__ volatile("" : : "r"(&head), "r"(headers) : "memory");
    }
    return (double)(hc_clock_ns() - began_ns) / N_ROUNDS;
}

int main(void) {
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        double best_ns = measure(heads[i]);
        for (size_t try = 1; try < N_TRIES; try++) {
            double ns = measure(heads[i]);
            best_ns = ns < best_ns ? ns : best_ns;
        }
        printf("%3zu bytes: %.0f ns\n", strlen(heads[i]), best_ns);
    }
    return 0;
}
