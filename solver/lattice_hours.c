/* Periods, exactly, with what is bought fixed.
 *
 * Products that cover the same options are one *kind*; Y_k instances of kind k are held. The points
 * r of the box 0 <= r <= Y are the ways to give a workload covered instances, after which the rest
 * of its demand costs f_a(r) = G_a(max(0, d_a - size_a r)). The period costs
 *
 *     V = min  sum_a f_a(r_a)   over  sum_a r_a <= Y.
 *
 * With multipliers mu, L = sum_a G^mu_a(d_a) - mu Y is a lower bound, and every split loses
 *
 *     sum_a f_a(r_a) - L = sum_a s_a(r_a) + mu (Y - sum_a r_a),
 *     s_a(r) = f_a(r) + mu r - G^mu_a(d_a) >= 0,
 *
 * so only points that lose less than the best split so far need be combined: a few of hundreds. A
 * point that one instance less would serve as well is never needed. The last workload takes all
 * that is left.
 *
 * Points are numbers of mixed radix, so differences of places are places of differences; whether
 * r <= rest in all kinds at once is one subtraction of numbers with a guard bit a kind. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lattice.h"

#define MOST_KINDS 8
#define MOST_OF_A_KIND 127
#define MOST_POINTS 4096
#define MOST_VALUES 6e6 /* of all f together */
#define GUARDS UINT64_C(0x8080808080808080)
#define MOST_TRIES 10000 /* points looked at for one period */
#define CLOSE 1e-12      /* relative; costs that differ by less are equal */

struct candidate {
    double lost, cost; /* s_a, f_a */
    uint64_t packed;
    int32_t place;
};

/* f_a of one demand. */
struct values {
    double *cost;    /* [place]; NULL: not filled in yet */
    int32_t *useful; /* places */
    int32_t n_useful;
};

/* The box of one season. */
struct box {
    int32_t n_kinds, n_points; /* 0 points: not opened yet */
    int32_t product[MOST_KINDS], most[MOST_KINDS], stride[MOST_KINDS];
    int32_t *kind;         /* [product] or -1 */
    uint64_t *packed;      /* [place] */
    int32_t *steps;        /* [workload * n_points + place] */
    struct values *values; /* [demand] */
    double **credit;       /* [prices]: mu r by place; NULL: not filled in yet */
};

struct iso_lattice_point {
    const struct iso_lattice *lattice;
    int32_t n_prices;
    struct box *boxes;                     /* [season] */
    struct candidate **candidates;         /* [workload], scratch */
    int32_t *n_candidates, *chosen, *best; /* [workload] */
};

bool iso_lattice_same_covers(const struct iso_lattice *lattice, int32_t product, int32_t other)
{
    size_t n = (size_t)lattice->n_workloads;

    return memcmp(&lattice->covers[(size_t)product * n], &lattice->covers[(size_t)other * n],
                  n * sizeof(*lattice->covers)) == 0;
}

/* More instances than these are of no use to all workloads together. */
static double most_used(const struct iso_lattice *lattice, int32_t k)
{
    double most = 0;

    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        int32_t option = lattice->covers[k * lattice->n_workloads + a];
        if (option >= 0)
            most += (lattice->n_steps[a] + lattice->size[option] - 1) / lattice->size[option];
    }
    return most;
}

/* Kinds and their sizes; false when there are too many points. */
static bool open_kinds(const struct iso_lattice *lattice, struct box *box, const double *capacity)
{
    double n_points = 1, most[MOST_KINDS] = {0};

    for (int32_t k = 0; k < lattice->n_products; k++) {
        int32_t i = 0;
        box->kind[k] = -1;
        if (capacity[k] < 1)
            continue;
        while (i < box->n_kinds && !iso_lattice_same_covers(lattice, k, box->product[i]))
            i++;
        if (i == MOST_KINDS)
            return false;
        if (i == box->n_kinds)
            box->product[box->n_kinds++] = k;
        box->kind[k] = i;
        most[i] = fmin(most[i] + capacity[k], most_used(lattice, k));
    }
    for (int32_t i = 0; i < box->n_kinds; i++) {
        if (most[i] > MOST_OF_A_KIND)
            return false;
        box->most[i] = (int32_t)most[i];
        box->stride[i] = (int32_t)n_points;
        n_points *= most[i] + 1;
        if (n_points > MOST_POINTS)
            return false;
    }
    box->n_points = (int32_t)n_points;
    return n_points * lattice->n_demands * lattice->n_seasons <= MOST_VALUES;
}

static bool open_points(const struct iso_lattice *lattice, int32_t n_prices, struct box *box)
{
    size_t n_points = (size_t)box->n_points;

    box->packed = iso_calloc(n_points, sizeof(*box->packed));
    box->steps = iso_calloc(n_points * (size_t)lattice->n_workloads, sizeof(*box->steps));
    box->values = iso_calloc((size_t)lattice->n_demands, sizeof(*box->values));
    box->credit = iso_calloc((size_t)n_prices, sizeof(double *));
    if (!box->packed || !box->steps || !box->values || !box->credit)
        return false;
    for (int32_t place = 0; place < box->n_points; place++)
        for (int32_t i = 0; i < box->n_kinds; i++) {
            int32_t n = place / box->stride[i] % (box->most[i] + 1);
            box->packed[place] |= (uint64_t)n << (8 * i);
            for (int32_t a = 0; a < lattice->n_workloads; a++) {
                int32_t option = lattice->covers[box->product[i] * lattice->n_workloads + a];
                int64_t steps = box->steps[a * box->n_points + place];
                steps += option >= 0 ? (int64_t)n * lattice->size[option] : 0;
                box->steps[a * box->n_points + place] =
                    steps < lattice->n_steps[a] ? (int32_t)steps : lattice->n_steps[a];
            }
        }
    return true;
}

enum iso_status iso_lattice_point_new(const struct iso_lattice *lattice, const int64_t *y,
                                      struct iso_lattice_point **ret_point,
                                      struct iso_error *reterr)
{
    ISO_AUTO(iso_lattice_point) point = iso_calloc(1, sizeof(*point));
    size_t n = (size_t)lattice->n_workloads, n_products = (size_t)lattice->n_products;
    ISO_AUTO_MEM double *capacity = iso_calloc(n_products, sizeof(*capacity));
    double bought[ISO_LATTICE_MOST_STARTS];
    bool fits = true, memory = point && capacity;

    for (int32_t s = 0; s < lattice->n_starts; s++)
        bought[s] = (double)y[s];
    if (memory) {
        point->lattice = lattice;
        point->n_prices = lattice->n_prices;
        point->boxes = iso_calloc((size_t)lattice->n_seasons, sizeof(*point->boxes));
        point->candidates = iso_calloc(n, sizeof(struct candidate *));
        point->n_candidates = iso_calloc(n, sizeof(*point->n_candidates));
        point->chosen = iso_calloc(n, sizeof(*point->chosen));
        point->best = iso_calloc(n, sizeof(*point->best));
        memory = point->boxes && point->candidates && point->n_candidates && point->chosen &&
                 point->best;
    }
    for (int32_t i = 0; i < lattice->n_seasons && memory && fits; i++) {
        struct box *box = &point->boxes[i];
        box->kind = iso_calloc(n_products, sizeof(*box->kind));
        memory = box->kind;
        if (!memory)
            break;
        iso_lattice_capacity(lattice, i, bought, capacity);
        fits = open_kinds(lattice, box, capacity);
        memory = !fits || open_points(lattice, point->n_prices, box);
    }
    for (size_t a = 0; a < n && memory && fits; a++) {
        point->candidates[a] = iso_calloc(MOST_POINTS, sizeof(struct candidate));
        memory = point->candidates[a];
    }
    if (!memory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for periods");
    *ret_point = fits ? ISO_STEAL(point) : NULL;
    return ISO_OK;
}

void iso_lattice_point_free(struct iso_lattice_point *point)
{
    if (!point)
        return;
    for (int32_t i = 0; i < point->lattice->n_seasons && point->boxes; i++) {
        struct box *box = &point->boxes[i];
        for (int32_t d = 0; d < point->lattice->n_demands && box->values; d++) {
            free(box->values[d].cost);
            free(box->values[d].useful);
        }
        for (int32_t j = 0; j < point->n_prices && box->credit; j++)
            free(box->credit[j]);
        free(box->kind);
        free(box->packed);
        free(box->steps);
        free(box->values);
        free(box->credit);
    }
    for (int32_t a = 0; a < point->lattice->n_workloads && point->candidates; a++)
        free(point->candidates[a]);
    free(point->boxes);
    free(point->candidates);
    free(point->n_candidates);
    free(point->chosen);
    free(point->best);
    free(point);
}

/* f_a of a demand, and the places where each covered instance saves something. */
static const struct values *values_of(struct iso_lattice_point *point, int32_t season, int32_t a,
                                      int32_t demand)
{
    const struct iso_lattice *lattice = point->lattice;
    struct box *box = &point->boxes[season];
    struct values *values = &box->values[demand];
    const double *least = lattice->seasons[season].least[a];
    const int32_t *steps = &box->steps[a * box->n_points];
    int32_t q = lattice->demand[demand];

    if (values->cost)
        return values;
    values->cost = iso_calloc((size_t)box->n_points, sizeof(*values->cost));
    values->useful = iso_calloc((size_t)box->n_points, sizeof(*values->useful));
    if (!values->cost || !values->useful)
        return NULL;
    for (int32_t place = 0; place < box->n_points; place++) {
        bool useful = true;
        double cost = q > steps[place] ? least[q - steps[place]] : 0;
        values->cost[place] = cost;
        for (int32_t i = 0; i < box->n_kinds && useful; i++)
            useful = ((box->packed[place] >> (8 * i)) & 0x7f) == 0 ||
                     values->cost[place - box->stride[i]] > cost;
        if (useful)
            values->useful[values->n_useful++] = place;
    }
    return values;
}

/* mu r by place. Kinds take the least multiplier of their products. */
static const double *credit_of(struct iso_lattice_point *point, int32_t season, int32_t prices)
{
    const struct iso_lattice *lattice = point->lattice;
    struct box *box = &point->boxes[season];
    double mu[MOST_KINDS];

    if (box->credit[prices])
        return box->credit[prices];
    box->credit[prices] = iso_calloc((size_t)box->n_points, sizeof(double));
    if (!box->credit[prices])
        return NULL;
    for (int32_t i = 0; i < box->n_kinds; i++) {
        mu[i] = INFINITY;
        for (int32_t k = 0; k < lattice->n_products; k++)
            if (box->kind[k] == i || iso_lattice_same_covers(lattice, k, box->product[i]))
                mu[i] = fmin(mu[i], lattice->prices[prices].mu[k]);
    }
    for (int32_t place = 1; place < box->n_points; place++)
        for (int32_t i = 0; i < box->n_kinds; i++)
            box->credit[prices][place] += mu[i] * (double)((box->packed[place] >> (8 * i)) & 0x7f);
    return box->credit[prices];
}

static bool fits(uint64_t packed, uint64_t rest)
{
    return (((rest | GUARDS) - packed) & GUARDS) == GUARDS;
}

/* What is known of the period at hand while splits are tried. */
struct split {
    struct iso_lattice_point *point;
    const struct box *box;
    const struct iso_lattice_season *season;
    const double *last_cost; /* f of the last workload */
    double bound, best;
    double wanted; /* what a better split costs at most */
    int32_t tries;
};

static void take_best(struct split *split, double cost)
{
    split->best = cost;
    split->wanted = iso_lattice_sum_below(split->season, cost);
}

/* Gives workload a and those after it points of what is left. `lost`: by the workloads before. */
static void try_points(struct split *split, int32_t a, int32_t rest, double lost, double cost)
{
    struct iso_lattice_point *point = split->point;
    int32_t n_workloads = point->lattice->n_workloads;
    uint64_t left = split->box->packed[rest];

    if (a == n_workloads - 1) {
        cost += split->last_cost[rest];
        if (cost <= split->wanted) {
            take_best(split, cost);
            point->chosen[a] = rest;
            memcpy(point->best, point->chosen, (size_t)n_workloads * sizeof(*point->best));
        }
        return;
    }
    for (int32_t i = 0; i < point->n_candidates[a] && split->tries < MOST_TRIES; i++) {
        const struct candidate *candidate = &point->candidates[a][i];
        if (split->bound + lost + candidate->lost > split->wanted)
            break;
        split->tries++;
        if (!fits(candidate->packed, left))
            continue;
        point->chosen[a] = candidate->place;
        try_points(split, a + 1, rest - candidate->place, lost + candidate->lost,
                   cost + candidate->cost);
    }
}

/* One split, workload by workload the point that loses least. */
static void first_split(struct split *split, const struct values **values, const double *credit)
{
    struct iso_lattice_point *point = split->point;
    int32_t last = point->lattice->n_workloads - 1, rest = split->box->n_points - 1;

    double cost = 0;
    for (int32_t a = 0; a < last; a++) {
        double least = INFINITY;
        for (int32_t i = 0; i < values[a]->n_useful; i++) {
            int32_t place = values[a]->useful[i];
            double loss = values[a]->cost[place] + credit[place];
            if (loss < least && fits(split->box->packed[place], split->box->packed[rest])) {
                least = loss;
                point->best[a] = place;
            }
        }
        cost += values[a]->cost[point->best[a]];
        rest -= point->best[a];
    }
    point->best[last] = rest;
    take_best(split, cost + values[last]->cost[rest]);
}

static int by_loss(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->lost != b->lost)
        return a->lost < b->lost ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Points that a better split may have, those that lose least first. */
static void collect(struct split *split, int32_t a, const struct values *values,
                    const double *credit, double least)
{
    struct iso_lattice_point *point = split->point;
    int32_t n = 0;

    for (int32_t i = 0; i < values->n_useful; i++) {
        int32_t place = values->useful[i];
        double lost = fmax(0, values->cost[place] + credit[place] - least);
        if (split->bound + lost <= split->wanted)
            point->candidates[a][n++] =
                (struct candidate){lost, values->cost[place], split->box->packed[place], place};
    }
    qsort(point->candidates[a], (size_t)n, sizeof(*point->candidates[a]), by_loss);
    point->n_candidates[a] = n;
}

/* Turns the best places into instances; what a workload does not need stays idle. */
static void unpack(const struct split *split, const int32_t *demand, int64_t *ret_covered)
{
    const struct iso_lattice *lattice = split->point->lattice;
    const struct box *box = split->box;

    memset(ret_covered, 0,
           (size_t)(lattice->n_workloads * lattice->n_products) * sizeof(*ret_covered));
    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        const double *cost = box->values[demand[a]].cost;
        int32_t place = split->point->best[a];
        for (int32_t i = 0; i < box->n_kinds; i++) {
            int32_t n = (int32_t)((box->packed[place] >> (8 * i)) & 0x7f);
            for (; n > 0 && cost[place - box->stride[i]] <= cost[place]; n--)
                place -= box->stride[i];
            ret_covered[a * lattice->n_products + box->product[i]] = n;
        }
    }
}

bool iso_lattice_point_solve(struct iso_lattice_point *point, int32_t level, int32_t prices,
                             double *ret_cost, double *ret_bound, int64_t *ret_covered)
{
    const struct iso_lattice *lattice = point->lattice;
    int32_t season = lattice->levels[level].season, n = lattice->n_workloads;
    const int32_t *demand = &lattice->level_demand[(size_t)level * (size_t)n];
    const double *least = lattice->prices[prices].least, *credit;
    struct split split = {
        .point = point, .box = &point->boxes[season], .season = &lattice->seasons[season]};
    const struct values *values[ISO_LATTICE_MOST_WORKLOADS];

    credit = credit_of(point, season, prices);
    if (!credit)
        return false;
    for (int32_t a = 0; a < n; a++) {
        values[a] = values_of(point, season, a, demand[a]);
        if (!values[a])
            return false;
        split.bound += least[demand[a]];
    }
    split.bound -= credit[split.box->n_points - 1];
    split.last_cost = values[n - 1]->cost;
    first_split(&split, values, credit);
    if (split.best > 0 && split.bound <= split.wanted) {
        for (int32_t a = 0; a + 1 < n; a++)
            collect(&split, a, values[a], credit, least[demand[a]]);
        try_points(&split, 0, split.box->n_points - 1, 0, 0);
    }
    *ret_cost = split.best;
    *ret_bound = split.tries < MOST_TRIES ? split.best : split.bound;
    if (ret_covered)
        unpack(&split, demand, ret_covered);
    return true;
}
