/* What is seen when all rows of a refresh are looked at together. */
#include <stdio.h>

#include "hygiene.h"

#define NS_PER_DAY (INT64_C(86400) * 1000000000)
#define MIN_REGIONS 3 /* a median of two says nothing of either */

struct search {
    const Isocost__Internal__V1__HygieneSettings *settings;
    iso_hygiene_tell tell;
    void *context;
    size_t n;
    struct iso_snapshot_offering *rows;
    struct entry {
        const struct iso_snapshot_offering *row;
        size_t index;
    } * sorted;
    bool *is_out;
};

static enum iso_status found(struct search *search, const struct entry *entry, const char *code,
                             const char *text, struct iso_error *reterr)
{
    enum iso_decision decision = iso_hygiene_decision(search->settings, code);
    bool quarantined = decision == ISO_DECISION_QUARANTINE;

    if (decision == ISO_DECISION_IGNORE || search->is_out[entry->index])
        return ISO_OK;
    search->is_out[entry->index] = quarantined;
    return search->tell(search->context, code, quarantined, entry->row->id, text, reterr);
}

/* What is the same thing, wherever it is sold and however it is paid. */
static int by_thing(const struct iso_snapshot_offering *a, const struct iso_snapshot_offering *b)
{
    int order = strcmp(a->provider, b->provider);

    order = order ? order : strcmp(a->type, b->type);
    order = order ? order : strcmp(a->os, b->os);
    order = order ? order : strcmp(a->tenancy, b->tenancy);
    return order ? order : strcmp(a->currency, b->currency);
}

static int by_place(const void *a, const void *b)
{
    const struct iso_snapshot_offering *left = ((const struct entry *)a)->row;
    const struct iso_snapshot_offering *right = ((const struct entry *)b)->row;
    int order = by_thing(left, right);

    order = order ? order : strcmp(left->region, right->region);
    order = order ? order : left->purchase - right->purchase; /* on-demand first */
    return order ? order : strcmp(left->zone, right->zone);
}

static int by_purchase(const void *a, const void *b)
{
    const struct iso_snapshot_offering *left = ((const struct entry *)a)->row;
    const struct iso_snapshot_offering *right = ((const struct entry *)b)->row;
    int order = by_thing(left, right);

    order = order ? order : left->purchase - right->purchase;
    order = order ? order : strcmp(left->region, right->region);
    return order ? order : strcmp(left->zone, right->zone);
}

/* One past the last entry that `same` joins to the first. */
static size_t group_end(const struct search *search, size_t begin,
                        bool (*same)(const struct iso_snapshot_offering *a,
                                     const struct iso_snapshot_offering *b))
{
    size_t end = begin + 1;

    while (end < search->n && same(search->sorted[begin].row, search->sorted[end].row))
        end++;
    return end;
}

/* ---- Prices that went through a float32 ---- */

static bool same_source(const struct iso_snapshot_offering *a,
                        const struct iso_snapshot_offering *b)
{
    return strcmp(a->provider, b->provider) == 0 && a->purchase == b->purchase &&
           strcmp(a->source, b->source) == 0;
}

static int by_source(const void *a, const void *b)
{
    const struct iso_snapshot_offering *left = ((const struct entry *)a)->row;
    const struct iso_snapshot_offering *right = ((const struct entry *)b)->row;
    int order = strcmp(left->provider, right->provider);

    order = order ? order : left->purchase - right->purchase;
    order = order ? order : strcmp(left->source, right->source);
    return order ? order : strcmp(left->id, right->id);
}

static enum iso_status mend(struct search *search, struct iso_snapshot_builder *builder,
                            const struct entry *entry, iso_decimal meant, struct iso_error *reterr)
{
    enum iso_decision decision = iso_hygiene_decision(search->settings, "float32_price");
    iso_decimal was = entry->row->price;
    char text[128];

    if (decision == ISO_DECISION_REPAIR) {
        iso_snapshot_set_price(builder, entry->index, meant);
        search->rows[entry->index].price = meant;
    }
    snprintf(text, sizeof(text), "%.10g was %.10g before it went through a float32%s",
             iso_decimal_to_double(was), iso_decimal_to_double(meant),
             decision == ISO_DECISION_REPAIR ? "; it is taken for that" : "");
    return found(search, entry, "float32_price", text, reterr);
}

/* One long price in 250 is that of a float32 by chance (near 1 they are 240 billionths apart), so
 * only a source with mostly such prices is mended. */
static enum iso_status mend_sources(struct search *search, struct iso_snapshot_builder *builder,
                                    struct iso_error *reterr)
{
    iso_decimal meant;

    qsort(search->sorted, search->n, sizeof(*search->sorted), by_source);
    for (size_t begin = 0, end; begin < search->n; begin = end) {
        size_t n_floats = 0;
        end = group_end(search, begin, same_source);
        for (size_t i = begin; i < end; i++)
            n_floats += iso_hygiene_float32(search->sorted[i].row->price, &meant);
        for (size_t i = begin; i < end && 2 * n_floats > end - begin; i++)
            if (iso_hygiene_float32(search->sorted[i].row->price, &meant))
                ISO_TRY(mend(search, builder, &search->sorted[i], meant, reterr));
    }
    return ISO_OK;
}

/* ---- Spot against on-demand, in one region ---- */

static bool same_place(const struct iso_snapshot_offering *a, const struct iso_snapshot_offering *b)
{
    return by_thing(a, b) == 0 && strcmp(a->region, b->region) == 0;
}

/* The on-demand price that a spot row stands against: its zone's, or else the region's. */
static const struct iso_snapshot_offering *on_demand_of(const struct search *search, size_t begin,
                                                        size_t end,
                                                        const struct iso_snapshot_offering *spot)
{
    const struct iso_snapshot_offering *best = NULL;

    for (size_t i = begin; i < end; i++) {
        const struct iso_snapshot_offering *row = search->sorted[i].row;
        if (row->purchase != ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND)
            break;
        if (strcmp(row->zone, spot->zone) == 0)
            return row;
        if (strcmp(row->zone, "*") == 0 || !best)
            best = row;
    }
    return best;
}

static enum iso_status compare_spot(struct search *search, struct iso_error *reterr)
{
    char text[160];

    qsort(search->sorted, search->n, sizeof(*search->sorted), by_place);
    for (size_t begin = 0, end; begin < search->n; begin = end) {
        end = group_end(search, begin, same_place);
        for (size_t i = begin; i < end; i++) {
            const struct iso_snapshot_offering *spot = search->sorted[i].row, *other;
            if (spot->purchase != ISOCOST__V1__PURCHASE__PURCHASE_SPOT)
                continue;
            other = on_demand_of(search, begin, end, spot);
            if (!other || iso_snapshot_hourly(spot) < iso_snapshot_hourly(other))
                continue;
            snprintf(text, sizeof(text), "spot costs %.9g an hour, on-demand %.9g %s",
                     iso_snapshot_hourly(spot), iso_snapshot_hourly(other), spot->currency);
            ISO_TRY(found(search, &search->sorted[i],
                          iso_snapshot_hourly(spot) > iso_snapshot_hourly(other)
                              ? "spot_above_on_demand"
                              : "spot_equals_on_demand",
                          text, reterr));
        }
    }
    return ISO_OK;
}

/* ---- One thing in many regions ---- */

static bool same_purchase(const struct iso_snapshot_offering *a,
                          const struct iso_snapshot_offering *b)
{
    return by_thing(a, b) == 0 && a->purchase == b->purchase;
}

static int by_value(const void *a, const void *b)
{
    double left, right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return (left > right) - (left < right);
}

/* The median of the regions' lowest prices in [begin, end), or 0 when there are too few. */
static double median_of_regions(const struct search *search, size_t begin, size_t end,
                                double *prices)
{
    size_t n = 0;

    for (size_t i = begin; i < end; i++) {
        double price = iso_snapshot_hourly(search->sorted[i].row);
        bool again = i > begin &&
                     strcmp(search->sorted[i].row->region, search->sorted[i - 1].row->region) == 0;
        if (again && price < prices[n - 1])
            prices[n - 1] = price;
        if (!again)
            prices[n++] = price;
    }
    if (n < MIN_REGIONS)
        return 0;
    qsort(prices, n, sizeof(*prices), by_value);
    return n % 2 ? prices[n / 2] : (prices[n / 2 - 1] + prices[n / 2]) / 2;
}

static enum iso_status judge_spread(struct search *search, const struct entry *entry, double median,
                                    struct iso_error *reterr)
{
    double price = iso_snapshot_hourly(entry->row);
    double factor = price > median ? price / median : median / price;
    const char *code = factor >= search->settings->outlier_factor  ? "price_outlier"
                       : factor >= search->settings->spread_factor ? "price_spread"
                                                                   : NULL;
    char text[160];

    if (!code)
        return ISO_OK;
    snprintf(text, sizeof(text),
             "%.9g %s an hour; the median of its regions is %.9g, %.3g times %s", price,
             entry->row->currency, median, factor, price > median ? "more" : "less");
    return found(search, entry, code, text, reterr);
}

static enum iso_status compare_regions(struct search *search, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *prices = iso_calloc(search->n, sizeof(*prices));

    if (!prices)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare prices");
    qsort(search->sorted, search->n, sizeof(*search->sorted), by_purchase);
    for (size_t begin = 0, end; begin < search->n; begin = end) {
        end = group_end(search, begin, same_purchase);
        double median = median_of_regions(search, begin, end, prices);
        for (size_t i = begin; i < end && median > 0; i++)
            ISO_TRY(judge_spread(search, &search->sorted[i], median, reterr));
    }
    return ISO_OK;
}

/* ---- Observations of one provider ---- */

static bool same_provider(const struct iso_snapshot_offering *a,
                          const struct iso_snapshot_offering *b)
{
    return strcmp(a->provider, b->provider) == 0;
}

static enum iso_status compare_ages(struct search *search, struct iso_error *reterr)
{
    int64_t longest_ns = (int64_t)(search->settings->stale_days * (double)NS_PER_DAY);
    char text[96];

    for (size_t begin = 0, end; begin < search->n; begin = end) {
        int64_t newest_ns = 0;
        end = group_end(search, begin, same_provider);
        for (size_t i = begin; i < end; i++)
            if (search->sorted[i].row->observed_ns > newest_ns)
                newest_ns = search->sorted[i].row->observed_ns;
        for (size_t i = begin; i < end; i++) {
            int64_t seen_ns = search->sorted[i].row->observed_ns;
            if (seen_ns == 0 || newest_ns - seen_ns <= longest_ns)
                continue;
            snprintf(text, sizeof(text), "observed %.0f days before the provider's newest row",
                     (double)(newest_ns - seen_ns) / (double)NS_PER_DAY);
            ISO_TRY(found(search, &search->sorted[i], "stale_price", text, reterr));
        }
    }
    return ISO_OK;
}

static enum iso_status search_all(struct search *search, struct iso_snapshot_builder *builder,
                                  struct iso_error *reterr)
{
    for (size_t i = 0; i < search->n; i++) {
        iso_snapshot_added(builder, i, &search->rows[i]);
        search->sorted[i] = (struct entry){&search->rows[i], i};
    }
    ISO_TRY(mend_sources(search, builder, reterr));
    ISO_TRY(compare_spot(search, reterr));
    ISO_TRY(compare_regions(search, reterr));
    ISO_TRY(compare_ages(search, reterr)); /* sorted by provider first */
    return iso_hygiene_run_products(search->settings, builder, search->tell, search->context,
                                    reterr);
}

enum iso_status iso_hygiene_run(const Isocost__Internal__V1__HygieneSettings *settings,
                                struct iso_snapshot_builder *builder, iso_hygiene_tell tell,
                                void *context, struct iso_error *reterr)
{
    Isocost__Internal__V1__HygieneSettings defaults = ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__INIT;
    size_t n = iso_snapshot_n_added(builder);
    ISO_AUTO_MEM struct iso_snapshot_offering *rows = iso_calloc(n, sizeof(*rows));
    ISO_AUTO_MEM struct entry *sorted = iso_calloc(n, sizeof(*sorted));
    ISO_AUTO_MEM bool *is_out = iso_calloc(n, sizeof(*is_out));

    if (!rows || !sorted || !is_out)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare prices");
    iso_hygiene_fill_defaults(&defaults);
    struct search search = {
        .settings = settings ? settings : &defaults,
        .tell = tell,
        .context = context,
        .n = n,
        .rows = rows,
        .sorted = sorted,
        .is_out = is_out,
    };
    ISO_TRY(search_all(&search, builder, reterr));
    iso_snapshot_take_out(builder, is_out);
    return ISO_OK;
}
