/*
 * inference.InferTensorContents: the elements of a tensor, in a list for each kind of type. Private
 * to this library.
 */
#ifndef HC_WIRE_INFER_PROTO_CONTENTS_H
#define HC_WIRE_INFER_PROTO_CONTENTS_H

#include "wire/infer_proto.h"

/* Check that the contents of INPUT are of its datatype, and find out how much room they take. */
enum hc_code hc_infer_proto_measure_contents(struct hc_infer_proto_input *input,
                                             struct hc_text model_name, struct hc_error *error);

#endif
