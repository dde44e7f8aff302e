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

static enum iso_status add_exception(struct iso_resolve *r, int32_t period, iso_decimal price,
                                     struct iso_error *reterr)
{
    ISO_TRY(iso_resolve_reserve(&r->exceptions, &r->exceptions_capacity, r->n_exceptions + 1,
                                sizeof(*r->exceptions), reterr));
    r->exceptions[r->n_exceptions++] = (struct iso_price_exception){
        .offering = (int32_t)r->n_kept, .period = period, .price = price};
    return ISO_OK;
}

/* The prices of periods that the offering names, each with the overlays of the period's span. */
static enum iso_status add_given(struct iso_resolve *r, const struct iso_priced *listed,
                                 const Isocost__V1__Offering *given, iso_decimal price,
                                 uint8_t *is_given, struct iso_error *reterr)
{
    for (size_t i = 0; i < given->n_period_prices; i++) {
        const Isocost__V1__PeriodPrice *message = given->period_prices[i];
        struct iso_priced at = *listed;
        for (size_t j = 0; j < message->n_periods; j++) {
            int32_t t = iso_names_find(&r->periods, message->periods[j]);
            iso_decimal changed = 0;
            if (t < 0)
                continue;
            if (is_given)
                is_given[t] = 1;
            if (iso_money_to_decimal(message->price, &at.price, NULL) != ISO_OK ||
                !iso_resolve_hourly(r, &at, r->out->span_of_period[t], &changed)) {
                iso_violations_add(
                    r->violations, "model.catalog.offerings",
                    "%s: period_prices[%zu] must be at least 0.000000001 for one hour",
                    listed->view->id, i);
                break;
            }
            if (changed != price)
                ISO_TRY(add_exception(r, t, changed, reterr));
        }
    }
    return ISO_OK;
}

/* The prices of periods of later spans, where they are others; not where the offering names one. */
static enum iso_status add_spans(struct iso_resolve *r, const struct iso_priced *listed,
                                 iso_decimal price, const uint8_t *is_given,
                                 struct iso_error *reterr)
{
    for (int32_t s = 1; s < r->days.n_spans; s++) {
        iso_decimal changed;
        if (!iso_resolve_hourly(r, listed, s, &changed)) {
            iso_resolve_warn(r, "%s keeps its price: with overlays it is less than 0.000000001",
                             listed->view->id);
            continue;
        }
        for (int32_t t = 0; t < r->problem->n_periods && changed != price; t++)
            if (r->out->span_of_period[t] == s && !(is_given && is_given[t]))
                ISO_TRY(add_exception(r, t, changed, reterr));
    }
    return ISO_OK;
}

static enum iso_status add_exceptions(struct iso_resolve *r, const struct iso_priced *listed,
                                      const Isocost__V1__Offering *given, iso_decimal price,
                                      struct iso_error *reterr)
{
    size_t first = r->n_exceptions, n_periods = (size_t)r->problem->n_periods;
    bool both = given && given->n_period_prices > 0 && r->days.n_spans > 1;
    ISO_AUTO_MEM uint8_t *is_given = both ? iso_calloc(n_periods, 1) : NULL;

    if (both && !is_given)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to resolve a model");
    if (given)
        ISO_TRY(add_given(r, listed, given, price, is_given, reterr));
    ISO_TRY(add_spans(r, listed, price, is_given, reterr));
    if (r->n_exceptions > first)
        qsort(r->exceptions + first, r->n_exceptions - first, sizeof(*r->exceptions),
              compare_exceptions);
    return ISO_OK;
}

/* Most offerings have the notes of the one before. */
static bool add_notes(struct iso_resolve *r, const struct iso_priced *listed, struct iso_kept *kept)
{
    const char **last = r->n_kept > 0 ? r->kept[r->n_kept - 1].notes : NULL;
    bool any = false;

    if (r->n_overlays == 0)
        return true;
    kept->notes = iso_arena_calloc(r->scratch, (size_t)r->days.n_spans, sizeof(*kept->notes));
    for (int32_t s = 0; s < r->days.n_spans && kept->notes; s++) {
        const char *note = iso_resolve_price_note(r, listed, s);
        if (note && note[0])
            note = last && strcmp(last[s], note) == 0 ? last[s] : iso_arena_strdup(r->arena, note);
        if (!note)
            return false;
        kept->notes[s] = note;
        any |= note[0] != '\0';
    }
    if (!kept->notes)
        return false;
    if (!any)
        kept->notes = NULL;
    return true;
}

enum iso_status iso_resolve_keep(struct iso_resolve *r, const struct iso_priced *listed,
                                 const Isocost__V1__Offering *given, iso_decimal price,
                                 struct iso_error *reterr)
{
    const struct iso_snapshot_offering *view = listed->view;
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
    if (!add_notes(r, listed, &kept))
        return iso_resolve_full(reterr);
    if (given || r->days.n_spans > 1)
        ISO_TRY(add_exceptions(r, listed, given, price, reterr));
    r->offerings[r->n_kept] = offering;
    r->kept[r->n_kept++] = kept;
    return ISO_OK;
}
