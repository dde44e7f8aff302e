/* An offering that the problem needs: its place, currency and prices become indices and decimals.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "resolve_internal.h"

/* The number of `text` in `names`; a copy of it is added when it is new. */
static int32_t intern(struct iso_resolve *r, struct iso_names *names, const char *text)
{
    int32_t number = iso_names_find(names, text);

    if (number >= 0)
        return number;
    const char *copy = iso_arena_strdup(r->arena, text);
    return copy ? iso_names_add(names, copy) : -1;
}

int32_t iso_resolve_currency(struct iso_resolve *r, const char *code)
{
    return intern(r, &r->currencies, code);
}

int32_t iso_resolve_provider(struct iso_resolve *r, const char *name)
{
    return intern(r, &r->providers, name);
}

static enum iso_status place(struct iso_resolve *r, const struct iso_snapshot_offering *view,
                             struct iso_offering *offering, struct iso_error *reterr)
{
    const struct iso_snapshot_offering *last = r->n_kept > 0 ? &r->kept[r->n_kept - 1].view : NULL;
    char text[512];

    /* Offerings come sorted, so most lie where the one before does. */
    if (last && strcmp(last->region, view->region) == 0 &&
        strcmp(last->provider, view->provider) == 0) {
        offering->provider = r->offerings[r->n_kept - 1].provider;
        offering->region = r->offerings[r->n_kept - 1].region;
    } else {
        offering->provider = iso_resolve_provider(r, view->provider);
        snprintf(text, sizeof(text), "%s/%s", view->provider, view->region);
        offering->region = intern(r, &r->regions, text);
    }
    offering->zone = ISO_ANY_ZONE;
    if (strcmp(view->zone, "*") != 0) {
        snprintf(text, sizeof(text), "%s/%s/%s", view->provider, view->region, view->zone);
        ISO_TRY(iso_resolve_reserve(&r->zone_region, &r->zone_capacity, (size_t)r->zones.n + 1,
                                    sizeof(*r->zone_region), reterr));
        offering->zone = intern(r, &r->zones, text);
        if (offering->zone >= 0)
            r->zone_region[offering->zone] = offering->region;
    }
    offering->currency = iso_resolve_currency(r, view->currency);
    return iso_arena_full(r->arena) ? iso_resolve_full(reterr) : ISO_OK;
}

static int compare_exceptions(const void *a, const void *b)
{
    const struct iso_price_exception *left = a, *right = b;
    return (left->period > right->period) - (left->period < right->period);
}

static enum iso_status add_exceptions(struct iso_resolve *r, const struct iso_kept *kept,
                                      iso_decimal price, struct iso_error *reterr)
{
    size_t first = r->n_exceptions;

    for (size_t i = 0; i < kept->given->n_period_prices; i++) {
        const Isocost__V1__PeriodPrice *message = kept->given->period_prices[i];
        iso_decimal changed = 0;
        if (iso_money_to_decimal(message->price, &changed, NULL) != ISO_OK ||
            !iso_resolve_hourly(r, &kept->view, changed, &changed)) {
            iso_violations_add(r->violations, "model.catalog.offerings",
                               "%s: period_prices[%zu] must be at least 0.000000001 for one hour",
                               kept->view.id, i);
            continue;
        }
        for (size_t j = 0; j < message->n_periods && changed != price; j++) {
            int32_t t = iso_names_find(&r->periods, message->periods[j]);
            ISO_TRY(iso_resolve_reserve(&r->exceptions, &r->exceptions_capacity,
                                        r->n_exceptions + 1, sizeof(*r->exceptions), reterr));
            if (t >= 0)
                r->exceptions[r->n_exceptions++] = (struct iso_price_exception){
                    .offering = (int32_t)r->n_kept, .period = t, .price = changed};
        }
    }
    if (r->n_exceptions > first)
        qsort(r->exceptions + first, r->n_exceptions - first, sizeof(*r->exceptions),
              compare_exceptions);
    return ISO_OK;
}

enum iso_status iso_resolve_keep(struct iso_resolve *r, const struct iso_snapshot_offering *view,
                                 const Isocost__V1__Offering *given, iso_decimal price,
                                 struct iso_error *reterr)
{
    struct iso_offering offering = {
        .id = view->id,
        .spot = view->purchase == ISOCOST__V1__PURCHASE__PURCHASE_SPOT,
        .price = price,
    };
    struct iso_kept kept = {.view = *view, .given = given};

    ISO_TRY(
        iso_resolve_reserve(&r->kept, &r->kept_capacity, r->n_kept + 1, sizeof(*r->kept), reterr));
    ISO_TRY(iso_resolve_reserve(&r->offerings, &r->offerings_capacity, r->n_kept + 1,
                                sizeof(*r->offerings), reterr));
    ISO_TRY(place(r, view, &offering, reterr));
    memcpy(offering.capacity, view->capacity, sizeof(offering.capacity));
    if (given)
        ISO_TRY(add_exceptions(r, &kept, price, reterr));
    r->offerings[r->n_kept] = offering;
    r->kept[r->n_kept++] = kept;
    return ISO_OK;
}
