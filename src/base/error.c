/* Errors: filling them in and naming their codes. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    int http;
};

static const struct code_row code_rows[] = {
    [HC_OK] = {"OK", 200},
    [HC_CANCELLED] = {"Cancelled", 400},
    [HC_UNKNOWN] = {"Unknown", 400},
    [HC_INVALID_ARGUMENT] = {"Invalid argument", 400},
    [HC_DEADLINE_EXCEEDED] = {"Deadline exceeded", 504},
    [HC_NOT_FOUND] = {"Not found", 404},
    [HC_ALREADY_EXISTS] = {"Already exists", 400},
    [HC_PERMISSION_DENIED] = {"Permission denied", 403},
    [HC_RESOURCE_EXHAUSTED] = {"Resource exhausted", 429},
    [HC_FAILED_PRECONDITION] = {"Failed precondition", 400},
    [HC_ABORTED] = {"Aborted", 409},
    [HC_OUT_OF_RANGE] = {"Out of range", 400},
    [HC_UNIMPLEMENTED] = {"Unsupported", 501},
    [HC_INTERNAL] = {"Internal", 500},
    [HC_UNAVAILABLE] = {"Unavailable", 503},
    [HC_DATA_LOSS] = {"Data loss", 500},
    [HC_UNAUTHENTICATED] = {"Unauthenticated", 401},
};

enum { N_CODES = sizeof code_rows / sizeof code_rows[0] };

bool hc_code_valid(long number) {
    return number >= 0 && number < N_CODES;
}

const char *hc_code_name(enum hc_code code) {
    return hc_code_valid(code) ? code_rows[code].name : "Unknown";
}

int hc_code_http(enum hc_code code) {
    return hc_code_valid(code) ? code_rows[code].http : 500;
}

enum hc_code hc_error_setv(struct hc_error *error, enum hc_code code, const char *format,
                           va_list args) {
    if (error != NULL) {
        error->code = code;
        vsnprintf(error->message, sizeof error->message, format, args);
    }
    return code;
}

enum hc_code hc_error_set(struct hc_error *error, enum hc_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hc_error_setv(error, code, format, args);
    va_end(args);
    return code;
}

enum hc_code hc_error_prefix(struct hc_error *error, const char *format, ...) {
    if (error == NULL) {
        return HC_UNKNOWN;
    }
    char message[HC_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int prefix_size = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (prefix_size < 0) {
        prefix_size = 0;
    }
    if ((size_t)prefix_size < sizeof message) {
        size_t room = sizeof message - (size_t)prefix_size;
        size_t size = strnlen(error->message, room - 1);
        memcpy(message + prefix_size, error->message, size);
        message[(size_t)prefix_size + size] = '\0';
    }
    memcpy(error->message, message, sizeof message);
    return error->code;
}
