/* ModelInfer: a call of one inference. */
#include "infer.h"

struct model_infer {
    struct grpc_call call;
    struct grpc_infer infer;
    bool begun;
};

static struct model_infer *model_infer_of(struct grpc_call *call) {
    return (struct model_infer *)call;
}

static void answer(struct model_infer *this, struct hc_response *response) {
    struct grpc_call *call = &this->call;
    struct hc_error error;
    if (response == NULL) {
        grpc_call_end(call, HC_INTERNAL, HC_TEXT("the model gave no response"));
    } else if (response->code != HC_OK) {
        grpc_call_end(call, response->code, response->message);
        hc_response_release(response);
    } else if (grpc_infer_respond(&this->infer, call, response, &error) != HC_OK) {
        grpc_call_fail(call, &error);
    } else {
        grpc_call_end(call, HC_OK, (struct hc_text){0});
    }
}

static void free_call(struct model_infer *this) {
    if (this->begun) {
        grpc_infer_finish(&this->infer);
    }
    grpc_call_free(&this->call);
}

static void on_answer(struct grpc_infer *infer, struct hc_response *response, bool final) {
    struct model_infer *this = infer->user;
    if (!final) {
        hc_response_release(response); /* models that answer several times are refused before */
    } else if (this->call.stream != NULL) {
        answer(this, response);
    } else {
        hc_response_release(response);
        free_call(this);
    }
}

static enum hc_code on_begin(struct grpc_call *call, size_t size, struct hc_error *error) {
    struct model_infer *this = model_infer_of(call);
    if (this->begun) {
        return hc_error_set(error, HC_INTERNAL, "the call takes one message, and got more");
    }
    this->begun = true;
    grpc_infer_begin(&this->infer, call->context, size, on_answer, this);
    return HC_OK;
}

static enum hc_code on_bytes(struct grpc_call *call, struct hc_text bytes, struct hc_error *error) {
    return grpc_infer_take(&model_infer_of(call)->infer, bytes, error);
}

static enum hc_code on_message(struct grpc_call *call, struct hc_error *error) {
    struct grpc_infer *infer = &model_infer_of(call)->infer;
    HC_TRY(grpc_infer_read(infer, error));
    HC_TRY(grpc_infer_find_model(infer, error));
    if (infer->request->model->decoupled) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "ModelInfer RPC doesn't support models with decoupled transaction "
                            "policy");
    }
    return grpc_infer_run(infer, call, error);
}

static enum hc_code on_end(struct grpc_call *call, struct hc_error *error) {
    return model_infer_of(call)->begun
               ? HC_OK
               : hc_error_set(error, HC_INTERNAL, "the call takes one message, and got none");
}

static void on_ended(struct grpc_call *call) {
    struct model_infer *this = model_infer_of(call);
    if (this->begun && this->infer.running) {
        grpc_infer_cancel(&this->infer);
    } else {
        free_call(this);
    }
}

const struct grpc_kind grpc_model_infer = {
    .size = sizeof(struct model_infer),
    .only_message = true,
    .compresses = true,
    .on_begin = on_begin,
    .on_bytes = on_bytes,
    .on_message = on_message,
    .on_end = on_end,
    .on_ended = on_ended,
};
