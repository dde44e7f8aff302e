/* The best multipliers that periods can share, by column generation.
 *
 * With units S of commitments held, the periods of a group that share multipliers cost at least
 *
 *   max over lambda, psi >= 0 of  sum_a mean_t G_a(d_at) - psi S - lambda L
 *
 * a period, whose dual is a linear program over mixtures of covers: for each workload a convex
 * combination of plans (one cover for each period of the group: its mean cost, units and weights),
 * such that units and weights stay within what is held and allowed, or are paid dearly. Its columns
 * come from the tables at its own multipliers (P. C. Gilmore and R. E. Gomory, 1961), and every
 * round's multipliers prove something. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_program.h"
#include "horizon_pool.h"

#define MOST_ROUNDS 40
#define CLOSE 2e-5 /* relative; what is proved is as near as that to the program's value */
#define DEAR 20.0  /* times the list price of a unit of weight: what more than a cap costs */

struct sharing {
    struct iso_pool *pool;
    const struct iso_multipliers *from;
    struct iso_multipliers prices, best;
    const int32_t *periods;
    int32_t n_periods;
    int32_t n_rows; /* workloads, then active products, then limits */
    int32_t *unit_row, *cap_row;
    double *right; /* [row] */
    double *used;  /* [row], scratch: of a plan */
    double *duals;
    double *need; /* [product], scratch */
    struct iso_mip mip;
    struct iso_program *lp;
    double proved;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the multipliers of a long horizon");
}

static void sharing_fini(struct sharing *s)
{
    void *const arrays[] = {s->unit_row, s->cap_row, s->right, s->used, s->duals, s->need};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_multipliers_fini(&s->prices);
    iso_multipliers_fini(&s->best);
    iso_program_free(s->lp);
    iso_mip_fini(&s->mip);
}

static bool add_column(struct sharing *s, double cost)
{
    struct iso_mip_column column = {.kind = ISO_COLUMN_USE, .upper = INFINITY};
    int32_t j = iso_mip_add_column(&s->mip, &column);

    if (j >= 0)
        s->mip.objective[j] = cost;
    return j >= 0;
}

static bool add_row(struct sharing *s, double right)
{
    struct iso_mip_row row = {.lower = right, .upper = INFINITY};

    s->right[s->n_rows++] = right;
    return iso_mip_add_row(&s->mip, &row) >= 0;
}

/* Rows and what may be overdrawn at a price: units at what they can save at most. */
static bool open_rows(struct sharing *s)
{
    const struct iso_horizon_case *h = s->pool->h;
    const struct iso_season *season = &h->seasons[s->from->season];
    int32_t n_workloads = h->problem->n_workloads;
    bool ok = true;

    for (int32_t a = 0; a < n_workloads; a++)
        ok &= add_row(s, 1);
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        bool priced = s->pool->active[c] && isfinite(s->from->unit[c]);
        s->unit_row[c] = priced ? s->n_rows : -1;
        ok &= !priced || add_row(s, -iso_pool_supply(s->pool, c, s->from->season));
    }
    for (int32_t l = 0; l < h->problem->n_limits; l++) {
        double right = iso_slice_right(h, n_workloads + l, season->first_period);
        s->cap_row[l] = isfinite(right) ? s->n_rows : -1;
        ok &= isinf(right) || add_row(s, -right);
    }
    for (int32_t j = 0; j < h->slice.n_columns; j++) {
        const struct iso_slice_column *column = &h->slice.columns[j];
        double price = season->hours * season->price[j];
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
            int32_t row = s->unit_row[h->slice.covers[i].product];
            if (row >= 0)
                s->used[row] = fmax(s->used[row], price / h->slice.covers[i].use);
        }
        for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
            int32_t l = h->slice.entries[e].row - n_workloads;
            if (l >= 0 && s->cap_row[l] >= 0)
                s->used[s->cap_row[l]] =
                    fmax(s->used[s->cap_row[l]], DEAR * price / h->slice.entries[e].coefficient);
        }
    }
    for (int32_t r = n_workloads; r < s->n_rows; r++)
        ok &= add_column(s, s->used[r]) && iso_mip_add_entry(&s->mip, r, 1);
    return ok;
}

static enum iso_status sharing_init(struct sharing *s, int32_t set, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = s->pool->h;
    size_t n_products = (size_t)h->problem->n_products, n_limits = (size_t)h->problem->n_limits;
    size_t n_rows = (size_t)h->problem->n_workloads + n_products + n_limits;

    s->from = &s->pool->sets[set].prices;
    s->proved = -INFINITY;
    s->unit_row = iso_calloc(n_products, sizeof(*s->unit_row));
    s->cap_row = iso_calloc(n_limits, sizeof(*s->cap_row));
    s->right = iso_calloc(n_rows, sizeof(*s->right));
    s->used = iso_calloc(n_rows, sizeof(*s->used));
    s->duals = iso_calloc(n_rows, sizeof(*s->duals));
    s->need = iso_calloc(n_products, sizeof(*s->need));
    if (!s->need || !iso_multipliers_init(&s->prices, h, s->from->season) ||
        !iso_multipliers_init(&s->best, h, s->from->season) || !s->unit_row || !s->cap_row ||
        !s->right || !s->used || !s->duals || !open_rows(s))
        return no_memory(reterr);
    for (size_t c = 0; c < n_products; c++)
        s->prices.unit[c] = s->pool->active[c] ? s->from->unit[c] : INFINITY;
    memcpy(s->prices.cap, s->from->cap, n_limits * sizeof(*s->prices.cap));
    return ISO_OK;
}

/* The cheapest plan of a workload at the prices: its mean cost with them, and without them in
 * *ret_paid; its means of units and weights in `used`. */
static double plan_workload(struct sharing *s, int32_t a, double *ret_paid)
{
    const struct iso_horizon_case *h = s->pool->h;
    struct iso_whole *whole = &s->pool->whole;
    const int32_t *steps = &whole->steps[(size_t)a * (size_t)h->problem->n_periods];
    int32_t most = 1, n_workloads = h->problem->n_workloads;
    double cost = 0;

    for (int32_t i = 0; i < s->n_periods; i++)
        most = steps[s->periods[i]] > most ? steps[s->periods[i]] : most;
    iso_whole_fill(whole, a, &s->prices, most);
    for (int32_t i = 0; i < s->n_periods; i++) {
        cost += whole->least[steps[s->periods[i]]] / s->n_periods;
        iso_whole_count(whole, steps[s->periods[i]]);
    }
    memset(s->used, 0, (size_t)s->n_rows * sizeof(*s->used));
    *ret_paid = 0;
    for (int32_t i = 0; i < whole->n_kept; i++) {
        const struct iso_whole_kept *kept = &whole->kept[i];
        const struct iso_slice_column *column = &h->slice.columns[kept->column];
        double n = (double)kept->count / s->n_periods, priced = 0;
        int32_t row = kept->cover < 0 ? -1 : s->unit_row[h->slice.covers[kept->cover].product];
        if (row >= 0) {
            s->used[row] += n * h->slice.covers[kept->cover].use;
            priced = s->prices.unit[h->slice.covers[kept->cover].product] *
                     h->slice.covers[kept->cover].use;
        }
        for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
            int32_t l = h->slice.entries[e].row - n_workloads;
            if (l < 0 || s->cap_row[l] < 0)
                continue;
            s->used[s->cap_row[l]] += n * h->slice.entries[e].coefficient;
            priced += s->prices.cap[l] * h->slice.entries[e].coefficient;
        }
        *ret_paid += n * fmax(0, kept->price - priced);
    }
    return cost;
}

/* Adds the plans that undercut the mixtures at hand, and keeps the prices when they prove most. */
static bool price(struct sharing *s, bool first, int32_t *ret_n_new)
{
    const struct iso_horizon_case *h = s->pool->h;
    double proved = 0;
    bool ok = true;

    *ret_n_new = 0;
    for (int32_t a = 0; a < h->problem->n_workloads && ok; a++) {
        double paid, cost = plan_workload(s, a, &paid);
        proved += cost;
        if (!first && cost >= s->duals[a] - CLOSE * CLOSE * (1 + s->duals[a]))
            continue;
        ++*ret_n_new;
        ok = add_column(s, paid) && iso_mip_add_entry(&s->mip, a, 1);
        for (int32_t r = h->problem->n_workloads; r < s->n_rows && ok; r++)
            ok = iso_mip_add_entry(&s->mip, r, -s->used[r]);
    }
    for (int32_t c = 0; c < h->problem->n_products; c++)
        if (s->unit_row[c] >= 0)
            proved += s->prices.unit[c] * s->right[s->unit_row[c]];
    for (int32_t l = 0; l < h->problem->n_limits; l++)
        if (s->cap_row[l] >= 0)
            proved += s->prices.cap[l] * s->right[s->cap_row[l]];
    if (proved > s->proved) {
        s->proved = proved;
        memcpy(s->best.unit, s->prices.unit,
               (size_t)h->problem->n_products * sizeof(*s->best.unit));
        memcpy(s->best.cap, s->prices.cap, (size_t)h->problem->n_limits * sizeof(*s->best.cap));
    }
    return ok;
}

static void read_prices(struct sharing *s)
{
    const struct iso_problem *problem = s->pool->h->problem;

    iso_program_duals(s->lp, s->duals);
    for (int32_t c = 0; c < problem->n_products; c++)
        if (s->unit_row[c] >= 0)
            s->prices.unit[c] = fmax(0, s->duals[s->unit_row[c]]);
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (s->cap_row[l] >= 0)
            s->prices.cap[l] = fmax(0, s->duals[s->cap_row[l]]);
}

static enum iso_status run(struct sharing *s, struct iso_error *reterr)
{
    struct iso_search *search = (struct iso_search *)&s->pool->h->search;
    struct iso_control control = iso_search_control(search);
    enum iso_lp_outcome outcome;

    for (int round = 0; round < MOST_ROUNDS && !iso_search_stops(search); round++) {
        int32_t n_new;
        if (!price(s, round == 0, &n_new))
            return no_memory(reterr);
        if (n_new == 0)
            break;
        if (round == 0)
            ISO_TRY(iso_program_new(&s->mip, &s->lp, reterr));
        else
            ISO_TRY(iso_program_grow(s->lp, reterr));
        ISO_TRY(iso_program_solve(s->lp, &control, &search->iterations, &outcome, reterr));
        double value = iso_program_objective(s->lp);
        if (outcome != ISO_LP_OPTIMAL || value - s->proved <= CLOSE * fabs(value))
            break;
        read_prices(s);
    }
    return ISO_OK;
}

/* Prices of units that are not for sale here: what makes their instances no better than the best of
 * their workload for what they serve. */
static void price_others(struct sharing *s, struct iso_multipliers *prices)
{
    const struct iso_horizon_case *h = s->pool->h;
    struct iso_whole *whole = &s->pool->whole;
    int32_t n_workloads = h->problem->n_workloads;

    for (int32_t a = 0; a < n_workloads; a++) {
        double unit = iso_whole_unit(whole, a, prices);
        for (int32_t i = 0; i < whole->workloads[a].n_choices; i++) {
            const struct iso_whole_choice *choice = &whole->workloads[a].choices[i];
            const struct iso_slice_column *column = &h->slice.columns[choice->column];
            double worth = unit * choice->size;
            for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++)
                if (h->slice.entries[e].row >= n_workloads)
                    worth -= prices->cap[h->slice.entries[e].row - n_workloads] *
                             h->slice.entries[e].coefficient;
            for (int32_t v = column->first_cover; v < column->first_cover + column->n_covers; v++) {
                const struct iso_slice_cover *cover = &h->slice.covers[v];
                if (!s->pool->active[cover->product] && isfinite(s->from->unit[cover->product]))
                    s->need[cover->product] = fmax(s->need[cover->product], worth / cover->use);
            }
        }
    }
    for (int32_t c = 0; c < h->problem->n_products; c++)
        if (!s->pool->active[c] && isfinite(s->from->unit[c]))
            prices->unit[c] = s->need[c];
}

enum iso_status iso_pool_improve(struct iso_pool *pool, int32_t set, const int32_t *periods,
                                 int32_t n_periods, struct iso_error *reterr)
{
    struct sharing s __attribute__((cleanup(sharing_fini))) = {
        .pool = pool, .periods = periods, .n_periods = n_periods};

    ISO_TRY(sharing_init(&s, set, reterr));
    ISO_TRY(run(&s, reterr));
    struct iso_multipliers best = s.best;
    s.best = (struct iso_multipliers){0};
    if (isinf(s.proved)) {
        iso_multipliers_fini(&best);
        return ISO_OK;
    }
    price_others(&s, &best);
    return iso_pool_add(pool, best, reterr);
}
