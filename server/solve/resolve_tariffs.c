/* What egress costs by the snapshot's rates.
 *
 * The rates of one provider, region and destination that hold on a day of the horizon are one
 * tariff. A problem knows one price a GB for each pair of places, so a tariff's price is the
 * dearest of its steps and days: no plan says less than the bill. Where several tariffs cover a
 * pair, the one whose destination says more holds, then the one whose region does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "isocost/proto/timestamp.h"
#include "resolve_internal.h"
#include "selector.h"

static bool ends_in_star(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && text[n - 1] == '*';
}

/* How much a destination says: a place, places that begin alike, a provider, the internet, all. */
static int rank_of_destination(const char *to)
{
    if (strchr(to, '/'))
        return ends_in_star(to) ? 3 : 4;
    if (strcmp(to, "*") == 0)
        return 0;
    return strcmp(to, "internet") == 0 ? 1 : 2;
}

/* Above 0: b says more than a. */
static int compare_reach(const char *a, const char *b)
{
    if (ends_in_star(a) != ends_in_star(b))
        return ends_in_star(a) ? 1 : -1;
    return (strlen(b) > strlen(a)) - (strlen(b) < strlen(a));
}

static int compare_tariffs(const void *left, const void *right)
{
    const struct iso_egress_tariff *a = left, *b = right;
    int orders[] = {rank_of_destination(b->to) - rank_of_destination(a->to),
                    compare_reach(a->to, b->to),
                    compare_reach(a->region, b->region),
                    strcmp(a->provider, b->provider),
                    strcmp(a->region, b->region),
                    strcmp(a->to, b->to)};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(orders); i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

/* The word of a place's provider is its begin up to the slash. */
static bool is_of(const char *place, const char *provider)
{
    size_t n = strlen(provider);

    return strncmp(place, provider, n) == 0 && place[n] == '/';
}

bool iso_tariff_covers(const struct iso_egress_tariff *tariff, const char *from, const char *to)
{
    const char *destination = tariff->to;

    if (!is_of(from, tariff->provider) ||
        !iso_pattern_matches(tariff->region, from + strlen(tariff->provider) + 1))
        return false;
    if (strcmp(from, to) == 0) /* a region and itself: only in full, as with the model's prices */
        return !ends_in_star(tariff->region) && strcmp(destination, to) == 0;
    switch (rank_of_destination(destination)) {
    case 0:
        return true;
    case 1:
        return !is_of(to, tariff->provider);
    case 2:
        return is_of(to, destination);
    default:
        return iso_pattern_matches(destination, to);
    }
}

static bool is_same(const struct iso_egress_tariff *tariff, const Isocost__V1__EgressRate *rate)
{
    return strcmp(tariff->provider, rate->provider) == 0 &&
           strcmp(tariff->region, rate->region) == 0 && strcmp(tariff->to, rate->to) == 0;
}

/* Takes a rate into a tariff that has others of the same places. */
static void join(struct iso_resolve *r, struct iso_egress_tariff *tariff,
                 const Isocost__V1__EgressRate *rate, iso_decimal price, int64_t observed_ns)
{
    if (strcmp(tariff->currency, rate->price_per_gb->currency_code) != 0) {
        iso_resolve_warn(r,
                         "a rate of egress in %s of the snapshot, %s/%s > %s, is left out: "
                         "others of these places are in %s",
                         rate->price_per_gb->currency_code, rate->provider, rate->region, rate->to,
                         tariff->currency);
        return;
    }
    tariff->n_steps++;
    if (price > tariff->price) {
        tariff->price = price;
        tariff->note = rate->source;
    }
    if (observed_ns > 0 && (tariff->observed_ns == 0 || observed_ns < tariff->observed_ns))
        tariff->observed_ns = observed_ns;
}

/* A snapshot's record is not from the user: what cannot be used is left out with a warning. */
static bool read_price(struct iso_resolve *r, const Isocost__V1__EgressRate *rate,
                       iso_decimal *ret_price)
{
    if (rate->price_per_gb && iso_money_to_decimal(rate->price_per_gb, ret_price, NULL) == ISO_OK &&
        *ret_price >= 0)
        return true;
    iso_resolve_warn(r,
                     "a rate of egress of the snapshot, %s/%s > %s, is left out: it has no price",
                     rate->provider, rate->region, rate->to);
    return false;
}

static bool moves_data(const Isocost__V1__Model *model)
{
    for (size_t a = 0; a < model->n_workloads; a++)
        if (model->workloads[a]->traffic || model->workloads[a]->n_dependencies > 0)
            return true;
    return false;
}

enum iso_status iso_resolve_tariffs(struct iso_resolve *r, struct iso_error *reterr)
{
    int32_t n_rates =
        r->snapshot && moves_data(r->model) ? iso_snapshot_n_egress_rates(r->snapshot) : 0;
    struct iso_egress_tariff *tariffs =
        iso_arena_calloc(r->arena, (size_t)n_rates, sizeof(*tariffs));
    int32_t n = 0;

    if (!tariffs)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < n_rates; i++) {
        const Isocost__V1__EgressRate *rate = iso_snapshot_egress_rate(r->snapshot, i, r->arena);
        struct iso_validity validity;
        iso_decimal price;
        if (!rate)
            return iso_resolve_full(reterr);
        if (!read_price(r, rate, &price) ||
            !iso_days_meet(r, rate->valid_from, rate->valid_until, &validity))
            continue;
        int64_t observed_ns = iso_timestamp_ns(rate->observed_at);
        if (n > 0 && is_same(&tariffs[n - 1], rate)) { /* those of one tariff are in a row */
            join(r, &tariffs[n - 1], rate, price, observed_ns);
            continue;
        }
        tariffs[n++] = (struct iso_egress_tariff){.provider = rate->provider,
                                                  .region = rate->region,
                                                  .to = rate->to,
                                                  .price = price,
                                                  .currency = rate->price_per_gb->currency_code,
                                                  .note = rate->source,
                                                  .observed_ns = observed_ns,
                                                  .n_steps = 1};
    }
    if (n > 0)
        qsort(tariffs, (size_t)n, sizeof(*tariffs), compare_tariffs);
    r->tariffs = tariffs;
    r->n_tariffs = n;
    return ISO_OK;
}
