/*
 * Readiness: whether models are ready now, asked of the models themselves where they have a say.
 *
 * A model is ready when it is loaded, an instance of it is up (hc_model_is_up), and its own check,
 * if it has one, agrees. Checks that run at the same time share one call of the model's.
 */
#ifndef HC_CORE_READINESS_H
#define HC_CORE_READINESS_H

#include "core/context.h"
#include "core/model.h"

typedef void hc_readiness_on_done(void *user, bool ready);

/*
 * Whether MODEL is ready; NULL: whether everything is that should be served. ON_DONE comes on
 * CONTEXT's loop, which is the caller's, once; before this returns where no model has to be asked.
 */
void hc_readiness_check(struct hc_context *context, struct hc_model *model,
                        hc_readiness_on_done *on_done, void *user);

#endif
