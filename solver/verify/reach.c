/* Which products reach what: with many products of one workload each, an offering has many, and a
 * workload's option of it few. */
#include "verifier.h"

/* Counts the products of each option, or places them from the back of their rows. */
static void reach_all(struct iso_verifier *v, bool count)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t c = problem->n_products - 1; c >= 0; c--)
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            const struct iso_product *product = &problem->products[c];
            if (!product->cells[a] || problem->workloads[a].replicas)
                continue;
            for (int32_t i = 0; i < product->n_eligible; i++) {
                int32_t option =
                    iso_workload_find_option(&problem->workloads[a], product->eligible[i].offering);
                if (option < 0)
                    continue;
                int32_t *row = &v->first_reach[v->first_option[a] + option];
                if (count)
                    ++*row;
                else
                    v->reach[--*row] = (struct iso_verify_link){c, product->eligible[i].use};
            }
        }
}

enum iso_status iso_verify_read_reach(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    v->first_option = iso_calloc((size_t)problem->n_workloads + 1, sizeof(*v->first_option));
    if (!v->first_option)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify");
    for (int32_t a = 0; a < problem->n_workloads; a++)
        v->first_option[a + 1] = v->first_option[a] + problem->workloads[a].n_options;
    int32_t n = v->first_option[problem->n_workloads];
    v->first_reach = iso_calloc((size_t)n + 1, sizeof(*v->first_reach));
    if (!v->first_reach)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify");
    reach_all(v, true);
    for (int32_t k = 1; k <= n; k++)
        v->first_reach[k] += v->first_reach[k - 1];
    v->reach = iso_calloc((size_t)v->first_reach[n], sizeof(*v->reach));
    if (!v->reach)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify");
    reach_all(v, false);
    return ISO_OK;
}

const struct iso_verify_link *iso_verify_reach(const struct iso_verifier *v, int32_t cell,
                                               int32_t offering, int32_t *ret_n)
{
    if (cell >= v->problem->n_workloads) {
        *ret_n = v->first_product[offering + 1] - v->first_product[offering];
        return &v->products[v->first_product[offering]];
    }
    int32_t option = iso_workload_find_option(&v->problem->workloads[cell], offering);
    if (option < 0 || v->problem->workloads[cell].replicas) {
        *ret_n = 0;
        return NULL;
    }
    int32_t k = v->first_option[cell] + option;
    *ret_n = v->first_reach[k + 1] - v->first_reach[k];
    return &v->reach[v->first_reach[k]];
}
