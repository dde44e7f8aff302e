#include "catalog_diff_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "isocost/proto/money.h"
#include "list_cursor.h"

#define MAX_CHANGES 1000
#define MAX_FIELDS 3

#define NEW ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_NEW
#define GONE ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_GONE
#define CHEAPER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_CHEAPER
#define DEARER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_DEARER
#define OTHER ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_OTHER

typedef Isocost__V1__EgressRate Rate;
typedef Isocost__V1__SnapshotChange Change;

struct changes {
    struct iso_arena *arena;
    Isocost__V1__OfferingDifference only;
    Change **items;
    size_t n;
};

/* A change for the caller to fill in; NULL: it is not asked for, there are enough, or the arena is
 * full. */
static Change *add(struct changes *changes, Isocost__V1__OfferingDifference difference,
                   const char *what)
{
    Change *change;

    if ((changes->only && changes->only != difference) || changes->n == MAX_CHANGES)
        return NULL;
    change = iso_arena_calloc(changes->arena, 1, sizeof(*change));
    if (!change)
        return NULL;
    isocost__v1__snapshot_change__init(change);
    change->offering = (char *)what;
    change->difference = difference;
    changes->items[changes->n++] = change;
    return change;
}

/* --- rates of egress: both lists are in one order --- */

static int compare_ids(const Rate *a, const Rate *b)
{
    int orders[] = {strcmp(a->provider, b->provider), strcmp(a->region, b->region),
                    strcmp(a->to, b->to), strcmp(a->valid_from, b->valid_from),
                    (a->from_gb > b->from_gb) - (a->from_gb < b->from_gb)};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(orders); i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

static iso_decimal price_of(const Rate *rate)
{
    iso_decimal price = 0;

    iso_money_to_decimal(rate->price_per_gb, &price, NULL);
    return price;
}

static Isocost__V1__OfferingDifference judge(const Rate *a, const Rate *b)
{
    if (strcmp(a->price_per_gb->currency_code, b->price_per_gb->currency_code) != 0 ||
        price_of(a) == price_of(b))
        return OTHER;
    return price_of(b) < price_of(a) ? CHEAPER : DEARER;
}

static size_t compare_rest(const Rate *a, const Rate *b, char **fields)
{
    const struct {
        const char *name;
        bool differs;
    } checks[MAX_FIELDS] = {
        {"price", price_of(a) != price_of(b) ||
                      strcmp(a->price_per_gb->currency_code, b->price_per_gb->currency_code) != 0},
        {"valid_until", strcmp(a->valid_until, b->valid_until) != 0},
        {"source", strcmp(a->source, b->source) != 0},
    };
    size_t n = 0;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(checks); i++)
        if (checks[i].differs)
            fields[n++] = (char *)checks[i].name;
    return n;
}

static const char *describe(const Rate *rate, struct iso_arena *arena)
{
    return iso_arena_printf(arena, "%s/%s > %s from %.9g GB%s%s", rate->provider, rate->region,
                            rate->to, rate->from_gb, rate->valid_from[0] ? ", from " : "",
                            rate->valid_from);
}

/* Takes a rate that is new or gone. */
static bool take_one(struct changes *changes, Isocost__V1__OfferingDifference difference,
                     const Rate *rate)
{
    const char *what = describe(rate, changes->arena);
    Change *change = what ? add(changes, difference, what) : NULL;

    if (change && difference == GONE)
        change->price_before = rate->price_per_gb;
    else if (change)
        change->price_after = rate->price_per_gb;
    return !iso_arena_full(changes->arena);
}

static bool take_both(struct changes *changes, const Rate *a, const Rate *b)
{
    char **fields = iso_arena_calloc(changes->arena, MAX_FIELDS, sizeof(*fields));
    size_t n_fields = fields ? compare_rest(a, b, fields) : 0;

    if (n_fields == 0)
        return fields != NULL;
    const char *what = describe(a, changes->arena);
    Change *change = what ? add(changes, judge(a, b), what) : NULL;
    if (!change)
        return !iso_arena_full(changes->arena);
    change->price_before = a->price_per_gb;
    change->price_after = b->price_per_gb;
    if (price_of(a) > 0 && change->difference != OTHER)
        change->ratio = iso_decimal_to_double(price_of(b)) / iso_decimal_to_double(price_of(a)) - 1;
    change->fields = fields;
    change->n_fields = n_fields;
    return true;
}

static bool diff_rates(struct changes *changes, const struct iso_snapshot *from,
                       const struct iso_snapshot *to)
{
    int32_t n_from = iso_snapshot_n_egress_rates(from), i = 0;
    int32_t n_to = iso_snapshot_n_egress_rates(to), k = 0;
    const Rate *a = NULL, *b = NULL;

    while (i < n_from || k < n_to) {
        if (i < n_from && !a && !(a = iso_snapshot_egress_rate(from, i, changes->arena)))
            return false;
        if (k < n_to && !b && !(b = iso_snapshot_egress_rate(to, k, changes->arena)))
            return false;
        int order = i == n_from ? 1 : k == n_to ? -1 : compare_ids(a, b);
        bool taken = order < 0   ? take_one(changes, GONE, a)
                     : order > 0 ? take_one(changes, NEW, b)
                                 : take_both(changes, a, b);
        if (!taken)
            return false;
        if (order <= 0) {
            i++;
            a = NULL;
        }
        if (order >= 0) {
            k++;
            b = NULL;
        }
    }
    return true;
}

/* --- overlays: as texts, whose order is content --- */

struct texts {
    int32_t n;
    char **items; /* in the order of the snapshot, then sorted */
};

static enum iso_status write_overlays(const struct iso_snapshot *snapshot, struct iso_arena *arena,
                                      struct texts *texts, struct iso_error *reterr)
{
    texts->n = iso_snapshot_n_overlays(snapshot);
    texts->items = iso_arena_calloc(arena, (size_t)texts->n, sizeof(*texts->items));
    if (!texts->items)
        return iso_list_too_large(reterr);
    for (int32_t i = 0; i < texts->n; i++) {
        const Isocost__V1__Overlay *overlay = iso_snapshot_overlay(snapshot, i, arena);
        ISO_AUTO_MEM char *text = NULL;
        if (!overlay)
            return iso_list_too_large(reterr);
        ISO_TRY(iso_json_write(&overlay->base, 0, &text, reterr));
        texts->items[i] = iso_arena_strdup(arena, text);
        if (!texts->items[i])
            return iso_list_too_large(reterr);
    }
    return ISO_OK;
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static bool equal_in_order(const struct texts *a, const struct texts *b)
{
    for (int32_t i = 0; i < a->n && a->n == b->n; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return a->n == b->n;
}

static enum iso_status diff_overlays(struct changes *changes, const struct iso_snapshot *from,
                                     const struct iso_snapshot *to, bool *ret_reordered,
                                     struct iso_error *reterr)
{
    struct texts a = {0}, b = {0};
    int32_t i = 0, k = 0, n_changes = 0;

    ISO_TRY(write_overlays(from, changes->arena, &a, reterr));
    ISO_TRY(write_overlays(to, changes->arena, &b, reterr));
    if (equal_in_order(&a, &b))
        return ISO_OK;
    qsort(a.items, (size_t)a.n, sizeof(*a.items), compare_texts);
    qsort(b.items, (size_t)b.n, sizeof(*b.items), compare_texts);
    while (i < a.n || k < b.n) {
        int order = i == a.n ? 1 : k == b.n ? -1 : strcmp(a.items[i], b.items[k]);
        if (order != 0)
            add(changes, order < 0 ? GONE : NEW, order < 0 ? a.items[i] : b.items[k]);
        n_changes += order != 0;
        i += order <= 0;
        k += order >= 0;
    }
    *ret_reordered = n_changes == 0;
    return iso_arena_full(changes->arena) ? iso_list_too_large(reterr) : ISO_OK;
}

enum iso_status
iso_catalog_diff_records(const struct iso_snapshot *from, const struct iso_snapshot *to,
                         Isocost__V1__OfferingDifference only, struct iso_arena *arena,
                         Isocost__V1__DiffSnapshotsResponse *response, struct iso_error *reterr)
{
    struct changes rates = {.arena = arena, .only = only}, overlays = rates;
    bool reordered = false;

    rates.items = iso_arena_calloc(arena, MAX_CHANGES, sizeof(Change *));
    overlays.items = iso_arena_calloc(arena, MAX_CHANGES, sizeof(Change *));
    if (!rates.items || !overlays.items || !diff_rates(&rates, from, to))
        return iso_list_too_large(reterr);
    ISO_TRY(diff_overlays(&overlays, from, to, &reordered, reterr));
    response->egress_rate_changes = rates.items;
    response->n_egress_rate_changes = rates.n;
    response->overlay_changes = overlays.items;
    response->n_overlay_changes = overlays.n;
    response->overlays_reordered = reordered;
    return ISO_OK;
}
