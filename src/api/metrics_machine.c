/* Processors and memory of the machine, from /proc. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "metrics/text.h"
#include "metrics_internal.h"

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks. */
static bool read_ticks(uint64_t *busy, uint64_t *total) {
    uint64_t ticks[8] = {0};
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return false;
    }
    int n = fscanf(file,
                   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                   " %" SCNu64 " %" SCNu64,
                   &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6],
                   &ticks[7]);
    fclose(file);
    *total = 0;
    for (size_t i = 0; i < 8; i++) {
        *total += ticks[i];
    }
    *busy = *total - ticks[3] - ticks[4];
    return n >= 4;
}

/* Since the last measurement, which is renewed when it is older than the interval. */
static void measure(struct metrics_machine *machine) {
    uint64_t now_ns = hc_clock_ns();
    uint64_t busy;
    uint64_t total;
    bool due = machine->measured_ns == 0 || now_ns - machine->measured_ns >= machine->interval_ns;
    if (!due || !read_ticks(&busy, &total)) {
        return;
    }
    if (machine->measured_ns != 0 && total > machine->total_ticks) {
        machine->utilization =
            (double)(busy - machine->busy_ticks) / (double)(total - machine->total_ticks);
    }
    machine->measured_ns = now_ns;
    machine->busy_ticks = busy;
    machine->total_ticks = total;
}

static uint64_t read_meminfo(const char *line, const char *name, uint64_t before) {
    size_t size = strlen(name);
    uint64_t kib;
    bool found = strncmp(line, name, size) == 0 && sscanf(line + size, ": %" SCNu64, &kib) == 1;
    return found ? kib * 1024 : before;
}

static void read_memory(uint64_t *total, uint64_t *available) {
    char line[256];
    FILE *file = fopen("/proc/meminfo", "re");
    *total = 0;
    *available = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        *total = read_meminfo(line, "MemTotal", *total);
        *available = read_meminfo(line, "MemAvailable", *available);
    }
    if (file != NULL) {
        fclose(file);
    }
}

void metrics_write_machine(struct metrics_machine *machine, struct hc_buf *text) {
    const struct hc_text none = {0};
    uint64_t total;
    uint64_t available;
    measure(machine);
    read_memory(&total, &available);
    hc_metrics_text_head(text, "nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]", "gauge");
    hc_metrics_text_value(text, "nv_cpu_utilization", none, machine->utilization);
    hc_metrics_text_head(text, "nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes",
                         "gauge");
    hc_metrics_text_count(text, "nv_cpu_memory_total_bytes", none, total);
    hc_metrics_text_head(text, "nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes",
                         "gauge");
    hc_metrics_text_count(text, "nv_cpu_memory_used_bytes", none, total - available);
}
