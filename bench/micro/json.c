/*
 * What inference requests and responses cost as JSON: a small request, tensors of 100,000 numbers
 * both ways, 10,000 strings. Best of several tries, each on warm memory.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/infer_json.h"
#include "wire/number.h"

enum { N_TRIES = 30, N_NUMBERS = 100000, N_STRINGS = 10000, N_SMALL = 20000 };

struct sample {
    const char *name;
    enum hc_dtype dtype;
    size_t n;
    void *data;
    size_t size;
};

static double random_unit(void) {
    return drand48() * 2 - 1;
}

static double request_ns(struct hc_text text, size_t n_rounds) {
    static char place[2 * N_STRINGS * 1000];
    hc_auto_pool pool = {0};
    double best_ns = INFINITY;
    for (int try = 0; try < N_TRIES; try++) {
        uint64_t began_ns = hc_clock_ns();
        for (size_t i = 0; i < n_rounds; i++) {
            struct hc_infer_json_request request;
            struct hc_error error;
            hc_pool_reset(&pool);
            if (hc_infer_json_read(text, &pool, &request, &error) != HC_OK) {
                fprintf(stderr, "%s\n", error.message);
                exit(1);
            }
            hc_infer_json_copy_data(&request.inputs[0], place);
        }
        best_ns = fmin(best_ns, (double)(hc_clock_ns() - began_ns) / (double)n_rounds);
    }
    return best_ns;
}

static void write_tensor(struct hc_buf *buf, const struct sample *sample) {
    int64_t dims[] = {(int64_t)sample->n};
    struct hc_infer_json_tensor tensor = {
        .name = HC_TEXT("y"),
        .dtype = sample->dtype,
        .dims = dims,
        .n_dims = 1,
        .data = sample->data,
        .size = sample->size,
    };
    struct hc_infer_json_response response = {
        .model_name = HC_TEXT("model"),
        .model_version = 1,
        .outputs = &tensor,
        .n_outputs = 1,
    };
    hc_buf_clear(buf);
    hc_infer_json_write(buf, &response, (struct hc_infer_json_policy){0}, NULL);
}

static double response_ns(const struct sample *sample, struct hc_buf *buf) {
    double best_ns = INFINITY;
    for (int try = 0; try < N_TRIES; try++) {
        uint64_t began_ns = hc_clock_ns();
        write_tensor(buf, sample);
        best_ns = fmin(best_ns, (double)(hc_clock_ns() - began_ns));
    }
    return best_ns;
}

/* The response's own `data` as that of a request, with blanks as Python's json.dumps() puts them.
 */
static void append_request(struct hc_buf *text, const struct sample *sample, struct hc_text data) {
    hc_buf_appendf(text,
                   "{\"inputs\": [{\"name\": \"x\", \"shape\": [%zu], \"datatype\": \"%s\", "
                   "\"data\": ",
                   sample->n, hc_dtype_name(sample->dtype));
    for (size_t i = 0; i < data.size; i++) {
        hc_buf_append_char(text, data.data[i]);
        if (data.data[i] == ',') {
            hc_buf_append_char(text, ' ');
        }
    }
    hc_buf_append_string(text, "}]}");
}

static void measure(const struct sample *sample) {
    hc_auto_buf out = {0};
    hc_auto_buf in = {0};
    double out_ns = response_ns(sample, &out);
    const char *data = (const char *)memmem(out.data, out.size, "\"data\":", 7) + 7;
    append_request(&in, sample, (struct hc_text){data, (size_t)(out.data + out.size - 3 - data)});
    double in_ns = request_ns(hc_buf_text(&in), 1);
    char *copy = malloc(out.size);
    double copy_ns = INFINITY;
    for (int try = 0; try < N_TRIES; try++) {
        uint64_t began_ns = hc_clock_ns();
        memcpy(copy, out.data, out.size);
        __asm__ volatile("" : : "r"(copy) : "memory"); /* it is looked at */
        copy_ns = fmin(copy_ns, (double)(hc_clock_ns() - began_ns));
    }
    free(copy);
    double n = (double)sample->n;
    printf("%-24s %8zu bytes of JSON; each: read %6.1f ns, written %6.1f ns, copied %6.1f ns\n",
           sample->name, out.size, in_ns / n, out_ns / n, copy_ns / n);
}

static struct sample reals(const char *name, enum hc_dtype dtype, double (*make)(void)) {
    size_t size = hc_dtype_size(dtype) * N_NUMBERS;
    char *data = malloc(size);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        double wide = make();
        float narrow = (float)wide;
        const void *value = dtype == HC_DTYPE_FP32 ? (const void *)&narrow : (const void *)&wide;
        memcpy(data + i * hc_dtype_size(dtype), value, hc_dtype_size(dtype));
    }
    return (struct sample){name, dtype, N_NUMBERS, data, size};
}

static double random_short(void) {
    return floor(random_unit() * 1000) / 8;
}

static double random_whole(void) {
    return floor(random_unit() * 1000);
}

static struct sample integers(const char *name, int64_t limit) {
    int64_t *data = malloc(N_NUMBERS * sizeof *data);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        data[i] = (int64_t)(drand48() * (double)limit);
    }
    return (struct sample){name, HC_DTYPE_INT64, N_NUMBERS, data, N_NUMBERS * sizeof *data};
}

static struct sample strings(const char *name, uint32_t length) {
    size_t size = (size_t)N_STRINGS * (length + sizeof length);
    char *data = malloc(size);
    memset(data, 'x', size);
    for (size_t i = 0; i < N_STRINGS; i++) {
        memcpy(data + i * (length + sizeof length), &length, sizeof length);
    }
    return (struct sample){name, HC_DTYPE_BYTES, N_STRINGS, data, size};
}

int main(void) {
    const struct hc_text small =
        HC_TEXT("{\"inputs\":[{\"name\":\"x\",\"shape\":[3,3],\"datatype\":\"FP32\",\"data\":"
                "[[1.0,2.0,3.0],[4.0,5.0,6.0],[1.0,2.0,3.0]]}],\"outputs\":[{\"name\":\"y\"}]}");
    struct sample samples[] = {
        reals("FP32, random", HC_DTYPE_FP32, random_unit),
        reals("FP64, random", HC_DTYPE_FP64, random_unit),
        reals("FP32, eighths", HC_DTYPE_FP32, random_short),
        reals("FP32, whole", HC_DTYPE_FP32, random_whole),
        integers("INT64, below 1000", 1000),
        integers("INT64, below 10^18", 1000000000000000000),
        strings("BYTES, 10 long", 10),
        strings("BYTES, 1000 long", 1000),
    };
    printf("small request            %6.0f ns\n", request_ns(small, N_SMALL));
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        measure(&samples[i]);
        free(samples[i].data);
    }
    return 0;
}
