/* Files of weights: what torch.save() writes. */
#include "weights_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    weights_input(HC_WEIGHTS_TORCH, data, size);
    return 0;
}
