/* A run: which steps of an ensemble run, what they give, when it is over. */
#include "run.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "core/infer.h"
#include "core/pause.h"

/* ---- The end ---- */

/* The request takes its leave with a last response; what still runs for it no longer matters. */
static void finish(struct run *run, struct hc_response *response) {
    struct hc_request *request = hc_take(run->request);
    const struct hc_stats_times *sums = &run->sums;
    uint64_t begin_ns = request->queued_ns + run->queued_ns;
    request->times = (struct hc_stats_times){
        .compute_start_ns = begin_ns,
        .compute_input_end_ns = begin_ns + sums->compute_input_end_ns,
        .compute_output_start_ns = begin_ns + sums->compute_output_start_ns,
        .compute_end_ns = begin_ns + sums->compute_end_ns,
    };
    if (response == NULL || response->code == HC_OK) {
        hc_stats_count_execution(run->model, run->batch_size, &request->times);
    } else {
        request->failure = HC_FAILURE_OTHER;
    }
    request->_backend = NULL;
    hc_request_answer(request, response, true);
}

void run_unuse(struct run *run) {
    if (--run->n_uses > 0) {
        return;
    }
    while (!hc_list_empty(&run->waves)) {
        wave_free(hc_list_item(run->waves.next, struct wave, link));
    }
    for (size_t i = 0; i < run->plan->n_steps; i++) {
        if (run->models[i] != NULL) {
            hc_model_unref(run->models[i]);
        }
    }
    hc_model_unref(run->model);
    free(run->models);
    free(run->needed);
    free(run->n_in_flight);
    free(run);
}

static struct call *find_uncancelled(const struct run *run) {
    hc_list_each (link, &run->calls) {
        struct call *call = hc_list_item(link, struct call, link);
        if (!call->request->_cancelled) {
            return call;
        }
    }
    return NULL;
}

/* Each may answer, and end others, before the cancelling returns. */
static void cancel_calls(struct run *run) {
    run->n_uses++;
    struct call *call;
    while ((call = find_uncancelled(run)) != NULL) {
        hc_infer_cancel(call->request);
    }
    run_unuse(run);
}

static void fail(struct run *run, enum hc_code code, struct hc_text message) {
    if (run->request == NULL) {
        return;
    }
    hc_auto_buf text = {0};
    hc_buf_appendf(&text, "in ensemble '%s', %.*s", run->model->name, HC_TEXT_ARGS(message));
    finish(run, hc_response_error(code, hc_buf_text(&text)));
    cancel_calls(run);
}

/* The first wave that is complete, unless there is one before it that will be. */
static struct wave *find_complete(const struct run *run) {
    hc_list_each (link, &run->waves) {
        struct wave *wave = hc_list_item(link, struct wave, link);
        if (!wave->answered && wave_is_complete(wave)) {
            return wave;
        }
        if (wave->n_due > 0) {
            return NULL;
        }
    }
    return NULL;
}

static void answer_complete(struct run *run) {
    struct wave *wave;
    while (run->request != NULL && (wave = find_complete(run)) != NULL) {
        struct hc_response *response = answer_make(wave);
        wave->answered = true;
        wave->n_uses++;
        if (run->model->decoupled) {
            hc_request_answer(run->request, response, false);
        } else {
            finish(run, response);
        }
        wave_unuse(wave);
    }
}

/* Nothing runs any more: if there is no answer yet, there never will be. */
static void end_if_over(struct run *run) {
    if (run->request == NULL || !hc_list_empty(&run->calls)) {
        return;
    }
    if (run->model->decoupled) {
        finish(run, NULL);
        return;
    }
    fail(run, HC_INVALID_ARGUMENT,
         HC_TEXT("unexpected deadlock, at least one output is not set while no more ensemble steps "
                 "can be made"));
}

/* ---- Steps ---- */

static bool find_ready(const struct run *run, struct wave **wave, size_t *step) {
    hc_list_each (link, &run->waves) {
        *wave = hc_list_item(link, struct wave, link);
        for (*step = 0; *step < run->plan->n_steps; ++*step) {
            if (wave_is_ready(*wave, *step)) {
                return true;
            }
        }
    }
    return false;
}

/* Start what can be started, anywhere in the run. */
static void start_ready(struct run *run) {
    struct wave *wave;
    size_t step;
    while (run->request != NULL && find_ready(run, &wave, &step)) {
        struct hc_error error;
        wave->started[step] = true;
        wave->n_uses++;
        if (step_start(wave, step, &error) != HC_OK) {
            fail(run, error.code, hc_text_of(error.message));
        }
        wave_drop_unused(wave, step);
        wave_unuse(wave);
    }
}

void run_advance(struct run *run) {
    if (run->request == NULL) {
        return;
    }
    run->n_uses++;
    answer_complete(run);
    start_ready(run);
    end_if_over(run);
    run_unuse(run);
}

/* The wave that a response belongs to: its step's, or for decoupled models one of its own, behind
 * those of the responses before it. */
static struct wave *wave_of(struct call *call) {
    struct run *run = call->run;
    if (!run->models[call->step]->decoupled) {
        return call->wave;
    }
    return wave_add(run, run->waves.previous);
}

static void add_times(struct run *run, const struct hc_request *request) {
    const struct hc_stats_times *times = &request->times;
    if (times->compute_end_ns == 0) {
        return; /* it did not run */
    }
    uint64_t input_ns = times->compute_input_end_ns - times->compute_start_ns;
    uint64_t infer_ns = times->compute_output_start_ns - times->compute_input_end_ns;
    uint64_t output_ns = times->compute_end_ns - times->compute_output_start_ns;
    run->queued_ns += times->compute_start_ns - request->queued_ns;
    run->sums.compute_input_end_ns += input_ns;
    run->sums.compute_output_start_ns += input_ns + infer_ns;
    run->sums.compute_end_ns += input_ns + infer_ns + output_ns;
}

static size_t due(const struct call *call) {
    return call->run->models[call->step]->decoupled ? 0 : 1;
}

void run_add_call(struct call *call) {
    struct run *run = call->run;
    hc_list_append(&run->calls, &call->link);
    run->n_in_flight[call->step]++;
    run->n_uses++;
    call->wave->n_uses++;
    call->wave->n_due += due(call);
}

void run_remove_call(struct call *call) {
    struct run *run = call->run;
    hc_list_remove(&call->link);
    run->n_in_flight[call->step]--;
    call->wave->n_due -= due(call);
    for (size_t i = 0; i < call->n_holders; i++) {
        holder_release(call->holders[i]);
    }
    wave_unuse(call->wave);
    run_unuse(run);
}

void run_on_response(struct call *call, struct hc_response *response, bool final) {
    struct run *run = call->run;
    if (response != NULL && response->code != HC_OK) {
        fail(run, response->code, response->message);
    }
    if (response == NULL || response->code != HC_OK || run->request == NULL) {
        hc_response_release(response);
    } else {
        wave_take_outputs(wave_of(call), call->step, response);
    }
    run->n_uses++;
    if (final) {
        struct hc_request *request = call->request;
        add_times(run, request);
        run_remove_call(call);
        hc_request_release(request);
    }
    run_advance(run);
    run_unuse(run);
}

void run_pause(struct hc_request *request, bool paused) {
    struct run *run = request->_backend;
    if (run == NULL) {
        return;
    }
    hc_list_each (link, &run->calls) {
        struct call *call = hc_list_item(link, struct call, link);
        if (paused) {
            hc_pause_begin(call->request);
        } else {
            hc_pause_end(call->request);
        }
    }
}

void run_cancel(struct hc_request *request) {
    if (request->_backend != NULL) {
        cancel_calls(request->_backend);
    }
}
