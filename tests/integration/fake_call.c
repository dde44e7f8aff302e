#include "fake_call.h"

#include <pthread.h>
#include <stdio.h>

struct iso_call {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int n_references;
    struct iso_principal principal;
    struct iso_arena *arena;
    struct iso_violations violations;
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response;
    ProtobufCMessage *answer;
    int n_messages;
    struct iso_error error;
    bool ended, cancelled;
    void *data;
    void (*destroy)(void *data);
};

static const char *tenant_of_new_calls = "default";

void fake_call_set_tenant(const char *tenant)
{
    tenant_of_new_calls = tenant;
}

struct iso_call *fake_call_new(const ProtobufCMessageDescriptor *response)
{
    struct iso_call *call = calloc(1, sizeof(*call));

    pthread_mutex_init(&call->mutex, NULL);
    pthread_cond_init(&call->changed, NULL);
    call->n_references = 1;
    call->principal = (struct iso_principal){"", "default", "tester", ISO_ROLE_ADMIN};
    snprintf(call->principal.tenant, sizeof(call->principal.tenant), "%s", tenant_of_new_calls);
    call->arena = iso_arena_new(64u << 20);
    call->violations.arena = call->arena;
    call->response = response;
    return call;
}

struct iso_call *iso_call_ref(struct iso_call *call)
{
    pthread_mutex_lock(&call->mutex);
    call->n_references++;
    pthread_mutex_unlock(&call->mutex);
    return call;
}

void iso_call_unref(struct iso_call *call)
{
    bool last;

    pthread_mutex_lock(&call->mutex);
    last = --call->n_references == 0;
    pthread_mutex_unlock(&call->mutex);
    if (!last)
        return;
    if (call->destroy)
        call->destroy(call->data);
    if (call->answer)
        protobuf_c_message_free_unpacked(call->answer, NULL);
    iso_arena_free(call->arena);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->mutex);
    free(call);
}

void fake_call_set_request(struct iso_call *call, const ProtobufCMessage *request)
{
    call->request = request;
}

const ProtobufCMessage *iso_call_request(const struct iso_call *call)
{
    return call->request;
}

const struct iso_principal *iso_call_principal(const struct iso_call *call)
{
    return &call->principal;
}

const char *iso_call_id(const struct iso_call *call)
{
    (void)call;
    return "call-1";
}

struct iso_arena *iso_call_arena(struct iso_call *call)
{
    return call->arena;
}

void iso_call_set_data(struct iso_call *call, void *data, void (*destroy)(void *data))
{
    call->data = data;
    call->destroy = destroy;
}

void *iso_call_data(const struct iso_call *call)
{
    return call->data;
}

bool iso_call_cancelled(const struct iso_call *call)
{
    struct iso_call *locked = (struct iso_call *)call;

    pthread_mutex_lock(&locked->mutex);
    bool cancelled = locked->cancelled;
    pthread_mutex_unlock(&locked->mutex);
    return cancelled;
}

void fake_call_cancel(struct iso_call *call)
{
    pthread_mutex_lock(&call->mutex);
    call->cancelled = true;
    pthread_mutex_unlock(&call->mutex);
}

static void keep(struct iso_call *call, const ProtobufCMessage *message, bool end)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = malloc(n_bytes + 1);

    protobuf_c_message_pack(message, bytes);
    pthread_mutex_lock(&call->mutex);
    if (call->answer)
        protobuf_c_message_free_unpacked(call->answer, NULL);
    call->answer = protobuf_c_message_unpack(call->response, NULL, n_bytes, bytes);
    call->n_messages++;
    call->ended |= end;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
    free(bytes);
}

void iso_call_reply(struct iso_call *call, const ProtobufCMessage *message)
{
    keep(call, message, true);
}

void iso_call_send(struct iso_call *call, const ProtobufCMessage *message)
{
    keep(call, message, false);
}

void iso_call_send_newest(struct iso_call *call, const ProtobufCMessage *message)
{
    keep(call, message, false);
}

static void end(struct iso_call *call, const struct iso_error *error)
{
    pthread_mutex_lock(&call->mutex);
    if (error)
        call->error = *error;
    call->ended = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
}

void iso_call_finish(struct iso_call *call)
{
    end(call, NULL);
}

void iso_call_fail(struct iso_call *call, const struct iso_error *error)
{
    end(call, error);
}

void fake_call_wait(struct iso_call *call)
{
    pthread_mutex_lock(&call->mutex);
    while (!call->ended)
        pthread_cond_wait(&call->changed, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
}

ProtobufCMessage *fake_call_answer(struct iso_call *call)
{
    return call->answer;
}

const struct iso_error *fake_call_error(struct iso_call *call)
{
    return &call->error;
}

int fake_call_n_messages(struct iso_call *call)
{
    return call->n_messages;
}
