/*
 * What the server says of itself at the start: the tables that people look for in Triton's log.
 */
#ifndef HC_REPORT_H
#define HC_REPORT_H

#include "core/server.h"

/* Backend, path, config. */
void hc_report_backends(const struct hc_server *server);

/* Model, version, status. */
void hc_report_models(const struct hc_server *server);

/* Option and value. */
void hc_report_options(const struct hc_server *server);

#endif
