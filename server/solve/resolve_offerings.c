/* One pass over the catalog, in the order of ids: overlays, filters, and what remains becomes an
 * offering of the problem. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_internal.h"

#define MONTH_HOURS 730

/* An inline offering as readers of a catalog see it. */
struct given {
    struct iso_snapshot_offering view;
    const Isocost__V1__Offering *message;
    size_t index;
};

static char *lower_or(struct iso_resolve *r, const char *text, const char *otherwise)
{
    char *copy = iso_arena_strdup(r->arena, text[0] ? text : otherwise);

    for (char *c = copy; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* "key=value\n" lines, sorted. */
static const char *label_lines(struct iso_resolve *r, const Isocost__V1__Offering *offering)
{
    char **lines = iso_arena_calloc(r->arena, offering->n_labels, sizeof(*lines));
    size_t n_bytes = 1, at = 0;

    for (size_t i = 0; lines && i < offering->n_labels; i++) {
        lines[i] = iso_arena_printf(r->arena, "%s=%s\n", offering->labels[i]->key,
                                    offering->labels[i]->value);
        if (!lines[i])
            return NULL;
        n_bytes += strlen(lines[i]);
    }
    char *text = iso_arena_calloc(r->arena, n_bytes, 1);
    if (!lines || !text)
        return NULL;
    qsort(lines, offering->n_labels, sizeof(*lines), compare_texts);
    for (size_t i = 0; i < offering->n_labels; i++) {
        memcpy(text + at, lines[i], strlen(lines[i]));
        at += strlen(lines[i]);
    }
    return text;
}

bool iso_resolve_view(struct iso_resolve *r, const Isocost__V1__Offering *offering,
                      struct iso_snapshot_offering *view)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *provider = iso_provider_fold(offering->provider, buffer);
    iso_decimal price = 0;
    double amount;

    *view = (struct iso_snapshot_offering){
        .provider = iso_arena_strdup(r->arena, provider ? provider : offering->provider),
        .region = lower_or(r, offering->region, "*"),
        .zone = lower_or(r, offering->zone, "*"),
        .type = lower_or(r, offering->type, ""),
        .os = lower_or(r, offering->os, "linux"),
        .native_id = offering->native_id[0] ? offering->native_id : offering->type,
        .family = offering->family,
        .arch = offering->arch,
        .tenancy = offering->tenancy[0] ? offering->tenancy : "shared",
        .gpu_model = offering->resources ? offering->resources->gpu_model : "",
        .source = offering->source,
        .labels = label_lines(r, offering),
        .purchase = (int32_t)offering->purchase,
        .kind = (int32_t)offering->kind,
        .status = (int32_t)offering->status,
        .price_unit = (int32_t)offering->price_unit,
        .lot = offering->opt_lot_case ? iso_number(offering->lot) : ISO_DECIMAL_ONE,
        .availability =
            offering->opt_availability_case ? iso_number(offering->availability) : ISO_DECIMAL_ONE,
        .carbon =
            offering->opt_carbon_case ? iso_number(offering->carbon_kg_per_hour) : ISO_UNKNOWN,
    };
    if (offering->observed_at)
        view->observed_ns =
            offering->observed_at->seconds * 1000000000 + offering->observed_at->nanos;
    if (offering->price && iso_money_to_decimal(offering->price, &price, NULL) == ISO_OK)
        snprintf(view->currency, sizeof(view->currency), "%s", offering->price->currency_code);
    view->price = price;
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        view->capacity[k] =
            offering->resources && iso_resource_amount(offering->resources, k, &amount)
                ? iso_number(amount)
                : ISO_UNKNOWN;
    if (!view->provider || !view->region || !view->zone || !view->type || !view->os)
        return false;
    view->id = iso_arena_printf(
        r->arena, "%s/%s/%s/%s/%s/%s", view->provider, view->region, view->zone, view->type,
        view->os, view->purchase == ISOCOST__V1__PURCHASE__PURCHASE_SPOT ? "spot" : "on-demand");
    return view->id && view->labels;
}

static int compare_given(const void *a, const void *b)
{
    const struct given *left = a, *right = b;
    int order = strcmp(left->view.id, right->view.id);

    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

static enum iso_status make_given(struct iso_resolve *r, struct given **ret_given,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    struct given *given = iso_arena_calloc(r->scratch, catalog->n_offerings, sizeof(*given));

    for (size_t i = 0; given && i < catalog->n_offerings; i++) {
        given[i].message = catalog->offerings[i];
        given[i].index = i;
        if (!iso_resolve_view(r, catalog->offerings[i], &given[i].view))
            return iso_resolve_full(reterr);
    }
    if (!given)
        return iso_resolve_full(reterr);
    qsort(given, catalog->n_offerings, sizeof(*given), compare_given);
    for (size_t i = 1; i < catalog->n_offerings; i++)
        if (strcmp(given[i - 1].view.id, given[i].view.id) == 0) {
            char path[ISO_PATH_SIZE];
            iso_check_path(path, "model.catalog", "offerings", given[i].index);
            iso_violations_add(r->violations, path, "%s is given twice; ids must be unique",
                               given[i].view.id);
        }
    *ret_given = given;
    return ISO_OK;
}

bool iso_resolve_to_hourly(const struct iso_snapshot_offering *view, iso_decimal price,
                           iso_decimal *ret_price)
{
    iso_wide hours =
        view->price_unit == ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_MONTH ? MONTH_HOURS : 1;
    iso_wide hourly =
        iso_wide_divide((iso_wide)price * view->lot, hours * ISO_DECIMAL_ONE, ISO_ROUND_HALF_EVEN);

    return hourly > 0 && iso_wide_to_decimal(hourly, ret_price);
}

static void report_overlay(struct iso_resolve *r, struct iso_overlay *overlay, const char *field,
                           const char *text, const char *id)
{
    char path[ISO_PATH_SIZE];

    if (overlay->reported)
        return; /* once for all offerings */
    overlay->reported = true;
    if (overlay->index < 0) {
        iso_resolve_warn(r, "an overlay of the snapshot is not used for %s: %s", id, text);
        return;
    }
    snprintf(path, sizeof(path), "model.catalog.overlays[%d].%s", overlay->index, field);
    iso_violations_add(r->violations, path, "%s: %s", id, text);
}

static void change_price(struct iso_resolve *r, struct iso_overlay *overlay,
                         const struct iso_snapshot_offering *view, iso_decimal *price)
{
    const Isocost__V1__Overlay *message = overlay->message;
    iso_decimal changed = 0;

    if (message->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE) {
        if (strcmp(message->price->currency_code, view->currency) != 0)
            report_overlay(r, overlay, "price.currency_code",
                           "the price must be in the currency of the offering", view->id);
        else if (iso_money_to_decimal(message->price, &changed, NULL) == ISO_OK)
            *price = changed;
    } else if (message->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR) {
        if (!iso_decimal_multiply(*price, iso_number(message->price_factor), ISO_ROUND_HALF_EVEN,
                                  &changed) ||
            changed <= 0)
            report_overlay(r, overlay, "price_factor",
                           "the price must stay above 0 and below 9223372036", view->id);
        else
            *price = changed;
    }
}

static void change_carbon(struct iso_resolve *r, struct iso_overlay *overlay,
                          struct iso_snapshot_offering *view)
{
    const Isocost__V1__Overlay *message = overlay->message;
    iso_decimal vcpu = view->capacity[ISO_RESOURCE_VCPU];

    if (message->carbon_case == ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_HOUR)
        view->carbon = iso_number(message->carbon_kg_per_hour);
    if (message->carbon_case != ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_VCPU_HOUR)
        return;
    view->carbon = ISO_UNKNOWN;
    if (vcpu != ISO_UNKNOWN && !iso_decimal_multiply(iso_number(message->carbon_kg_per_vcpu_hour),
                                                     vcpu, ISO_ROUND_UP, &view->carbon)) {
        view->carbon = ISO_UNKNOWN;
        report_overlay(r, overlay, "carbon_kg_per_vcpu_hour",
                       "an instance must stay at or below 9223372036 kg an hour", view->id);
    }
}

static bool changes(const struct iso_resolve *r, const struct iso_overlay *overlay,
                    const struct iso_priced *at, int32_t span)
{
    return iso_overlay_holds(r, overlay, span) &&
           iso_scope_has(&overlay->scope, at->view, at->place);
}

iso_decimal iso_resolve_unit_price(struct iso_resolve *r, const struct iso_priced *at, int32_t span)
{
    iso_decimal price = at->price;

    for (int32_t i = 0; i < r->n_overlays; i++)
        if (changes(r, &r->overlays[i], at, span))
            change_price(r, &r->overlays[i], at->view, &price);
    return price;
}

bool iso_resolve_hourly(struct iso_resolve *r, const struct iso_priced *at, int32_t span,
                        iso_decimal *ret_price)
{
    return iso_resolve_to_hourly(at->view, iso_resolve_unit_price(r, at, span), ret_price);
}

const char *iso_resolve_price_note(struct iso_resolve *r, const struct iso_priced *at, int32_t span)
{
    const char *note = "";

    for (int32_t i = 0; i < r->n_overlays && note; i++) {
        const struct iso_overlay *overlay = &r->overlays[i];
        const Isocost__V1__Overlay *message = overlay->message;
        if (!message->change_case || !changes(r, overlay, at, span))
            continue;
        const char *own =
            message->note[0] ? message->note
            : overlay->stored >= 0
                ? iso_arena_printf(r->scratch, "overlay %d of the snapshot", overlay->stored + 1)
                : "";
        if (message->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE || !note[0])
            note = own; /* a price is none of what was before */
        else if (own && own[0])
            note = iso_arena_printf(r->scratch, "%s; %s", note, own);
    }
    return note;
}

bool iso_resolve_apply_overlays(struct iso_resolve *r, struct iso_snapshot_offering *view,
                                int32_t place, iso_decimal *ret_price)
{
    for (int32_t i = 0; i < r->n_overlays; i++) {
        struct iso_overlay *overlay = &r->overlays[i];
        if (!iso_scope_has(&overlay->scope, view, place))
            continue;
        overlay->matched = true;
        if (!iso_overlay_holds(r, overlay, 0))
            continue; /* it has dates, so it changes the price only */
        change_price(r, overlay, view, &view->price);
        if (overlay->message->status != ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_UNSPECIFIED)
            view->status = (int32_t)overlay->message->status;
        if (overlay->message->opt_availability_case)
            view->availability = iso_number(overlay->message->availability);
        change_carbon(r, overlay, view);
    }
    return iso_resolve_to_hourly(view, view->price, ret_price);
}

bool iso_resolve_can_be_bought(const struct iso_snapshot_offering *view)
{
    return view->status != ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_RESTRICTED &&
           view->status != ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_SOLD_OUT;
}

/* Adds the offering to the options of every workload that may use it. */
static enum iso_status offer(struct iso_resolve *r, const struct iso_snapshot_offering *view,
                             int32_t place, bool usable, bool *ret_is_option,
                             struct iso_error *reterr)
{
    int barred = -1; /* filter that bars it for all workloads; -1: not looked up */

    for (int32_t a = 0; a < r->problem->n_workloads; a++) {
        struct iso_chooser *chooser = &r->choosers[a];
        struct iso_option option = {.offering = (int32_t)r->n_kept};
        enum iso_filter filter = usable && iso_resolve_can_be_bought(view)
                                     ? iso_resolve_choose(chooser, view, place, &option)
                                     : ISO_FILTER_STATUS;
        if (filter == ISO_FILTER_KEPT) {
            if (barred < 0)
                barred = iso_resolve_weight_unknown(r, view)  ? ISO_FILTER_RESOURCES_UNKNOWN
                         : iso_resolve_quota_unknown(r, view) ? ISO_FILTER_QUOTA_UNKNOWN
                                                              : ISO_FILTER_KEPT;
            filter = (enum iso_filter)barred;
        }
        chooser->counts[filter]++;
        if (filter != ISO_FILTER_KEPT)
            continue;
        ISO_TRY(iso_resolve_reserve(&chooser->options, &chooser->options_capacity,
                                    chooser->n_options + 1, sizeof(*chooser->options), reterr));
        chooser->options[chooser->n_options++] = option;
        *ret_is_option = true;
    }
    return ISO_OK;
}

/* Takes an offering of the model's own, or the one of a row at a place. */
static enum iso_status take(struct iso_resolve *r, struct iso_snapshot_offering *view,
                            int32_t place, const struct given *given, struct iso_error *reterr)
{
    iso_decimal price = 0;
    struct iso_priced listed = {.view = view, .place = place, .price = view->price};
    bool keep = false, usable = iso_resolve_apply_overlays(r, view, place, &price);

    if (!usable && given) {
        char path[ISO_PATH_SIZE];
        iso_check_path(path, "model.catalog", "offerings", given->index);
        iso_violations_add(r->violations, path,
                           "the price of an instance for one hour must be at least 0.000000001 and "
                           "at most 9223372036");
    }
    ISO_TRY(offer(r, view, place, usable, &keep, reterr));
    if (usable && r->current_ids.n > 0 && iso_names_find(&r->current_ids, view->id) >= 0)
        keep = true;
    return keep ? iso_resolve_keep(r, &listed, given ? given->message : NULL, price, reterr)
                : ISO_OK;
}

static void report_selectors(struct iso_resolve *r)
{
    char path[ISO_PATH_SIZE];

    for (size_t i = 0; i < r->model->catalog->n_selectors; i++)
        if (!r->rows.hits || !r->rows.hits[i]) {
            iso_check_path(path, "model.catalog", "selectors", i);
            iso_violations_add(r->violations, path,
                               "matches none of the %d offerings of the snapshot",
                               iso_snapshot_n_offerings(r->snapshot));
        }
    for (int32_t i = 0; i < r->n_overlays; i++)
        if (!r->overlays[i].matched && r->overlays[i].index >= 0)
            iso_resolve_warn(r, "overlay %d matches no selected offering", r->overlays[i].index);
}

/* Takes the model's own offerings and the rows that are looked at, by id. */
static enum iso_status pass(struct iso_resolve *r, struct given *given, struct iso_error *reterr)
{
    const struct iso_rows *rows = &r->rows;
    size_t n_given = r->model->catalog->n_offerings, next = 0;

    for (int32_t place = rows->looked_at ? iso_rows_next(rows, 0) : 0; place < rows->n;
         place = iso_rows_next(rows, place + 1)) {
        struct iso_snapshot_offering view;
        iso_snapshot_offering(r->snapshot, rows->stored[place], &view);
        for (; next < n_given && strcmp(given[next].view.id, view.id) < 0; next++)
            ISO_TRY(take(r, &given[next].view, -1, &given[next], reterr));
        if (next < n_given && strcmp(given[next].view.id, view.id) == 0)
            continue; /* the model's own replaces it */
        ISO_TRY(take(r, &view, place, NULL, reterr));
    }
    for (; next < n_given; next++)
        ISO_TRY(take(r, &given[next].view, -1, &given[next], reterr));
    return ISO_OK;
}

int32_t iso_resolve_find_stored(const struct iso_snapshot *snapshot, const char *id)
{
    int32_t low = 0, high = snapshot ? iso_snapshot_n_offerings(snapshot) : 0;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        struct iso_snapshot_offering view;
        iso_snapshot_offering(snapshot, middle, &view);
        int order = strcmp(view.id, id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* What runs today is part of the problem, also where no workload may use it any more. */
static enum iso_status add_current(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_names have = {.arena = r->arena};

    for (size_t i = 0; i < r->n_kept; i++)
        if (iso_names_find(&r->current_ids, r->kept[i].view.id) >= 0)
            iso_names_add(&have, r->kept[i].view.id);
    for (int32_t i = 0; i < r->current_ids.n; i++) {
        const char *id = r->current_ids.texts[i];
        int32_t place = iso_resolve_find_stored(r->snapshot, id);
        struct iso_snapshot_offering view;
        iso_decimal price;
        if (iso_names_find(&have, id) >= 0 || place < 0)
            continue;
        iso_snapshot_offering(r->snapshot, place, &view);
        struct iso_priced listed = {.view = &view, .place = -1, .price = view.price};
        if (iso_resolve_apply_overlays(r, &view, /* place= */ -1, &price))
            ISO_TRY(iso_resolve_keep(r, &listed, NULL, price, reterr));
    }
    return ISO_OK;
}

static enum iso_status copy_offerings(struct iso_resolve *r, struct iso_error *reterr)
{
    size_t n = r->n_kept;
    struct iso_offering *offerings = iso_arena_calloc(r->arena, n, sizeof(*offerings));
    int64_t *observed_ns = iso_arena_calloc(r->arena, n, sizeof(*observed_ns));
    struct iso_price_exception *exceptions =
        iso_arena_calloc(r->arena, r->n_exceptions, sizeof(*exceptions));
    int32_t *zone_region = iso_arena_calloc(r->arena, (size_t)r->zones.n, sizeof(*zone_region));
    const char **notes =
        iso_arena_calloc(r->arena, n * (size_t)r->days.n_spans, sizeof(const char *));

    if (!offerings || !observed_ns || !exceptions || !zone_region || !notes)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < n; i++) {
        offerings[i] = r->offerings[i];
        observed_ns[i] = r->kept[i].view.observed_ns;
        for (int32_t s = 0; s < r->days.n_spans; s++)
            notes[i * (size_t)r->days.n_spans + (size_t)s] =
                r->kept[i].notes ? r->kept[i].notes[s] : "";
    }
    if (r->n_exceptions > 0)
        memcpy(exceptions, r->exceptions, r->n_exceptions * sizeof(*exceptions));
    if (r->zones.n > 0)
        memcpy(zone_region, r->zone_region, (size_t)r->zones.n * sizeof(*zone_region));
    r->problem->n_offerings = (int32_t)n;
    r->problem->offerings = offerings;
    r->out->observed_ns = observed_ns;
    r->out->price_notes = notes;
    r->problem->n_price_exceptions = (int32_t)r->n_exceptions;
    r->problem->price_exceptions = exceptions;
    r->problem->zone_region = zone_region;
    return ISO_OK;
}

enum iso_status iso_resolve_offerings(struct iso_resolve *r, struct iso_error *reterr)
{
    size_t n_given = r->model->catalog->n_offerings;
    struct given *given = NULL;

    ISO_TRY(make_given(r, &given, reterr));
    ISO_TRY(iso_rows_open(r, reterr));
    for (size_t i = 0; i < n_given && r->rows.looked_at; i++)
        if (i == 0 || strcmp(given[i - 1].view.id, given[i].view.id) != 0)
            iso_rows_replace(r, given[i].view.id);
    ISO_TRY(pass(r, given, reterr));
    iso_rows_count_others(r);
    ISO_TRY(add_current(r, reterr));
    report_selectors(r);
    return copy_offerings(r, reterr);
}
