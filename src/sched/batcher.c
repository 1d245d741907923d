/* The dynamic batcher: runs of jobs from the head of a queue. */
#include "sched/batcher.h"

void hc_batcher_init(struct hc_batcher *batcher, const struct hc_batcher_settings *settings) {
    *batcher = (struct hc_batcher){
        .max_rows = settings->max_rows,
        .preferred_rows = settings->preferred_rows,
        .n_preferred = settings->n_preferred,
        .largest_preferred = settings->n_preferred > 0 ? 0 : settings->max_rows,
        .delay_ns = settings->delay_ns,
    };
    for (size_t i = 0; i < settings->n_preferred; i++) {
        uint64_t rows = (uint64_t)settings->preferred_rows[i];
        if (rows > batcher->largest_preferred) {
            batcher->largest_preferred = rows;
        }
    }
    hc_queue_init(&batcher->queue, &settings->queue);
}

void hc_batcher_finish(struct hc_batcher *batcher) {
    hc_queue_finish(&batcher->queue);
}

static bool is_preferred(const struct hc_batcher *batcher, uint64_t rows) {
    for (size_t i = 0; i < batcher->n_preferred; i++) {
        if ((uint64_t)batcher->preferred_rows[i] == rows) {
            return true;
        }
    }
    return false;
}

/* Whether JOB can be in a batch with FIRST and others, which have that many rows without it. */
static bool fits(const struct hc_batcher *batcher, const struct hc_job *first, uint64_t rows,
                 const struct hc_job *job) {
    return rows + job->rows <= batcher->max_rows && hc_text_equal(first->signature, job->signature);
}

/* The longest run of jobs that can go together. */
struct run {
    size_t n_jobs;
    size_t n_preferred; /* its longest part of a preferred size; 0: there is none */
    uint64_t rows;
    uint64_t oldest_ns;
    bool full; /* the next job does not fit */
};

static struct run find_run(const struct hc_batcher *batcher) {
    const struct hc_job *first = hc_queue_first(&batcher->queue);
    struct run run = {.oldest_ns = UINT64_MAX};
    for (const struct hc_job *job = first; job != NULL; job = hc_queue_next(&batcher->queue, job)) {
        if (run.n_jobs > 0 && !fits(batcher, first, run.rows, job)) {
            run.full = true;
            break;
        }
        run.n_jobs++;
        run.rows += job->rows;
        if (job->enqueued_ns < run.oldest_ns) {
            run.oldest_ns = job->enqueued_ns;
        }
        if (is_preferred(batcher, run.rows)) {
            run.n_preferred = run.n_jobs;
        }
    }
    return run;
}

static void take_first(struct hc_batcher *batcher, size_t n_jobs, struct hc_list *batch) {
    for (size_t i = 0; i < n_jobs; i++) {
        struct hc_job *job = hc_queue_first(&batcher->queue);
        hc_queue_remove(&batcher->queue, job);
        hc_list_append(batch, &job->link);
    }
}

bool hc_batcher_take(struct hc_batcher *batcher, uint64_t now_ns, struct hc_list *batch,
                     uint64_t *ready_ns) {
    *ready_ns = UINT64_MAX;
    if (batcher->queue.n_jobs == 0) {
        return false;
    }
    struct run run = find_run(batcher);
    bool waited = now_ns - run.oldest_ns >= batcher->delay_ns;
    bool late = waited && batcher->delay_ns > 0;
    if (run.n_preferred > 0 && !late) {
        take_first(batcher, run.n_preferred, batch);
        return true;
    }
    if (run.full || waited || run.rows >= batcher->largest_preferred) {
        take_first(batcher, run.n_jobs, batch);
        return true;
    }
    if (__builtin_add_overflow(run.oldest_ns, batcher->delay_ns, ready_ns)) {
        *ready_ns = UINT64_MAX;
    }
    return false;
}

struct hc_job *hc_batcher_take_joining(struct hc_batcher *batcher, const struct hc_job *first,
                                       uint64_t rows) {
    struct hc_job *job = hc_queue_first(&batcher->queue);
    if (job == NULL || !fits(batcher, first, rows, job) ||
        rows + job->rows > batcher->largest_preferred) {
        return NULL;
    }
    hc_queue_remove(&batcher->queue, job);
    return job;
}
