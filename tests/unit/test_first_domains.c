/* Where a plan from nothing runs when a rule asks for several domains. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/search.h"

enum { N_DOMAINS = 4, N_PERIODS = 2 };

/* Two of four domains are asked for; one that counts holds 3 copies in the first period and 5 in
 * the second. An instance holds a copy; what it costs by domain and period: */
static const double prices[N_DOMAINS][N_PERIODS] = {
    {2, 2},   /* 3 * 2 + 5 * 2 = 16 */
    {1, 3},   /* 18 */
    {6, 0.5}, /* 20.5: the cheapest instance of all makes no cheap domain */
    {1, 0},   /* 3, but for one thing: in the second period nothing can run */
};

static void fill(struct iso_mip *mip, double *money)
{
    int32_t n = 0;

    for (int32_t d = 0; d < N_DOMAINS; d++)
        for (int32_t t = 0; t < N_PERIODS; t++)
            iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_SPREAD, 0, 0, t, d, 0, INFINITY});
    iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_SPREAD_N, 0, 0, -1, -1, 2, INFINITY});
    for (int32_t d = 0; d < N_DOMAINS; d++, n++) {
        iso_mip_add_column(mip,
                           &(struct iso_mip_column){.kind = ISO_COLUMN_DOMAIN, .c = d, .upper = 1});
        iso_mip_add_entry(mip, N_DOMAINS * N_PERIODS, 1);
        iso_mip_add_entry(mip, d * N_PERIODS, -3);
        iso_mip_add_entry(mip, d * N_PERIODS + 1, -5);
        money[n] = 0;
    }
    for (int32_t d = 0; d < N_DOMAINS; d++)
        for (int32_t t = 0; t < N_PERIODS; t++) {
            if (prices[d][t] == 0)
                continue;
            iso_mip_add_column(mip, &(struct iso_mip_column){
                                        .kind = ISO_COLUMN_PATTERN, .c = t, .upper = INFINITY});
            iso_mip_add_entry(mip, d * N_PERIODS + t, 1);
            money[n++] = prices[d][t];
        }
}

static void the_domains_that_cost_least_to_fill_are_begun_with(void **state)
{
    struct iso_spread spread = {.minimum_domains = 2};
    struct iso_workload workload = {.n_spread = 1, .spread = &spread};
    struct iso_problem problem = {.n_workloads = 1, .workloads = &workload};
    struct iso_formulation formulation = {0};
    double money[N_DOMAINS * (1 + N_PERIODS)], x[N_DOMAINS * (1 + N_PERIODS)] = {0};
    struct iso_search search = {.problem = &problem, .formulation = &formulation, .money = money};
    struct iso_error error = {0};

    (void)state;
    fill(&formulation.mip, money);
    assert_int_equal(iso_first_domains(&search, x, &error), ISO_OK);
    for (int32_t d = 0; d < N_DOMAINS; d++)
        assert_true(x[d] == (d < 2 ? 1 : 0));
    for (int32_t j = N_DOMAINS; j < formulation.mip.n_columns; j++)
        assert_true(x[j] == 0);
    iso_mip_fini(&formulation.mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_domains_that_cost_least_to_fill_are_begun_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
