#include "random_families.h"

/* Times the offering of the plain problem. */
static const iso_decimal sizes[] = {1, 2, 3, 5, 12};

#define N_SIZES ((int32_t)ISO_ARRAY_LENGTH(sizes))

/* Size k of an offering of the plain problem. */
static int32_t sized(int32_t offering, int32_t k)
{
    return offering * N_SIZES + k;
}

static iso_decimal times(iso_decimal amount, int32_t k)
{
    return amount * sizes[k];
}

/* In proportion to the size; for a quarter of the sizes a little more or less. */
static iso_decimal about(struct random_problem *r, iso_decimal amount, int32_t k)
{
    static const int64_t eighths[] = {7, 9, 8, 8, 8, 8, 8, 8};

    return times(amount, k) / 8 * eighths[random_below(r, 8)];
}

static void size_offerings(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_offering *offerings = random_block(r, p->n_offerings * N_SIZES, sizeof(*offerings));
    struct iso_price_exception *exceptions =
        random_block(r, p->n_offerings * N_SIZES * p->n_periods, sizeof(*exceptions));
    int32_t n = 0;

    for (int32_t o = 0; o < p->n_offerings; o++)
        for (int32_t k = 0; k < N_SIZES; k++) {
            struct iso_offering *offering = &offerings[sized(o, k)];
            *offering = p->offerings[o];
            offering->price = about(r, offering->price, k);
            for (int resource = 0; resource < 2; resource++)
                offering->capacity[resource] = times(offering->capacity[resource], k);
        }
    for (int32_t o = 0; o < p->n_offerings; o++) /* in one period of two a few prices differ */
        for (int32_t k = 0; k < N_SIZES; k++)
            for (int32_t t = 0; t < p->n_periods; t += 2)
                if (o == p->price_exceptions[0].offering || random_below(r, 12) == 0)
                    exceptions[n++] = (struct iso_price_exception){
                        sized(o, k), t, about(r, p->price_exceptions[0].price, k)};
    p->n_offerings *= N_SIZES;
    p->offerings = offerings;
    p->n_price_exceptions = n;
    p->price_exceptions = exceptions;
}

/* Pools keep to the smallest size. */
static void size_options(struct random_problem *r, struct iso_workload *workload)
{
    int32_t n_sizes = workload->replicas ? 1 : N_SIZES, n = workload->n_options;
    struct iso_option *options = random_block(r, (int64_t)n * n_sizes, sizeof(*options));
    struct iso_share *shares = random_block(r, workload->n_shares, sizeof(*shares));

    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < n_sizes; k++)
            options[i * n_sizes + k] =
                (struct iso_option){sized(workload->options[i].offering, k),
                                    workload->replicas ? workload->options[i].served
                                                       : about(r, workload->options[i].served, k),
                                    workload->options[i].most};
    for (int32_t s = 0; s < workload->n_shares; s++) {
        uint8_t *member = random_block(r, (int64_t)n * n_sizes, 1);
        for (int32_t i = 0; i < n * n_sizes; i++)
            member[i] = workload->shares[s].member[i / n_sizes];
        shares[s] = workload->shares[s];
        shares[s].member = member;
    }
    workload->n_options = n * n_sizes;
    workload->options = options;
    workload->shares = shares;
}

static void size_limits(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_limit *limits = random_block(r, p->n_limits, sizeof(*limits));

    for (int32_t l = 0; l < p->n_limits; l++) {
        const struct iso_limit *limit = &p->limits[l];
        struct iso_limit_term *terms =
            random_block(r, (int64_t)limit->n_terms * N_SIZES, sizeof(*terms));
        for (int32_t i = 0; i < limit->n_terms * N_SIZES; i++)
            terms[i] =
                (struct iso_limit_term){sized(limit->terms[i / N_SIZES].offering, i % N_SIZES),
                                        about(r, limit->terms[i / N_SIZES].weight, i % N_SIZES)};
        limits[l] = *limit;
        limits[l].n_terms *= N_SIZES;
        limits[l].terms = terms;
        limits[l].bound = times(limit->bound, 2);
        if (random_below(r, 3) == 0)
            limits[l].minimum = !limits[l].minimum;
    }
    p->limits = limits;
}

static void size_products(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_product *products = random_block(r, p->n_products, sizeof(*products));

    for (int32_t c = 0; c < p->n_products; c++) {
        const struct iso_product *product = &p->products[c];
        struct iso_eligible *eligible =
            random_block(r, (int64_t)product->n_eligible * N_SIZES, sizeof(*eligible));
        for (int32_t i = 0; i < product->n_eligible * N_SIZES; i++)
            eligible[i] =
                (struct iso_eligible){sized(product->eligible[i / N_SIZES].offering, i % N_SIZES),
                                      about(r, product->eligible[i / N_SIZES].use, i % N_SIZES)};
        products[c] = *product;
        products[c].n_eligible *= N_SIZES;
        products[c].eligible = eligible;
    }
    p->products = products;
}

/* `budgets` count all sizes of an offering, but for one that may be left out. */
static void size_budgets(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_budget *budgets = random_block(r, p->n_budgets, sizeof(*budgets));

    for (int32_t b = 0; b < p->n_budgets; b++) {
        uint8_t *offerings = random_block(r, p->n_offerings, 1);
        for (int32_t o = 0; o < p->n_offerings; o++)
            offerings[o] = p->budgets[b].offerings[o / N_SIZES];
        if (random_below(r, 3) == 0)
            offerings[random_below(r, p->n_offerings)] ^= 1;
        budgets[b] = p->budgets[b];
        budgets[b].offerings = offerings;
    }
    p->budgets = budgets;
}

static void size_moves(struct random_problem *r)
{
    struct iso_moves *moves = &r->problem.moves;
    struct iso_current *current = random_block(r, moves->n_current, sizeof(*current));

    for (int32_t i = 0; i < moves->n_current; i++) {
        current[i] = moves->current[i];
        current[i].offering = sized(current[i].offering, 0);
    }
    moves->current = current;
    if (moves->present)
        moves->forced_stops = iso_forced_stops(&r->problem);
}

struct random_problem *random_families_new(uint64_t seed)
{
    struct random_problem *r = random_problem_new(seed);

    size_offerings(r);
    for (int32_t a = 0; a < r->problem.n_workloads; a++)
        size_options(r, &r->workloads[a]);
    size_limits(r);
    size_products(r);
    size_budgets(r);
    size_moves(r);
    r->problem.options.time_limit_s = 1;
    r->problem.options.gap = 0.05;
    return r;
}
