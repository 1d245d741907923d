/*
 * Alarms: a model's queue is looked at again at a certain time, though nothing happens until then.
 *
 * A model has an alarm on every loop, because any loop may be the one that finds out when to look
 * again; it sets its own. A needless look does no harm, so alarms are not taken back. One that is
 * set refers to the model; none is set for more than a moment ahead, so that this does not hold up
 * unloading: what is further ahead takes several.
 */
#ifndef HC_CORE_ALARM_H
#define HC_CORE_ALARM_H

#include <stddef.h>
#include <stdint.h>

struct hc_alarm;
struct hc_model;

struct hc_alarms {
    struct hc_alarm *_alarms; /* by loop */
    uint64_t _due_ns;         /* of the earliest; under the model's lock */
};

void hc_alarms_init(struct hc_alarms *alarms, struct hc_model *model, size_t n_loops);
void hc_alarms_finish(struct hc_alarms *alarms);

/* Any loop, with the model locked: see that hc_dispatch_look() is called at DUE_NS. */
void hc_alarms_set(struct hc_alarms *alarms, uint64_t due_ns);

/* Any loop: see that it is called when this turn of the loop has dealt with all that was ready. */
void hc_alarms_set_for_turn(struct hc_alarms *alarms);

#endif
