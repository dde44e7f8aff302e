/* The handlers that only read. */
#include <stdio.h>

#include "catalog_handlers.h"
#include "catalog_internal.h"
#include "list_cursor.h"
#include "offering_message.h"
#include "page_token.h"
#include "selector.h"

/* --- snapshots --- */

/* The stored message, with `current` as it is now. */
static enum iso_status unpack_snapshot(const struct iso_snapshot_record *record,
                                       const char *current_digest, struct iso_arena *arena,
                                       Isocost__V1__Snapshot **ret_snapshot,
                                       struct iso_error *reterr)
{
    Isocost__V1__Snapshot *snapshot = isocost__v1__snapshot__unpack(
        iso_arena_allocator(arena), record->snapshot.n_bytes, record->snapshot.bytes);

    if (!snapshot)
        return iso_arena_full(arena)
                   ? iso_list_too_large(reterr)
                   : iso_fail(reterr, ISO_E_INTERNAL, "", "the record of snapshot %.80s is damaged",
                              record->digest);
    snapshot->current = strcmp(snapshot->digest, current_digest) == 0;
    *ret_snapshot = snapshot;
    return ISO_OK;
}

static enum iso_status current_digest(struct iso_catalog *catalog, struct iso_call *call,
                                      const char **ret_digest, struct iso_error *reterr)
{
    struct iso_snapshot_record record;
    struct iso_error error = {0};
    enum iso_status status = iso_store_get_snapshot(catalog->store, iso_call_principal(call), "",
                                                    iso_call_arena(call), &record, &error);

    if (status != ISO_OK && status != ISO_E_NOT_FOUND)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    *ret_digest = status == ISO_OK ? record.digest : "";
    return ISO_OK;
}

enum iso_status iso_catalog_handle_get_snapshot(struct iso_call *call, void *service,
                                                struct iso_error *reterr)
{
    const Isocost__V1__GetSnapshotRequest *request =
        (const Isocost__V1__GetSnapshotRequest *)iso_call_request(call);
    Isocost__V1__GetSnapshotResponse response = ISOCOST__V1__GET_SNAPSHOT_RESPONSE__INIT;
    struct iso_catalog *catalog = service;
    struct iso_snapshot_record record;
    const char *current = "";

    ISO_TRY(iso_store_get_snapshot(catalog->store, iso_call_principal(call), request->digest,
                                   iso_call_arena(call), &record, reterr));
    ISO_TRY(current_digest(catalog, call, &current, reterr));
    ISO_TRY(unpack_snapshot(&record, current, iso_call_arena(call), &response.snapshot, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_catalog_handle_list_snapshots(struct iso_call *call, void *service,
                                                  struct iso_error *reterr)
{
    static const char scope[] = "ListSnapshots";
    const Isocost__V1__ListSnapshotsRequest *request =
        (const Isocost__V1__ListSnapshotsRequest *)iso_call_request(call);
    Isocost__V1__ListSnapshotsResponse response = ISOCOST__V1__LIST_SNAPSHOTS_RESPONSE__INIT;
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_catalog *catalog = service;
    struct iso_snapshot_record *records = NULL;
    const char *position = "", *current = "";
    char last[32];
    int32_t size = 0;
    int n = 0;

    ISO_TRY(iso_page_size(request->page_size, 50, 1000, &size, reterr));
    ISO_TRY(iso_page_token_read(principal, scope, request->page_token, arena, &position, reterr));
    ISO_TRY(current_digest(catalog, call, &current, reterr));
    /* One more tells whether there is a next page. */
    ISO_TRY(iso_store_list_snapshots(catalog->store, principal, strtoll(position, NULL, 10),
                                     size + 1, arena, &records, &n, reterr));
    response.snapshots = iso_arena_calloc(arena, (size_t)n, sizeof(*response.snapshots));
    if (!response.snapshots)
        return iso_list_too_large(reterr);
    for (int i = 0; i < n && i < size; i++)
        ISO_TRY(unpack_snapshot(&records[i], current, arena,
                                &response.snapshots[response.n_snapshots++], reterr));
    if (n > size) {
        snprintf(last, sizeof(last), "%lld", (long long)records[size - 1].create_ns);
        response.next_page_token = iso_page_token_make(principal, scope, last, arena);
        if (!response.next_page_token)
            return iso_list_too_large(reterr);
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- lists of what is in a snapshot: pages stay on the snapshot that the first one was of --- */

static enum iso_status fill_offerings(struct iso_call *call, const struct iso_snapshot *snapshot,
                                      const struct iso_selector *selector, int64_t first,
                                      int32_t size, Isocost__V1__ListOfferingsResponse *response,
                                      int64_t *ret_next, struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_snapshot_offering row;
    size_t n_bytes = 0;
    int64_t next = -1; /* none is left over */

    response->offerings = iso_arena_calloc(arena, (size_t)size, sizeof(*response->offerings));
    if (!response->offerings)
        return iso_list_too_large(reterr);
    for (int32_t i = 0; i < iso_snapshot_n_offerings(snapshot); i++) {
        iso_snapshot_offering(snapshot, i, &row);
        if (!iso_selector_matches(selector, &row))
            continue;
        response->total_count++;
        if (i < first || next >= 0)
            continue;
        if (response->n_offerings == (size_t)size || n_bytes > ISO_LIST_MAX_ANSWER_BYTES) {
            next = i;
            continue;
        }
        Isocost__V1__Offering *offering = iso_offering_message(&row, arena);
        if (!offering)
            return iso_list_too_large(reterr);
        n_bytes += isocost__v1__offering__get_packed_size(offering) + 8;
        response->offerings[response->n_offerings++] = offering;
    }
    *ret_next = next;
    return ISO_OK;
}

static enum iso_status list_offerings(struct iso_call *call, struct iso_catalog *catalog,
                                      const char *scope, const struct iso_selector *selector,
                                      int32_t size, const struct iso_list_cursor *cursor,
                                      struct iso_error *reterr)
{
    Isocost__V1__ListOfferingsResponse response = ISOCOST__V1__LIST_OFFERINGS_RESPONSE__INIT;
    const struct iso_snapshot *snapshot = NULL;
    enum iso_status status;
    int64_t next = -1;

    ISO_TRY(iso_catalog_map(catalog, iso_call_principal(call), cursor->digest, &snapshot, reterr));
    status = fill_offerings(call, snapshot, selector, cursor->next, size, &response, &next, reterr);
    if (status == ISO_OK && next >= 0) {
        response.next_page_token =
            iso_list_make_cursor(call, scope, iso_snapshot_digest(snapshot), next);
        if (!response.next_page_token)
            status = iso_list_too_large(reterr);
    }
    if (status == ISO_OK)
        iso_call_reply(call, &response.base); /* packed before the snapshot goes */
    iso_catalog_unmap(catalog, snapshot);
    return status;
}

enum iso_status iso_catalog_handle_list_offerings(struct iso_call *call, void *service,
                                                  struct iso_error *reterr)
{
    const Isocost__V1__ListOfferingsRequest *request =
        (const Isocost__V1__ListOfferingsRequest *)iso_call_request(call);
    const struct iso_selector *selector =
        iso_selector_compile(request->selector, iso_call_arena(call));
    char *scope = iso_list_make_scope(call, "ListOfferings", request->snapshot_digest,
                                      request->selector ? &request->selector->base : NULL, "");
    struct iso_list_cursor cursor = {.next = 0};
    int32_t size = 0;

    if (!selector || !scope)
        return iso_list_too_large(reterr);
    ISO_TRY(iso_page_size(request->page_size, 100, 5000, &size, reterr));
    ISO_TRY(iso_list_read_cursor(call, scope, request->page_token, request->snapshot_digest,
                                 &cursor, reterr));
    return list_offerings(call, service, scope, selector, size, &cursor, reterr);
}

/* --- diagnostics --- */

static enum iso_status reply_diagnostics(struct iso_call *call, const char *scope, const char *code,
                                         int32_t size, int64_t first, const char *digest,
                                         const Isocost__V1__ListDiagnosticsResponse *all,
                                         struct iso_error *reterr)
{
    Isocost__V1__ListDiagnosticsResponse response = ISOCOST__V1__LIST_DIAGNOSTICS_RESPONSE__INIT;
    struct iso_arena *arena = iso_call_arena(call);
    size_t n_bytes = 0;

    response.diagnostics = iso_arena_calloc(arena, (size_t)size, sizeof(*response.diagnostics));
    response.counts = iso_arena_calloc(arena, all->n_counts, sizeof(*response.counts));
    if (!response.diagnostics || !response.counts)
        return iso_list_too_large(reterr);
    for (size_t i = 0; i < all->n_counts; i++)
        if (!code[0] || strcmp(all->counts[i]->code, code) == 0)
            response.counts[response.n_counts++] = all->counts[i];
    for (size_t i = (size_t)first; i < all->n_diagnostics; i++) {
        if (code[0] && strcmp(all->diagnostics[i]->code, code) != 0)
            continue;
        if (response.n_diagnostics == (size_t)size || n_bytes > ISO_LIST_MAX_ANSWER_BYTES) {
            response.next_page_token = iso_list_make_cursor(call, scope, digest, (int64_t)i);
            if (!response.next_page_token)
                return iso_list_too_large(reterr);
            break;
        }
        n_bytes += isocost__v1__diagnostic__get_packed_size(all->diagnostics[i]) + 8;
        response.diagnostics[response.n_diagnostics++] = all->diagnostics[i];
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_catalog_handle_list_diagnostics(struct iso_call *call, void *service,
                                                    struct iso_error *reterr)
{
    const Isocost__V1__ListDiagnosticsRequest *request =
        (const Isocost__V1__ListDiagnosticsRequest *)iso_call_request(call);
    char *scope =
        iso_list_make_scope(call, "ListDiagnostics", request->snapshot_digest, NULL, request->code);
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)256 << 20);
    struct iso_catalog *catalog = service;
    struct iso_snapshot_record record;
    struct iso_list_cursor cursor = {.next = 0};
    int32_t size = 0;

    if (!scope || !arena)
        return iso_list_too_large(reterr);
    ISO_TRY(iso_page_size(request->page_size, 100, 1000, &size, reterr));
    ISO_TRY(iso_list_read_cursor(call, scope, request->page_token, request->snapshot_digest,
                                 &cursor, reterr));
    ISO_TRY(iso_store_get_snapshot(catalog->store, iso_call_principal(call), cursor.digest, arena,
                                   &record, reterr));
    Isocost__V1__ListDiagnosticsResponse *all = isocost__v1__list_diagnostics_response__unpack(
        iso_arena_allocator(arena), record.diagnostics.n_bytes, record.diagnostics.bytes);
    if (!all)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the record of snapshot %.80s is damaged",
                        record.digest);
    return reply_diagnostics(call, scope, request->code, size, cursor.next, record.digest, all,
                             reterr);
}
