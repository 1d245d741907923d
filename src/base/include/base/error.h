/*
 * Errors: the result of everything that can fail.
 *
 * A function that can fail returns an enum hc_code and takes, as its last parameter, a struct
 * hc_error owned by the caller, which it fills in when it fails and leaves alone when it does not.
 * Outputs are untouched on failure. A library returns errors; whoever ends their journey (answers
 * the client, refuses the model, stops the server) reports them, once.
 *
 * The codes are gRPC's status numbers (https://grpc.github.io/grpc/core/md_doc_statuscodes.html);
 * hc_code_http() maps them to HTTP.
 */
#ifndef HC_BASE_ERROR_H
#define HC_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum hc_code {
    HC_OK = 0,
    HC_CANCELLED = 1,
    HC_UNKNOWN = 2,
    HC_INVALID_ARGUMENT = 3,
    HC_DEADLINE_EXCEEDED = 4,
    HC_NOT_FOUND = 5,
    HC_ALREADY_EXISTS = 6,
    HC_PERMISSION_DENIED = 7,
    HC_RESOURCE_EXHAUSTED = 8,
    HC_FAILED_PRECONDITION = 9,
    HC_ABORTED = 10,
    HC_OUT_OF_RANGE = 11,
    HC_UNIMPLEMENTED = 12,
    HC_INTERNAL = 13,
    HC_UNAVAILABLE = 14,
    HC_DATA_LOSS = 15,
    HC_UNAUTHENTICATED = 16,
};

enum { HC_ERROR_MESSAGE_SIZE = 2044 };

/* Plain data without pointers: may be copied and sent to another process as it is. */
struct hc_error {
    enum hc_code code;
    char message[HC_ERROR_MESSAGE_SIZE]; /* NUL-terminated, cut when longer */
};

/* Fill in ERROR (which may be NULL: the caller wants the code only) and return CODE. */
enum hc_code hc_error_set(struct hc_error *error, enum hc_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum hc_code hc_error_setv(struct hc_error *error, enum hc_code code, const char *format,
                           va_list args);

/*
 * Put a formatted text before the message of an error that is being passed on; returns its code,
 * HC_UNKNOWN when ERROR is NULL.
 */
enum hc_code hc_error_prefix(struct hc_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The spelling that logs use: "Invalid argument", "Not found", … Never NULL. */
const char *hc_code_name(enum hc_code code);

/* The HTTP status that a code is answered with; 200 for HC_OK. */
int hc_code_http(enum hc_code code);

/* Whether NUMBER, which came from elsewhere, is one of the codes above. */
bool hc_code_valid(long number);

/* Return from the calling function when EXPR, an enum hc_code, is not HC_OK. */
#define HC_TRY(expr)                                                                               \
    do {                                                                                           \
        enum hc_code hc_try_code_ = (expr);                                                        \
        if (hc_try_code_ != HC_OK) {                                                               \
            return hc_try_code_;                                                                   \
        }                                                                                          \
    } while (0)

#endif
