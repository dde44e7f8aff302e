/* Multipliers against the columns that a formulation does not list.
 *
 * Products that have to be bought are given no multipliers: the verifier takes the least that price
 * out what they cover (need of unlisted.h), as beside leads it does. What is left is that no unit
 * is worth more than it costs, and that no instance is worth more than is paid for it. Both hold
 * once the multipliers that stand for workload a are scaled by f_a <= 1: what an instance serves is
 * worth f_a times as much, and need falls at least as fast, for what it takes off is >= 0. */
#include <math.h>
#include <stdlib.h>

#include "unlisted.h"

#define HAIR 1e-10 /* relative; well above ISO_PROOF_MARGIN */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
}

bool iso_priced_is_implied(const struct iso_priced *priced, int32_t c)
{
    return priced->search->unlisted && !iso_formulation_lists_at_once(priced->f->problem, c);
}

void iso_priced_drop_implied(struct iso_priced *priced)
{
    const struct iso_problem *problem = priced->f->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods && priced->f->commit_row[c] >= 0; t++)
            if (iso_priced_is_implied(priced, c))
                priced->dual[priced->f->commit_row[c] + t] = 0;
}

static void shrink(double *factor, double available, double gain)
{
    if (gain > available * (1 - 10 * HAIR))
        *factor = fmin(*factor, fmax(0, available * (1 - 10 * HAIR)) / gain);
}

/* Instances of an option, paid or covered by what has multipliers. */
static void fit_option(const struct iso_priced *priced, int32_t a, int32_t option, double *gain,
                       double *factor)
{
    const struct iso_unlisted *u = priced->search->unlisted;
    const struct iso_problem *problem = u->f->problem;
    const struct iso_reach *reach = &u->f->reduction->reach;
    int32_t k = reach->first_option[a] + option;

    iso_unlisted_paid(u, a, option, u->row);
    for (int32_t at = reach->first[k]; at < reach->first[k + 1]; at++) {
        int32_t c = reach->items[at].set;
        const struct iso_product *product = &problem->products[c];
        double use = iso_value(product->eligible[reach->items[at].place].use);
        if (u->f->commit_row[c] < 0 || iso_priced_is_implied(priced, c))
            continue;
        iso_unlisted_covered(u, a, option, c, u->other);
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (product->most != 0 || product->existing[t] > 0)
                u->row[t] =
                    fmin(u->row[t], u->other[t] - priced->dual[u->f->commit_row[c] + t] * use);
    }
    iso_unlisted_gain(u, a, option, gain);
    for (int32_t t = 0; t < problem->n_periods; t++)
        shrink(factor, u->row[t], gain[t]);
}

/* What a unit of a start of an implied product is worth. */
static double worth_of(const struct iso_unlisted *u, int32_t c, int32_t s)
{
    const struct iso_product *product = &u->f->problem->products[c];
    double worth = 0;

    for (int32_t t = 0; t < u->f->problem->n_periods; t++)
        worth += product->starts[s].window[t] ? u->need[t] : 0;
    return worth * iso_value(product->lot);
}

/* A product that may be bought without end is worth no more than it costs. */
static void fit_product(const struct iso_priced *priced, int32_t c)
{
    const struct iso_unlisted *u = priced->search->unlisted;
    const struct iso_product *product = &u->f->problem->products[c];
    double factor = 1;

    if (!iso_priced_is_implied(priced, c) || product->most >= 0)
        return;
    iso_unlisted_need(u, c, false, u->need, NULL);
    for (int32_t s = 0; s < product->n_starts; s++)
        shrink(&factor, iso_unlisted_purchase(u, c, s), worth_of(u, c, s));
    for (int32_t p = u->first_pair[c]; p < u->first_pair[c + 1] && factor < 1; p++)
        priced->factors[u->pairs[p].workload] = fmin(priced->factors[u->pairs[p].workload], factor);
}

enum iso_status iso_priced_fit_unlisted(struct iso_priced *priced, struct iso_error *reterr)
{
    struct iso_unlisted *u = priced->search->unlisted;
    const struct iso_problem *problem = priced->f->problem;
    ISO_AUTO_MEM double *gain = iso_calloc((size_t)problem->n_periods, sizeof(*gain));

    if (!gain)
        return no_memory(reterr);
    ISO_TRY(iso_unlisted_open(u, priced->dual, priced->money, reterr));
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        priced->factors[a] = 1;
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            if (u->class_of[a][i] >= 0)
                fit_option(priced, a, i, gain, &priced->factors[a]);
    }
    for (int32_t c = 0; c < problem->n_products; c++)
        fit_product(priced, c);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        priced->factor = fmin(priced->factor, priced->factors[a]);
    for (int32_t a = 0; a < problem->n_workloads && u->floors; a++)
        priced->factors[a] = priced->factor; /* minima stand for all of them */
    return ISO_OK;
}

enum iso_status iso_priced_capped_purchases(const struct iso_priced *priced, long double *ret_sum,
                                            struct iso_error *reterr)
{
    struct iso_unlisted *u = priced->search->unlisted;
    const struct iso_problem *problem = priced->f->problem;

    *ret_sum = 0;
    ISO_TRY(iso_unlisted_open(u, priced->dual, priced->money, reterr));
    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        if (!iso_priced_is_implied(priced, c) || product->most <= 0)
            continue;
        iso_unlisted_need(u, c, false, u->need, NULL);
        for (int32_t s = 0; s < product->n_starts; s++)
            *ret_sum += fminl(0, (long double)iso_unlisted_purchase(u, c, s) -
                                     worth_of(u, c, s) * (1 + HAIR)) *
                        (long double)product->most;
    }
    return ISO_OK;
}
