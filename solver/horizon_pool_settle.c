/* Where the sets of a pool together prove least: cutting planes of F (J. E. Kelley, Journal of the
 * SIAM 8, 1960) in a box around the best point so far, which grows when a step is good and shrinks
 * when it is not.
 *
 *   minimise theta  with  theta >= F_i + g_i (y - y_i) for all points i seen,  lower <= y <= upper
 *
 * is solved by its dual, where a point more is a column more; y is read from the multipliers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_program.h"
#include "horizon_pool.h"

#define MOST_POINTS 200
#define FIRST_PART 0.1 /* of a purchase, or FIRST_UNITS: half of the first box */
#define FIRST_UNITS 3.0
#define GROWS 1.5
#define SHRINKS 0.85
#define GOLDEN 0.6180339887498949 /* multiples of it, less their whole parts, are spread evenly */
#define PAYS 0.02                 /* relative */
#define MOST_ACTIVATIONS 2
#define CLOSE 2e-6 /* relative; less than that is not worth a step */

struct settling {
    struct iso_pool *pool;
    int32_t n, n_points;
    int32_t *start; /* [n]: places in pool->bought */
    double *most;   /* [n] */
    double *best;   /* [n]: the best point, and half of the box around it */
    double *half;
    double least;       /* F there */
    double *at, *slope; /* [point * n + i]: y_i, g_i */
    double *level;      /* [point]: F_i - g_i y_i */
    double *weight;     /* [point]: in the mixture whose slope is nought */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the purchases of a long horizon");
}

static void settling_fini(struct settling *s)
{
    void *const arrays[] = {s->start, s->most,  s->best,  s->half,
                            s->at,    s->slope, s->level, s->weight};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

static enum iso_status settling_init(struct settling *s, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = s->pool->h;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];

    s->start = iso_calloc(n_starts, sizeof(*s->start));
    s->most = iso_calloc(n_starts, sizeof(*s->most));
    s->best = iso_calloc(n_starts, sizeof(*s->best));
    s->half = iso_calloc(n_starts, sizeof(*s->half));
    if (!s->start || !s->most || !s->best || !s->half)
        return no_memory(reterr);
    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t i = h->first_start[c]; i < h->first_start[c + 1] && s->pool->active[c]; i++) {
            int64_t most = h->problem->products[c].most;
            s->start[s->n] = i;
            s->most[s->n] = most < 0 ? INFINITY : (double)most;
            s->half[s->n++] = fmax(FIRST_UNITS, FIRST_PART * s->pool->bought[i]);
        }
    s->slope = iso_calloc((size_t)s->n * MOST_POINTS, sizeof(*s->slope));
    s->at = iso_calloc((size_t)s->n * MOST_POINTS, sizeof(*s->at));
    s->level = iso_calloc(MOST_POINTS, sizeof(*s->level));
    s->weight = iso_calloc(MOST_POINTS, sizeof(*s->weight));
    return s->at && s->slope && s->level && s->weight ? ISO_OK : no_memory(reterr);
}

/* F at what is bought. True when it is the least so far. */
static bool visit(struct settling *s)
{
    double *slope = &s->slope[s->n_points * s->n];
    double value = iso_pool_value(s->pool, slope), level = value;

    for (int32_t i = 0; i < s->n; i++) {
        s->at[s->n_points * s->n + i] = s->pool->bought[s->start[i]];
        level -= slope[i] * s->pool->bought[s->start[i]];
    }
    s->level[s->n_points++] = level;
    if (s->n_points > 1 && !(value < s->least))
        return false;
    s->least = value;
    for (int32_t i = 0; i < s->n; i++)
        s->best[i] = s->pool->bought[s->start[i]];
    return true;
}

static bool add_column(struct iso_mip *mip, double cost)
{
    struct iso_mip_column column = {.kind = ISO_COLUMN_BUY, .upper = INFINITY};
    int32_t j = iso_mip_add_column(mip, &column);

    if (j >= 0)
        mip->objective[j] = cost;
    return j >= 0;
}

/* Row i of a purchase, row n of the mixture of points. */
static bool load(const struct settling *s, struct iso_mip *mip)
{
    bool ok = true;

    for (int32_t i = 0; i <= s->n; i++) {
        struct iso_mip_row row = {.lower = i == s->n, .upper = i == s->n};
        ok &= iso_mip_add_row(mip, &row) >= 0;
    }
    for (int32_t i = 0; i < s->n; i++) {
        double lower = fmax(0, s->best[i] - s->half[i]);
        double upper = fmin(s->most[i], s->best[i] + s->half[i]);
        ok &= add_column(mip, -lower) && iso_mip_add_entry(mip, i, -1) && add_column(mip, upper) &&
              iso_mip_add_entry(mip, i, 1);
    }
    for (int32_t p = 0; p < s->n_points; p++) {
        ok &= add_column(mip, -s->level[p]) && iso_mip_add_entry(mip, s->n, 1);
        for (int32_t i = 0; i < s->n; i++)
            ok &= iso_mip_add_entry(mip, i, s->slope[p * s->n + i]);
    }
    return ok;
}

/* The lowest point of the cuts in the box becomes what is bought; *ret_low: how low they are. */
static enum iso_status step(struct settling *s, double *ret_low, struct iso_error *reterr)
{
    struct iso_search *search = (struct iso_search *)&s->pool->h->search;
    struct iso_control control = iso_search_control(search);
    struct iso_mip mip __attribute__((cleanup(iso_mip_fini))) = {0};
    ISO_AUTO(iso_program) lp = NULL;
    ISO_AUTO_MEM double *duals = iso_calloc((size_t)s->n + 1, sizeof(*duals));
    ISO_AUTO_MEM double *x = iso_calloc((size_t)(2 * s->n + s->n_points), sizeof(*x));
    enum iso_lp_outcome outcome;

    *ret_low = -INFINITY;
    if (!duals || !x || !load(s, &mip))
        return no_memory(reterr);
    ISO_TRY(iso_program_new(&mip, &lp, reterr));
    ISO_TRY(iso_program_solve(lp, &control, &search->iterations, &outcome, reterr));
    if (outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    iso_program_duals(lp, duals);
    iso_program_values(lp, x);
    memcpy(s->weight, &x[2 * s->n], (size_t)s->n_points * sizeof(*x));
    *ret_low = -iso_program_objective(lp);
    for (int32_t i = 0; i < s->n; i++)
        s->pool->bought[s->start[i]] = fmin(s->most[i], fmax(0, duals[i]));
    return ISO_OK;
}

/* Each period takes the set that it chooses at one of the points, as often as the point weighs in
 * the mixture: then what all pay for a unit is about what it costs. Periods come in order of what
 * they choose, so that all choices are dealt out evenly. */
static enum iso_status mix(struct settling *s, struct iso_error *reterr)
{
    struct iso_pool *pool = s->pool;
    int32_t n_periods = pool->h->problem->n_periods;
    ISO_AUTO_MEM double *due = iso_calloc((size_t)n_periods, sizeof(*due));
    ISO_AUTO_MEM double *owed = iso_calloc((size_t)pool->n_sets, sizeof(*owed));
    ISO_AUTO_MEM int32_t *chosen = iso_calloc((size_t)n_periods, sizeof(*chosen));
    ISO_AUTO_MEM double *slope = iso_calloc((size_t)s->n, sizeof(*slope));
    double total = 0, seen = 0;

    if (!due || !chosen || !slope || !owed)
        return no_memory(reterr);
    for (int32_t p = 0; p < s->n_points; p++)
        total += s->weight[p];
    for (int32_t t = 0; t < n_periods; t++)
        due[t] = fmod((t + 1) * GOLDEN, 1) * total;
    for (int32_t p = 0; p < s->n_points; p++) {
        if (s->weight[p] <= 0)
            continue;
        for (int32_t i = 0; i < s->n; i++)
            pool->bought[s->start[i]] = s->at[p * s->n + i];
        iso_pool_value(pool, slope);
        for (int32_t t = 0; t < n_periods; t++)
            if (due[t] >= seen && (due[t] < seen + s->weight[p] || p == s->n_points - 1))
                chosen[t] = pool->set_of[t];
        seen += s->weight[p];
    }
    for (int32_t k = 0; k < pool->n_sets; k++)
        pool->sets[k].n_periods = 0;
    for (int32_t t = 0; t < n_periods; t++) {
        pool->set_of[t] = chosen[t];
        pool->sets[chosen[t]].n_periods++;
    }
    return ISO_OK;
}

/* Lets the purchases of products move that the periods would pay more for than they cost. */
static bool activate(struct iso_pool *pool)
{
    const struct iso_horizon_case *h = pool->h;
    bool any = false;

    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t i = 0; i < h->problem->products[c].n_starts && !pool->active[c]; i++)
            if (h->problem->products[c].most != 0 &&
                iso_pool_gain(pool, c, i) > iso_start_cost(h, c, i) * (1 + PAYS)) {
                pool->active[c] = 1;
                any = true;
            }
    return any;
}

static enum iso_status settle(struct iso_pool *pool, struct iso_error *reterr)
{
    struct settling s __attribute__((cleanup(settling_fini))) = {.pool = pool};
    double low = 0;

    ISO_TRY(settling_init(&s, reterr));
    visit(&s);
    s.weight[0] = 1;
    while (s.n > 0 && s.n_points < MOST_POINTS &&
           !iso_search_stops((struct iso_search *)&pool->h->search)) {
        ISO_TRY(step(&s, &low, reterr));
        if (!(s.least - low > CLOSE * fabs(s.least)) || isinf(low))
            break;
        double factor = visit(&s) ? GROWS : SHRINKS;
        for (int32_t i = 0; i < s.n; i++)
            s.half[i] *= factor;
    }
    ISO_TRY(mix(&s, reterr));
    for (int32_t i = 0; i < s.n; i++)
        pool->bought[s.start[i]] = s.best[i];
    return ISO_OK;
}

enum iso_status iso_pool_settle(struct iso_pool *pool, struct iso_error *reterr)
{
    for (int round = 0; round < MOST_ACTIVATIONS; round++) {
        ISO_TRY(settle(pool, reterr));
        if (!activate(pool))
            break;
    }
    return ISO_OK;
}
