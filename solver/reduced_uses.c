#include "reduced_uses.h"

#include <math.h>
#include <stdlib.h>

enum iso_status iso_reduced_uses_init(struct iso_reduced_uses *uses, struct iso_search *search,
                                      const double *duals, struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    size_t n_periods = (size_t)problem->n_periods;

    *uses = (struct iso_reduced_uses){.search = search, .u = search->unlisted};
    if (!uses->u)
        ISO_TRY(iso_unlisted_new(search->formulation, &uses->u, reterr));
    uses->need = iso_calloc((size_t)problem->n_products * n_periods, sizeof(*uses->need));
    if (!uses->need)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price instances");
    ISO_TRY(iso_unlisted_open(uses->u, duals, 1, reterr));
    for (int32_t c = 0; c < problem->n_products; c++)
        iso_unlisted_need(uses->u, c, false, &uses->need[(size_t)c * n_periods], NULL);
    return ISO_OK;
}

void iso_reduced_uses_fini(struct iso_reduced_uses *uses)
{
    if (uses->search && !uses->search->unlisted)
        iso_unlisted_free(uses->u);
    free(uses->need);
}

bool iso_reduced_use_exists(const struct iso_reduced_uses *uses, int32_t a, int32_t option)
{
    return uses->u->class_of[a][option] >= 0;
}

const double *iso_reduced_use(const struct iso_reduced_uses *uses, int32_t a, int32_t option)
{
    const struct iso_unlisted *u = uses->u;
    const struct iso_problem *problem = uses->search->problem;
    const struct iso_reach *reach = &u->f->reduction->reach;
    int32_t n_periods = problem->n_periods, k = reach->first_option[a] + option;

    iso_unlisted_paid(u, a, option, u->row);
    for (int32_t at = reach->first[k]; at < reach->first[k + 1]; at++) {
        int32_t c = reach->items[at].set;
        const struct iso_product *product = &problem->products[c];
        const double *need = &uses->need[(size_t)c * (size_t)n_periods];
        double use = iso_value(product->eligible[reach->items[at].place].use);
        iso_unlisted_covered(u, a, option, c, u->other);
        for (int32_t t = 0; t < n_periods; t++)
            if (product->most != 0 || product->existing[t] > 0)
                u->row[t] = fmin(u->row[t], u->other[t] + use * need[t]);
    }
    iso_unlisted_gain(u, a, option, u->other);
    for (int32_t t = 0; t < n_periods; t++)
        u->row[t] -= u->other[t];
    return u->row;
}
