/* Files of weights: NumPy's archives. */
#include "weights_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    weights_input(HC_WEIGHTS_NPZ, data, size);
    return 0;
}
