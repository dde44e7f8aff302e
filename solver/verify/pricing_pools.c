/* Columns of pools, priced:
 *
 *   g  rc = cost - floor - max over contents n of sum_w n_w * max(0, worth_o(w))
 *
 * with cost and floor of pricing_costs.c and worth of worth.c. */
#include "pricing_columns.h"

/* The replica workloads of a team and the offerings that any of them may use. */
struct iso_pool {
    int32_t n_workloads, n_offerings;
    int32_t *workloads, *offerings;
    int32_t *options; /* [offering place * n_workloads + workload place] or -1 */
    long double *worth;
    int32_t *order;
    int32_t n_close; /* offerings that only a search of contents can price out, in this period */
    int32_t *close;  /* their places in `offerings` */
    int32_t *close_offerings;
    struct iso_bounded *cost;
    struct iso_content_grid *grid; /* of the last worths; NULL = none */
    bool too_large;                /* for a table */
};

#define SEARCHED 4 /* pools of fewer workloads are searched without a table */

static enum iso_status no_memory(const struct iso_columns *columns)
{
    return iso_fail(columns->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

/* max over w of what it is worth / what >= rows give for it. */
static long double content_ratio(const struct iso_columns *columns, const struct iso_pool *pool,
                                 int32_t place)
{
    long double ratio = 0;

    for (int32_t i = 0; i < pool->n_workloads; i++) {
        if (pool->worth[i] <= 0)
            continue;
        long double gains = iso_bounded_low(iso_worth_of_gains(
            &columns->units[pool->workloads[i]], pool->options[place * pool->n_workloads + i]));
        ratio = fmaxl(ratio, gains > 0 ? pool->worth[i] / gains * UP : INFINITY);
    }
    return ratio;
}

/* What the best content of an instance is worth, as far as it is above `floor`. Offerings of one
 * place come one after the other and mostly give the same worths, so one table serves many. */
static long double best_content(const struct iso_columns *columns, struct iso_pool *pool,
                                int32_t team, int32_t offering, long double floor)
{
    const struct iso_problem *problem = columns->p->v->problem;
    int32_t n = pool->n_workloads;

    if (n >= SEARCHED && !pool->too_large &&
        !(pool->grid && iso_content_grid_is_for(pool->grid, pool->worth))) {
        iso_content_grid_free(pool->grid);
        pool->grid = iso_content_grid_new(problem, team, pool->workloads, n, pool->worth,
                                          pool->close_offerings, pool->n_close);
        pool->too_large = !pool->grid;
    }
    return pool->grid ? iso_content_grid_best(pool->grid, offering, floor)
                      : iso_verify_best_content(problem, team, offering, pool->workloads, n,
                                                pool->worth, pool->order, floor);
}

/* Sets what a copy of each workload is worth on an offering. */
static void find_worths(const struct iso_columns *columns, struct iso_pool *pool, int32_t place)
{
    for (int32_t i = 0; i < pool->n_workloads; i++) {
        int32_t option = pool->options[place * pool->n_workloads + i];
        struct iso_bounded worth = {0, 0};
        if (option >= 0)
            worth = iso_worth_of(&columns->units[pool->workloads[i]], option);
        pool->worth[i] = fmaxl(0, iso_bounded_high(worth));
    }
}

/* What a content may be worth before it matters: cost - floor. */
static long double bar(const struct iso_columns *columns, int32_t offering, struct iso_bounded cost)
{
    return iso_bounded_low(cost) / UP -
           iso_bounded_high(iso_costs_floor(&columns->costs, offering)) * UP;
}

/* Finds the offerings whose best content has to be searched: on catalogs of all sizes nearly all
 * are too dear for any content, and their sizes would only make tables larger. */
static void find_close(struct iso_columns *columns, struct iso_pool *pool, int32_t team)
{
    const struct iso_problem *problem = columns->p->v->problem;

    pool->n_close = 0;
    pool->too_large = false;
    iso_content_grid_free(pool->grid);
    pool->grid = NULL;
    for (int32_t place = 0; place < pool->n_offerings; place++) {
        int32_t offering = pool->offerings[place];
        pool->cost[place] = iso_costs_of(&columns->costs, problem->n_workloads + team, offering);
        long double least = bar(columns, offering, pool->cost[place]);
        find_worths(columns, pool, place);
        if (least > 0 && iso_verify_content_density(problem, team, offering, pool->workloads,
                                                    pool->n_workloads, pool->worth) <= least)
            continue;
        pool->close_offerings[pool->n_close] = offering;
        pool->close[pool->n_close++] = place;
    }
}

static void price_pool(struct iso_columns *columns, int32_t team)
{
    struct iso_pool *pool = &columns->pools[team];

    for (int32_t i = 0; i < pool->n_workloads; i++)
        iso_worth_open(&columns->units[pool->workloads[i]], columns->period);
    find_close(columns, pool, team);
    for (int32_t at = 0; at < pool->n_close; at++) {
        int32_t place = pool->close[at], offering = pool->offerings[place];
        long double cost = iso_bounded_low(pool->cost[place]);
        long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, offering));
        find_worths(columns, pool, place);
        long double content =
            best_content(columns, pool, team, offering, bar(columns, offering, pool->cost[place]));
        if (cost < 0 || content + floor * UP > cost)
            iso_repair_note(columns, offering, cost, content, content_ratio(columns, pool, place));
    }
}

/* What offerings are sorted by: their place, and a digest of the workloads that may use them. */
struct places {
    const struct iso_problem *problem;
    uint64_t *users; /* [offering] */
};

static int by_place(const void *left, const void *right, void *context)
{
    const struct places *places = context;
    int32_t i = *(const int32_t *)left, j = *(const int32_t *)right;
    const struct iso_offering *a = &places->problem->offerings[i],
                              *b = &places->problem->offerings[j];

    if (a->region != b->region)
        return a->region < b->region ? -1 : 1;
    if (a->zone != b->zone)
        return a->zone < b->zone ? -1 : 1;
    if (a->spot != b->spot)
        return a->spot ? 1 : -1;
    if (places->users[i] != places->users[j])
        return places->users[i] < places->users[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static enum iso_status init_pool(struct iso_columns *columns, int32_t team)
{
    const struct iso_problem *problem = columns->p->v->problem;
    struct iso_pool *pool = &columns->pools[team];
    size_t n_workloads = (size_t)problem->n_workloads;

    pool->workloads = iso_calloc(n_workloads, sizeof(*pool->workloads));
    pool->order = iso_calloc(n_workloads, sizeof(*pool->order));
    pool->worth = iso_calloc(n_workloads, sizeof(*pool->worth));
    ISO_AUTO_MEM uint8_t *used = iso_calloc((size_t)problem->n_offerings, 1);
    ISO_AUTO_MEM uint64_t *users = iso_calloc((size_t)problem->n_offerings, sizeof(*users));
    if (!pool->workloads || !pool->order || !pool->worth || !used || !users)
        return no_memory(columns);
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas && problem->workloads[w].team == team)
            pool->workloads[pool->n_workloads++] = w;
    for (int32_t i = 0; i < pool->n_workloads; i++) {
        const struct iso_workload *workload = &problem->workloads[pool->workloads[i]];
        for (int32_t k = 0; k < workload->n_options; k++) {
            int32_t offering = workload->options[k].offering;
            pool->n_offerings += !used[offering];
            used[offering] = 1;
            users[offering] = (users[offering] ^ (uint64_t)(i + 1)) * 0x100000001b3u;
        }
    }
    pool->offerings = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->offerings));
    pool->options =
        iso_calloc((size_t)pool->n_offerings * (size_t)pool->n_workloads, sizeof(*pool->options));
    pool->close = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->close));
    pool->close_offerings = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->close_offerings));
    pool->cost = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->cost));
    if (!pool->offerings || !pool->options || !pool->close || !pool->close_offerings || !pool->cost)
        return no_memory(columns);
    for (int32_t o = 0, place = 0; o < problem->n_offerings; o++)
        if (used[o])
            pool->offerings[place++] = o;
    qsort_r(pool->offerings, (size_t)pool->n_offerings, sizeof(*pool->offerings), by_place,
            &(struct places){problem, users});
    for (int32_t place = 0; place < pool->n_offerings; place++)
        for (int32_t i = 0; i < pool->n_workloads; i++)
            pool->options[place * pool->n_workloads + i] = iso_workload_find_option(
                &problem->workloads[pool->workloads[i]], pool->offerings[place]);
    return ISO_OK;
}

static void fini_pool(struct iso_pool *pool)
{
    free(pool->workloads);
    free(pool->offerings);
    free(pool->options);
    free(pool->worth);
    free(pool->order);
    free(pool->close);
    free(pool->close_offerings);
    free(pool->cost);
    iso_content_grid_free(pool->grid);
}

enum iso_status iso_pools_init(struct iso_columns *columns)
{
    const struct iso_problem *problem = columns->p->v->problem;

    columns->pools = iso_calloc((size_t)problem->n_teams, sizeof(*columns->pools));
    if (!columns->pools)
        return no_memory(columns);
    for (int32_t g = 0; g < problem->n_teams; g++)
        ISO_TRY(init_pool(columns, g));
    return ISO_OK;
}

void iso_pools_fini(struct iso_columns *columns)
{
    for (int32_t g = 0; g < columns->p->v->problem->n_teams && columns->pools; g++)
        fini_pool(&columns->pools[g]);
    free(columns->pools);
}

void iso_pools_price(struct iso_columns *columns)
{
    for (int32_t g = 0; g < columns->p->v->problem->n_teams; g++) {
        const struct iso_pool *pool = &columns->pools[g];
        struct iso_repair before = columns->all;
        if (pool->n_workloads == 0)
            continue;
        price_pool(columns, g);
        iso_repair_end_cell(columns, &before, pool->workloads, pool->n_workloads);
    }
}
