/* grpc.reflection v1 and v1alpha, which have the same wire form. A file is sent with all files that
 * it imports, once a stream. */
#include <stdio.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server_internal.h"

#define MAX_FILES 256
#define MAX_SERVICES 64

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

static void reply_error(struct iso_call *call, reflection_response *response, const char *text)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    char message[384];

    iso_text_clean(message, sizeof(message), text);
    error.error_code = iso_status_grpc_code(ISO_E_NOT_FOUND);
    error.error_message = message;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = &error;
    iso_call_send(call, &response->base);
}

/* Marks a file and what it imports; `sent` is kept for the whole stream. */
static void collect(const struct iso_descriptor_index *index, int file, bool *sent,
                    ProtobufCBinaryData *files, size_t *n_files)
{
    int queue[MAX_FILES], n_queue = 0;
    bool queued[MAX_FILES] = {false};

    queue[n_queue++] = file;
    queued[file] = true;
    for (int i = 0; i < n_queue; i++) {
        const struct iso_descriptor_file *entry = &index->files[queue[i]];

        if (!sent[queue[i]] || i == 0)
            files[(*n_files)++] = (ProtobufCBinaryData){.len = entry->n_bytes,
                                                        .data = (uint8_t *)(uintptr_t)entry->bytes};
        sent[queue[i]] = true;
        for (size_t d = 0; d < entry->proto->n_dependency; d++) {
            int dependency = iso_descriptor_index_file(index, entry->proto->dependency[d]);

            if (dependency >= 0 && !queued[dependency]) {
                queued[dependency] = true;
                queue[n_queue++] = dependency;
            }
        }
    }
}

static void reply_files(struct iso_call *call, const struct iso_descriptor_index *index, int file,
                        reflection_response *response)
{
    Grpc__Reflection__V1__FileDescriptorResponse found =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    ProtobufCBinaryData files[MAX_FILES];
    bool *sent = iso_call_data(call);

    if (!sent) {
        sent = iso_calloc(MAX_FILES, sizeof(*sent));
        if (!sent) {
            reply_error(call, response, "no memory");
            return;
        }
        iso_call_set_data(call, sent, free);
    }
    found.file_descriptor_proto = files;
    collect(index, file, sent, files, &found.n_file_descriptor_proto);
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = &found;
    iso_call_send(call, &response->base);
}

static void reply_services(struct iso_call *call, const struct iso_descriptor_index *index,
                           const struct iso_rpc_server *server, reflection_response *response)
{
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse services[MAX_SERVICES];
    Grpc__Reflection__V1__ServiceResponse *pointers[MAX_SERVICES];
    char names[MAX_SERVICES][128];

    (void)index;
    for (int i = 0; i < server->n_slots && list.n_service < MAX_SERVICES; i++) {
        const char *path = server->slots[i].method->path + 1;
        size_t n = strcspn(path, "/"), at = list.n_service;
        bool known = false;

        for (size_t k = 0; k < at; k++)
            known = known || (strncmp(names[k], path, n) == 0 && names[k][n] == '\0');
        if (known || n >= sizeof(names[0]))
            continue;
        memcpy(names[at], path, n);
        names[at][n] = '\0';
        grpc__reflection__v1__service_response__init(&services[at]);
        services[at].name = names[at];
        pointers[at] = &services[at];
        list.n_service++;
    }
    list.service = pointers;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = &list;
    iso_call_send(call, &response->base);
}

static void answer(struct iso_call *call, const struct iso_rpc_server *server,
                   const reflection_request *request)
{
    const struct iso_descriptor_index *index = server->index;
    reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    reflection_request copy = *request;
    char text[384];
    int file;

    response.valid_host = copy.host;
    response.original_request = &copy;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        file = iso_descriptor_index_file(index, request->file_by_filename);
        snprintf(text, sizeof(text), "there is no file %.300s", request->file_by_filename);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        file = iso_descriptor_index_symbol(index, request->file_containing_symbol);
        snprintf(text, sizeof(text), "there is no symbol %.300s", request->file_containing_symbol);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        reply_services(call, index, server, &response);
        return;
    default:
        file = -1;
        snprintf(text, sizeof(text), "this contract has no extensions");
        break;
    }
    if (file < 0)
        reply_error(call, &response, text);
    else
        reply_files(call, index, file, &response);
}

static enum iso_status reflect(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const reflection_request *request = (const reflection_request *)iso_call_request(call);

    (void)reterr;
    if (request)
        answer(call, service, request);
    else
        iso_call_finish(call);
    return ISO_OK;
}

#define REFLECTION_ROW                                                         \
    .kind = ISO_RPC_BOTH_STREAM,                                               \
    .request = &grpc__reflection__v1__server_reflection_request__descriptor,   \
    .response = &grpc__reflection__v1__server_reflection_response__descriptor, \
    .default_timeout_s = 600, .handler = reflect

const struct iso_rpc_method iso_reflection_methods[] = {
    {.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
     .flags = ISO_RPC_NO_AUTH | ISO_RPC_END_ON_DRAIN,
     REFLECTION_ROW},
    {.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
     .flags = ISO_RPC_NO_AUTH | ISO_RPC_END_ON_DRAIN | ISO_RPC_SAME_WIRE,
     REFLECTION_ROW},
    {.path = NULL},
};
