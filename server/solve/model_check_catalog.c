/* What may be bought: offerings, products, overlays and quotas of a model or a snapshot. */
#include <stdio.h>
#include <string.h>

#include "isocost/proto/day.h"
#include "model_check.h"
#include "selector.h"

#define MAXIMUM_NOTE_BYTES 256

/* A part of an offering's id. */
static void check_part(struct iso_model_check *check, const char *path, const char *field,
                       const char *text, bool required)
{
    if (required && text[0] == '\0')
        iso_check_fail(check, path, field, "is empty; it is required");
    for (const char *c = text; *c; c++)
        if (*c == '/' || (unsigned char)*c <= ' ') {
            iso_check_fail(check, path, field, "\"%.64s\": blanks and `/` are not allowed", text);
            return;
        }
    if (strlen(text) > 128)
        iso_check_fail(check, path, field, "is longer than 128 bytes");
}

static bool same_currency(const Google__Type__Money *a, const Google__Type__Money *b)
{
    return !a || !b || strcmp(a->currency_code, b->currency_code) == 0;
}

static void check_period_prices(struct iso_model_check *check, const char *path,
                                const Isocost__V1__Offering *offering)
{
    struct iso_names seen = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < offering->n_period_prices; i++) {
        const Isocost__V1__PeriodPrice *price = offering->period_prices[i];
        iso_check_path(place, path, "period_prices", i);
        iso_check_period_ids(check, place, "periods", price->periods, price->n_periods);
        if (price->n_periods == 0)
            iso_check_fail(check, place, "periods", "is empty; at least one period is required");
        for (size_t j = 0; j < price->n_periods; j++) {
            if (!iso_names_add_new(&seen, price->periods[j]))
                iso_check_fail(check, place, "periods", "\"%.64s\" has a price already",
                               price->periods[j]);
        }
        if (iso_check_money(check, place, "price", price->price, ISO_ABOVE_ZERO, true) &&
            !same_currency(price->price, offering->price))
            iso_check_fail(check, place, "price.currency_code",
                           "%s; it must be the offering's currency %s", price->price->currency_code,
                           offering->price->currency_code);
    }
}

static void check_offering(struct iso_model_check *check, const char *path,
                           const Isocost__V1__Offering *offering)
{
    iso_check_provider(check, path, "provider", offering->provider);
    check_part(check, path, "region", offering->region, false);
    check_part(check, path, "zone", offering->zone, false);
    check_part(check, path, "type", offering->type, true);
    check_part(check, path, "os", offering->os, false);
    if (offering->purchase == ISOCOST__V1__PURCHASE__PURCHASE_UNSPECIFIED)
        iso_check_fail(check, path, "purchase", "is missing; ON_DEMAND or SPOT is required");
    iso_check_resources(check, path, "resources", offering->resources);
    if (offering->opt_lot_case)
        iso_check_number(check, path, "lot", offering->lot, ISO_ABOVE_ZERO);
    iso_check_money(check, path, "price", offering->price, ISO_ABOVE_ZERO, true);
    check_period_prices(check, path, offering);
    iso_check_timestamp(check, path, "observed_at", offering->observed_at);
    if (offering->opt_availability_case)
        iso_check_number(check, path, "availability", offering->availability, ISO_POSITIVE_SHARE);
    if (offering->opt_carbon_case)
        iso_check_number(check, path, "carbon_kg_per_hour", offering->carbon_kg_per_hour,
                         ISO_AT_LEAST_ZERO);
    if (offering->n_labels > 64)
        iso_check_fail(check, path, "labels", "%zu labels; at most 64 are allowed",
                       offering->n_labels);
}

static void check_rates(struct iso_model_check *check, const char *path,
                        const Isocost__V1__CommitmentProduct *product)
{
    bool spend = product->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_SPEND;
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < product->n_rates; i++) {
        const Isocost__V1__CommitmentRate *rate = product->rates[i];
        iso_check_path(place, path, "rates", i);
        iso_check_selector(check, place, "offerings", rate->offerings);
        if (rate->rate_case == ISOCOST__V1__COMMITMENT_RATE__RATE_UNITS && !spend)
            iso_check_number(check, place, "units", rate->units, ISO_ABOVE_ZERO);
        else if (rate->rate_case == ISOCOST__V1__COMMITMENT_RATE__RATE_PRICE_RATIO && spend)
            iso_check_number(check, place, "price_ratio", rate->price_ratio, ISO_POSITIVE_SHARE);
        else
            iso_check_fail(check, place, "", "a %s product needs %s", spend ? "SPEND" : "UNIT",
                           spend ? "price_ratio" : "units");
    }
}

static void check_scope(struct iso_model_check *check, const char *path,
                        const Isocost__V1__CommitmentScope *scope)
{
    char place[ISO_PATH_SIZE];

    if (!scope || !check->model)
        return;
    for (size_t i = 0; i < scope->n_workloads; i++)
        if (iso_names_find(&check->workloads, scope->workloads[i]) < 0) {
            snprintf(place, sizeof(place), "scope.workloads[%zu]", i);
            iso_check_fail(check, path, place, "\"%.64s\" is not the id of a workload",
                           scope->workloads[i]);
        }
    for (size_t i = 0; i < scope->n_teams; i++)
        if (iso_names_find(&check->teams, scope->teams[i]) < 0 &&
            strcmp(scope->teams[i], "default") != 0) {
            snprintf(place, sizeof(place), "scope.teams[%zu]", i);
            iso_check_fail(check, path, place, "\"%.64s\" is not the id of a team",
                           scope->teams[i]);
        }
}

static void check_existing(struct iso_model_check *check, const char *path,
                           const Isocost__V1__CommitmentProduct *product)
{
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < product->n_existing; i++) {
        iso_check_path(place, path, "existing", i);
        iso_check_number(check, place, "quantity", product->existing[i]->quantity,
                         ISO_AT_LEAST_ZERO);
        iso_check_timestamp(check, place, "expires_at", product->existing[i]->expires_at);
        if (product->existing[i]->expires_at && check->model && !check->chronological)
            iso_check_fail(check, place, "expires_at", "needs periods or load_levels with a start");
    }
}

void iso_check_product(struct iso_model_check *check, const char *path,
                       const Isocost__V1__CommitmentProduct *product)
{
    size_t n = strlen(product->id);

    if (n < 1 || n > 128 || strchr("_.:/-", product->id[0]) ||
        strspn(product->id, "abcdefghijklmnopqrstuvwxyz0123456789_.:/-") != n)
        iso_check_fail(check, path, "id",
                       "\"%.128s\" is not an id; [a-z0-9][a-z0-9_.:/-]{0,127} is allowed",
                       product->id);
    iso_check_provider(check, path, "provider", product->provider);
    if (product->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNSPECIFIED)
        iso_check_fail(check, path, "kind", "is missing; UNIT or SPEND is required");
    if (!product->eligible)
        iso_check_fail(check, path, "eligible", "is missing; an empty selector covers everything");
    iso_check_selector(check, path, "eligible", product->eligible);
    check_rates(check, path, product);
    iso_check_number(check, path, "term_hours", product->term_hours, ISO_ABOVE_ZERO);
    iso_check_period_ids(check, path, "start_periods", product->start_periods,
                         product->n_start_periods);
    if (check->model && product->n_start_periods > 0 && check->n_values > 1 &&
        !check->chronological)
        iso_check_fail(check, path, "start_periods", "needs periods with a start");
    iso_check_money(check, path, "hourly_fee", product->hourly_fee, ISO_AT_LEAST_ZERO, false);
    if (iso_check_money(check, path, "upfront", product->upfront, ISO_AT_LEAST_ZERO, false) &&
        !same_currency(product->hourly_fee, product->upfront))
        iso_check_fail(check, path, "upfront.currency_code",
                       "%s; it must be the currency of hourly_fee, %s",
                       product->upfront->currency_code, product->hourly_fee->currency_code);
    if (product->opt_lot_case) {
        iso_check_number(check, path, "lot", product->lot, ISO_ABOVE_ZERO);
        if (product->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNIT)
            iso_check_fail(check, path, "lot", "is for SPEND products only");
    }
    if (product->opt_purchasable_maximum_case)
        iso_check_whole(check, path, "purchasable_maximum", product->purchasable_maximum);
    check_existing(check, path, product);
    check_scope(check, path, product->scope);
}

void iso_check_quota(struct iso_model_check *check, const char *path,
                     const Isocost__V1__Quota *quota)
{
    iso_check_provider(check, path, "provider", quota->provider);
    check_part(check, path, "region", quota->region, false);
    iso_check_selector(check, path, "scope", quota->scope);
    if (quota->opt_limit_case)
        iso_check_number(check, path, "limit", quota->limit, ISO_AT_LEAST_ZERO);
    iso_check_number(check, path, "used", quota->used, ISO_AT_LEAST_ZERO);
    iso_check_timestamp(check, path, "observed_at", quota->observed_at);
    if (quota->unlimited && quota->opt_limit_case)
        iso_check_fail(check, path, "unlimited", "a quota with a limit cannot be unlimited");
}

/* A day, or nothing; false: neither. */
static bool check_day(struct iso_model_check *check, const char *path, const char *field,
                      const char *text, int32_t *ret_day)
{
    if (!text[0] || iso_day_read(text, ret_day))
        return true;
    iso_check_fail(check, path, field, "\"%.32s\" is no day; YYYY-MM-DD from 1970 on is allowed",
                   text);
    return false;
}

static void check_validity(struct iso_model_check *check, const char *path,
                           const Isocost__V1__Overlay *overlay)
{
    int32_t first = ISO_DAY_FIRST, last = ISO_DAY_LAST;
    bool read = check_day(check, path, "valid_from", overlay->valid_from, &first);

    read &= check_day(check, path, "valid_until", overlay->valid_until, &last);
    if (read && first > last)
        iso_check_fail(check, path, "valid_until", "%s is before valid_from %s; it is the last day",
                       overlay->valid_until, overlay->valid_from);
    if ((overlay->valid_from[0] || overlay->valid_until[0]) &&
        (overlay->status || overlay->opt_availability_case || overlay->carbon_case))
        iso_check_fail(check, path, "valid_from",
                       "an overlay with dates changes the price only; status, availability and "
                       "carbon have no dates");
}

void iso_check_overlay(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Overlay *overlay)
{
    check_validity(check, path, overlay);
    if (strlen(overlay->note) > MAXIMUM_NOTE_BYTES)
        iso_check_fail(check, path, "note", "has %zu bytes; at most %d are allowed",
                       strlen(overlay->note), MAXIMUM_NOTE_BYTES);
    iso_check_selector(check, path, "offerings", overlay->offerings);
    if (overlay->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE)
        iso_check_money(check, path, "price", overlay->price, ISO_ABOVE_ZERO, true);
    if (overlay->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR)
        iso_check_number(check, path, "price_factor", overlay->price_factor, ISO_ABOVE_ZERO);
    if (overlay->opt_availability_case)
        iso_check_number(check, path, "availability", overlay->availability, ISO_POSITIVE_SHARE);
    if (overlay->carbon_case == ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_HOUR)
        iso_check_number(check, path, "carbon_kg_per_hour", overlay->carbon_kg_per_hour,
                         ISO_AT_LEAST_ZERO);
    if (overlay->carbon_case == ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_VCPU_HOUR)
        iso_check_number(check, path, "carbon_kg_per_vcpu_hour", overlay->carbon_kg_per_vcpu_hour,
                         ISO_AT_LEAST_ZERO);
}

static void check_products(struct iso_model_check *check, const char *path,
                           const Isocost__V1__Catalog *catalog)
{
    struct iso_names ids = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < catalog->n_products; i++) {
        iso_check_path(place, path, "products", i);
        if (!iso_names_add_new(&ids, catalog->products[i]->id))
            iso_check_fail(check, place, "id", "\"%.128s\" is there twice; ids must be unique",
                           catalog->products[i]->id);
        iso_check_product(check, place, catalog->products[i]);
    }
    check_part(check, path, "snapshot_digest", catalog->snapshot_digest, false);
    for (size_t i = 0; i < catalog->n_snapshot_products; i++)
        if (catalog->snapshot_products[i][0] == '\0') {
            snprintf(place, sizeof(place), "snapshot_products[%zu]", i);
            iso_check_fail(check, path, place, "is empty; an id, which may end in *, is required");
        }
}

void iso_check_catalog(struct iso_model_check *check, const char *model_path)
{
    const Isocost__V1__Catalog *catalog = check->model->catalog;
    char path[ISO_PATH_SIZE], place[ISO_PATH_SIZE];

    snprintf(path, sizeof(path), "%s.catalog", model_path);
    if (!catalog || (catalog->n_selectors == 0 && catalog->n_offerings == 0)) {
        iso_check_fail(check, path, "", "neither selectors nor offerings: nothing may be bought");
        if (!catalog)
            return;
    }
    for (size_t i = 0; i < catalog->n_selectors; i++) {
        snprintf(place, sizeof(place), "selectors[%zu]", i);
        iso_check_selector(check, path, place, catalog->selectors[i]);
    }
    for (size_t i = 0; i < catalog->n_offerings; i++) {
        iso_check_path(place, path, "offerings", i);
        check_offering(check, place, catalog->offerings[i]);
    }
    check_products(check, path, catalog);
    for (size_t i = 0; i < catalog->n_overlays; i++) {
        iso_check_path(place, path, "overlays", i);
        iso_check_overlay(check, place, catalog->overlays[i]);
    }
    for (size_t i = 0; i < catalog->n_quotas; i++) {
        iso_check_path(place, path, "quotas", i);
        iso_check_quota(check, place, catalog->quotas[i]);
    }
    iso_check_number(check, path, "stale_after_hours", catalog->stale_after_hours,
                     ISO_AT_LEAST_ZERO);
    int32_t day;
    check_day(check, path, "price_date", catalog->price_date, &day);
}
