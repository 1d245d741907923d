/* Which sequences of kernels are worth keeping as graphs. */
#include "gpu.h"

static bool is_same(const struct gpu_graph_key *a, const struct gpu_graph_key *b) {
    return a->n_rows == b->n_rows && a->x == b->x && a->y == b->y;
}

struct gpu_graph *gpu_graphs_find(struct gpu_graphs *graphs, const struct gpu_graph_key *key,
                                  bool *is_new) {
    struct gpu_graph *oldest = &graphs->items[0];
    graphs->n_uses++;
    for (size_t i = 0; i < GPU_MAX_GRAPHS; i++) {
        struct gpu_graph *graph = &graphs->items[i];
        if (graph->used > 0 && is_same(&graph->key, key)) {
            graph->used = graphs->n_uses;
            *is_new = false;
            return graph;
        }
        oldest = graph->used < oldest->used ? graph : oldest;
    }
    oldest->key = *key;
    oldest->used = graphs->n_uses;
    *is_new = true;
    return oldest;
}
