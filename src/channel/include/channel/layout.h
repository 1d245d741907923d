/*
 * The channel's layout: what the server and a pyhost find in the memory that they share.
 *
 * A pyhost's *channel file* holds a header and one *link* for each loop of the server. A link is
 * three rings:
 *
 *     work    server -> pyhost   executions; read by the pyhost's main thread between executes
 *     events  server -> pyhost   releases of response blocks, responses to calls; read whenever the
 *                                pyhost likes
 *     replies pyhost -> server   responses, releases of request blocks, ends of executions, calls
 *
 * A *call* is a request that a model makes to another one. While a thread runs an execution, its
 * calls go over the execution's link; all others go over the last link, that of the server's
 * control loop, which always listens.
 *
 * Tensors and messages lie in *arenas* (memory files of their own): the *request arena* of the
 * model, in which the server allocates, and the *response arena* of this life of this pyhost, in
 * which the pyhost allocates. A *place* names bytes in one of them.
 *
 * The server believes nothing that it reads here: a message is copied out once, then checked. The
 * pyhost believes the server.
 *
 * Both are built from one source tree and version; the version in the header guards against a mix.
 */
#ifndef HC_CHANNEL_LAYOUT_H
#define HC_CHANNEL_LAYOUT_H

#include "channel/ring.h"

#define HC_CHANNEL_MAGIC   UINT64_C(0x6c656e6e61686368) /* "hchannel" */
#define HC_CHANNEL_VERSION 8

enum {
    HC_MAX_LINKS = 64,
    HC_WORK_CAPACITY = 512,
    HC_EVENTS_CAPACITY = 512,
    HC_REPLIES_CAPACITY = 512,
};

enum hc_arena_id {
    HC_ARENA_NONE,
    HC_ARENA_REQUEST,
    HC_ARENA_RESPONSE,
    /* A client's shared memory: `block` is the server's descriptor of it, `generation` the server's
     * process id. In inputs, for as long as their request is unanswered, and in its outputs. */
    HC_ARENA_CLIENT,
    /* A client's region of a GPU's memory, from whose start `offset` counts: `block` is where in
     * the message its struct hc_message_region is. In inputs, and where outputs may go; an output
     * that has gone there says so by its arena alone. */
    HC_ARENA_GPU,
};

struct hc_link_shared_offsets {
    uint64_t work;
    uint64_t events;
    uint64_t replies;
};

struct hc_channel_header {
    uint64_t magic;
    uint32_t version;
    uint32_t n_links;
    uint64_t request_arena_size;
    uint64_t response_arena_size;
    struct hc_link_shared_offsets links[HC_MAX_LINKS];
    /* 1: the pyhost's main thread sleeps in a futex on this word (channel/bell.h). */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t bell;
    /* 1: one of this pyhost's threads holds a seat on the spin board (channel/spin.h). */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t spinning;
    /* The core that the pyhost's main thread was on when it took its latest work. */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t core;
    /* For those who wait for an event (channel/bell.h): counts responses to calls, and ends of
     * pauses. */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t event_count;
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t n_event_waiters; /* threads asleep on event_count */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t event_fd_armed;  /* 1: write to the event descriptor */
};

/* Bytes that ring entries and messages refer to. */
struct hc_place {
    uint64_t offset; /* from the start of the arena */
    uint64_t size;
    uint32_t arena; /* enum hc_arena_id */
    uint32_t block; /* that the bytes lie in, and its generation (channel/blocks.h) */
    uint32_t generation;
    uint32_t reserved;
};

static_assert(sizeof(struct hc_place) == 32, "shared layout");

/* Kinds of entries in a work ring. */
enum hc_work_kind {
    /* Run the requests whose messages are chained from `offset` (request arena); the first of them
     * tells how many (enum hc_message_state). `handle` names the execution. */
    HC_WORK_EXECUTE = 1,
    /* Call finalize and end. */
    HC_WORK_STOP = 2,
};

/* Kinds of entries in an events ring. */
enum hc_event_kind {
    /* The server no longer reads the response block `block`, `generation`. */
    HC_EVENT_RELEASE = 1,
    /* A response to the call `handle`: its message is `size` bytes at `offset` of the request arena
     * in `block`, `generation`, released by HC_REPLY_RELEASE. Size 0: no response, flags only. */
    HC_EVENT_RESPONSE = 2,
};

/* Kinds of entries in a replies ring. */
enum hc_reply_kind {
    /* A response to request `handle`; its message is `size` bytes at `offset` of the response arena
     * in `block`, `generation`. Size 0: no response, flags only. */
    HC_REPLY_RESPONSE = 1,
    /* Execution `handle` has returned from model code; start_ns and end_ns say when it ran. Sent
     * on the link that submitted it, after the responses that execute returned. */
    HC_REPLY_EXECUTED = 2,
    /* Python let go of the request block `block`, `generation`. Rings no bell. */
    HC_REPLY_RELEASE = 3,
    /* Execution `handle` was withdrawn by the server before it started; nothing of it is held. */
    HC_REPLY_SKIPPED = 4,
    /* The model asks another one: the struct hc_message_call is `size` bytes at `offset` of the
     * response arena in `block`, `generation`, released when the server has copied its inputs.
     * `handle` names the call. */
    HC_REPLY_CALL = 5,
    /* Nobody waits for the responses to the call `handle` any more; its last one still comes. */
    HC_REPLY_CALL_CANCEL = 6,
};

/* Flags of replies, and of HC_EVENT_RESPONSE. */
enum hc_reply_flags {
    HC_REPLY_FINAL = 1,      /* no more responses for this request */
    HC_REPLY_RESCHEDULE = 2, /* no response: the request wants to run again */
};

/* Offset and size of bytes within a message, from its start. */
struct hc_span {
    uint32_t offset;
    uint32_t size;
};

/*
 * Life of an execution: `state` of its first message, written with compare-and-swap by both sides.
 * While it is queued the server may make the chain longer, or withdraw it; the pyhost runs as many
 * messages as the state says when it takes it, which HC_MESSAGE_N_REQUESTS() tells.
 */
enum hc_message_state {
    HC_MESSAGE_QUEUED,    /* plus the number of requests */
    HC_MESSAGE_STARTED,   /* the pyhost runs it */
    HC_MESSAGE_WITHDRAWN, /* the server took it back; the pyhost answers HC_REPLY_SKIPPED */
    HC_MESSAGE_STATE_MASK,
};

#define HC_MESSAGE_QUEUED_WITH(n_requests) ((uint32_t)(n_requests) << 2 | HC_MESSAGE_QUEUED)
#define HC_MESSAGE_N_REQUESTS(state)       ((state) >> 2)

enum hc_correlation_kind { HC_CORRELATION_NUMBER, HC_CORRELATION_STRING };

/* A tensor's description within a request or response message. */
struct hc_message_tensor {
    struct hc_span name;
    uint32_t dtype; /* enum hc_dtype */
    uint32_t n_dims;
    uint32_t dims_offset; /* int64 each, from the start of the message, aligned to 8 */
    uint32_t reserved;
    struct hc_place data; /* in BYTES encoding for strings */
};

static_assert(sizeof(struct hc_message_tensor) == 56, "shared layout");

/* How a client's region of a GPU's memory is opened. */
struct hc_message_region {
    uint64_t id;       /* no other region's */
    char gpu_uuid[16]; /* processes may number GPUs as they like */
    char handle[64];   /* cudaIpcMemHandle_t */
    uint32_t server;   /* process id, and its descriptor of a pipe that ends with the region; */
    uint32_t witness;  /* open for as long as the request is unanswered */
};

static_assert(sizeof(struct hc_message_region) == 96, "shared layout");

/* Where a client wants an output. */
struct hc_message_output_place {
    uint32_t output; /* index among the requested ones */
    uint32_t reserved;
    struct hc_place place; /* HC_ARENA_GPU */
};

static_assert(sizeof(struct hc_message_output_place) == 40, "shared layout");

/* A request as the pyhost sees it, in the request arena; written by the server. */
struct hc_message_request {
    uint32_t size; /* of the whole message */
    uint32_t n_inputs;
    uint32_t inputs_offset;  /* struct hc_message_tensor each */
    uint32_t n_outputs;      /* requested outputs */
    uint32_t outputs_offset; /* struct hc_span each: the names */
    uint32_t loop;           /* index of the link that takes the replies */
    uint32_t n_places;
    uint32_t places_offset; /* struct hc_message_output_place each, for some of the outputs */
    uint64_t handle;
    uint64_t
        next; /* offset of the next message of the same execution in the request arena; 0: none */
    uint64_t correlation_number;
    uint64_t timeout_us;
    uint64_t priority;
    uint32_t flags; /* sequence start 1, end 2 */
    uint32_t correlation_kind;
    struct hc_span correlation_string;
    struct hc_span id;
    struct hc_span parameters; /* JSON object, or empty */
    struct hc_place block;     /* of this message; its release lets go of all inputs as well */
    _Alignas(8) _Atomic uint32_t state;     /* enum hc_message_state; of a chain's first message */
    _Alignas(8) _Atomic uint32_t cancelled; /* 1: nobody waits for the answer any more */
    _Alignas(8) _Atomic uint32_t paused;    /* 1: its client does not take what it is sent */
    uint64_t start_ns; /* when its execution began; written and read by the pyhost alone */
};

/* A response, in the response arena; written by the pyhost. */
struct hc_message_response {
    uint32_t size; /* of the whole message, without tensor data */
    uint32_t code; /* enum hc_code; HC_OK: outputs, else: message */
    struct hc_span message;
    struct hc_span parameters; /* JSON object, or empty */
    uint32_t n_outputs;
    uint32_t outputs_offset; /* struct hc_message_tensor each */
};

/* A request that a model makes, in the response arena; written by the pyhost. */
struct hc_message_call {
    uint32_t size; /* of the whole message, without tensor data */
    uint32_t n_inputs;
    uint32_t inputs_offset; /* struct hc_message_tensor each */
    uint32_t n_outputs;
    uint32_t outputs_offset; /* struct hc_span each: the names */
    uint32_t flags;          /* sequence start 1, end 2 */
    uint64_t execution;      /* that waits for the answer; 0: none does */
    int64_t model_version;   /* -1: the server's choice */
    uint64_t correlation_number;
    uint64_t timeout_us;
    struct hc_span correlation_string; /* empty: the number counts */
    struct hc_span id;
    struct hc_span model_name;
    struct hc_span parameters; /* JSON object, or empty */
    uint32_t decoupled;        /* 1: any number of responses is welcome */
    uint32_t reserved;
};

/* Longest message that the server accepts from a pyhost, tensor data not counted. */
enum { HC_MESSAGE_RESPONSE_MAX = 1 << 20 };

#endif
