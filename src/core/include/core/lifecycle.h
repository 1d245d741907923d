/*
 * The life of models: found in the repositories, loaded, published, unloaded.
 *
 * Everything here belongs to the control thread; callbacks come on it.
 */
#ifndef HC_CORE_LIFECYCLE_H
#define HC_CORE_LIFECYCLE_H

#include "core/server.h"

struct hc_lifecycle;

/* Load what the repositories hold, or what the options name; ON_STARTED when every model is ready
 * or has failed. */
void hc_lifecycle_start(struct hc_server *server, void (*on_started)(struct hc_server *server));

/*
 * Unload everything: no new requests, what is in flight is finished first. ON_STOPPED when the last
 * instance has ended.
 */
void hc_lifecycle_stop(struct hc_server *server, void (*on_stopped)(struct hc_server *server));

/* While stopping: wait no longer for requests and instances. */
void hc_lifecycle_abandon(struct hc_server *server);

void hc_lifecycle_destroy(struct hc_lifecycle *lifecycle);

/*
 * After the start: NULL, or why not all models that were to be loaded are, as "Code - message" to
 * be freed.
 */
char *hc_lifecycle_failure(const struct hc_server *server);

/* The catalog that was published last; borrowed. */
const struct hc_catalog *hc_lifecycle_catalog(const struct hc_server *server);

#endif
