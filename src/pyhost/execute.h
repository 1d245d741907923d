/*
 * One execution: from the messages of a batch to the model's execute() and back to replies.
 */
#ifndef HC_PYHOST_EXECUTE_H
#define HC_PYHOST_EXECUTE_H

#include "end.h"
#include "py.h"

struct hc_executor {
    struct hc_end *end;
    PyObject *model;           /* the TritonPythonModel */
    const char *instance_name; /* for error texts */
    const char *path;          /* of the model's file, likewise */
    bool decoupled;
    bool overlaps; /* coroutines do not hold up what comes after them */
};

/*
 * Run the work ENTRY, an HC_WORK_EXECUTE that came on LINK, or leave it to a coroutine. Every
 * request is answered exactly once.
 */
void hc_execute(const struct hc_executor *executor, const struct hc_entry *entry, uint32_t link);

#endif
