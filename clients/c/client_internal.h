/* Parts of the client library. */
#ifndef ISOCOST_CLIENT_INTERNAL_H
#define ISOCOST_CLIENT_INTERNAL_H

#include <grpc/grpc.h>
#include <pthread.h>

#include "isocost/client.h"

struct iso_client {
    grpc_channel *channel;
    char *target; /* as people write it */
};

/* What a finished call left. */
struct iso_client_ending {
    grpc_status_code code;
    grpc_slice text;
    grpc_metadata_array initial, trailing;
};

/* Decodes the details into the arena, fills *ret_failure (may be NULL) and *reterr. */
enum iso_status iso_client_explain(const struct iso_client *client,
                                   const struct iso_client_ending *ending, struct iso_arena *arena,
                                   struct iso_client_failure *ret_failure,
                                   struct iso_error *reterr);

/* cancel.c: the call is cancelled when `cancel` (may be NULL) is or was triggered. */
bool iso_client_cancel_add(struct iso_client_cancel *cancel, grpc_call *call);
void iso_client_cancel_remove(struct iso_client_cancel *cancel, grpc_call *call);

#endif
