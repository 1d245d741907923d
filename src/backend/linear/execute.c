/* Executions: who runs them, and when. */
#include <string.h>

#include "base/clock.h"
#include "core/dispatch.h"
#include "internal.h"

/*
 * Fewer multiplications than this take less time than waking a worker does, so they are done in
 * place, by the loop that dispatches.
 */
static const size_t in_place_products = (size_t)1 << 17;

/* The same on a GPU, where a thread only waits; and the bytes of input that it gets there. */
static const size_t in_place_gpu_products = (size_t)1 << 27;
static const size_t in_place_gpu_size = (size_t)256 << 10;

static void add_answer(struct linear_work *work, struct linear_answer *answer) {
    if (work->answers == NULL) {
        work->answers = answer;
    } else {
        work->last_answer->next = answer;
    }
    work->last_answer = answer;
    work->n_rows += answer->part.n_rows;
    answer->next = NULL;
}

void linear_submit(struct hc_instance *instance, struct hc_execution *execution) {
    struct linear_instance *own = instance->backend;
    struct linear_work *work = &own->works[own->n_works++];
    *work = (struct linear_work){.execution_id = execution->id};
    hc_list_each (link, &execution->requests) {
        add_answer(work, hc_request_of_job(link)->_backend);
    }
}

/* The work of an execution that is not taken up yet; NULL: too late. */
static struct linear_work *find_work(struct linear_instance *own,
                                     const struct hc_execution *execution) {
    for (unsigned i = 0; i < own->n_works; i++) {
        if (own->works[i].execution_id == execution->id) {
            return &own->works[i];
        }
    }
    return NULL;
}

bool linear_extend(struct hc_instance *instance, struct hc_execution *execution,
                   struct hc_request *request) {
    struct linear_work *work = find_work(instance->backend, execution);
    if (work != NULL) {
        add_answer(work, request->_backend);
    }
    return work != NULL;
}

static void remove_work(struct linear_instance *own, struct linear_work *work) {
    own->n_works--;
    memmove(work, work + 1, (size_t)(own->works + own->n_works - work) * sizeof *work);
}

bool linear_withdraw(struct hc_instance *instance, struct hc_execution *execution) {
    struct linear_work *work = find_work(instance->backend, execution);
    if (work != NULL) {
        remove_work(instance->backend, work);
    }
    return work != NULL;
}

static void fail_all(struct linear_answer *answer, const struct hc_error *error) {
    for (; answer != NULL; answer = answer->next) {
        linear_answer_fail(answer, error);
    }
}

/* While a request waited, the model's instances may have moved away from the GPU that has its
 * tensors. */
static enum hc_code check_places(const struct linear_instance *own,
                                 const struct linear_answer *answer, struct hc_error *error) {
    for (; answer != NULL; answer = answer->next) {
        bool on_gpu = answer->part.x_device != 0 || answer->part.y_device != 0;
        if (on_gpu && answer->device != own->device) {
            return hc_error_set(error, HC_UNAVAILABLE,
                                "the model left the GPU while the request waited");
        }
    }
    return HC_OK;
}

static enum hc_code run_parts(const struct linear_instance *own, struct linear_work *work,
                              struct scratch *scratch, struct hc_error *error) {
    const struct linear_model *model = own->model;
    struct run_part *first = &work->answers->part;
    HC_TRY(check_places(own, work->answers, error));
    if (own->gpu != NULL) {
        return gpu_run(own->gpu, first, error);
    }
    run_stack(model->stack, model->kernels, &model->types, first, scratch);
    return HC_OK;
}

static void run_work(const struct linear_instance *own, struct linear_work *work,
                     struct scratch *scratch) {
    struct hc_error error;
    for (struct linear_answer *answer = work->answers; answer != NULL; answer = answer->next) {
        answer->part.next = answer->next == NULL ? NULL : &answer->next->part;
    }
    if (run_parts(own, work, scratch, &error) != HC_OK) {
        fail_all(work->answers, &error);
    }
}

static void deliver_all(struct linear_answer *answer, const struct hc_stats_times *times) {
    while (answer != NULL) {
        struct linear_answer *next = answer->next; /* the answer is its loop's once delivered */
        answer->request->times = *times;
        linear_answer_deliver(answer);
        answer = next;
    }
}

/* Under the lock. */
static bool fits_in_place(const struct linear_instance *own) {
    const struct linear_model *model = own->model;
    size_t n_products = model->stack->n_products;
    if (own->n_works == 0) {
        return false;
    }
    size_t n_rows = own->works[0].n_rows;
    if (own->gpu == NULL) {
        return n_rows <= in_place_products / n_products;
    }
    size_t row_size = model->stack->n_in * hc_dtype_size(model->types.x);
    return n_rows <= in_place_gpu_products / n_products && n_rows <= in_place_gpu_size / row_size;
}

/* Whether there is more to run; if not, the instance is nobody's from here on. */
static bool has_work(struct linear_instance *own, bool *in_place) {
    pthread_mutex_t *lock = &own->model->model->lock;
    pthread_mutex_lock(lock);
    bool more = own->n_works > 0;
    own->scheduled = more;
    *in_place = fits_in_place(own);
    pthread_mutex_unlock(lock);
    return more;
}

static bool take_next(struct linear_instance *own, struct linear_work *work) {
    pthread_mutex_t *lock = &own->model->model->lock;
    pthread_mutex_lock(lock);
    bool any = own->n_works > 0; /* else it was withdrawn */
    if (any) {
        *work = own->works[0];
        remove_work(own, &own->works[0]);
    }
    own->scheduled = any;
    pthread_mutex_unlock(lock);
    return any;
}

bool linear_run_one(struct linear_instance *own, struct scratch *scratch, bool on_loop,
                    bool *in_place) {
    struct linear_work work;
    if (!take_next(own, &work)) {
        return false;
    }
    struct hc_stats_times times = {.compute_start_ns = hc_clock_ns()};
    times.compute_input_end_ns = times.compute_start_ns;
    run_work(own, &work, scratch);
    times.compute_output_start_ns = times.compute_end_ns = hc_clock_ns();
    if (on_loop) {
        /* It may get its next execution meanwhile; `scheduled` keeps others away from that. */
        hc_dispatch_executed(own->instance, work.execution_id, &times);
    } else {
        work.answers->executed_by = own->instance;
        work.answers->execution_id = work.execution_id;
    }
    bool more = has_work(own, in_place);
    deliver_all(work.answers, &times); /* with the last answer, without more, the model may go */
    return more;
}

/* Take the instance, unless somebody has it or there is nothing to do. */
static bool take_instance(struct linear_instance *own, bool *in_place) {
    pthread_mutex_t *lock = &own->model->model->lock;
    pthread_mutex_lock(lock);
    bool mine = !own->scheduled && own->n_works > 0;
    own->scheduled = own->scheduled || mine;
    *in_place = fits_in_place(own);
    pthread_mutex_unlock(lock);
    return mine;
}

void linear_kick(struct hc_instance *instance) {
    struct linear_instance *own = instance->backend;
    bool in_place;
    bool more = take_instance(own, &in_place);
    while (more && in_place) {
        struct scratch *scratch = linear_loop_scratch(hc_loop_index(hc_loop_current()));
        more = linear_run_one(own, scratch, true, &in_place);
    }
    if (more) {
        linear_workers_push(own);
    }
}
