/* Fill patterns that the formulation does not list come in as they price out.
 *
 * A pattern of offering o in period t is worth sum_j v_j n_j, with v_j what the rows give for one
 * copy of j, and costs what one instance costs under the multipliers. Greedy fillings come first
 * (four orders of density); only when they find nothing are better ones looked for: one offering
 * after the other where the pool has few kinds of copies, otherwise by a table for the offerings
 * whose copies are worth the same. When that finds nothing either no pattern is left that prices
 * out. */
#include <math.h>
#include <string.h>

#include "density.h"
#include "filling_search.h"
#include "glpk_lp.h"
#include "pattern_table.h"
#include "pool_prices.h"

#define NEGATIVE 1e-9 /* relative to the price of the instance */
#define ORDERS 4

enum { GREEDILY, BY_TABLES, THOROUGHLY };

/* One pool in one period. */
struct pool_prices {
    struct iso_search *search;
    const double *duals;
    int32_t team, period;
    double *values; /* [list * n_workloads + place] */
    double *price;  /* [list] of an empty instance */
    int32_t *group; /* [list] first list with the same values */
    int32_t *most;  /* scratch: n_workloads */
    int32_t *counts;
    int32_t *order;
    double *density;
    int32_t *offerings, *lists; /* that need a table */
    int64_t n_new;
    bool complete; /* every offering was priced exactly */
};

static const struct iso_pattern_set *set_of(const struct pool_prices *pool)
{
    return &pool->search->formulation->pools[pool->team];
}

static const struct iso_workload *copy_of(const struct pool_prices *pool, int32_t i)
{
    return &pool->search->problem->workloads[set_of(pool)->workloads[i]];
}

static enum iso_status add(struct pool_prices *pool, int32_t list, struct iso_error *reterr)
{
    struct iso_formulation *f = pool->search->formulation;
    bool is_new;
    int32_t pattern =
        iso_pattern_add(set_of(pool), &f->pools[pool->team].lists[list], pool->counts, &is_new);

    if (pattern < 0)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a pattern");
    if (!is_new)
        return ISO_OK;
    pool->n_new++;
    for (int32_t t = 0; t < pool->search->problem->n_periods; t++)
        ISO_TRY(iso_formulation_add_pattern(f, pool->team, list, pattern, t, reterr));
    return ISO_OK;
}

static void open_instance(struct pool_prices *pool, int32_t list, iso_decimal *room)
{
    int32_t offering = set_of(pool)->lists[list].offering;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        room[k] = iso_pattern_room(pool->search->problem, pool->team, offering, k);
    for (int32_t i = 0; i < set_of(pool)->n_workloads; i++) {
        int32_t option = iso_workload_find_option(copy_of(pool, i), offering);
        pool->most[i] = option < 0 ? 0 : copy_of(pool, i)->options[option].most;
    }
}

/* What a copy takes of an instance, by one of the orders. */
static double size_of(const struct pool_prices *pool, int32_t i, const iso_decimal *room, int order)
{
    double sum = 0, most = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        iso_decimal need = copy_of(pool, i)->need[k];
        if (need == 0)
            continue;
        double share = room[k] > 0 ? (double)need / (double)room[k] : 1e9;
        sum += order == 3 ? sqrt(share) : share;
        most = fmax(most, share);
    }
    return order == 0 ? sum : order == 1 ? most : order == 2 ? 1 : sum;
}

static double fill_greedily(struct pool_prices *pool, const double *values, const iso_decimal *all,
                            int by)
{
    iso_decimal room[ISO_N_RESOURCES];
    int32_t n = set_of(pool)->n_workloads;
    double value = 0;

    memcpy(room, all, sizeof(room));
    memset(pool->counts, 0, (size_t)n * sizeof(*pool->counts));
    for (int32_t i = 0; i < n; i++) {
        double density = values[i] / size_of(pool, i, all, by);
        int32_t at = i;
        for (; at > 0 && pool->density[at - 1] < density; at--) {
            pool->density[at] = pool->density[at - 1];
            pool->order[at] = pool->order[at - 1];
        }
        pool->density[at] = density;
        pool->order[at] = i;
    }
    for (int32_t at = 0; at < n && pool->density[at] > 0; at++) {
        int32_t i = pool->order[at];
        int64_t copies = pool->most[i];
        for (int k = 0; k < ISO_N_RESOURCES && copies > 0; k++)
            if (copy_of(pool, i)->need[k] > 0 && room[k] / copy_of(pool, i)->need[k] < copies)
                copies = room[k] / copy_of(pool, i)->need[k];
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            room[k] -= copies * copy_of(pool, i)->need[k];
        pool->counts[i] = (int32_t)copies;
        value += (double)copies * values[i];
    }
    return value;
}

static enum iso_status price_greedily(struct pool_prices *pool, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(pool);
    iso_decimal room[ISO_N_RESOURCES];

    for (int32_t l = 0; l < set->n_lists; l++) {
        const double *values = &pool->values[(size_t)l * (size_t)set->n_workloads];
        if (set->lists[l].complete)
            continue;
        open_instance(pool, l, room);
        for (int by = 0; by < ORDERS; by++)
            if (fill_greedily(pool, values, room, by) >
                pool->price[l] + NEGATIVE * (1e-6 + fabs(pool->price[l])))
                ISO_TRY(add(pool, l, reterr));
    }
    return ISO_OK;
}

static double worth_of(const struct pool_prices *pool, int32_t list)
{
    return pool->price[list] + NEGATIVE * (1e-6 + fabs(pool->price[list]));
}

/* Whether a list is of a group and only a table can tell that none of its fillings pays. */
static bool is_close(const struct pool_prices *pool, int32_t first, int32_t list)
{
    const struct iso_pattern_set *set = set_of(pool);

    return pool->group[list] == first && !set->lists[list].complete &&
           iso_density_bound(pool->search->problem, set, pool->team,
                             &pool->values[(size_t)first * (size_t)set->n_workloads],
                             set->lists[list].offering) > worth_of(pool, list);
}

/* Looks for the best filling of a list by itself; *ret_settled: it is known. */
static enum iso_status price_alone(struct pool_prices *pool, int32_t list, const double *values,
                                   bool *ret_settled, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(pool);
    iso_decimal room[ISO_N_RESOURCES];
    double worth = worth_of(pool, list), bound;

    open_instance(pool, list, room);
    double value =
        iso_filling_best(pool->search->problem, set, pool->team, set->lists[list].offering, values,
                         pool->most, worth, pool->counts, &bound);
    *ret_settled = value > worth || bound <= worth;
    return value > worth ? add(pool, list, reterr) : ISO_OK;
}

/* Lists that share the values of list `first`: what density.h does not price out, and what is not
 * settled one by one, by their table. */
static enum iso_status price_group(struct pool_prices *pool, int32_t first, bool thorough,
                                   struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(pool);
    const double *values = &pool->values[(size_t)first * (size_t)set->n_workloads];
    ISO_AUTO(iso_pattern_table) table = NULL;
    iso_decimal room[ISO_N_RESOURCES];
    int32_t n = 0;

    for (int32_t l = first; l < set->n_lists; l++) {
        bool settled = !is_close(pool, first, l);
        if (!settled && set->n_workloads <= ISO_FEW_KINDS)
            ISO_TRY(price_alone(pool, l, values, &settled, reterr));
        if (settled)
            continue;
        pool->lists[n] = l;
        pool->offerings[n++] = set->lists[l].offering;
    }
    if (n == 0)
        return ISO_OK;
    struct iso_pattern_list *lead = &set->lists[first];
    ISO_TRY(iso_pattern_table_new(pool->search->problem, set, pool->team, values, pool->offerings,
                                  n, lead->priced && !thorough ? lead->prices : NULL, &table,
                                  reterr));
    lead->priced = true;
    memcpy(lead->prices, iso_pattern_table_prices(table), sizeof(lead->prices));
    for (int32_t at = 0; at < n; at++) {
        int32_t l = pool->lists[at];
        double worth = worth_of(pool, l), bound;
        if (iso_pattern_table_bound(table, set->lists[l].offering) <= worth)
            continue;
        open_instance(pool, l, room);
        if (iso_pattern_table_best(table, set->lists[l].offering, pool->most, worth, thorough,
                                   pool->counts, &bound) > worth)
            ISO_TRY(add(pool, l, reterr));
        else if (bound > worth)
            pool->complete = false;
    }
    return ISO_OK;
}

static void pool_fini(struct pool_prices *pool)
{
    free(pool->values);
    free(pool->price);
    free(pool->group);
    free(pool->most);
    free(pool->counts);
    free(pool->order);
    free(pool->density);
    free(pool->offerings);
    free(pool->lists);
}

static enum iso_status pool_init(struct pool_prices *pool, struct iso_error *reterr)
{
    size_t n_lists = (size_t)set_of(pool)->n_lists, n = (size_t)set_of(pool)->n_workloads;

    pool->values = iso_calloc(n_lists * n, sizeof(*pool->values));
    pool->price = iso_calloc(n_lists, sizeof(*pool->price));
    pool->group = iso_calloc(n_lists, sizeof(*pool->group));
    pool->most = iso_calloc(n, sizeof(*pool->most));
    pool->counts = iso_calloc(n, sizeof(*pool->counts));
    pool->order = iso_calloc(n, sizeof(*pool->order));
    pool->density = iso_calloc(n, sizeof(*pool->density));
    pool->offerings = iso_calloc(n_lists, sizeof(*pool->offerings));
    pool->lists = iso_calloc(n_lists, sizeof(*pool->lists));
    if (!pool->values || !pool->price || !pool->group || !pool->most || !pool->counts ||
        !pool->order || !pool->density || !pool->offerings || !pool->lists)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    return ISO_OK;
}

static enum iso_status price_period(struct pool_prices *pool, int32_t period, int effort,
                                    struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(pool);
    size_t n = (size_t)set->n_workloads;

    pool->period = period;
    ISO_TRY(iso_price_pool(pool->search, pool->duals, pool->team, period, pool->values, pool->price,
                           reterr));
    for (int32_t l = 0; l < set->n_lists; l++) {
        pool->group[l] = l;
        for (int32_t k = 0; k < l && pool->group[l] == l; k++)
            if (pool->group[k] == k &&
                memcmp(&pool->values[(size_t)k * n], &pool->values[(size_t)l * n],
                       n * sizeof(*pool->values)) == 0)
                pool->group[l] = k;
    }
    if (effort == GREEDILY)
        return price_greedily(pool, reterr);
    for (int32_t l = 0; l < set->n_lists; l++)
        if (pool->group[l] == l)
            ISO_TRY(price_group(pool, l, effort == THOROUGHLY, reterr));
    return ISO_OK;
}

enum iso_status iso_price_patterns(struct iso_search *search, const double *duals,
                                   bool *ret_complete, struct iso_error *reterr)
{
    int64_t n_new = 0;

    for (int effort = GREEDILY; effort <= THOROUGHLY && n_new == 0; effort++) {
        *ret_complete = true;
        for (int32_t g = 0; g < search->problem->n_teams; g++) {
            struct pool_prices pool __attribute__((cleanup(pool_fini))) = {
                .search = search, .duals = duals, .team = g, .complete = true};
            if (set_of(&pool)->n_lists == 0)
                continue;
            ISO_TRY(pool_init(&pool, reterr));
            for (int32_t t = 0; t < search->problem->n_periods; t++) {
                if (iso_search_stops(search)) {
                    pool.complete = false;
                    break;
                }
                ISO_TRY(price_period(&pool, t, effort, reterr));
            }
            n_new += pool.n_new;
            *ret_complete &= pool.complete;
        }
        if (effort == BY_TABLES && *ret_complete)
            break;
    }
    return ISO_OK;
}
