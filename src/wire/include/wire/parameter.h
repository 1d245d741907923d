/*
 * A parameter of a request or a response, as all protocols have them: a name and a value of one of
 * four types. Texts are views of memory that belongs to the message.
 */
#ifndef HC_WIRE_PARAMETER_H
#define HC_WIRE_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum hc_wire_parameter_kind {
    HC_WIRE_STRING,
    HC_WIRE_INT64,
    HC_WIRE_BOOL,
    HC_WIRE_DOUBLE,
};

struct hc_wire_parameter {
    struct hc_text name;
    enum hc_wire_parameter_kind kind;
    union {
        struct hc_text string;
        int64_t int64;
        bool boolean;
        double real;
    };
};

#endif
