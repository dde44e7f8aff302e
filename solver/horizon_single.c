/* A period as a problem of its own, for the search by columns: all that is bought is held, nothing
 * else is for sale. For the few periods in which a small tree finds no plan, and for all of them
 * where there is time: its neighbourhoods come nearer to the relaxation than a tree does. */
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "horizon_hours.h"

struct single {
    struct iso_problem problem;
    struct iso_workload *workloads;
    struct iso_currency *currencies;
    struct iso_limit *limits;
    struct iso_product *products;
    int32_t *product; /* of the whole problem, by product of this one */
    iso_decimal *existing;
    struct iso_price_exception *exceptions;
};

static void single_fini(struct single *single)
{
    void *const arrays[] = {single->workloads, single->currencies, single->limits,
                            single->products,  single->product,    single->existing,
                            single->exceptions};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

static void take_products(struct single *single, const struct iso_horizon_case *h, int32_t t)
{
    int32_t n = 0;

    for (int32_t c = 0; c < h->problem->n_products; c++) {
        const struct iso_product *from = &h->problem->products[c];
        iso_wide held = from->existing[t];
        for (int32_t s = 0; s < from->n_starts; s++)
            if (from->starts[s].window[t])
                held += (iso_wide)h->bought[h->first_start[c] + s] * ISO_DECIMAL_ONE;
        if (held == 0)
            continue;
        single->existing[n] = (iso_decimal)held;
        single->products[n] = *from;
        single->products[n].existing = &single->existing[n];
        single->products[n].n_starts = 0;
        single->products[n].most = 0;
        single->product[n++] = c;
    }
    single->problem.n_products = n;
}

static void take_period(struct single *single, const struct iso_horizon_case *h, int32_t t)
{
    const struct iso_problem *whole = h->problem;
    struct iso_problem *problem = &single->problem;

    problem->n_periods = 1;
    problem->periods = &whole->periods[t];
    for (int32_t k = 0; k < whole->n_currencies; k++) {
        single->currencies[k] = whole->currencies[k];
        single->currencies[k].rate_to_base += t;
    }
    for (int32_t a = 0; a < whole->n_workloads; a++) {
        single->workloads[a] = whole->workloads[a];
        single->workloads[a].demand += t;
        single->workloads[a].required += t;
    }
    for (int32_t l = 0; l < whole->n_limits; l++) {
        single->limits[l] = whole->limits[l];
        single->limits[l].periods += t;
    }
    problem->n_price_exceptions = 0;
    for (int32_t i = 0; i < whole->n_price_exceptions; i++)
        if (whole->price_exceptions[i].period == t) {
            struct iso_price_exception *made = &single->exceptions[problem->n_price_exceptions++];
            *made = whole->price_exceptions[i];
            made->period = 0;
        }
    problem->currencies = single->currencies;
    problem->workloads = single->workloads;
    problem->limits = single->limits;
    problem->products = single->products;
    problem->price_exceptions = single->exceptions;
}

static enum iso_status single_init(struct single *single, const struct iso_horizon_case *h,
                                   int32_t t, struct iso_error *reterr)
{
    const struct iso_problem *whole = h->problem;
    size_t n_products = (size_t)whole->n_products;

    single->problem = *whole;
    single->workloads = iso_calloc((size_t)whole->n_workloads, sizeof(*single->workloads));
    single->currencies = iso_calloc((size_t)whole->n_currencies, sizeof(*single->currencies));
    single->limits = iso_calloc((size_t)whole->n_limits, sizeof(*single->limits));
    single->products = iso_calloc(n_products, sizeof(*single->products));
    single->product = iso_calloc(n_products, sizeof(*single->product));
    single->existing = iso_calloc(n_products, sizeof(*single->existing));
    single->exceptions = iso_calloc((size_t)whole->n_price_exceptions, sizeof(*single->exceptions));
    if (!single->workloads || !single->currencies || !single->limits || !single->products ||
        !single->product || !single->existing || !single->exceptions)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a period by itself");
    take_period(single, h, t);
    take_products(single, h, t);
    single->problem.options.want = 0;
    single->problem.options.strategy = ISO_STRATEGY_COLUMNS;
    return ISO_OK;
}

static bool add_plan(const struct single *single, const struct iso_plan *from, int32_t t,
                     struct iso_plan *plan)
{
    bool ok = true;

    for (int32_t i = 0; i < from->n_uses && ok; i++) {
        struct iso_use use = from->uses[i];
        use.period = t;
        ok = iso_append(&plan->uses, &plan->n_uses, sizeof(use), &use);
    }
    for (int32_t i = 0; i < from->n_covers && ok; i++) {
        struct iso_cover cover = from->covers[i];
        cover.period = t;
        cover.product = single->product[cover.product];
        ok = iso_append(&plan->covers, &plan->n_covers, sizeof(cover), &cover);
    }
    for (int32_t i = 0; i < from->n_unserved && ok; i++) {
        struct iso_unserved unserved = from->unserved[i];
        unserved.period = t;
        ok = iso_append(&plan->unserved, &plan->n_unserved, sizeof(unserved), &unserved);
    }
    return ok;
}

enum iso_status iso_single_solve(struct iso_horizon_case *h, int32_t t, struct iso_effort effort,
                                 bool *ret_found, struct iso_error *reterr)
{
    struct single single __attribute__((cleanup(single_fini))) = {0};
    struct iso_control control = iso_search_control(&h->search);
    ISO_AUTO(iso_plan) plan = NULL;
    double left = iso_search_left(&h->search);

    *ret_found = false;
    if (left <= 0)
        return ISO_OK;
    ISO_TRY(single_init(&single, h, t, reterr));
    single.problem.options.time_limit_s = left < effort.seconds ? left : effort.seconds;
    single.problem.options.gap = effort.gap;
    control.incumbent = NULL;
    ISO_TRY(iso_optimise_component(&single.problem, &control, /* explain= */ false, &plan, reterr));
    *ret_found = plan->has_solution;
    h->search.iterations += plan->stats.iterations;
    h->search.nodes += plan->stats.nodes;
    if (*ret_found && !add_plan(&single, plan, t, h->search.plan))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    return ISO_OK;
}
