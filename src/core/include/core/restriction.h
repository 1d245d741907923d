/*
 * Restricted APIs: groups of endpoints that only those may use who send a header with an agreed
 * value.
 */
#ifndef HC_CORE_RESTRICTION_H
#define HC_CORE_RESTRICTION_H

#include "base/error.h"
#include "base/text.h"

/* Endpoints that are restricted together, whatever the protocol. */
enum hc_api {
    HC_API_HEALTH,
    HC_API_METADATA,
    HC_API_INFERENCE,
    HC_API_SHARED_MEMORY,
    HC_API_MODEL_CONFIG,
    HC_API_MODEL_REPOSITORY,
    HC_API_STATISTICS,
    HC_API_TRACE,
    HC_API_LOGGING,
};

enum { HC_N_APIS = HC_API_LOGGING + 1 };

/* Zeroed: nothing is restricted. */
struct hc_restrictions {
    struct hc_restriction {
        char *header; /* NULL: the group is not restricted */
        char *value;
    } apis[HC_N_APIS];
};

/*
 * Add what an option says: "health,inference:name=value". HC_INVALID_ARGUMENT when it is not of
 * that form, names a group that is not there, or one that is restricted already.
 */
enum hc_code hc_restrictions_add(struct hc_restrictions *restrictions, const char *option,
                                 struct hc_error *error);
void hc_restrictions_finish(struct hc_restrictions *restrictions);

#endif
