/* Commitments. For product c, period t:
 *
 *   held_ct = existing_ct + sum over purchases of quantity * [the term covers t]
 *   sum over covers of use * instances <= lot_c * held_ct
 *
 * A cover needs an eligible ON_DEMAND offering and a cell in scope; the covers of one
 * (cell, offering, period) are at most its instances. Purchases: one a start, at most `most`. */
#include "verifier.h"

static iso_wide held_in(const struct iso_verifier *v, int32_t product, int32_t period)
{
    const struct iso_product *c = &v->problem->products[product];
    iso_wide sum = c->existing[period];

    for (int32_t s = 0; s < c->n_starts; s++)
        if (c->starts[s].window[period])
            sum += (iso_wide)v->bought[v->first_start[product] + s] * ISO_DECIMAL_ONE;
    return sum;
}

/* The table of what is held, for the products of which something is. */
static enum iso_status fill_held(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    int32_t n_rows = 0;

    v->held_row = iso_calloc((size_t)problem->n_products, sizeof(*v->held_row));
    if (!v->held_row)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for commitments");
    for (int32_t c = 0; c < problem->n_products; c++)
        v->held_row[c] = v->holds[c] ? n_rows++ : -1;
    v->held = iso_calloc((size_t)n_rows * (size_t)problem->n_periods, sizeof(*v->held));
    if (!v->held)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %d commitments", n_rows);
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods && v->holds[c]; t++)
            if (!iso_wide_to_decimal(held_in(v, c, t),
                                     &v->held[iso_verify_at(v, v->held_row[c], t)]))
                return iso_verify_fail(v, "purchases", -1, "", "units of %s are out of range",
                                       problem->products[c].id);
    return ISO_OK;
}

static enum iso_status read_purchases(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &v->plan->purchases[i];
        const struct iso_product *product = &problem->products[purchase->product];
        int64_t *bought = &v->bought[v->first_start[purchase->product] + purchase->start];
        v->verdict.rules_checked++;
        if (*bought != 0)
            return iso_verify_fail(v, "purchases", i, "", "buys the same start twice");
        if (product->most >= 0 && purchase->quantity > product->most)
            return iso_verify_fail(
                v, "purchases", i, "quantity", "is %lld; at most %lld of %s may be bought",
                (long long)purchase->quantity, (long long)product->most, product->id);
        *bought = purchase->quantity;
    }
    for (int32_t c = 0; c < problem->n_products; c++) {
        for (int32_t s = 0; s < problem->products[c].n_starts; s++)
            v->holds[c] |= v->bought[v->first_start[c] + s] > 0;
        for (int32_t t = 0; t < problem->n_periods && !v->holds[c]; t++)
            v->holds[c] = problem->products[c].existing[t] > 0;
    }
    return fill_held(v);
}

static int compare_covers(const void *left, const void *right, void *context)
{
    const struct iso_cover *covers = context;
    const struct iso_cover *a = &covers[*(const int32_t *)left];
    const struct iso_cover *b = &covers[*(const int32_t *)right];

    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    if (a->offering != b->offering)
        return a->offering < b->offering ? -1 : 1;
    return (a->product > b->product) - (a->product < b->product);
}

/* Where a usage is among the covers. */
static int compare_place(const struct iso_verify_usage *usage, const struct iso_cover *cover)
{
    if (usage->period != cover->period)
        return usage->period < cover->period ? -1 : 1;
    if (usage->cell != cover->cell)
        return usage->cell < cover->cell ? -1 : 1;
    return (usage->offering > cover->offering) - (usage->offering < cover->offering);
}

/* Covers that are in order already are left as they are. */
static void sort_covers(struct iso_verifier *v)
{
    bool sorted = true;

    for (int32_t i = 1; i < v->plan->n_covers && sorted; i++)
        sorted = compare_covers(&v->cover_order[i - 1], &v->cover_order[i], v->plan->covers) <= 0;
    if (!sorted)
        qsort_r(v->cover_order, (size_t)v->plan->n_covers, sizeof(*v->cover_order), compare_covers,
                v->plan->covers);
}

/* What one instance uses of a product, or 0 when it may not be covered. */
static iso_decimal use_of(const struct iso_verifier *v, int32_t product, int32_t offering)
{
    for (int32_t i = v->first_product[offering]; i < v->first_product[offering + 1]; i++)
        if (v->products[i].index == product)
            return v->products[i].weight;
    return 0;
}

static enum iso_status check_cover(struct iso_verifier *v, int32_t i, const int32_t *row,
                                   iso_wide *used)
{
    const struct iso_cover *cover = &v->plan->covers[i];
    const struct iso_product *product = &v->problem->products[cover->product];
    const struct iso_offering *offering = &v->problem->offerings[cover->offering];
    iso_decimal use = use_of(v, cover->product, cover->offering);

    if (use == 0 || offering->spot)
        return iso_verify_fail(v, "covers", i, "offering", "%s does not cover %s", product->id,
                               offering->id);
    if (!product->cells[cover->cell])
        return iso_verify_fail(v, "covers", i, "cell", "%d is not in the scope of %s", cover->cell,
                               product->id);
    iso_wide amount = (iso_wide)use * cover->instances;
    if (amount > (iso_wide)ISO_DECIMAL_MAX * ISO_DECIMAL_ONE)
        return iso_verify_fail(v, "covers", i, "instances", "uses more than can be counted");
    if (row[cover->product] < 0)
        return iso_verify_fail(v, "covers", i, "product", "%s is neither held nor bought",
                               product->id);
    used[iso_verify_at(v, row[cover->product], cover->period)] += amount;
    return ISO_OK;
}

/* Gives each usage its covers and holds them against its instances. */
static enum iso_status match_covers(struct iso_verifier *v)
{
    int32_t n = v->plan->n_covers;

    for (int32_t i = 0; i < n; i++)
        v->cover_order[i] = i;
    sort_covers(v);
    for (int32_t first = 0, next, at = 0; first < n; first = next) {
        const struct iso_cover *cover = &v->plan->covers[v->cover_order[first]];
        iso_wide sum = 0;
        while (at < v->n_usages && compare_place(&v->usages[at], cover) < 0)
            at++;
        if (at == v->n_usages || compare_place(&v->usages[at], cover) > 0)
            return iso_verify_fail(v, "covers", v->cover_order[first], "",
                                   "covers instances that do not run");
        struct iso_verify_usage *usage = &v->usages[at];
        for (next = first; next < n; next++) {
            const struct iso_cover *other = &v->plan->covers[v->cover_order[next]];
            if (other->period != cover->period || other->cell != cover->cell ||
                other->offering != cover->offering)
                break;
            if (next > first && compare_covers(&v->cover_order[next - 1], &v->cover_order[next],
                                               v->plan->covers) == 0)
                return iso_verify_fail(v, "covers", v->cover_order[next], "", "is there twice");
            sum += other->instances;
        }
        v->verdict.rules_checked++;
        if (sum > (iso_wide)usage->count * ISO_DECIMAL_ONE)
            return iso_verify_fail(v, "covers", v->cover_order[first], "instances",
                                   "%g are covered; %lld run", (double)sum / 1e9,
                                   (long long)usage->count);
        usage->first_cover = first;
        usage->n_covers = next - first;
    }
    return ISO_OK;
}

enum iso_status iso_verify_commit(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    int32_t n_rows = 0;

    ISO_TRY(read_purchases(v));
    const int32_t *row = v->held_row;
    for (int32_t c = 0; c < problem->n_products; c++)
        n_rows += row[c] >= 0;
    size_t n = (size_t)n_rows * (size_t)problem->n_periods;
    ISO_AUTO_MEM iso_wide *used = iso_calloc(n, sizeof(*used));
    if (!used)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %zu commitments", n);
    for (int32_t i = 0; i < v->plan->n_covers; i++)
        ISO_TRY(check_cover(v, i, row, used));
    ISO_TRY(match_covers(v));
    for (int32_t c = 0; c < problem->n_products; c++) {
        v->verdict.rules_checked += problem->n_periods;
        for (int32_t t = 0; t < problem->n_periods && row[c] >= 0; t++) {
            iso_wide given = (iso_wide)problem->products[c].lot * iso_verify_held(v, c, t);
            if (used[iso_verify_at(v, row[c], t)] > given)
                return iso_verify_fail(
                    v, "covers", -1, "", "%s gives %g in period %s; %g is covered",
                    problem->products[c].id, (double)given / 1e18, problem->periods[t].id,
                    (double)used[iso_verify_at(v, row[c], t)] / 1e18);
        }
    }
    return ISO_OK;
}
