#include "catalog_flat.h"

#include <stdlib.h>
#include <string.h>

#include "isocost/proto/day.h"
#include "isocost/proto/money.h"
#include "isocost/proto/timestamp.h"
#include "message_new.h"
#include "offering_message.h"
#include "resolve_internal.h"

/* A row while the catalog is collected. */
struct row {
    struct iso_snapshot_offering view;
    const Isocost__V1__Offering *given; /* inline, or NULL */
    bool barred; /* runs today, but is not selected: nothing may be started */
};

/* Ids of the periods of a span of days in which no price changes. */
struct span {
    char **ids;
    size_t n;
};

struct flattening {
    struct iso_resolve *r;
    struct row *rows; /* heap */
    size_t n, room;
    struct iso_names own; /* ids that the model gives */
    struct span *spans;   /* r->days.n_spans */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a catalog");
}

static enum iso_status add(struct flattening *f, const struct iso_snapshot_offering *view,
                           const Isocost__V1__Offering *given, struct iso_error *reterr)
{
    ISO_TRY(iso_resolve_reserve(&f->rows, &f->room, f->n + 1, sizeof(*f->rows), reterr));
    struct row *row = &f->rows[f->n++];
    *row = (struct row){.view = *view, .given = given};
    return ISO_OK;
}

static enum iso_status add_own(struct flattening *f, struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = f->r->model->catalog;

    for (size_t i = 0; i < catalog->n_offerings; i++) {
        struct iso_snapshot_offering view;
        if (!iso_resolve_view(f->r, catalog->offerings[i], &view) ||
            iso_names_add(&f->own, view.id) < 0)
            return no_memory(reterr);
        ISO_TRY(add(f, &view, catalog->offerings[i], reterr));
    }
    return ISO_OK;
}

/* The offerings that run today, which count in moves whether or not they are selected. */
static enum iso_status find_current(const struct iso_resolve *r, struct iso_names *current,
                                    struct iso_error *reterr)
{
    const Isocost__V1__CurrentPlacement *placement = r->model->current;

    for (size_t i = 0; placement && i < placement->n_instances; i++) {
        const char *id = iso_offering_id_fold(placement->instances[i]->offering, r->arena);
        if (!id || iso_names_add(current, id) < 0)
            return no_memory(reterr);
    }
    return ISO_OK;
}

static enum iso_status add_stored(struct flattening *f, struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = f->r->model->catalog;
    const struct iso_snapshot *snapshot = f->r->snapshot;
    struct iso_names current = {.arena = f->r->scratch};
    const struct iso_selector **selectors =
        iso_arena_calloc(f->r->scratch, catalog->n_selectors + 1, sizeof(*selectors));

    for (size_t i = 0; selectors && i < catalog->n_selectors; i++) {
        selectors[i] = iso_selector_compile(catalog->selectors[i], f->r->scratch);
        if (!selectors[i])
            return no_memory(reterr);
    }
    if (!selectors)
        return no_memory(reterr);
    ISO_TRY(find_current(f->r, &current, reterr));
    for (int32_t i = 0; snapshot && i < iso_snapshot_n_offerings(snapshot); i++) {
        struct iso_snapshot_offering view;
        bool selected = false;
        iso_snapshot_offering(snapshot, i, &view);
        for (size_t k = 0; k < catalog->n_selectors && !selected; k++)
            selected = iso_selector_matches(selectors[k], &view);
        bool runs = !selected && current.n > 0 && iso_names_find(&current, view.id) >= 0;
        if ((!selected && !runs) || iso_names_find(&f->own, view.id) >= 0)
            continue;
        ISO_TRY(add(f, &view, NULL, reterr));
        f->rows[f->n - 1].barred = runs;
    }
    return ISO_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    return strcmp(left->view.id, right->view.id);
}

/* Which periods are in which span; load levels of one that is not the first have no names yet. */
static bool find_spans(struct flattening *f)
{
    const Isocost__V1__Model *model = f->r->model;
    int32_t n_spans = f->r->days.n_spans;
    char day[ISO_DAY_TEXT_SIZE];

    f->spans = iso_arena_calloc(f->r->arena, (size_t)n_spans, sizeof(*f->spans));
    for (int32_t s = 0; f->spans && s < n_spans; s++) {
        f->spans[s].ids = iso_arena_calloc(f->r->arena, model->n_periods + 1, sizeof(char *));
        if (!f->spans[s].ids)
            return false;
        if (model->load_levels && s > 0)
            f->spans[s].ids[f->spans[s].n++] =
                iso_arena_printf(f->r->arena, "from %s", iso_day_format(f->r->days.begins[s], day));
    }
    for (size_t t = 0; f->spans && t < model->n_periods; t++) {
        int64_t start_ns = iso_timestamp_ns(model->periods[t]->start);
        struct span *span = &f->spans[iso_days_span(f->r, start_ns)];
        span->ids[span->n++] = model->periods[t]->id;
    }
    return f->spans && !iso_arena_full(f->r->arena);
}

static bool has(char **ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

static bool has_own_price(const Isocost__V1__Offering *given, const char *id)
{
    for (size_t i = 0; given && i < given->n_period_prices; i++)
        if (has(given->period_prices[i]->periods, given->period_prices[i]->n_periods, id))
            return true;
    return false;
}

/* The periods of a span that `only` names, or that have no price of their own. */
static bool choose_periods(const struct flattening *f, const struct span *span,
                           const Isocost__V1__Offering *given, const Isocost__V1__PeriodPrice *only,
                           Isocost__V1__PeriodPrice *made)
{
    made->periods = iso_arena_calloc(f->r->arena, span->n, sizeof(char *));
    made->n_periods = 0;
    for (size_t i = 0; made->periods && i < span->n; i++)
        if (only ? has(only->periods, only->n_periods, span->ids[i])
                 : !has_own_price(given, span->ids[i]))
            made->periods[made->n_periods++] = span->ids[i];
    return made->periods != NULL;
}

/* Adds what an offering costs in those periods of a span that `only` names, or that have no price
 * of their own; nothing when there are none. False when the arena is full. */
static bool add_period_price(const struct flattening *f, const struct iso_priced *at,
                             const Isocost__V1__Offering *given,
                             const Isocost__V1__PeriodPrice *only, int32_t s,
                             Isocost__V1__Offering *offering)
{
    const struct span *span = &f->spans[s];
    Isocost__V1__PeriodPrice *made = offering->period_prices[offering->n_period_prices];

    if (only && f->r->days.n_spans == 1) {
        made->periods = only->periods;
        made->n_periods = only->n_periods;
    } else if (!choose_periods(f, span, given, only, made)) {
        return false;
    }
    if (made->n_periods == 0)
        return true;
    made->price = iso_money_from_decimal(iso_resolve_unit_price(f->r, at, s), at->view->currency,
                                         f->r->arena);
    offering->n_period_prices++;
    return made->price != NULL;
}

/* Prices of some periods, with the overlays that hold in them. */
static bool add_period_prices(const struct flattening *f, const struct row *row,
                              Isocost__V1__Offering *offering)
{
    const struct iso_priced listed = {.view = &row->view, .place = -1, .price = row->view.price};
    size_t n_given = row->given ? row->given->n_period_prices : 0;
    int32_t n_spans = f->r->days.n_spans;
    iso_decimal first = iso_resolve_unit_price(f->r, &listed, 0);

    offering->period_prices = (Isocost__V1__PeriodPrice **)iso_messages_new(
        f->r->arena, (n_given + 1) * (size_t)n_spans, &isocost__v1__period_price__descriptor);
    if (!offering->period_prices)
        return false;
    for (size_t i = 0; i < n_given; i++) {
        const Isocost__V1__PeriodPrice *given = row->given->period_prices[i];
        struct iso_priced at = listed;
        if (!given->price || iso_money_to_decimal(given->price, &at.price, NULL) != ISO_OK)
            continue;
        for (int32_t s = 0; s < n_spans; s++)
            if (!add_period_price(f, &at, row->given, given, s, offering))
                return false;
    }
    for (int32_t s = 1; s < n_spans; s++)
        if (iso_resolve_unit_price(f->r, &listed, s) != first &&
            !add_period_price(f, &listed, row->given, NULL, s, offering))
            return false;
    return true;
}

/* Prices of periods come first: overlays change the row. */
static Isocost__V1__Offering *finish(const struct flattening *f, struct row *row)
{
    Isocost__V1__Offering prices = ISOCOST__V1__OFFERING__INIT;
    iso_decimal hourly;

    if (!add_period_prices(f, row, &prices))
        return NULL;
    iso_resolve_apply_overlays(f->r, &row->view, /* place= */ -1, &hourly);
    if (row->barred)
        row->view.status = ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_RESTRICTED;
    Isocost__V1__Offering *offering = iso_offering_message(&row->view, f->r->arena);
    if (offering) {
        offering->period_prices = prices.period_prices;
        offering->n_period_prices = prices.n_period_prices;
    }
    return offering;
}

/* The model's prices of egress, and tariffs as entries behind them: the first that names a pair
 * holds, and those that say more come first. */
static bool add_egress(const struct iso_resolve *r, struct iso_flat_catalog *flat)
{
    const Isocost__V1__Model *model = r->model;
    size_t n_own = model->n_egress_prices;
    Isocost__V1__EgressPrice **made = (Isocost__V1__EgressPrice **)iso_messages_new(
        r->arena, (size_t)r->n_tariffs, &isocost__v1__egress_price__descriptor);

    flat->n_egress_prices = n_own + (size_t)r->n_tariffs;
    flat->egress_prices =
        iso_arena_calloc(r->arena, flat->n_egress_prices, sizeof(*flat->egress_prices));
    if (!flat->egress_prices || !made)
        return false;
    for (size_t i = 0; i < n_own; i++)
        flat->egress_prices[i] = model->egress_prices[i];
    for (int32_t i = 0; i < r->n_tariffs; i++) {
        const struct iso_egress_tariff *tariff = &r->tariffs[i];
        bool anywhere = strcmp(tariff->to, "internet") == 0 || strcmp(tariff->to, "*") == 0;
        flat->egress_prices[n_own + (size_t)i] = made[i];
        made[i]->from = iso_arena_printf(r->arena, "%s/%s", tariff->provider, tariff->region);
        made[i]->to = anywhere                  ? (char *)"*"
                      : strchr(tariff->to, '/') ? (char *)tariff->to
                                                : iso_arena_printf(r->arena, "%s/*", tariff->to);
        made[i]->price_per_gb = iso_money_from_decimal(tariff->price, tariff->currency, r->arena);
        if (!made[i]->from || !made[i]->to || !made[i]->price_per_gb)
            return false;
    }
    return true;
}

static enum iso_status fill(struct flattening *f, struct iso_flat_catalog *flat,
                            struct iso_error *reterr)
{
    struct iso_resolve *r = f->r;
    Isocost__V1__Catalog *catalog = flat->catalog;

    qsort(f->rows, f->n, sizeof(*f->rows), by_id);
    flat->rows = iso_arena_calloc(r->arena, f->n + 1, sizeof(*flat->rows));
    catalog->offerings = iso_arena_calloc(r->arena, f->n + 1, sizeof(*catalog->offerings));
    catalog->products =
        iso_arena_calloc(r->arena, (size_t)r->n_products + 1, sizeof(*catalog->products));
    catalog->quotas = iso_arena_calloc(r->arena, (size_t)r->n_quotas + 1, sizeof(*catalog->quotas));
    if (!flat->rows || !catalog->offerings || !catalog->products || !catalog->quotas ||
        !find_spans(f) || !add_egress(r, flat))
        return no_memory(reterr);
    for (size_t i = 0; i < f->n; i++) {
        catalog->offerings[i] = finish(f, &f->rows[i]);
        flat->rows[i] = f->rows[i].view;
        if (!catalog->offerings[i])
            return no_memory(reterr);
    }
    for (int32_t i = 0; i < r->n_products; i++)
        catalog->products[i] = (Isocost__V1__CommitmentProduct *)r->products[i];
    for (int32_t i = 0; i < r->n_quotas; i++)
        catalog->quotas[i] = (Isocost__V1__Quota *)r->quotas[i].message;
    flat->n = catalog->n_offerings = f->n;
    catalog->n_products = (size_t)r->n_products;
    catalog->n_quotas = (size_t)r->n_quotas;
    catalog->stale_after_hours = r->model->catalog->stale_after_hours;
    return ISO_OK;
}

enum iso_status iso_catalog_flatten(const Isocost__V1__Model *model,
                                    const struct iso_snapshot *snapshot, struct iso_arena *arena,
                                    struct iso_flat_catalog **ret_catalog, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = iso_arena_new(iso_arena_left(arena));
    struct iso_violations violations = {.arena = scratch};
    Isocost__V1__Model whole = *model;
    Isocost__V1__Catalog none = ISOCOST__V1__CATALOG__INIT;
    struct iso_flat_catalog *flat = iso_arena_calloc(arena, 1, sizeof(*flat));
    struct iso_resolve r = {.model = &whole,
                            .snapshot = snapshot,
                            .arena = arena,
                            .scratch = scratch,
                            .violations = &violations};
    struct flattening f = {.r = &r, .own = {.arena = scratch}};

    if (!scratch || !flat)
        return no_memory(reterr);
    whole.catalog = whole.catalog ? whole.catalog : &none;
    flat->catalog = iso_message_new(arena, &isocost__v1__catalog__descriptor);
    r.out = iso_arena_calloc(arena, 1, sizeof(*r.out));
    if (!flat->catalog || !r.out)
        return no_memory(reterr);
    r.problem = &r.out->problem;
    enum iso_status status = iso_resolve_records(&r, reterr);
    if (status == ISO_OK)
        status = add_own(&f, reterr);
    if (status == ISO_OK)
        status = add_stored(&f, reterr);
    if (status == ISO_OK)
        status = fill(&f, flat, reterr);
    free(f.rows);
    if (status == ISO_OK)
        *ret_catalog = flat;
    return status;
}

int64_t iso_flat_catalog_find(const struct iso_flat_catalog *catalog, const char *id)
{
    size_t low = 0, high = catalog->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(catalog->rows[middle].id, id);
        if (order == 0)
            return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
