/*
 * What native models cost without a server around them: the stack of a file of weights, with every
 * form of the kernels that this processor can run, at each number of rows.
 *
 *     linear FILE ROWS …
 *
 * Prints a line for each: form, rows, microseconds of the median and of the best run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "run.h"

enum { N_RUNS = 400 };

static void fail(const struct hc_error *error) {
    fprintf(stderr, "linear: %s\n", error->message);
    exit(1);
}

static struct stack *read_stack(const char *path) {
    struct hc_error error;
    hc_auto(weights) weights = NULL;
    auto_descriptions descriptions = {0};
    struct stack *stack = NULL;
    if (hc_weights_open(path, &weights, &error) != HC_OK ||
        describe_layers(weights, NULL, &descriptions, &error) != HC_OK ||
        stack_create(weights, &descriptions, &stack, &error) != HC_OK) {
        fail(&error);
    }
    return stack;
}

static int compare(const void *a, const void *b) {
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

static void measure(const struct stack *stack, const struct kernels *kernels, size_t n_rows) {
    static double times_us[N_RUNS];
    enum hc_dtype dtype = stack->is_double ? HC_DTYPE_FP64 : HC_DTYPE_FP32;
    size_t real_size = hc_dtype_size(dtype);
    hc_auto(memory) x = hc_alloc_array(n_rows * stack->n_in, real_size);
    hc_auto(memory) y = hc_alloc_array(n_rows * stack->n_out, real_size);
    struct scratch scratch = {0};
    for (size_t i = 0; i < n_rows * stack->n_in && !stack->is_double; i++) {
        ((float *)x)[i] = (float)(drand48() * 2 - 1);
    }
    for (size_t i = 0; i < N_RUNS; i++) {
        struct run_part part = {.x = x, .y = y, .n_rows = n_rows};
        uint64_t began_ns = hc_clock_ns();
        run_stack(stack, kernels, &(struct run_types){dtype, dtype}, &part, &scratch);
        times_us[i] = (double)(hc_clock_ns() - began_ns) / 1000;
    }
    scratch_finish(&scratch);
    qsort(times_us, N_RUNS, sizeof times_us[0], compare);
    printf("%-10s %5zu rows %10.1f %10.1f\n", kernels->name, n_rows, times_us[N_RUNS / 2],
           times_us[0]);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: linear FILE ROWS …\n", stderr);
        return 2;
    }
    struct stack *stack = read_stack(argv[1]);
    for (int i = 2; i < argc; i++) {
        const struct kernels *kernels;
        for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
            measure(stack, kernels, strtoul(argv[i], NULL, 10));
        }
    }
    stack_destroy(stack);
    return 0;
}
