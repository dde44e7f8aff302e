/* google.rpc.Status for `grpc-status-details-bin`. Clients accept 8 KiB of trailers in all, and
 * binary values travel as base64, so the packed status is kept below 4.5 KiB: as many wrong fields
 * as fit are told, and how many more there are. */
#include <math.h>
#include <stdio.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "server_internal.h"

#define MAX_DETAIL_BYTES 4608
#define MAX_FIELDS 101
#define TYPE_PREFIX "type.googleapis.com/"

/* Length of the valid UTF-8 sequence at `text`, or 0. */
static size_t sequence_length(const unsigned char *text)
{
    size_t n = text[0] < 0x80   ? 1
               : text[0] < 0xc2 ? 0
               : text[0] < 0xe0 ? 2
               : text[0] < 0xf0 ? 3
                                : 4;

    if (text[0] >= 0xf5)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return n;
}

void iso_text_clean(char *to, size_t n_bytes, const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t at = 0;

    while (*from) {
        size_t n = *from < 0x20 || *from == 0x7f ? 0 : sequence_length(from);

        if (at + (n ? n : 1) >= n_bytes)
            break;
        if (n)
            memcpy(to + at, from, n);
        else
            to[at] = '?';
        at += n ? n : 1;
        from += n ? n : 1;
    }
    to[at] = '\0';
}

struct details {
    struct iso_arena *arena;
    Google__Protobuf__Any *items[4];
    size_t n;
};

static void add(struct details *details, const ProtobufCMessage *message)
{
    Google__Protobuf__Any *any = iso_arena_calloc(details->arena, 1, sizeof(*any));
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = iso_arena_calloc(details->arena, 1, n_bytes + 1);

    if (!any || !bytes)
        return;
    google__protobuf__any__init(any);
    any->type_url = iso_arena_printf(details->arena, TYPE_PREFIX "%s", message->descriptor->name);
    any->value =
        (ProtobufCBinaryData){.len = protobuf_c_message_pack(message, bytes), .data = bytes};
    if (any->type_url)
        details->items[details->n++] = any;
}

static char *clean_copy(struct iso_arena *arena, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = iso_arena_calloc(arena, 1, n);

    if (copy)
        iso_text_clean(copy, n, text);
    return copy;
}

static Google__Rpc__BadRequest__FieldViolation *new_field(struct iso_arena *arena,
                                                          const char *field, const char *text)
{
    Google__Rpc__BadRequest__FieldViolation *violation =
        iso_arena_calloc(arena, 1, sizeof(*violation));

    if (!violation)
        return NULL;
    google__rpc__bad_request__field_violation__init(violation);
    violation->field = clean_copy(arena, field);
    violation->description = clean_copy(arena, text);
    return violation->field && violation->description ? violation : NULL;
}

static void add_bad_request(struct details *details, const struct iso_error *error,
                            const struct iso_violations *violations, size_t budget)
{
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    Google__Rpc__BadRequest__FieldViolation *fields[MAX_FIELDS];
    size_t used = 0;
    int n_left = violations->n + violations->n_dropped;
    struct iso_violation only = {.field = error->field, .text = error->text};
    const struct iso_violation *items = violations->items;
    int n = violations->n;

    if (n == 0) {
        items = &only;
        n = n_left = 1;
    }
    bad.field_violations = fields;
    for (int i = 0; i < n; i++) {
        Google__Rpc__BadRequest__FieldViolation *field =
            new_field(details->arena, items[i].field, items[i].text);

        if (!field)
            return;
        used += protobuf_c_message_get_packed_size(&field->base) + 4;
        if (used > budget && bad.n_field_violations > 0)
            break;
        fields[bad.n_field_violations++] = field;
        n_left--;
    }
    if (n_left > 0) {
        char more[64];

        snprintf(more, sizeof(more), "%d more fields are wrong", n_left);
        fields[bad.n_field_violations] = new_field(details->arena, "", more);
        if (fields[bad.n_field_violations])
            bad.n_field_violations++;
    }
    add(details, &bad.base);
}

static void add_precondition(struct details *details, const struct iso_error *error)
{
    Google__Rpc__PreconditionFailure failure = GOOGLE__RPC__PRECONDITION_FAILURE__INIT;
    Google__Rpc__PreconditionFailure__Violation violation =
        GOOGLE__RPC__PRECONDITION_FAILURE__VIOLATION__INIT;
    Google__Rpc__PreconditionFailure__Violation *violations = &violation;
    char type[] = "STATE";

    violation.type = type;
    violation.subject = clean_copy(details->arena, error->field);
    violation.description = clean_copy(details->arena, error->text);
    failure.n_violations = 1;
    failure.violations = &violations;
    if (violation.subject && violation.description)
        add(details, &failure.base);
}

static void add_quota(struct details *details, const struct iso_error *error)
{
    Google__Rpc__QuotaFailure failure = GOOGLE__RPC__QUOTA_FAILURE__INIT;
    Google__Rpc__QuotaFailure__Violation violation = GOOGLE__RPC__QUOTA_FAILURE__VIOLATION__INIT;
    Google__Rpc__QuotaFailure__Violation *violations = &violation;

    violation.subject = clean_copy(details->arena, error->field);
    violation.description = clean_copy(details->arena, error->text);
    failure.n_violations = 1;
    failure.violations = &violations;
    if (violation.subject && violation.description)
        add(details, &failure.base);
}

static void add_retry(struct details *details, double retry_after_s)
{
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = (int64_t)floor(retry_after_s);
    delay.nanos = (int32_t)((retry_after_s - floor(retry_after_s)) * 1e9);
    retry.retry_delay = &delay;
    add(details, &retry.base);
}

static void add_info(struct details *details, enum iso_status status, const char *call_id)
{
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry *entries = &entry;
    char domain[] = "isocost", key[] = "request_id";

    info.reason = iso_arena_strdup(details->arena, iso_status_name(status));
    info.domain = domain;
    entry.key = key;
    entry.value = iso_arena_strdup(details->arena, call_id);
    info.n_metadata = 1;
    info.metadata = &entries;
    if (info.reason && entry.value)
        add(details, &info.base);
}

grpc_slice iso_error_details(const struct iso_error *error, const char *message,
                             const struct iso_violations *violations, double retry_after_s,
                             const char *call_id)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    struct details details = {.arena = arena};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    grpc_slice slice;

    if (!arena)
        return grpc_empty_slice();
    add_info(&details, error->status, call_id);
    if (error->status == ISO_E_INVALID && (violations->n > 0 || error->field[0]))
        add_bad_request(&details, error, violations, MAX_DETAIL_BYTES - 900 - strlen(message));
    if (error->status == ISO_E_PRECONDITION)
        add_precondition(&details, error);
    if (error->status == ISO_E_LIMIT)
        add_quota(&details, error);
    if (retry_after_s > 0)
        add_retry(&details, retry_after_s);
    status.code = iso_status_grpc_code(error->status);
    status.message = clean_copy(arena, message);
    status.n_details = details.n;
    status.details = details.items;
    if (!status.message)
        return grpc_empty_slice();
    slice = grpc_slice_malloc(google__rpc__status__get_packed_size(&status));
    google__rpc__status__pack(&status, GRPC_SLICE_START_PTR(slice));
    return slice;
}
