/*
 * Packing tensors into a message in the response arena: the outputs of a response, the inputs of a
 * call.
 *
 * Tensors are copied behind the message, in the same block; but large ones stay where they are when
 * that is allowed and they lie in shared memory already: born in the response arena, or an input
 * that is passed on; and those in a GPU's memory go to the client's at once when it wants them
 * there. Steps: begin with a zeroed struct and the size of the fixed part, add tensors and texts,
 * hc_pack_begin(), write the texts in the order in which they were added, hc_pack_end().
 */
#ifndef HC_PYHOST_PACK_H
#define HC_PYHOST_PACK_H

#include "end.h"
#include "py.h"
#include "tensor.h"

enum hc_pack_place {
    HC_PACK_COPY,     /* always copied */
    HC_PACK_OWNED,    /* in place if nobody else can reach it: the list of tensors is ours alone */
    HC_PACK_IN_PLACE, /* in place if it lies in shared memory: nobody writes to it meanwhile */
};

struct hc_packed;

struct hc_pack {
    struct hc_packed *items;
    size_t n_items;
    size_t capacity;
    const struct hc_message_request *request; /* that is answered; NULL: none */
    size_t head_size;                         /* of the message itself, so far */
    size_t data_size;                         /* of what is copied behind it */
    struct hc_block *block;
    char *base;    /* of the block */
    size_t offset; /* where the next part of the message goes */
};

/* A message whose fixed part takes HEAD_SIZE bytes, for at most N_TENSORS tensors. */
void hc_pack_init(struct hc_pack *pack, size_t head_size, size_t n_tensors);
void hc_pack_finish(struct hc_pack *pack);

/* NAME (bytes object) is what the tensor is called. */
bool hc_pack_add_tensor(struct hc_pack *pack, PyObject *tensor, PyObject *name,
                        enum hc_pack_place place);
void hc_pack_add_text(struct hc_pack *pack, struct hc_text text);

/* N items of ITEM_SIZE bytes, a multiple of 8, right behind the fixed part. */
void hc_pack_add_array(struct hc_pack *pack, size_t n, size_t item_size);

/*
 * Allocate the block; the fixed part and the arrays are the caller's to fill in. The descriptions
 * of the tensors begin at *TENSORS_OFFSET, arrays behind them. False with an exception set.
 */
bool hc_pack_begin(struct hc_pack *pack, size_t fixed_size, uint32_t *tensors_offset);

struct hc_span hc_pack_text(struct hc_pack *pack, struct hc_text text);

/*
 * Write the tensors, and leave with the block what must live until the server releases it
 * (hc_calls_drain() lets go of it). False with an exception set, and without the block.
 */
bool hc_pack_end(struct hc_pack *pack, uint32_t tensors_offset);

/* What hc_pack_end() left with a block; needs the GIL. */
void hc_pack_release(struct hc_block *block);

/* Once: where blocks come from. */
void hc_pack_prepare(struct hc_end *end);

#endif
