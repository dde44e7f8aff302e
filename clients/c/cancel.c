#include "client_internal.h"

#define MAX_CALLS 16 /* under one token at a time */

struct iso_client_cancel {
    pthread_mutex_t mutex;
    bool triggered;
    grpc_call *calls[MAX_CALLS];
};

struct iso_client_cancel *iso_client_cancel_new(void)
{
    struct iso_client_cancel *cancel = iso_calloc(1, sizeof(*cancel));

    if (cancel)
        pthread_mutex_init(&cancel->mutex, NULL);
    return cancel;
}

void iso_client_cancel_free(struct iso_client_cancel *cancel)
{
    if (!cancel)
        return;
    pthread_mutex_destroy(&cancel->mutex);
    free(cancel);
}

void iso_client_cancel_trigger(struct iso_client_cancel *cancel)
{
    pthread_mutex_lock(&cancel->mutex);
    cancel->triggered = true;
    for (int i = 0; i < MAX_CALLS; i++)
        if (cancel->calls[i])
            grpc_call_cancel(cancel->calls[i], NULL);
    pthread_mutex_unlock(&cancel->mutex);
}

bool iso_client_cancel_add(struct iso_client_cancel *cancel, grpc_call *call)
{
    bool added = !cancel;

    if (!cancel)
        return added;
    pthread_mutex_lock(&cancel->mutex);
    for (int i = 0; i < MAX_CALLS && !added; i++) {
        if (cancel->calls[i])
            continue;
        cancel->calls[i] = call;
        added = true;
    }
    if (cancel->triggered)
        grpc_call_cancel(call, NULL);
    pthread_mutex_unlock(&cancel->mutex);
    return added;
}

void iso_client_cancel_remove(struct iso_client_cancel *cancel, grpc_call *call)
{
    if (!cancel)
        return;
    pthread_mutex_lock(&cancel->mutex);
    for (int i = 0; i < MAX_CALLS; i++)
        if (cancel->calls[i] == call)
            cancel->calls[i] = NULL;
    pthread_mutex_unlock(&cancel->mutex);
}
