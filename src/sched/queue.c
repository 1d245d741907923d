/* Queues of jobs: levels, policies, deadlines. */
#include "sched/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Levels are made as jobs name them; when so many are there, empty ones are given up first. */
enum { MANY_LEVELS = 64 };

struct hc_queue_level {
    uint64_t number;
    struct hc_queue_policy policy;
    size_t n_jobs;
    struct hc_list waiting;
    struct hc_list late; /* behind them: jobs that have waited too long */
};

static struct hc_queue_policy find_policy(const struct hc_queue *queue, uint64_t number) {
    const struct hc_queue_settings *settings = &queue->settings;
    for (size_t i = 0; i < settings->n_exceptions; i++) {
        if (settings->exceptions[i].level == number) {
            return settings->exceptions[i].policy;
        }
    }
    return settings->policy;
}

static void drop_empty_levels(struct hc_queue *queue) {
    size_t n = 0;
    for (size_t i = 0; i < queue->_n_levels; i++) {
        if (queue->_levels[i]->n_jobs > 0) {
            queue->_levels[n++] = queue->_levels[i];
        } else {
            free(queue->_levels[i]);
        }
    }
    queue->_n_levels = n;
}

/* The index of level NUMBER, or of where it belongs. */
static size_t find_place(const struct hc_queue *queue, uint64_t number) {
    size_t low = 0;
    size_t high = queue->_n_levels;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (queue->_levels[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct hc_queue_level *add_level(struct hc_queue *queue, uint64_t number) {
    if (queue->_n_levels >= MANY_LEVELS) {
        drop_empty_levels(queue);
    }
    struct hc_queue_level *level = hc_new(struct hc_queue_level);
    level->number = number;
    level->policy = find_policy(queue, number);
    hc_list_init(&level->waiting);
    hc_list_init(&level->late);
    size_t place = find_place(queue, number);
    queue->_levels = hc_realloc(queue->_levels, (queue->_n_levels + 1) * sizeof *queue->_levels);
    memmove(&queue->_levels[place + 1], &queue->_levels[place],
            (queue->_n_levels - place) * sizeof *queue->_levels);
    queue->_levels[place] = level;
    queue->_n_levels++;
    return level;
}

static struct hc_queue_level *find_level(struct hc_queue *queue, uint64_t number) {
    size_t place = find_place(queue, number);
    if (place < queue->_n_levels && queue->_levels[place]->number == number) {
        return queue->_levels[place];
    }
    return add_level(queue, number);
}

static uint64_t level_number(const struct hc_queue *queue, const struct hc_job *job) {
    const struct hc_queue_settings *settings = &queue->settings;
    return job->priority == 0 || job->priority > settings->n_levels ? settings->default_level
                                                                    : job->priority;
}

void hc_queue_init(struct hc_queue *queue, const struct hc_queue_settings *settings) {
    *queue = (struct hc_queue){.settings = *settings};
    hc_list_init(&queue->dropped);
}

void hc_queue_finish(struct hc_queue *queue) {
    for (size_t i = 0; i < queue->_n_levels; i++) {
        free(queue->_levels[i]);
    }
    free(queue->_levels);
    hc_heap_finish(&queue->_deadlines);
}

static uint64_t timeout_of(const struct hc_queue_policy *policy, const struct hc_job *job) {
    bool shorter = job->timeout_ns > 0 && job->timeout_ns < policy->timeout_ns;
    return policy->may_shorten && shorter ? job->timeout_ns : policy->timeout_ns;
}

bool hc_queue_add(struct hc_queue *queue, struct hc_job *job, uint64_t now_ns) {
    struct hc_queue_level *level = find_level(queue, level_number(queue, job));
    if (level->policy.max_size > 0 && level->n_jobs >= level->policy.max_size) {
        return false;
    }
    job->level = level;
    job->enqueued_ns = now_ns;
    hc_list_append(&level->waiting, &job->link);
    level->n_jobs++;
    queue->n_jobs++;
    uint64_t timeout_ns = timeout_of(&level->policy, job);
    if (timeout_ns > 0) {
        uint64_t deadline_ns;
        bool never = __builtin_add_overflow(now_ns, timeout_ns, &deadline_ns);
        hc_heap_put(&queue->_deadlines, &job->deadline, never ? UINT64_MAX : deadline_ns);
    }
    return true;
}

void hc_queue_put_back(struct hc_queue *queue, struct hc_job *job) {
    struct hc_queue_level *level = find_level(queue, level_number(queue, job));
    job->level = level;
    hc_list_prepend(&level->waiting, &job->link);
    level->n_jobs++;
    queue->n_jobs++;
    if (job->deadline.key > 0) {
        hc_heap_put(&queue->_deadlines, &job->deadline, job->deadline.key);
    }
}

void hc_queue_remove(struct hc_queue *queue, struct hc_job *job) {
    hc_list_remove(&job->link);
    hc_heap_remove(&queue->_deadlines, &job->deadline);
    job->level->n_jobs--;
    queue->n_jobs--;
    job->level = NULL;
}

/* The time of a job is over: it goes behind the others, or out. */
static void expire(struct hc_queue *queue, struct hc_job *job) {
    struct hc_queue_level *level = job->level;
    if (level->policy.delays) {
        hc_heap_remove(&queue->_deadlines, &job->deadline);
        job->deadline.key = 0;
        hc_list_remove(&job->link);
        hc_list_append(&level->late, &job->link);
    } else {
        hc_queue_remove(queue, job);
        hc_list_append(&queue->dropped, &job->link);
    }
}

void hc_queue_expire(struct hc_queue *queue, uint64_t now_ns) {
    while (hc_queue_deadline_ns(queue) <= now_ns) {
        struct hc_heap_item *first = hc_heap_first(&queue->_deadlines);
        if (first == NULL) {
            return;
        }
        expire(queue, hc_list_item(first, struct hc_job, deadline));
    }
}

/* The first job of a level at or behind that index. */
static struct hc_job *first_from(const struct hc_queue *queue, size_t index) {
    for (; index < queue->_n_levels; index++) {
        const struct hc_queue_level *level = queue->_levels[index];
        if (!hc_list_empty(&level->waiting)) {
            return hc_job_of(level->waiting.next);
        }
        if (!hc_list_empty(&level->late)) {
            return hc_job_of(level->late.next);
        }
    }
    return NULL;
}

struct hc_job *hc_queue_first(const struct hc_queue *queue) {
    return first_from(queue, 0);
}

struct hc_job *hc_queue_next(const struct hc_queue *queue, const struct hc_job *job) {
    struct hc_queue_level *level = job->level;
    struct hc_list *next = job->link.next;
    if (next == &level->waiting) {
        next = level->late.next;
    }
    if (next != &level->late) {
        return hc_job_of(next);
    }
    return first_from(queue, find_place(queue, level->number) + 1);
}
