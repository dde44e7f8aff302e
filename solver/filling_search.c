#include "filling_search.h"

#include <math.h>
#include <string.h>

#define MOST_NODES 20000
#define ROUNDING 1e-12 /* relative */

/* A kind of copies that is worth something and fits. */
struct kind {
    int32_t place; /* in the set */
    int32_t most;
    const iso_decimal *need;
    double value;
};

struct search {
    struct kind *kinds; /* those of which fewest fit first: they leave the least choice */
    int32_t n_kinds;
    iso_decimal room[ISO_N_RESOURCES];
    double price[ISO_N_RESOURCES]; /* u, of one unit of iso_decimal */
    bool has_prices;
    int32_t *counts, *best; /* by kind; by place */
    double value, best_value;
    int32_t n_places, nodes;
};

static int32_t fits(const struct search *search, const struct kind *kind)
{
    int64_t n = kind->most;

    for (int k = 0; k < ISO_N_RESOURCES && n > 0; k++)
        if (kind->need[k] > 0 && search->room[k] / kind->need[k] < n)
            n = search->room[k] / kind->need[k];
    return (int32_t)n;
}

static void take(struct search *search, int32_t at, int32_t n)
{
    const struct kind *kind = &search->kinds[at];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        search->room[k] -= n * kind->need[k];
    search->counts[at] += n;
    search->value += n * kind->value;
}

/* What kinds from `at` on may add to what is taken. */
static double most_to_add(const struct search *search, int32_t at)
{
    double by_prices = 0, by_count = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        by_prices += search->price[k] * (double)search->room[k];
    for (int32_t i = at; i < search->n_kinds; i++)
        by_count += search->kinds[i].value * fits(search, &search->kinds[i]);
    return search->has_prices ? fmin(by_prices, by_count) : by_count;
}

/* --- multipliers --- */

/* Takes the multipliers, scaled until no copy is worth more than they ask for it, when they bound
 * the empty instance better than *io_bound. */
static void consider(struct search *search, int k, double for_k, int l, double for_l,
                     double *io_bound)
{
    double scale = 0;

    for (int32_t i = 0; i < search->n_kinds; i++) {
        const struct kind *kind = &search->kinds[i];
        double asked = for_k * (double)kind->need[k] + for_l * (double)kind->need[l];
        if (asked <= 0)
            return;
        scale = fmax(scale, kind->value / asked);
    }
    scale *= 1 + ROUNDING;
    double bound = scale * (for_k * (double)search->room[k] + for_l * (double)search->room[l]);
    if (bound >= *io_bound)
        return;
    *io_bound = bound;
    search->has_prices = true;
    memset(search->price, 0, sizeof(search->price));
    search->price[k] += scale * for_k;
    search->price[l] += scale * for_l;
}

/* Where two kinds are worth just what they are asked for: u_k and u_l from two equations. */
static void consider_vertex(struct search *search, int k, int l, const struct kind *a,
                            const struct kind *b, double *io_bound)
{
    double ak = (double)a->need[k], al = (double)a->need[l];
    double bk = (double)b->need[k], bl = (double)b->need[l];
    double determinant = ak * bl - al * bk;

    if (fabs(determinant) <= ROUNDING * (ak * bl + al * bk))
        return;
    double for_k = (a->value * bl - b->value * al) / determinant;
    double for_l = (b->value * ak - a->value * bk) / determinant;
    if (for_k >= 0 && for_l >= 0)
        consider(search, k, for_k, l, for_l, io_bound);
}

/* Sets the multipliers, unless no two resources are such that each kind needs one of them. */
static void find_prices(struct search *search)
{
    double bound = INFINITY;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        if (search->room[k] <= 0)
            continue;
        consider(search, k, 1, k, 0, &bound);
        for (int l = 0; l < k; l++) {
            if (search->room[l] <= 0)
                continue;
            consider(search, k, 1 / (double)search->room[k], l, 1 / (double)search->room[l],
                     &bound);
            for (int32_t i = 0; i < search->n_kinds && search->n_kinds <= ISO_FEW_KINDS; i++)
                for (int32_t j = 0; j < i; j++)
                    consider_vertex(search, k, l, &search->kinds[i], &search->kinds[j], &bound);
        }
    }
}

/* --- search --- */

static void keep_best(struct search *search)
{
    if (search->value <= search->best_value)
        return;
    search->best_value = search->value;
    memset(search->best, 0, (size_t)search->n_places * sizeof(*search->best));
    for (int32_t i = 0; i < search->n_kinds; i++)
        search->best[search->kinds[i].place] = search->counts[i];
}

static void look(struct search *search, int32_t at)
{
    keep_best(search);
    if (at == search->n_kinds || search->nodes <= 0 ||
        search->value + most_to_add(search, at) <= search->best_value * (1 + ROUNDING))
        return;
    int32_t most = fits(search, &search->kinds[at]);
    int32_t least = at + 1 == search->n_kinds ? most : 0;
    for (int32_t n = most; n >= least; n--) {
        search->nodes--;
        take(search, at, n);
        look(search, at + 1);
        take(search, at, -n);
    }
}

/* The kinds of worth that fit, those of which fewest fit first. */
static void list_kinds(struct search *search, const struct iso_problem *problem,
                       const struct iso_pattern_set *set, const double *values, const int32_t *most)
{
    for (int32_t i = 0; i < set->n_workloads; i++) {
        struct kind kind = {i, most[i], problem->workloads[set->workloads[i]].need, values[i]};
        int32_t at = search->n_kinds;
        if (kind.value <= 0 || (kind.most = fits(search, &kind)) == 0)
            continue;
        for (; at > 0 && search->kinds[at - 1].most > kind.most; at--)
            search->kinds[at] = search->kinds[at - 1];
        search->kinds[at] = kind;
        search->n_kinds++;
    }
}

double iso_filling_best(const struct iso_problem *problem, const struct iso_pattern_set *set,
                        int32_t team, int32_t offering, const double *values, const int32_t *most,
                        double worth, int32_t *ret_counts, double *ret_bound)
{
    size_t n = (size_t)set->n_workloads;
    ISO_AUTO_MEM struct kind *kinds = iso_calloc(n, sizeof(*kinds));
    ISO_AUTO_MEM int32_t *counts = iso_calloc(n, sizeof(*counts));
    struct search search = {.kinds = kinds,
                            .counts = counts,
                            .best = ret_counts,
                            .best_value = fmax(0, worth),
                            .n_places = set->n_workloads,
                            .nodes = MOST_NODES};

    memset(ret_counts, 0, n * sizeof(*ret_counts));
    *ret_bound = INFINITY;
    if (!kinds || !counts)
        return 0;
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        search.room[k] = iso_pattern_room(problem, team, offering, k);
    list_kinds(&search, problem, set, values, most);
    find_prices(&search);
    *ret_bound = most_to_add(&search, 0) * (1 + ROUNDING);
    if (*ret_bound <= search.best_value)
        return 0;
    look(&search, 0);
    if (search.nodes > 0)
        *ret_bound = search.best_value;
    return search.best_value > fmax(0, worth) ? search.best_value : 0;
}
