/* Seasons: periods that are equal in everything but demand. */
#include <stdlib.h>
#include <string.h>

#include "horizon.h"
#include "isocost/base/sha256.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the seasons of a long horizon");
}

struct fingerprint {
    struct iso_sha256 sha;
    unsigned char digest[ISO_SHA256_BYTES];
    int32_t period;
};

static int by_digest(const void *left, const void *right)
{
    const struct fingerprint *a = left, *b = right;
    int order = memcmp(a->digest, b->digest, sizeof(a->digest));

    return order ? order : (a->period > b->period) - (a->period < b->period);
}

static void hash(struct iso_sha256 *sha, int64_t value)
{
    iso_sha256_update(sha, &value, sizeof(value));
}

/* Everything but prices of its own and demand that a period's rows, columns and memberships read.
 */
static void hash_period(const struct iso_problem *problem, int32_t t, struct iso_sha256 *sha)
{
    hash(sha, problem->periods[t].hours);
    for (int32_t k = 0; k < problem->n_currencies; k++)
        hash(sha, problem->currencies[k].rate_to_base[t]);
    for (int32_t l = 0; l < problem->n_limits; l++)
        hash(sha, problem->limits[l].periods[t]);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            hash(sha, problem->budgets[b].windows[w].periods[t]);
    const iso_decimal *existing = NULL; /* products often share these arrays */
    const uint8_t *window = NULL;
    for (int32_t c = 0; c < problem->n_products; c++) {
        if (problem->products[c].existing != existing)
            hash(sha, problem->products[c].existing[t]);
        existing = problem->products[c].existing;
        for (int32_t s = 0; s < problem->products[c].n_starts; s++) {
            if (problem->products[c].starts[s].window != window)
                hash(sha, problem->products[c].starts[s].window[t]);
            window = problem->products[c].starts[s].window;
        }
    }
}

static void take_fingerprints(const struct iso_problem *problem, struct fingerprint *prints)
{
    for (int32_t t = 0; t < problem->n_periods; t++) {
        prints[t].period = t;
        iso_sha256_init(&prints[t].sha);
        hash_period(problem, t, &prints[t].sha);
    }
    for (int32_t i = 0; i < problem->n_price_exceptions; i++) {
        const struct iso_price_exception *exception = &problem->price_exceptions[i];
        hash(&prints[exception->period].sha, exception->offering);
        hash(&prints[exception->period].sha, exception->price);
    }
    for (int32_t t = 0; t < problem->n_periods; t++)
        iso_sha256_final(&prints[t].sha, prints[t].digest);
}

static bool price_season(struct iso_horizon_case *h, struct iso_season *season)
{
    const struct iso_problem *problem = h->problem;
    int32_t t = season->first_period;

    season->hours = iso_value(problem->periods[t].hours);
    season->price = iso_calloc((size_t)h->slice.n_columns, sizeof(*season->price));
    for (int32_t j = 0; j < h->slice.n_columns && season->price; j++)
        season->price[j] =
            iso_instance_money(problem, h->slice.columns[j].offering, t) / season->hours;
    return season->price != NULL;
}

enum iso_status iso_seasons_init(struct iso_horizon_case *h, struct iso_error *reterr)
{
    size_t n_periods = (size_t)h->problem->n_periods;
    ISO_AUTO_MEM struct fingerprint *prints = iso_calloc(n_periods, sizeof(*prints));

    h->season_of = iso_calloc(n_periods, sizeof(*h->season_of));
    if (!prints || !h->season_of)
        return no_memory(reterr);
    take_fingerprints(h->problem, prints);
    qsort(prints, n_periods, sizeof(*prints), by_digest);
    for (int32_t i = 0; i < h->problem->n_periods; i++) {
        if (i == 0 || memcmp(prints[i].digest, prints[i - 1].digest, sizeof(prints[i].digest))) {
            struct iso_season season = {.first_period = prints[i].period};
            if (!iso_append(&h->seasons, &h->n_seasons, sizeof(season), &season) ||
                !price_season(h, &h->seasons[h->n_seasons - 1]))
                return no_memory(reterr);
        }
        h->seasons[h->n_seasons - 1].n_periods++;
        h->season_of[prints[i].period] = h->n_seasons - 1;
    }
    return ISO_OK;
}
