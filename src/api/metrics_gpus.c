/*
 * GPUs, by NVIDIA's management library (https://docs.nvidia.com/deploy/nvml-api), which is opened
 * when it is there: its few functions are declared here as its manual has them.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/symbols.h"
#include "metrics/text.h"
#include "metrics_internal.h"

enum { NVML_SUCCESS = 0, UUID_SIZE = 96 };

typedef struct nvml_device *nvml_device;

struct nvml_utilization {
    unsigned gpu; /* percent */
    unsigned memory;
};

struct nvml_memory {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
};

struct nvml {
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *n);
    int (*handle)(unsigned index, nvml_device *device);
    int (*uuid)(nvml_device device, char *uuid, unsigned size);
    int (*name)(nvml_device device, char *name, unsigned size);
    int (*utilization)(nvml_device device, struct nvml_utilization *utilization);
    int (*memory)(nvml_device device, struct nvml_memory *memory);
    int (*power)(nvml_device device, unsigned *milliwatts);
    int (*power_limit)(nvml_device device, unsigned *milliwatts);
    int (*energy)(nvml_device device, unsigned long long *millijoules);
};

struct gpu {
    nvml_device device;
    char *labels;
    unsigned long long start_mj; /* energy that it had taken when the server started */
};

struct metrics_gpus {
    void *library;
    struct nvml nvml;
    struct gpu *gpus;
    unsigned n;
};

static bool find_functions(void *library, struct nvml *nvml) {
    const struct hc_symbol symbols[] = {
        {"nvmlInit_v2", &nvml->init},
        {"nvmlShutdown", &nvml->shutdown},
        {"nvmlDeviceGetCount_v2", &nvml->count},
        {"nvmlDeviceGetHandleByIndex_v2", &nvml->handle},
        {"nvmlDeviceGetUUID", &nvml->uuid},
        {"nvmlDeviceGetName", &nvml->name},
        {"nvmlDeviceGetUtilizationRates", &nvml->utilization},
        {"nvmlDeviceGetMemoryInfo", &nvml->memory},
        {"nvmlDeviceGetPowerUsage", &nvml->power},
        {"nvmlDeviceGetEnforcedPowerLimit", &nvml->power_limit},
        {"nvmlDeviceGetTotalEnergyConsumption", &nvml->energy},
    };
    return hc_symbols_find(library, symbols, sizeof symbols / sizeof symbols[0]) == NULL;
}

static void add_gpu(struct metrics_gpus *gpus, unsigned index) {
    struct gpu *gpu = &gpus->gpus[gpus->n];
    char uuid[UUID_SIZE] = "";
    char name[UUID_SIZE] = "";
    if (gpus->nvml.handle(index, &gpu->device) != NVML_SUCCESS ||
        gpus->nvml.uuid(gpu->device, uuid, sizeof uuid) != NVML_SUCCESS) {
        return;
    }
    gpus->nvml.name(gpu->device, name, sizeof name);
    gpus->nvml.energy(gpu->device, &gpu->start_mj);
    hc_auto_buf labels = {0};
    hc_metrics_text_label(&labels, HC_TEXT("gpu_uuid"), hc_text_of(uuid));
    gpu->labels = hc_buf_take(&labels);
    gpus->n++;
    hc_log_info("Collecting metrics for GPU %u: %s", index, name);
}

struct metrics_gpus *metrics_gpus_create(void) {
    struct metrics_gpus *gpus = hc_new(struct metrics_gpus);
    unsigned n = 0;
    gpus->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    bool usable = gpus->library != NULL && find_functions(gpus->library, &gpus->nvml) &&
                  gpus->nvml.init() == NVML_SUCCESS;
    if (!usable || gpus->nvml.count(&n) != NVML_SUCCESS || n == 0) {
        if (usable) {
            gpus->nvml.shutdown();
        }
        free(gpus); /* the library stays: unloading buys nothing */
        return NULL;
    }
    gpus->gpus = hc_alloc_array(n, sizeof *gpus->gpus);
    for (unsigned i = 0; i < n; i++) {
        add_gpu(gpus, i);
    }
    return gpus;
}

void metrics_gpus_destroy(struct metrics_gpus *gpus) {
    if (gpus == NULL) {
        return;
    }
    gpus->nvml.shutdown();
    for (unsigned i = 0; i < gpus->n; i++) {
        free(gpus->gpus[i].labels);
    }
    free(gpus->gpus);
    free(gpus);
}

/* ---- One function for each value; false when the GPU does not tell ---- */

static bool read_utilization(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    struct nvml_utilization utilization;
    bool known = nvml->utilization(gpu->device, &utilization) == NVML_SUCCESS;
    *value = known ? utilization.gpu / 100.0 : 0;
    return known;
}

static bool read_memory_total(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    struct nvml_memory memory;
    bool known = nvml->memory(gpu->device, &memory) == NVML_SUCCESS;
    *value = known ? (double)memory.total : 0;
    return known;
}

static bool read_memory_used(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    struct nvml_memory memory;
    bool known = nvml->memory(gpu->device, &memory) == NVML_SUCCESS;
    *value = known ? (double)memory.used : 0;
    return known;
}

static bool read_power(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    unsigned milliwatts = 0;
    bool known = nvml->power(gpu->device, &milliwatts) == NVML_SUCCESS;
    *value = milliwatts / 1000.0;
    return known;
}

static bool read_power_limit(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    unsigned milliwatts = 0;
    bool known = nvml->power_limit(gpu->device, &milliwatts) == NVML_SUCCESS;
    *value = milliwatts / 1000.0;
    return known;
}

static bool read_energy(const struct nvml *nvml, const struct gpu *gpu, double *value) {
    unsigned long long millijoules = 0;
    bool known = nvml->energy(gpu->device, &millijoules) == NVML_SUCCESS;
    *value = millijoules > gpu->start_mj ? (double)(millijoules - gpu->start_mj) / 1000.0 : 0;
    return known;
}

static const struct family {
    const char *name;
    const char *help;
    const char *type;
    bool (*read)(const struct nvml *nvml, const struct gpu *gpu, double *value);
} families[] = {
    {"nv_gpu_utilization", "GPU utilization rate [0.0 - 1.0)", "gauge", read_utilization},
    {"nv_gpu_memory_total_bytes", "GPU total memory, in bytes", "gauge", read_memory_total},
    {"nv_gpu_memory_used_bytes", "GPU used memory, in bytes", "gauge", read_memory_used},
    {"nv_gpu_power_usage", "GPU power usage in watts", "gauge", read_power},
    {"nv_gpu_power_limit", "GPU power management limit in watts", "gauge", read_power_limit},
    {"nv_energy_consumption", "GPU energy consumption in joules since the Triton Server started",
     "counter", read_energy},
};

void metrics_write_gpus(struct metrics_gpus *gpus, struct hc_buf *text) {
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const struct family *family = &families[i];
        hc_metrics_text_head(text, family->name, family->help, family->type);
        for (unsigned j = 0; j < gpus->n; j++) {
            const struct gpu *gpu = &gpus->gpus[j];
            double value;
            if (family->read(&gpus->nvml, gpu, &value)) {
                hc_metrics_text_value(text, family->name, hc_text_of(gpu->labels), value);
            }
        }
    }
}
