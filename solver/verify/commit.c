/* Commitments. For product c, period t:
 *
 *   held_ct = existing_ct + sum over purchases of quantity * [the term covers t]
 *   sum over covers of use * instances <= lot_c * held_ct
 *
 * A cover needs an eligible ON_DEMAND offering and a cell in scope; the covers of one
 * (cell, offering, period) are at most its instances. Purchases: one a start, at most `most`. */
#include "verifier.h"

iso_wide iso_verify_held(const struct iso_verifier *v, int32_t product, int32_t period)
{
    const struct iso_product *c = &v->problem->products[product];
    iso_wide sum = c->existing[period];

    for (int32_t s = 0; s < c->n_starts && v->holds[product]; s++)
        if (c->starts[s].window[period])
            sum += (iso_wide)v->bought[v->first_start[product] + s] * ISO_DECIMAL_ONE;
    return sum;
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
        for (int32_t t = 0; t < problem->n_periods; t++) {
            iso_decimal held;
            v->holds[c] |= problem->products[c].existing[t] > 0;
            if (v->holds[c] && !iso_wide_to_decimal(iso_verify_held(v, c, t), &held))
                return iso_verify_fail(v, "purchases", -1, "", "units of %s are out of range",
                                       problem->products[c].id);
        }
    }
    return ISO_OK;
}

static int compare_covers(const void *left, const void *right, void *context)
{
    const struct iso_cover *covers = context;
    const struct iso_cover *a = &covers[*(const int32_t *)left];
    const struct iso_cover *b = &covers[*(const int32_t *)right];
    const int32_t keys[][2] = {{a->period, b->period},
                               {a->cell, b->cell},
                               {a->offering, b->offering},
                               {a->product, b->product}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
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
    if (n > 0)
        qsort_r(v->cover_order, (size_t)n, sizeof(*v->cover_order), compare_covers,
                v->plan->covers);
    for (int32_t first = 0, next; first < n; first = next) {
        const struct iso_cover *cover = &v->plan->covers[v->cover_order[first]];
        const struct iso_verify_usage *found =
            iso_verify_find_usage(v, cover->period, cover->cell, cover->offering);
        iso_wide sum = 0;
        if (!found)
            return iso_verify_fail(v, "covers", v->cover_order[first], "",
                                   "covers instances that do not run");
        struct iso_verify_usage *usage = &v->usages[found - v->usages];
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
    ISO_AUTO_MEM int32_t *row = iso_calloc((size_t)problem->n_products, sizeof(*row));
    int32_t n_rows = 0;

    if (!row)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for commitments");
    ISO_TRY(read_purchases(v));
    for (int32_t c = 0; c < problem->n_products; c++)
        row[c] = v->holds[c] ? n_rows++ : -1;
    size_t n = (size_t)n_rows * (size_t)problem->n_periods;
    ISO_AUTO_MEM iso_wide *used = iso_calloc(n, sizeof(*used));
    if (!used)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %zu commitments", n);
    for (int32_t i = 0; i < v->plan->n_covers; i++)
        ISO_TRY(check_cover(v, i, row, used));
    ISO_TRY(match_covers(v));
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            v->verdict.rules_checked++;
            if (row[c] < 0)
                continue;
            iso_wide given = problem->products[c].lot * iso_verify_held(v, c, t);
            if (used[iso_verify_at(v, row[c], t)] > given)
                return iso_verify_fail(
                    v, "covers", -1, "", "%s gives %g in period %s; %g is covered",
                    problem->products[c].id, (double)given / 1e18, problem->periods[t].id,
                    (double)used[iso_verify_at(v, row[c], t)] / 1e18);
        }
    return ISO_OK;
}
