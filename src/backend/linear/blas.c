/* BLAS for large batches: opened at run time. */
#include "blas.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"

/* From the cblas.h that all implementations share. */
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

typedef void cblas_sgemm_fn(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c,
                            int ldc);
typedef void cblas_dgemm_fn(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                            const double *a, int lda, const double *b, int ldb, double beta,
                            double *c, int ldc);
typedef void set_num_threads_fn(int n);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static cblas_sgemm_fn *sgemm; /* NULL: there is none */
static cblas_dgemm_fn *dgemm;

static void open_blas(void) {
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        hc_log_info("OpenBLAS is not there: large batches go to the server's own kernels");
        return;
    }
    set_num_threads_fn *set_num_threads =
        (set_num_threads_fn *)dlsym(library, "openblas_set_num_threads");
    if (set_num_threads != NULL) {
        set_num_threads(1);
        sgemm = (cblas_sgemm_fn *)dlsym(library, "cblas_sgemm");
        dgemm = (cblas_dgemm_fn *)dlsym(library, "cblas_dgemm");
    }
}

/*
 * From where on it beats the kernels with AVX2, as bench/micro/linear.c measures it: layers so
 * large that nothing of them stays in the caches.
 */
enum { LEAST_ROWS = 16, LEAST_WEIGHTS = 1 << 22 };

static bool is_large(const struct layer *layer) {
    return (layer->dtype == HC_DTYPE_FP32 || layer->dtype == HC_DTYPE_FP64) &&
           layer->n_in * layer->n_out >= LEAST_WEIGHTS && layer->n_in <= INT_MAX &&
           layer->n_out <= INT_MAX;
}

#define RUN_GEMM(gemm, real)                                                                       \
    do {                                                                                           \
        const int m = (int)n_rows;                                                                 \
        const int n = (int)layer->n_out;                                                           \
        const int k = (int)layer->n_in;                                                            \
        real *out = y;                                                                             \
        for (size_t i = 0; i < n_rows && layer->bias != NULL; i++) {                               \
            memcpy(out + i * layer->n_out, layer->bias, layer->n_out * sizeof(real));              \
        }                                                                                          \
        gemm(ROW_MAJOR, NO_TRANS, TRANS, m, n, k, 1, x, k, layer->weights, k, layer->bias != NULL, \
             out, n);                                                                              \
        for (size_t i = 0; layer->relu && i < n_rows * layer->n_out; i++) {                        \
            out[i] = out[i] < 0 ? 0 : out[i];                                                      \
        }                                                                                          \
    } while (0)

bool blas_linear(const struct layer *layer, const void *x, size_t n_rows, void *y) {
    if (n_rows < LEAST_ROWS || n_rows > INT_MAX || !is_large(layer)) {
        return false;
    }
    pthread_once(&once, open_blas);
    if (sgemm == NULL || dgemm == NULL) {
        return false;
    }
    if (layer->dtype == HC_DTYPE_FP64) {
        RUN_GEMM(dgemm, double);
    } else {
        RUN_GEMM(sgemm, float);
    }
    return true;
}
