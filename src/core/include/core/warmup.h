/*
 * Warm-up: requests that each instance of a model has to answer before the model is ready.
 *
 * A sample of the config is one execution of as many requests as its batch size says, repeated as
 * often as its count says. They run on the control loop, on instances that have nothing else to do,
 * and are in the statistics like others.
 */
#ifndef HC_CORE_WARMUP_H
#define HC_CORE_WARMUP_H

#include "core/model.h"

typedef void hc_warmup_on_done(void *user, const struct hc_error *error);

/*
 * Control thread. Run the samples of their model's config on N instances, which are up; ON_DONE
 * when all are answered, also before this returns. ERROR is NULL, or says which sample failed.
 */
void hc_warmup_run(struct hc_instance *const *instances, size_t n, hc_warmup_on_done *on_done,
                   void *user);

#endif
