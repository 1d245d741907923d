/*
 * Server reflection: the services and their messages, as protoc describes them, so that clients
 * need no files. The descriptors are linked in, one google.protobuf.FileDescriptorSet.
 */
#include <stdlib.h>

#include "reflection.pb-c.h"
#include "unary.h"
#include "wire/proto.h"

__asm__(".section .rodata\n"
        ".globl grpc_descriptors, grpc_descriptors_end\n"
        ".hidden grpc_descriptors, grpc_descriptors_end\n"
        "grpc_descriptors:\n"
        ".incbin \"" GRPC_DESCRIPTORS "\"\n"
        "grpc_descriptors_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const char grpc_descriptors[];
extern const char grpc_descriptors_end[];

/* Numbers of fields in google/protobuf/descriptor.proto. */
enum { SET_FILE = 1 };
enum {
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_DEPENDENCY = 3,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6
};
enum { ANY_NAME = 1, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, SERVICE_METHOD = 2 };

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

/* ---- Descriptors ---- */

static struct hc_text all_files(void) {
    return (struct hc_text){grpc_descriptors, (size_t)(grpc_descriptors_end - grpc_descriptors)};
}

/* The next field called ID; its bytes. */
static bool next_bytes(struct hc_proto_reader *reader, uint32_t id, struct hc_text *bytes) {
    struct hc_proto_field field;
    while (hc_proto_next(reader, &field)) {
        if (field.id == id && field.type == HC_PROTO_BYTES) {
            *bytes = field.bytes;
            return true;
        }
    }
    return false;
}

static struct hc_text first_bytes(struct hc_text message, uint32_t id) {
    struct hc_proto_reader reader = {message, false};
    struct hc_text bytes = {0};
    next_bytes(&reader, id, &bytes);
    return bytes;
}

/* Take NAME and what follows it, nothing or a dot, off SYMBOL. */
static bool take_name(struct hc_text *symbol, struct hc_text name) {
    bool fits = symbol->size >= name.size && memcmp(symbol->data, name.data, name.size) == 0 &&
                (symbol->size == name.size || symbol->data[name.size] == '.');
    if (fits) {
        size_t used = symbol->size == name.size ? name.size : name.size + 1;
        *symbol = (struct hc_text){symbol->data + used, symbol->size - used};
    }
    return fits;
}

/* Whether SYMBOL is in MESSAGE, among its fields called ID: one of them, or inside one. */
static bool has_symbol(struct hc_text message, uint32_t id, struct hc_text symbol) {
    struct hc_proto_reader reader = {message, false};
    struct hc_text item;
    while (next_bytes(&reader, id, &item)) {
        struct hc_text rest = symbol;
        if (!take_name(&rest, first_bytes(item, ANY_NAME))) {
            continue;
        }
        if (rest.size == 0 || (id == FILE_SERVICE && has_symbol(item, SERVICE_METHOD, rest)) ||
            (id != FILE_SERVICE &&
             (has_symbol(item, MESSAGE_NESTED, rest) || has_symbol(item, MESSAGE_ENUM, rest)))) {
            return true;
        }
    }
    return false;
}

static bool file_has_symbol(struct hc_text file, struct hc_text symbol) {
    return take_name(&symbol, first_bytes(file, FILE_PACKAGE)) &&
           (has_symbol(file, FILE_MESSAGE, symbol) || has_symbol(file, FILE_ENUM, symbol) ||
            has_symbol(file, FILE_SERVICE, symbol));
}

static bool file_has_name(struct hc_text file, struct hc_text name) {
    return hc_text_equal(first_bytes(file, FILE_NAME), name);
}

static bool find_file(bool (*fits)(struct hc_text file, struct hc_text key), const char *key,
                      struct hc_text *file) {
    struct hc_proto_reader reader = {all_files(), false};
    while (next_bytes(&reader, SET_FILE, file)) {
        if (fits(*file, hc_text_of(key))) {
            return true;
        }
    }
    return false;
}

/* ---- Answers ---- */

static void send_response(struct grpc_call *call, reflection_request *request,
                          reflection_response *response) {
    response->valid_host = request->host;
    response->original_request = request;
    grpc_send_message(call, &response->base);
}

static void send_error(struct grpc_call *call, reflection_request *request, enum hc_code code,
                       const char *message) {
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    error.error_code = (int32_t)code;
    error.error_message = (char *)message;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response.error_response = &error;
    send_response(call, request, &response);
}

/* The file and what it imports, which is one file at most. */
static void send_file(struct grpc_call *call, reflection_request *request, struct hc_text file) {
    ProtobufCBinaryData files[2] = {{file.size, (uint8_t *)file.data}};
    size_t n_files = 1;
    struct hc_text import = first_bytes(file, FILE_DEPENDENCY);
    char *import_name = hc_pool_copy(grpc_call_pool(call), import);
    struct hc_text imported;
    if (import.size > 0 && find_file(file_has_name, import_name, &imported)) {
        files[n_files++] = (ProtobufCBinaryData){imported.size, (uint8_t *)imported.data};
    }
    Grpc__Reflection__V1__FileDescriptorResponse descriptors =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    descriptors.file_descriptor_proto = files;
    descriptors.n_file_descriptor_proto = n_files;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response.file_descriptor_response = &descriptors;
    send_response(call, request, &response);
}

static void send_services(struct grpc_call *call, reflection_request *request) {
    typedef Grpc__Reflection__V1__ServiceResponse service_response;
    enum { MAX_SERVICES = 8 };
    service_response services[MAX_SERVICES];
    service_response *places[MAX_SERVICES];
    size_t n = 0;
    const char *name;
    while (n < MAX_SERVICES && (name = grpc_method_service(n)) != NULL) {
        services[n] = (service_response)GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
        services[n].name = (char *)name;
        places[n] = &services[n];
        n++;
    }
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    list.service = places;
    list.n_service = n;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response.list_services_response = &list;
    send_response(call, request, &response);
}

static void answer(struct grpc_call *call, reflection_request *request) {
    struct hc_text file;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        send_services(call, request);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        if (find_file(file_has_name, request->file_by_filename, &file)) {
            send_file(call, request, file);
            return;
        }
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        if (find_file(file_has_symbol, request->file_containing_symbol, &file)) {
            send_file(call, request, file);
            return;
        }
        break;
    default:
        break;
    }
    send_error(call, request, HC_NOT_FOUND, "there is no such thing here");
}

enum hc_code grpc_reflection(struct grpc_call *call, struct hc_text message,
                             struct hc_error *error) {
    GRPC_AUTO reflection_request *request =
        grpc_unpack(&grpc__reflection__v1__server_reflection_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    answer(call, request);
    return HC_OK;
}
