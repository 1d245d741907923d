/*
 * Backends: what runs models, behind one table of functions.
 *
 * The server decides which requests run together on which instance (core/dispatch.h); the backend
 * makes instances, runs batches, and reports what became of them by the calls at the end of this
 * page. Several batches may be handed to an instance before the first has run; it runs them in
 * order.
 */
#ifndef HC_CORE_BACKEND_H
#define HC_CORE_BACKEND_H

#include "core/request.h"
#include "model/config.h"

struct hc_execution;
struct hc_instance;
struct hc_model;
struct hc_server;

struct hc_backend {
    const char *name;
    bool reads_in_place; /* inputs need not be in the model's arena */
    uint64_t notice_ns;  /* an idle instance is kicked so long before a batch for it is due */

    /*
     * Control thread. Begin to load MODEL, whose config is complete: make its instances and report
     * hc_model_loaded() from the control thread, later or before this returns.
     */
    void (*load)(struct hc_model *model);

    /*
     * Control thread. No request is left and none will come: stop the instances and report
     * hc_model_unloaded().
     */
    void (*unload)(struct hc_model *model);

    /*
     * Control thread. End the instances at once, for good, and answer what they have and what is
     * queued with an error; unload() comes before or after.
     */
    void (*abandon)(struct hc_model *model);

    /* Whether instances can be on GPUs, where there are any; NULL: yes. */
    bool (*can_use_gpus)(void);

    /* Any thread. Whether MODEL wants tensors that are in that GPU's memory there; NULL: no. */
    bool (*works_on)(const struct hc_model *model, int device);

    /*
     * Control thread. Start INSTANCE, one more of a model that is ready, and report
     * hc_instance_started(); or stop one that has nothing to do and gets nothing, and report
     * hc_instance_stopped() unless the model is unloaded meanwhile (core/instances.h).
     */
    void (*start)(struct hc_instance *instance);
    void (*stop)(struct hc_instance *instance);

    /* Control thread. Free what load() and start() made. */
    void (*destroy)(struct hc_model *model);

    /*
     * Request's loop. Run the request, which has been checked, without queue and instances; as
     * hc_infer() says. NULL for backends with instances, else nothing below is called but cancel()
     * and pause(), and those without a lock.
     */
    enum hc_code (*infer)(struct hc_request *request, struct hc_error *error);

    /* Request's loop. Get ready what does not depend on the instance; before it is queued. */
    enum hc_code (*prepare)(struct hc_request *request, struct hc_error *error);

    /* Request's loop. Give back what prepare() made, for a request that no instance has. */
    void (*discard)(struct hc_request *request);

    /*
     * Any loop, with the model locked: run the execution's requests on the instance. Quick: does
     * not wait, make system calls, or call back.
     */
    void (*submit)(struct hc_instance *instance, struct hc_execution *execution);

    /*
     * Any loop, with the model locked: have REQUEST, which is not yet among the execution's, run
     * with it, if the instance has not started it. False: too late.
     */
    bool (*extend)(struct hc_instance *instance, struct hc_execution *execution,
                   struct hc_request *request);

    /*
     * The same thread, without the lock, after one or more submits: see to it that they run. Or, if
     * notice_ns is not 0, before the first: see to it that the instance is awake by then.
     */
    void (*kick)(struct hc_instance *instance);

    /*
     * Any loop, with the model locked: take an execution back that the instance has not started.
     * False: too late. The requests may then be submitted elsewhere.
     */
    bool (*withdraw)(struct hc_instance *instance, struct hc_execution *execution);

    /*
     * Request's loop, with the model locked: an instance has the request, and nobody waits for the
     * answer any more; the model may be told.
     */
    void (*cancel)(struct hc_request *request);

    /*
     * The same: the model is to wait before it sends another response to the request, or may go
     * on. NULL where nothing can wait.
     */
    void (*pause)(struct hc_request *request, bool paused);

    /*
     * Control thread. Ask MODEL's own check, which hc_model.has_check says there is; ON_CHECKED on
     * the control thread, later or before this returns. NULL where models have none.
     */
    void (*check)(struct hc_model *model, void (*on_checked)(void *user, bool ready), void *user);
};

/* The backend for configs that name NAME, or NULL. */
const struct hc_backend *hc_backend_find(const char *name);

/*
 * The backend of CONFIG. One that is not among those registered may be written in Python: then the
 * backend is "python", CONFIG's runtime becomes "model.py", and *FOLDER is that backend's folder in
 * BACKEND_DIRECTORY, to be freed; else NULL. HC_INVALID_ARGUMENT when there is none.
 */
enum hc_code hc_backend_resolve(Inference__ModelConfig *config, const char *backend_directory,
                                const struct hc_backend **backend, char **folder,
                                struct hc_error *error);

/* Before anything is loaded. */
void hc_backend_register(const struct hc_backend *backend);

#endif
