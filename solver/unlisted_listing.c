/* Columns that are listed before there are prices, so that there is a plan at once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unlisted.h"

#define CANDIDATES 24 /* groups of options for a cell and period */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to list columns");
}

/* Options of one class that the same limits count: the best for what it serves, and the cheapest,
 * for what is left at the end. */
struct group {
    int32_t best, cheapest; /* options, -1 = none */
    double ratio, price;
};

struct keyed {
    uint64_t key;
    int32_t option;
};

static int by_key(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->option > b->option) - (a->option < b->option);
}

static int best_ratio_first(const void *left, const void *right)
{
    const struct group *a = left, *b = right;

    if (a->ratio != b->ratio)
        return a->ratio < b->ratio ? -1 : 1;
    return (a->best > b->best) - (a->best < b->best);
}

/* Numbers the groups of a workload; gives how many. */
static int32_t find_groups(const struct iso_unlisted *u, int32_t a, struct keyed *keyed,
                           int32_t *ret_group)
{
    const struct iso_workload *workload = &u->f->problem->workloads[a];
    const struct iso_mentions *limits = &u->f->reduction->limits;
    int32_t n = 0, n_groups = 0;

    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t o = workload->options[i].offering;
        uint64_t key = 14695981039346656037u ^ (uint64_t)u->class_of[a][i];
        for (int32_t at = limits->first[o]; at < limits->first[o + 1]; at++)
            key = (key ^ (uint64_t)limits->items[at].set) * 1099511628211u;
        if (u->class_of[a][i] >= 0)
            keyed[n++] = (struct keyed){key, i};
    }
    qsort(keyed, (size_t)n, sizeof(*keyed), by_key);
    for (int32_t i = 0; i < n; i++) {
        n_groups += i == 0 || keyed[i].key != keyed[i - 1].key;
        ret_group[keyed[i].option] = n_groups - 1;
    }
    return n_groups;
}

/* The groups of a workload in a period. */
static void look(const struct iso_unlisted *u, int32_t a, int32_t period, const int32_t *group_of,
                 struct group *groups, int32_t n_groups)
{
    const struct iso_problem *problem = u->f->problem;
    const struct iso_workload *workload = &problem->workloads[a];

    for (int32_t g = 0; g < n_groups; g++)
        groups[g] = (struct group){-1, -1, INFINITY, INFINITY};
    for (int32_t i = 0; i < workload->n_options; i++) {
        if (u->class_of[a][i] < 0)
            continue;
        struct group *group = &groups[group_of[i]];
        double price = u->price[workload->options[i].offering * problem->n_periods + period];
        double ratio = price / u->served[u->f->reduction->reach.first_option[a] + i];
        if (ratio < group->ratio) {
            group->ratio = ratio;
            group->best = i;
        }
        if (price < group->price) {
            group->price = price;
            group->cheapest = i;
        }
    }
}

/* Lists what the plan to start from is made of. */
static bool list_start(const struct iso_search *search)
{
    const struct iso_start_point *start = &search->problem->start;
    bool ok = true;

    for (int32_t i = 0; i < start->n_purchases; i++)
        ok = ok && iso_formulation_list_product(search->formulation, start->purchases[i].product);
    for (int32_t i = 0; i < start->n_uses && ok; i++) {
        int32_t a = start->uses[i].workload;
        int32_t option =
            iso_workload_find_option(&search->problem->workloads[a], start->uses[i].offering);
        if (option >= 0 && search->unlisted->class_of[a][option] >= 0)
            ok = iso_formulation_list_use(search->formulation, a, option, start->uses[i].period) >=
                 0;
    }
    return ok;
}

enum iso_status iso_list_candidates(struct iso_search *search, struct iso_error *reterr)
{
    const struct iso_unlisted *u = search->unlisted;
    const struct iso_problem *problem = search->problem;
    size_t n_offerings = (size_t)problem->n_offerings;
    ISO_AUTO_MEM struct keyed *keyed = iso_calloc(n_offerings, sizeof(*keyed));
    ISO_AUTO_MEM int32_t *group_of = iso_calloc(n_offerings, sizeof(*group_of));
    ISO_AUTO_MEM struct group *groups = iso_calloc(n_offerings, sizeof(*groups));
    int32_t before = u->f->mip.n_columns;

    if (!keyed || !group_of || !groups)
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int32_t n = find_groups(u, a, keyed, group_of);
        for (int32_t t = 0; t < problem->n_periods; t++) {
            if (!iso_formulation_useful(u->f, &problem->workloads[a], t))
                continue;
            if (t == 0 || problem->n_price_exceptions > 0 || problem->cost_factors ||
                problem->n_currencies > 1 || n > CANDIDATES) {
                look(u, a, t, group_of, groups, n);
                if (n > CANDIDATES)
                    qsort(groups, (size_t)n, sizeof(*groups), best_ratio_first);
            }
            for (int32_t g = 0; g < n && g < CANDIDATES; g++)
                if (iso_formulation_list_use(u->f, a, groups[g].best, t) < 0 ||
                    iso_formulation_list_use(u->f, a, groups[g].cheapest, t) < 0)
                    return no_memory(reterr);
        }
    }
    if (!list_start(search))
        return no_memory(reterr);
    ISO_TRY(iso_unlisted_see(search->unlisted, reterr));
    return iso_search_grow(search, before, reterr);
}
