/* What first plans decide before rows are filled, and after: where workloads run that are together
 * or apart, what is bought for the instances that run, and what runs longer under ramps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/incumbent_state.h"

/* --- purchases --- */

enum { RUNS_0, RUNS_1, COVER_0, COVER_1, BUY, N_PURCHASE_COLUMNS };
enum { LINK_0, LINK_1, COMMIT_0, COMMIT_1 };

/* An instance costs 1 in each of two periods, and a commitment covers one in both. */
static void fill_purchases(struct iso_mip *mip)
{
    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip, &(struct iso_mip_row){.kind = ISO_ROW_LINK_COVER, .upper = INFINITY});
    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip,
                        &(struct iso_mip_row){.kind = ISO_ROW_COMMIT, .b = t, .lower = -INFINITY});
    for (int t = 0; t < 2; t++) {
        iso_mip_add_column(mip,
                           &(struct iso_mip_column){
                               .kind = ISO_COLUMN_USE, .c = t, .upper = INFINITY, .integer = true});
        iso_mip_add_entry(mip, LINK_0 + t, 1);
    }
    for (int t = 0; t < 2; t++) {
        iso_mip_add_column(
            mip, &(struct iso_mip_column){.kind = ISO_COLUMN_COVER, .d = t, .upper = INFINITY});
        iso_mip_add_entry(mip, LINK_0 + t, -1);
        iso_mip_add_entry(mip, COMMIT_0 + t, 1);
    }
    iso_mip_add_column(
        mip, &(struct iso_mip_column){.kind = ISO_COLUMN_BUY, .upper = INFINITY, .integer = true});
    for (int t = 0; t < 2; t++)
        iso_mip_add_entry(mip, COMMIT_0 + t, -1);
}

/* 5 run in the first period and 2 in the second. One commitment saves 2 as long as it is used in
 * both, and 1 from the third on: at 1.5 two are bought, at 0.9 five, at 2.1 none. */
static void what_pays_for_what_runs_is_bought(void **state)
{
    static const struct {
        double cost, bought;
    } cases[] = {{1.5, 2}, {0.9, 5}, {2.1, 0}};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        double money[N_PURCHASE_COLUMNS] = {1, 1, -1, -1, cases[i].cost};
        struct iso_problem problem = {.n_products = 1};
        struct iso_formulation formulation = {0};
        struct iso_search search = {
            .problem = &problem, .formulation = &formulation, .money = money};
        struct iso_greedy greedy __attribute__((cleanup(iso_greedy_fini))) = {0};
        struct iso_error error = {0};
        bool bought;

        fill_purchases(&formulation.mip);
        assert_int_equal(iso_greedy_init(&greedy, &search, &error), ISO_OK);
        iso_greedy_change(&greedy, RUNS_0, 5);
        iso_greedy_change(&greedy, RUNS_1, 2);
        assert_int_equal(iso_greedy_purchases(&greedy, &bought, &error), ISO_OK);
        assert_true(bought == (cases[i].bought > 0));
        assert_float_equal(greedy.x[BUY], cases[i].bought, 0);
        iso_mip_fini(&formulation.mip);
    }
}

/* --- presence --- */

enum { N_WORKLOADS = 2, N_DOMAINS = 3 };

static int flag_of(int a, int d)
{
    return a * N_DOMAINS + d;
}

/* Two workloads whose flags are equal, or at most one of which is set, in each of three domains;
 * served[a][d] by an instance each. Flags come first, then instances. */
static void fill_presence(struct iso_mip *mip, bool apart, const double served[][N_DOMAINS],
                          double *x)
{
    for (int at = 0; at < N_WORKLOADS * N_DOMAINS; at++)
        iso_mip_add_row(mip, &(struct iso_mip_row){.kind = ISO_ROW_PRESENCE, .upper = INFINITY});
    for (int d = 0; d < N_DOMAINS; d++)
        iso_mip_add_row(mip, &(struct iso_mip_row){.kind = apart ? ISO_ROW_APART : ISO_ROW_TOGETHER,
                                                   .lower = apart ? -INFINITY : 0,
                                                   .upper = apart ? 1 : 0});
    for (int a = 0; a < N_WORKLOADS; a++)
        for (int d = 0; d < N_DOMAINS; d++) {
            iso_mip_add_column(
                mip, &(struct iso_mip_column){
                         .kind = ISO_COLUMN_PRESENCE, .a = a, .c = d, .upper = 1, .integer = true});
            iso_mip_add_entry(mip, flag_of(a, d), 100);
            iso_mip_add_entry(mip, N_WORKLOADS * N_DOMAINS + d, apart || a == 0 ? 1 : -1);
        }
    for (int a = 0; a < N_WORKLOADS; a++)
        for (int d = 0; d < N_DOMAINS; d++) {
            int32_t j = iso_mip_add_column(
                mip, &(struct iso_mip_column){
                         .kind = ISO_COLUMN_USE, .a = a, .upper = INFINITY, .integer = true});
            iso_mip_add_entry(mip, flag_of(a, d), -1);
            x[j] = served[a][d];
        }
}

/* What is served says who comes first: 10 in domain 0, so the other stays out of it; then 5 in
 * domain 1. Nothing is served in domain 2, which is left alone, or, generously, goes to whoever
 * comes first. From nothing domains are dealt out in turn. What is together is set where either
 * serves. */
static void flags_are_set_where_most_is_served(void **state)
{
    static const struct {
        bool apart, generous;
        double served[N_WORKLOADS][N_DOMAINS];
        uint8_t set[N_WORKLOADS * N_DOMAINS];
    } cases[] = {
        {true, false, {{10, 4, 0}, {6, 5, 0}}, {1, 0, 0, 0, 1, 0}},
        {true, true, {{10, 4, 0}, {6, 5, 0}}, {1, 0, 1, 0, 1, 0}},
        {true, false, {{0}}, {1, 0, 1, 0, 1, 0}},
        {false, false, {{3, 0, 0}, {0, 2, 0}}, {1, 1, 0, 1, 1, 0}},
        {false, true, {{3, 0, 0}, {0, 2, 0}}, {1, 1, 1, 1, 1, 1}},
        {false, false, {{0}}, {1, 1, 1, 1, 1, 1}},
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        double x[2 * N_WORKLOADS * N_DOMAINS] = {0};
        uint8_t set[2 * N_WORKLOADS * N_DOMAINS];
        struct iso_problem problem = {.n_workloads = N_WORKLOADS};
        struct iso_formulation formulation = {0};
        struct iso_search search = {.problem = &problem, .formulation = &formulation};
        struct iso_error error = {0};

        fill_presence(&formulation.mip, cases[i].apart, cases[i].served, x);
        assert_int_equal(iso_first_presence(&search, x, cases[i].generous, set, &error), ISO_OK);
        assert_memory_equal(set, cases[i].set, N_WORKLOADS * N_DOMAINS);
        iso_mip_fini(&formulation.mip);
    }
}

/* --- ramps --- */

/* 1, 5 and 1 run in three periods, and 2 may start and stop at a time: two of the five run in the
 * first period already, and two in the last one still. */
static void what_starts_or_stops_too_much_runs_longer(void **state)
{
    enum { N = 3 };
    const double runs[N] = {1, 5, 1}, expected[N] = {3, 5, 3};
    const struct iso_ramp ramp = {.starts = 2, .stops = 2};
    struct iso_workload workload = {.n_options = 1, .ramp = &ramp};
    struct iso_problem problem = {.n_workloads = 1, .workloads = &workload, .n_periods = N};
    int32_t demand_row[N] = {0, 1, 2};
    struct iso_formulation formulation = {.demand_row = demand_row};
    double money[N] = {1, 1, 1};
    struct iso_search search = {.problem = &problem, .formulation = &formulation, .money = money};
    struct iso_greedy greedy __attribute__((cleanup(iso_greedy_fini))) = {0};
    struct iso_error error = {0};
    (void)state;

    for (int t = 0; t < N; t++)
        iso_mip_add_row(
            &formulation.mip,
            &(struct iso_mip_row){.kind = ISO_ROW_DEMAND, .lower = runs[t], .upper = INFINITY});
    for (int t = 0; t < N; t++) {
        iso_mip_add_column(&formulation.mip,
                           &(struct iso_mip_column){
                               .kind = ISO_COLUMN_USE, .c = t, .upper = INFINITY, .integer = true});
        iso_mip_add_entry(&formulation.mip, t, 1);
    }
    assert_int_equal(iso_greedy_init(&greedy, &search, &error), ISO_OK);
    iso_greedy_start_tolls(&greedy, NULL);
    for (int t = 0; t < N; t++)
        iso_greedy_change(&greedy, t, runs[t]);
    assert_int_equal(iso_greedy_ramps(&greedy, false, &error), ISO_OK);
    for (int t = 0; t < N; t++)
        assert_float_equal(greedy.x[t], expected[t], 0);
    iso_mip_fini(&formulation.mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_pays_for_what_runs_is_bought),
        cmocka_unit_test(flags_are_set_where_most_is_served),
        cmocka_unit_test(what_starts_or_stops_too_much_runs_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
