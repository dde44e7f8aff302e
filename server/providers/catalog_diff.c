/* What changed from one snapshot to another. Both are sorted by id, so one walk over both tells. */
#include <stdio.h>

#include "catalog_diff_records.h"
#include "catalog_handlers.h"
#include "catalog_internal.h"
#include "isocost/proto/money.h"
#include "list_cursor.h"
#include "page_token.h"
#include "selector.h"

#define N_DIFFERENCES 5 /* NEW to OTHER */
#define MAX_FIELDS 12
/* The public snapshot that is made with a tenant's own is older by some nanoseconds; no other one
 * comes that close, and it is not what was there before. */
#define SAME_MAKING_NS INT64_C(1000000)

#define NEW ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_NEW
#define GONE ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_GONE
#define CHEAPER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_CHEAPER
#define DEARER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_DEARER
#define OTHER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_OTHER

struct diff {
    struct iso_call *call;
    const struct iso_snapshot *from, *to;
    const struct iso_selector *selector;
    Isocost__V1__OfferingDifference only; /* unspecified: all */
    int64_t first, seen;                  /* index of the page's first change; changes so far */
    int32_t size;
    size_t n_bytes;
    bool is_full, tells_records;
    int64_t counts[N_DIFFERENCES + 1];
    Isocost__V1__DiffSnapshotsResponse response;
};

/* Names of what differs, into `fields`; 0: nothing. */
static size_t compare(const struct iso_snapshot_offering *a, const struct iso_snapshot_offering *b,
                      const char *fields[MAX_FIELDS])
{
    const struct {
        const char *name;
        bool differs;
    } checks[] = {
        {"price", a->price != b->price || strcmp(a->currency, b->currency) != 0},
        {"price_unit", a->price_unit != b->price_unit},
        {"lot", a->lot != b->lot},
        {"status", a->status != b->status},
        {"availability", a->availability != b->availability},
        {"resources", memcmp(a->capacity, b->capacity, sizeof(a->capacity)) != 0 ||
                          strcmp(a->gpu_model, b->gpu_model) != 0},
        {"kind", a->kind != b->kind},
        {"family", strcmp(a->family, b->family) != 0},
        {"arch", strcmp(a->arch, b->arch) != 0},
        {"tenancy", strcmp(a->tenancy, b->tenancy) != 0},
        {"native_id", strcmp(a->native_id, b->native_id) != 0},
        {"labels", strcmp(a->labels, b->labels) != 0},
    };
    size_t n = 0;

    _Static_assert(ISO_ARRAY_LENGTH(checks) == MAX_FIELDS, "room for every field");
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(checks); i++)
        if (checks[i].differs)
            fields[n++] = checks[i].name;
    return n;
}

static Isocost__V1__OfferingDifference judge(const struct iso_snapshot_offering *a,
                                             const struct iso_snapshot_offering *b)
{
    double before = iso_snapshot_hourly(a), after = iso_snapshot_hourly(b);

    if (strcmp(a->currency, b->currency) != 0 || before == after)
        return OTHER;
    return after < before ? CHEAPER : DEARER;
}

static Isocost__V1__SnapshotChange *make_change(struct iso_arena *arena,
                                                const struct iso_snapshot_offering *a,
                                                const struct iso_snapshot_offering *b,
                                                const char *const *fields, size_t n_fields)
{
    Isocost__V1__SnapshotChange *change = iso_arena_calloc(arena, 1, sizeof(*change));

    if (!change)
        return NULL;
    isocost__v1__snapshot_change__init(change);
    change->offering = (char *)(a ? a->id : b->id);
    change->difference = !a ? NEW : !b ? GONE : judge(a, b);
    if (a)
        change->price_before = iso_money_from_decimal(a->price, a->currency, arena);
    if (b)
        change->price_after = iso_money_from_decimal(b->price, b->currency, arena);
    if (a && b && strcmp(a->currency, b->currency) == 0)
        change->ratio = iso_snapshot_hourly(b) / iso_snapshot_hourly(a) - 1;
    change->fields = iso_arena_calloc(arena, n_fields, sizeof(*change->fields));
    for (size_t i = 0; change->fields && i < n_fields; i++)
        change->fields[change->n_fields++] = (char *)fields[i];
    return iso_arena_full(arena) ? NULL : change;
}

/* Takes one offering of either or both. */
static enum iso_status add(struct diff *diff, const struct iso_snapshot_offering *a,
                           const struct iso_snapshot_offering *b, struct iso_error *reterr)
{
    const char *fields[MAX_FIELDS];
    size_t n_fields = a && b ? compare(a, b, fields) : 0;
    Isocost__V1__OfferingDifference difference = !a ? NEW : !b ? GONE : judge(a, b);
    bool matches = (a && iso_selector_matches(diff->selector, a)) ||
                   (b && iso_selector_matches(diff->selector, b));

    if (!matches)
        return ISO_OK;
    if (a && b && n_fields == 0) {
        diff->response.same_count++;
        return ISO_OK;
    }
    diff->counts[difference]++;
    if ((diff->only && diff->only != difference) || diff->seen++ < diff->first || diff->is_full)
        return ISO_OK;
    if (diff->response.n_changes == (size_t)diff->size ||
        diff->n_bytes > ISO_LIST_MAX_ANSWER_BYTES) {
        diff->is_full = true;
        return ISO_OK;
    }
    Isocost__V1__SnapshotChange *change =
        make_change(iso_call_arena(diff->call), a, b, fields, n_fields);
    if (!change)
        return iso_list_too_large(reterr);
    diff->n_bytes += isocost__v1__snapshot_change__get_packed_size(change) + 8;
    diff->response.changes[diff->response.n_changes++] = change;
    return ISO_OK;
}

static enum iso_status walk(struct diff *diff, struct iso_error *reterr)
{
    int32_t n_from = iso_snapshot_n_offerings(diff->from), i = 0;
    int32_t n_to = iso_snapshot_n_offerings(diff->to), k = 0;
    struct iso_snapshot_offering a, b;

    diff->response.changes = iso_arena_calloc(iso_call_arena(diff->call), (size_t)diff->size,
                                              sizeof(*diff->response.changes));
    if (!diff->response.changes)
        return iso_list_too_large(reterr);
    while (i < n_from || k < n_to) {
        int order = 0;
        if (i < n_from)
            iso_snapshot_offering(diff->from, i, &a);
        if (k < n_to)
            iso_snapshot_offering(diff->to, k, &b);
        order = i == n_from ? 1 : k == n_to ? -1 : strcmp(a.id, b.id);
        ISO_TRY(add(diff, order <= 0 ? &a : NULL, order >= 0 ? &b : NULL, reterr));
        i += order <= 0;
        k += order >= 0;
    }
    return ISO_OK;
}

static enum iso_status add_counts(struct diff *diff, struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(diff->call);
    Isocost__V1__DiffSnapshotsResponse *response = &diff->response;

    response->counts = iso_arena_calloc(arena, N_DIFFERENCES, sizeof(*response->counts));
    for (int d = 1; response->counts && d <= N_DIFFERENCES; d++) {
        Isocost__V1__DifferenceCount *count = iso_arena_calloc(arena, 1, sizeof(*count));
        if (!count)
            return iso_list_too_large(reterr);
        isocost__v1__difference_count__init(count);
        count->difference = (Isocost__V1__OfferingDifference)d;
        count->count = diff->counts[d];
        response->counts[response->n_counts++] = count;
    }
    return response->counts ? ISO_OK : iso_list_too_large(reterr);
}

/* The digests to compare: "" is the newest, and for the earlier one what came before the later. */
static enum iso_status find_digests(struct iso_catalog *catalog, struct iso_call *call,
                                    const char **from, const char **to, struct iso_error *reterr)
{
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_snapshot_record later, *records = NULL;
    int n = 0;

    ISO_TRY(iso_store_get_snapshot(catalog->store, principal, *to, arena, &later, reterr));
    *to = later.digest;
    if ((*from)[0])
        return ISO_OK;
    ISO_TRY(iso_store_list_snapshots(catalog->store, principal, later.create_ns - SAME_MAKING_NS, 1,
                                     arena, &records, &n, reterr));
    if (n == 0)
        ISO_TRY(iso_store_list_snapshots(catalog->store, principal, later.create_ns, 1, arena,
                                         &records, &n, reterr));
    if (n == 0)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "from_digest",
                        "there is no snapshot before %.80s; name one to compare it with",
                        later.digest);
    *from = records[0].digest;
    return ISO_OK;
}

static enum iso_status reply(struct diff *diff, const char *scope, struct iso_error *reterr)
{
    diff->response.from_digest = (char *)iso_snapshot_digest(diff->from);
    diff->response.to_digest = (char *)iso_snapshot_digest(diff->to);
    ISO_TRY(walk(diff, reterr));
    ISO_TRY(add_counts(diff, reterr));
    if (diff->tells_records)
        ISO_TRY(iso_catalog_diff_records(diff->from, diff->to, diff->only,
                                         iso_call_arena(diff->call), &diff->response, reterr));
    if (diff->is_full) {
        diff->response.next_page_token =
            iso_list_make_cursor(diff->call, scope, iso_snapshot_digest(diff->to),
                                 diff->first + (int64_t)diff->response.n_changes);
        if (!diff->response.next_page_token)
            return iso_list_too_large(reterr);
    }
    iso_call_reply(diff->call, &diff->response.base); /* packed before the snapshots go */
    return ISO_OK;
}

enum iso_status iso_catalog_handle_diff_snapshots(struct iso_call *call, void *service,
                                                  struct iso_error *reterr)
{
    const Isocost__V1__DiffSnapshotsRequest *request =
        (const Isocost__V1__DiffSnapshotsRequest *)iso_call_request(call);
    const struct iso_principal *principal = iso_call_principal(call);
    const char *from = request->from_digest, *to = request->to_digest;
    struct iso_catalog *catalog = service;
    struct iso_list_cursor cursor = {.next = 0};
    struct diff diff = {
        .call = call,
        .selector = iso_selector_compile(request->selector, iso_call_arena(call)),
        .only = request->difference,
        .response = ISOCOST__V1__DIFF_SNAPSHOTS_RESPONSE__INIT,
    };
    char word[24];

    snprintf(word, sizeof(word), "%d", (int)request->difference);
    char *scope = iso_list_make_scope(call, "DiffSnapshots", request->from_digest,
                                      request->selector ? &request->selector->base : NULL, word);
    if (!scope || !diff.selector)
        return iso_list_too_large(reterr);
    ISO_TRY(iso_page_size(request->page_size, 100, 5000, &diff.size, reterr));
    ISO_TRY(iso_list_read_cursor(call, scope, request->page_token, request->to_digest, &cursor,
                                 reterr));
    to = cursor.digest;
    diff.first = cursor.next;
    diff.tells_records = !request->selector && !request->page_token[0];
    ISO_TRY(find_digests(catalog, call, &from, &to, reterr));
    ISO_TRY(iso_catalog_map(catalog, principal, from, &diff.from, reterr));
    enum iso_status status = iso_catalog_map(catalog, principal, to, &diff.to, reterr);
    if (status == ISO_OK)
        status = reply(&diff, scope, reterr);
    iso_catalog_unmap(catalog, diff.from);
    iso_catalog_unmap(catalog, diff.to);
    return status;
}
