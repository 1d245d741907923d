/*
 * Calls of small messages, built by protobuf-c: a method's function is given each request as a
 * whole and answers at once, or later.
 */
#ifndef HC_GRPC_UNARY_H
#define HC_GRPC_UNARY_H

#include <protobuf-c/protobuf-c.h>

#include "call.h"

extern const struct grpc_kind grpc_unary;    /* one message, and an answer, or several */
extern const struct grpc_kind grpc_streamed; /* any number; ends when the client's have ended */

/*
 * What a call waits for. `call` is NULL once the call has ended; on_abandoned (may be NULL) is
 * called when that happens.
 */
struct grpc_job {
    struct grpc_call *call;
    void (*on_abandoned)(struct grpc_job *job);
};
void grpc_await(struct grpc_call *call, struct grpc_job *job);
void grpc_job_done(struct grpc_job *job);

/* Answer with a message and end the call. */
void grpc_answer(struct grpc_call *call, const ProtobufCMessage *message);

/* Send a message; the call goes on. */
void grpc_send_message(struct grpc_call *call, const ProtobufCMessage *message);

/* unpack.c: unpack a request of TYPE; NULL with the error that malformed ones are answered with. */
void *grpc_unpack(const ProtobufCMessageDescriptor *type, struct hc_text message,
                  struct hc_error *error);

/* unpack.c: the same for a request in which nothing is of interest. */
enum hc_code grpc_check(const ProtobufCMessageDescriptor *type, struct hc_text message,
                        struct hc_error *error);

static inline void grpc_release_message(void *place) {
    ProtobufCMessage *message = *(ProtobufCMessage **)place;
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

/* Declares a variable that is released when it goes out of scope. */
#define GRPC_AUTO __attribute__((cleanup(grpc_release_message)))

/* ---- Methods ---- */

enum hc_code grpc_server_live(struct grpc_call *call, struct hc_text message,
                              struct hc_error *error);
enum hc_code grpc_server_ready(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error);
enum hc_code grpc_model_ready(struct grpc_call *call, struct hc_text message,
                              struct hc_error *error);
enum hc_code grpc_health_watch(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error);
enum hc_code grpc_health_check(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error);
enum hc_code grpc_server_metadata(struct grpc_call *call, struct hc_text message,
                                  struct hc_error *error);
enum hc_code grpc_model_metadata(struct grpc_call *call, struct hc_text message,
                                 struct hc_error *error);
enum hc_code grpc_model_config(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error);
enum hc_code grpc_model_statistics(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error);
enum hc_code grpc_repository_index(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error);
enum hc_code grpc_repository_load(struct grpc_call *call, struct hc_text message,
                                  struct hc_error *error);
enum hc_code grpc_repository_unload(struct grpc_call *call, struct hc_text message,
                                    struct hc_error *error);
enum hc_code grpc_list_system_memory(struct grpc_call *call, struct hc_text message,
                                     struct hc_error *error);
enum hc_code grpc_register_system_memory(struct grpc_call *call, struct hc_text message,
                                         struct hc_error *error);
enum hc_code grpc_unregister_system_memory(struct grpc_call *call, struct hc_text message,
                                           struct hc_error *error);
enum hc_code grpc_list_cuda_memory(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error);
enum hc_code grpc_register_cuda_memory(struct grpc_call *call, struct hc_text message,
                                       struct hc_error *error);
enum hc_code grpc_unregister_cuda_memory(struct grpc_call *call, struct hc_text message,
                                         struct hc_error *error);
enum hc_code grpc_log_settings(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error);
enum hc_code grpc_trace_setting(struct grpc_call *call, struct hc_text message,
                                struct hc_error *error);
enum hc_code grpc_reflection(struct grpc_call *call, struct hc_text message,
                             struct hc_error *error);

#endif
