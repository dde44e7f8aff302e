#include "failure.h"

#include "google/rpc/error_details.pb-c.h"
#include "message_new.h"

static const char bad_request_url[] = "type.googleapis.com/google.rpc.BadRequest";
static const char error_info_url[] = "type.googleapis.com/google.rpc.ErrorInfo";
static char domain[] = "isocost";

/* A copy that a generated message may hold; those have no const. */
static char *text_in(struct iso_arena *arena, const char *text)
{
    return iso_arena_strdup(arena, text);
}

static bool pack_any(Google__Protobuf__Any *any, const char *url, const ProtobufCMessage *message,
                     struct iso_arena *arena)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    any->type_url = text_in(arena, url);
    any->value.data = iso_arena_calloc(arena, n_bytes ? n_bytes : 1, 1);
    if (!any->type_url || !any->value.data)
        return false;
    any->value.len = protobuf_c_message_pack(message, any->value.data);
    return true;
}

static Google__Rpc__BadRequest *bad_request(const struct iso_error *error,
                                            const struct iso_violations *violations,
                                            struct iso_arena *arena)
{
    size_t n = (size_t)violations->n;
    bool own_field = n == 0 && error->field[0] != '\0';
    Google__Rpc__BadRequest *message =
        iso_message_new(arena, &google__rpc__bad_request__descriptor);
    Google__Rpc__BadRequest__FieldViolation **items =
        (Google__Rpc__BadRequest__FieldViolation **)iso_messages_new(
            arena, n + own_field, &google__rpc__bad_request__field_violation__descriptor);

    if (!message || !items)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        items[i]->field = text_in(arena, violations->items[i].field);
        items[i]->description = text_in(arena, violations->items[i].text);
    }
    if (own_field) {
        items[0]->field = text_in(arena, error->field);
        items[0]->description = text_in(arena, error->text);
    }
    message->n_field_violations = n + own_field;
    message->field_violations = items;
    return message;
}

Google__Rpc__Status *iso_failure_to_status(const struct iso_error *error,
                                           const struct iso_violations *violations,
                                           struct iso_arena *arena)
{
    Google__Rpc__Status *status = iso_message_new(arena, &google__rpc__status__descriptor);
    Google__Rpc__ErrorInfo *info = iso_message_new(arena, &google__rpc__error_info__descriptor);
    Google__Rpc__BadRequest *request = bad_request(error, violations, arena);
    if (!status || !info || !request)
        return NULL;

    info->reason = text_in(arena, iso_status_name(error->status));
    info->domain = domain;
    status->code = iso_status_grpc_code(error->status);
    status->message = text_in(arena, error->text);
    status->details =
        (Google__Protobuf__Any **)iso_messages_new(arena, 2, &google__protobuf__any__descriptor);
    if (!info->reason || !status->message || !status->details || iso_arena_full(arena))
        return NULL;
    if (!pack_any(status->details[0], error_info_url, &info->base, arena) ||
        !pack_any(status->details[1], bad_request_url, &request->base, arena))
        return NULL;
    status->n_details = 2;
    return status;
}

/* The first status of that name, or of that code. */
static enum iso_status find_status(const char *name, int code)
{
    for (int i = 1; name && i < ISO_STATUS_COUNT_; i++)
        if (strcmp(iso_status_name((enum iso_status)i), name) == 0)
            return (enum iso_status)i;
    for (int i = 1; i < ISO_STATUS_COUNT_; i++)
        if (iso_status_grpc_code((enum iso_status)i) == code)
            return (enum iso_status)i;
    return ISO_E_INTERNAL;
}

enum iso_status iso_failure_from_status(const Google__Rpc__Status *status,
                                        struct iso_violations *violations,
                                        struct iso_error *ret_error)
{
    ProtobufCAllocator *allocator = iso_arena_allocator(violations->arena);
    const char *name = NULL, *field = "";

    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Protobuf__Any *any = status->details[i];
        if (strcmp(any->type_url, error_info_url) == 0) {
            const Google__Rpc__ErrorInfo *info =
                google__rpc__error_info__unpack(allocator, any->value.len, any->value.data);
            name = info ? info->reason : NULL;
        } else if (strcmp(any->type_url, bad_request_url) == 0) {
            const Google__Rpc__BadRequest *request =
                google__rpc__bad_request__unpack(allocator, any->value.len, any->value.data);
            for (size_t k = 0; request && k < request->n_field_violations; k++)
                iso_violations_add(violations, request->field_violations[k]->field, "%s",
                                   request->field_violations[k]->description);
        }
    }
    if (violations->n > 0)
        field = violations->items[0].field;
    return iso_fail(ret_error, find_status(name, status->code), field, "%s", status->message);
}
