/* Clients' shared memory that models see: inputs that are given back, and where outputs go. */
#include <string.h>
#include <unistd.h>

#include "core/request.h"
#include "internal.h"
#include "shm/shm.h"

const struct hc_view *views_find(const struct hc_request *request, const struct hc_place *place) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_input *input = &request->inputs[i];
        const struct hc_view *view = &input->view;
        if (view->region != NULL && hc_shm_is_system(view->region) &&
            (uint32_t)view->fd == place->block && (uint32_t)getpid() == place->generation &&
            place->offset >= view->offset && place->size <= input->size &&
            place->offset - view->offset <= input->size - place->size) {
            return view;
        }
    }
    return NULL;
}

/* Where the client wants the output, if it is in system memory, and large enough. */
static const struct hc_output_place *find_destination(const struct hc_request *request,
                                                      const struct hc_output *output) {
    const struct hc_output_place *places = request->output_places;
    for (size_t i = 0; places != NULL && i < request->n_outputs; i++) {
        if (places[i].region != NULL && hc_shm_is_system(places[i].region) &&
            output->size <= places[i].size && hc_text_equal(request->outputs[i], output->name)) {
            return &places[i];
        }
    }
    return NULL;
}

const struct hc_output_place *views_find_gpu_place(const struct hc_request *request,
                                                   struct hc_text name) {
    const struct hc_output_place *places = request->output_places;
    const struct hc_model *model = request->model;
    if (places == NULL || model->caches || model->has_sequences) {
        return NULL; /* nobody wants it there, or the server has to see it */
    }
    for (size_t i = 0; i < request->n_outputs; i++) {
        if (hc_text_equal(request->outputs[i], name)) {
            bool on_gpu = places[i].region != NULL && !hc_shm_is_system(places[i].region);
            return on_gpu ? &places[i] : NULL;
        }
    }
    return NULL;
}

enum hc_code views_deliver(const struct hc_request *request, const struct hc_view *view,
                           const struct hc_place *place, struct hc_pool *pool,
                           struct hc_output *output, struct hc_error *error) {
    uint64_t offset = view->region_offset + (place->offset - view->offset);
    const struct hc_output_place *to = find_destination(request, output);
    if (to != NULL) {
        output->in_place = true;
        return hc_shm_copy(view->region, offset, to->region, to->offset, output->size, error);
    }
    char *copy = hc_pool_alloc(pool, output->size);
    output->data = copy;
    return hc_shm_read(view->region, offset, copy, output->size, error);
}
