/*
 * What the files of the linear backend know of each other.
 */
#ifndef HC_BACKEND_LINEAR_INTERNAL_H
#define HC_BACKEND_LINEAR_INTERNAL_H

#include <stdatomic.h>

#include "base/list.h"
#include "core/model.h"
#include "core/server.h"
#include "cuda/gpu.h"
#include "run.h"
#include "tensor/shape.h"

struct linear_model;

/* ---- file.c, config.c ---- */

/* The path of the file of weights in a version's folder, to be freed. */
enum hc_code linear_find_file(const struct hc_model *model, char **path, struct hc_error *error);

/* Complete MODEL's config by what the stack takes and gives, and check it against that. */
enum hc_code linear_settle_config(struct hc_model *model, const struct stack *stack,
                                  struct hc_error *error);

/* What its inputs and outputs will be of. */
struct run_types linear_types(const struct hc_model *model, const struct stack *stack);

/* ---- answer.c: responses, made on the request's loop before it is queued ---- */

struct linear_answer {
    struct hc_response base;
    struct hc_output output;
    int64_t dims[HC_SHAPE_MAX_DIMS];
    struct hc_model *model; /* referenced while the response is out */
    struct linear_side *side;
    struct hc_request *request;
    struct run_part part; /* where the request's rows are, and where its results go */
    struct linear_answer *next;
    struct hc_task task;             /* delivers it on the request's loop */
    struct hc_instance *executed_by; /* to be reported with the delivery; NULL: not, or already */
    uint64_t execution_id;
    char *memory; /* of the output */
    size_t memory_size;
    char *failure; /* why there are no results, when there are none */
    int device;    /* the GPU that `part` is in the memory of, if it is */
};

/* Answers of one loop that may be used again; touched by that loop alone. */
struct linear_side {
    struct linear_answer *spare;
    size_t n_spare;
    size_t spare_size; /* bytes of their outputs */
};

void linear_side_finish(struct linear_side *side);

/* An answer with room for the results of REQUEST. */
enum hc_code linear_answer_create(struct hc_request *request, struct linear_answer **answer,
                                  struct hc_error *error);

/* Have it say that its execution failed. */
void linear_answer_fail(struct linear_answer *answer, const struct hc_error *error);

/* One that is not delivered after all. */
void linear_answer_discard(struct linear_answer *answer);

/*
 * Any thread: the results are there; have them delivered on the request's loop, and with them the
 * end of the execution reported that `executed_by` ran.
 */
void linear_answer_deliver(struct linear_answer *answer);

/* ---- execute.c, workers.c ---- */

/* An execution that an instance has been given and has not taken up. Under the model's lock. */
struct linear_work {
    uint64_t execution_id;
    struct linear_answer *answers;
    struct linear_answer *last_answer;
    size_t n_rows;
};

struct linear_instance {
    struct hc_instance *instance;
    struct linear_model *model;
    struct linear_work works[HC_INSTANCE_DEPTH]; /* the older one first */
    unsigned n_works;
    bool scheduled;            /* somebody runs it, or will */
    struct gpu_instance *gpu;  /* that it runs on; NULL: the processor */
    int device;                /* the GPU; linear_no_gpu: the processor */
    bool runs;                 /* control thread, once the model is loaded */
    struct hc_list ready_link; /* among those that wait for a worker */
};

void linear_submit(struct hc_instance *instance, struct hc_execution *execution);
void linear_kick(struct hc_instance *instance);
bool linear_extend(struct hc_instance *instance, struct hc_execution *execution,
                   struct hc_request *request);
bool linear_withdraw(struct hc_instance *instance, struct hc_execution *execution);

/*
 * Run what the instance was given first, ON_LOOP or on a worker. True: there is more, which fits
 * IN_PLACE or is for a worker.
 */
bool linear_run_one(struct linear_instance *own, struct scratch *scratch, bool on_loop,
                    bool *in_place);

/* Start the workers, if they are not running. */
enum hc_code linear_workers_start(struct hc_server *server, struct hc_error *error);
void linear_workers_stop(void);

/* Any thread: have a worker run the instance. */
void linear_workers_push(struct linear_instance *own);

/* ---- gpus.c: what a model has on GPUs ---- */

static const int linear_no_gpu = -1;

/* Loading thread: copy the stack to the GPUs that instances are for, and start those. */
enum hc_code linear_gpus_load(struct linear_model *own, struct hc_error *error);
void linear_gpus_unload(struct linear_model *own);

/* Control thread: one more instance, on a GPU or not; and one that has nothing to do, less. */
enum hc_code linear_gpus_start(struct linear_instance *instance, struct hc_error *error);
void linear_gpus_stop(struct linear_instance *instance);

/* Any thread: whether all instances are on that GPU, which is none of linear_no_gpu. */
bool linear_gpus_have_all(const struct hc_model *model, int device);

/* ---- linear.c ---- */

/* The stack in the model's file. */
enum hc_code linear_read_stack(const struct hc_model *model, struct stack **stack,
                               struct hc_error *error);

struct linear_model {
    struct hc_model *model;
    struct linear_side *sides; /* by loop */
    size_t n_sides;
    struct stack *stack; /* NULL until loaded; without weights if all instances are on GPUs */
    struct gpu_stack **gpu_stacks; /* one a GPU that has been used */
    size_t n_gpu_stacks;
    atomic_int device; /* the GPU that all instances are on; linear_no_gpu: there is none such */
    const struct kernels *kernels;
    struct run_types types;
    bool stopping;
    bool loading;
    struct hc_task loaded_task; /* by the loading thread */
    struct hc_error load_error; /* code HC_OK: none */
};

/* What the loop of that index computes with, in place. */
struct scratch *linear_loop_scratch(unsigned index);

static inline struct linear_model *linear_model_of(const struct hc_model *model) {
    return model->backend_model;
}

#endif
