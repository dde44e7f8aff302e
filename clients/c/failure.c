/* From a status with details to words. */
#include <stdio.h>

#include "client_internal.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define TYPE_PREFIX "type.googleapis.com/"

static char *slice_text(grpc_slice slice, struct iso_arena *arena)
{
    char *text = iso_arena_calloc(arena, GRPC_SLICE_LENGTH(slice) + 1, 1);

    if (text)
        memcpy(text, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    return text;
}

static const grpc_slice *find(const grpc_metadata_array *metadata, const char *key)
{
    for (size_t i = 0; i < metadata->count; i++)
        if (grpc_slice_str_cmp(metadata->metadata[i].key, key) == 0)
            return &metadata->metadata[i].value;
    return NULL;
}

static enum iso_status status_by_name(const char *name)
{
    for (int s = 0; s < ISO_STATUS_COUNT_; s++)
        if (strcmp(iso_status_name((enum iso_status)s), name) == 0)
            return (enum iso_status)s;
    return ISO_OK;
}

static enum iso_status status_by_code(int code)
{
    for (int s = 1; s < ISO_STATUS_COUNT_; s++)
        if (iso_status_grpc_code((enum iso_status)s) == code)
            return (enum iso_status)s;
    return ISO_E_INTERNAL;
}

static ProtobufCMessage *unpack(const Google__Protobuf__Any *any,
                                const ProtobufCMessageDescriptor *descriptor,
                                struct iso_arena *arena)
{
    if (strncmp(any->type_url, TYPE_PREFIX, strlen(TYPE_PREFIX)) != 0 ||
        strcmp(any->type_url + strlen(TYPE_PREFIX), descriptor->name) != 0)
        return NULL;
    return protobuf_c_message_unpack(descriptor, iso_arena_allocator(arena), any->value.len,
                                     any->value.data);
}

static void take_fields(const Google__Rpc__BadRequest *bad, struct iso_arena *arena,
                        struct iso_client_failure *failure)
{
    struct iso_client_field *fields =
        iso_arena_calloc(arena, bad->n_field_violations + 1, sizeof(*fields));

    if (!fields)
        return;
    for (size_t i = 0; i < bad->n_field_violations; i++)
        fields[i] = (struct iso_client_field){.field = bad->field_violations[i]->field,
                                              .text = bad->field_violations[i]->description};
    failure->fields = fields;
    failure->n_fields = (int)bad->n_field_violations;
}

static void take_detail(const Google__Protobuf__Any *any, struct iso_arena *arena,
                        struct iso_client_failure *failure)
{
    ProtobufCMessage *message;

    if ((message = unpack(any, &google__rpc__error_info__descriptor, arena)))
        failure->reason = ((Google__Rpc__ErrorInfo *)message)->reason;
    else if ((message = unpack(any, &google__rpc__bad_request__descriptor, arena)))
        take_fields((Google__Rpc__BadRequest *)message, arena, failure);
    else if ((message = unpack(any, &google__rpc__retry_info__descriptor, arena)) &&
             ((Google__Rpc__RetryInfo *)message)->retry_delay)
        failure->retry_after_s =
            (double)((Google__Rpc__RetryInfo *)message)->retry_delay->seconds +
            (double)((Google__Rpc__RetryInfo *)message)->retry_delay->nanos * 1e-9;
}

static void take_details(const grpc_slice *packed, struct iso_arena *arena,
                         struct iso_client_failure *failure)
{
    Google__Rpc__Status *status = google__rpc__status__unpack(
        iso_arena_allocator(arena), GRPC_SLICE_LENGTH(*packed), GRPC_SLICE_START_PTR(*packed));

    for (size_t i = 0; status && i < status->n_details; i++)
        take_detail(status->details[i], arena, failure);
}

enum iso_status iso_client_explain(const struct iso_client *client,
                                   const struct iso_client_ending *ending, struct iso_arena *arena,
                                   struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct iso_client_failure failure = {.reason = "", .retry_after_s = -1, .request_id = ""};
    const grpc_slice *details = find(&ending->trailing, "grpc-status-details-bin");
    const grpc_slice *id = find(&ending->initial, "x-request-id");
    char *text = slice_text(ending->text, arena), *id_text = id ? slice_text(*id, arena) : NULL;

    failure.grpc_code = ending->code;
    failure.message = text && *text ? text : "no reason was given";
    if (id_text)
        failure.request_id = id_text;
    if (details)
        take_details(details, arena, &failure);
    failure.status = status_by_name(failure.reason);
    if (failure.status == ISO_OK)
        failure.status = status_by_code(ending->code);
    if (failure.status == ISO_E_UNAVAILABLE && !details) {
        const char *said = failure.message;

        failure.message =
            iso_arena_printf(arena, "isocostd does not answer at %s: %s", client->target, said);
        if (!failure.message)
            failure.message = said;
    }
    if (ret_failure)
        *ret_failure = failure;
    return iso_fail(reterr, failure.status, failure.n_fields ? failure.fields[0].field : "", "%s",
                    failure.message);
}
