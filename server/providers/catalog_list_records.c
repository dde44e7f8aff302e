/* Lists of a snapshot's overlays and rates of egress, in their order. */
#include "catalog_handlers.h"
#include "catalog_internal.h"
#include "list_cursor.h"
#include "page_token.h"
#include "provider_alias.h"

/* A page of records: what the two methods differ in, and how far the page is. */
struct page {
    struct iso_call *call;
    const char *provider; /* only its records; "": all */
    int64_t first;        /* index of the first that may be on the page */
    int32_t size;
    size_t n, n_bytes;
    ProtobufCMessage **records; /* `size` places */
    int64_t n_wanted, next;     /* of all; where the next page begins, or -1 */
};

typedef ProtobufCMessage *(*read_record)(const struct iso_snapshot *snapshot, int32_t index,
                                         struct iso_arena *arena);

static ProtobufCMessage *read_overlay(const struct iso_snapshot *snapshot, int32_t index,
                                      struct iso_arena *arena)
{
    Isocost__V1__Overlay *overlay = iso_snapshot_overlay(snapshot, index, arena);

    return overlay ? &overlay->base : NULL;
}

static ProtobufCMessage *read_rate(const struct iso_snapshot *snapshot, int32_t index,
                                   struct iso_arena *arena)
{
    Isocost__V1__EgressRate *rate = iso_snapshot_egress_rate(snapshot, index, arena);

    return rate ? &rate->base : NULL;
}

static bool is_wanted(const struct page *page, const ProtobufCMessage *record)
{
    return !page->provider[0] ||
           strcmp(((const Isocost__V1__EgressRate *)record)->provider, page->provider) == 0;
}

static enum iso_status fill(struct page *page, const struct iso_snapshot *snapshot,
                            int32_t n_records, read_record read, struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(page->call);

    page->next = -1;
    page->records = iso_arena_calloc(arena, (size_t)page->size, sizeof(ProtobufCMessage *));
    if (!page->records)
        return iso_list_too_large(reterr);
    for (int32_t i = 0; i < n_records; i++) {
        ProtobufCMessage *record = read(snapshot, i, arena);
        if (!record)
            return iso_list_too_large(reterr);
        if (!is_wanted(page, record))
            continue;
        page->n_wanted++;
        if (i < page->first || page->next >= 0)
            continue;
        if (page->n == (size_t)page->size || page->n_bytes > ISO_LIST_MAX_ANSWER_BYTES) {
            page->next = i;
            continue;
        }
        page->n_bytes += protobuf_c_message_get_packed_size(record) + 8;
        page->records[page->n++] = record;
    }
    return ISO_OK;
}

/* Reads the page of a method of the snapshot that its cursor is on. *ret_token is for the next. */
static enum iso_status read_page(struct iso_catalog *catalog, struct page *page, const char *method,
                                 const char *asked_digest, const char *token, char **ret_token,
                                 struct iso_error *reterr)
{
    bool overlays = strcmp(method, "ListOverlays") == 0;
    char *scope = iso_list_make_scope(page->call, method, asked_digest, NULL, page->provider);
    struct iso_list_cursor cursor = {.next = 0};
    const struct iso_snapshot *snapshot = NULL;

    if (!scope)
        return iso_list_too_large(reterr);
    ISO_TRY(iso_list_read_cursor(page->call, scope, token, asked_digest, &cursor, reterr));
    page->first = cursor.next;
    ISO_TRY(
        iso_catalog_map(catalog, iso_call_principal(page->call), cursor.digest, &snapshot, reterr));
    enum iso_status status =
        overlays ? fill(page, snapshot, iso_snapshot_n_overlays(snapshot), read_overlay, reterr)
                 : fill(page, snapshot, iso_snapshot_n_egress_rates(snapshot), read_rate, reterr);
    if (status == ISO_OK && page->next >= 0) {
        *ret_token =
            iso_list_make_cursor(page->call, scope, iso_snapshot_digest(snapshot), page->next);
        if (!*ret_token)
            status = iso_list_too_large(reterr);
    }
    iso_catalog_unmap(catalog, snapshot); /* the records are copies */
    return status;
}

enum iso_status iso_catalog_handle_list_overlays(struct iso_call *call, void *service,
                                                 struct iso_error *reterr)
{
    const Isocost__V1__ListOverlaysRequest *request =
        (const Isocost__V1__ListOverlaysRequest *)iso_call_request(call);
    Isocost__V1__ListOverlaysResponse response = ISOCOST__V1__LIST_OVERLAYS_RESPONSE__INIT;
    struct page page = {.call = call, .provider = ""};

    ISO_TRY(iso_page_size(request->page_size, 100, 1000, &page.size, reterr));
    ISO_TRY(read_page(service, &page, "ListOverlays", request->snapshot_digest, request->page_token,
                      &response.next_page_token, reterr));
    response.n_overlays = page.n;
    response.overlays = (Isocost__V1__Overlay **)(void *)page.records;
    response.total_count = page.n_wanted;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_catalog_handle_list_egress_rates(struct iso_call *call, void *service,
                                                     struct iso_error *reterr)
{
    const Isocost__V1__ListEgressRatesRequest *request =
        (const Isocost__V1__ListEgressRatesRequest *)iso_call_request(call);
    Isocost__V1__ListEgressRatesResponse response = ISOCOST__V1__LIST_EGRESS_RATES_RESPONSE__INIT;
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    struct page page = {.call = call, .provider = ""};

    if (request->provider[0])
        page.provider = iso_provider_fold(request->provider, buffer);
    if (!page.provider)
        return iso_fail(reterr, ISO_E_INVALID, "provider",
                        "\"%.64s\" is no known name and no word [a-z0-9][a-z0-9_-]{0,63}",
                        request->provider);
    ISO_TRY(iso_page_size(request->page_size, 100, 5000, &page.size, reterr));
    ISO_TRY(read_page(service, &page, "ListEgressRates", request->snapshot_digest,
                      request->page_token, &response.next_page_token, reterr));
    response.n_rates = page.n;
    response.rates = (Isocost__V1__EgressRate **)(void *)page.records;
    response.total_count = page.n_wanted;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
