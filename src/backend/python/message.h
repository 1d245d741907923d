/*
 * Messages between server and pyhost: requests written, responses read and checked.
 */
#ifndef HC_BACKEND_PYTHON_MESSAGE_H
#define HC_BACKEND_PYTHON_MESSAGE_H

#include "channel/layout.h"
#include "core/arena.h"
#include "core/request.h"

/*
 * Write the message of REQUEST into a block of its model's arena; the block is the caller's. What
 * depends on the execution (next, state) is left for later.
 */
enum hc_code hc_message_write(struct hc_request *request, struct hc_block **block,
                              struct hc_error *error);

/* Write again what the message says of the states of REQUEST (core/state.h), which have changed. */
void hc_message_put_states(const struct hc_request *request);

/* The same message again, in a block of its own: for a request that is submitted anew. */
enum hc_code hc_message_copy(struct hc_arena *arena, const struct hc_block *block,
                             struct hc_block **copy, struct hc_error *error);

static inline struct hc_message_request *hc_message_of(const struct hc_arena *arena,
                                                       const struct hc_block *block) {
    return (struct hc_message_request *)(void *)hc_arena_memory(arena, block);
}

/*
 * Read the message of SIZE bytes at MEMORY, which a pyhost may be writing to at the same time, into
 * RESPONSE: everything but the data of its outputs, whose unchecked places go to *PLACES, one an
 * output. HC_INTERNAL when anything in it does not hold together.
 */
enum hc_code hc_message_read(const char *memory, size_t size, struct hc_response *response,
                             struct hc_place **places, struct hc_error *error);

/* Of a call, what is not in its request. */
struct hc_message_call_head {
    struct hc_text model_name;
    int64_t model_version; /* -1: the server's choice */
    uint64_t execution;    /* unchecked */
    bool decoupled;
    struct hc_place *places; /* unchecked: where the data of the inputs is */
};

/* The same for a call: into REQUEST, all but its model and the data of its inputs. */
enum hc_code hc_message_read_call(const char *memory, size_t size, struct hc_request *request,
                                  struct hc_message_call_head *head, struct hc_error *error);

/*
 * Write RESPONSE, data included, into a block of ARENA, which is the caller's; the message is *SIZE
 * bytes at its start. HC_UNAVAILABLE when there is no room.
 */
enum hc_code hc_message_write_response(struct hc_arena *arena, const struct hc_response *response,
                                       struct hc_block **block, size_t *size,
                                       struct hc_error *error);

#endif
