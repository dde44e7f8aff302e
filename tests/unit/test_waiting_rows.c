/* Linear programs of many rows, most of which wait until a point breaks them, and bases that one
 * program takes from another.
 *
 * In each of two periods a demand of 10 (14 in the second) is met by instances that serve 1 and
 * cost 1 and 2; the cheaper may serve half at most; and 300 limits a period hold it at 100 and
 * more. By hand: half by each, 5 + 10 = 15 and 7 + 14 = 21. Multipliers: demand y, share s with 1 =
 * y + s and 2 = y - s, so y = 1.5 and s = -0.5; the limits are worth nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/glpk_lp.h"

enum { N_LIMITS = 300, N_ROWS = 2 * (2 + N_LIMITS) };
enum { CHEAP_0, DEAR_0, CHEAP_1, DEAR_1, N_COLUMNS };

static int demand_row(int t)
{
    return t;
}

static int share_row(int t)
{
    return 2 + t;
}

static void fill(struct iso_mip *mip)
{
    const double demand[] = {10, 14};

    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip,
                        &(struct iso_mip_row){ISO_ROW_DEMAND, 0, t, -1, -1, demand[t], INFINITY});
    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_SHARE_MAX, 0, 0, t, -1, -INFINITY, 0});
    for (int l = 0; l < N_LIMITS; l++)
        for (int t = 0; t < 2; t++)
            iso_mip_add_row(mip,
                            &(struct iso_mip_row){ISO_ROW_LIMIT, l, t, -1, -1, -INFINITY, 100 + l});
    for (int t = 0; t < 2; t++)
        for (int dear = 0; dear < 2; dear++) {
            int32_t j = iso_mip_add_column(
                mip, &(struct iso_mip_column){
                         .kind = ISO_COLUMN_USE, .b = dear, .c = t, .upper = INFINITY});
            mip->objective[j] = dear ? 2 : 1;
            iso_mip_add_entry(mip, demand_row(t), 1);
            iso_mip_add_entry(mip, share_row(t), dear ? -1 : 1);
            for (int l = 0; l < N_LIMITS && !dear; l++)
                iso_mip_add_entry(mip, 4 + 2 * l + t, 1);
        }
    assert_int_equal(mip->n_rows, N_ROWS);
}

static double now(void *context)
{
    (void)context;
    return 0;
}

static int64_t solve(struct iso_lp *lp, double optimum)
{
    const struct iso_control control = {.now = now};
    struct iso_error error = {0};
    enum iso_lp_outcome outcome;
    int64_t iterations = 0;

    assert_int_equal(iso_lp_solve(lp, &control, &iterations, &outcome, &error), ISO_OK);
    assert_int_equal(outcome, ISO_LP_OPTIMAL);
    assert_float_equal(iso_lp_objective(lp), optimum, 1e-9);
    return iterations;
}

static void rows_that_wait_are_kept_all_the_same(void **state)
{
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    double x[N_COLUMNS], duals[N_ROWS];

    (void)state;
    fill(&mip);
    assert_int_equal(iso_lp_new(&mip, NULL, &lp, &error), ISO_OK);
    solve(lp, 36);
    iso_lp_values(lp, x);
    assert_float_equal(x[CHEAP_0], 5, 1e-9);
    assert_float_equal(x[CHEAP_1], 7, 1e-9);
    iso_lp_duals(lp, duals);
    for (int t = 0; t < 2; t++) {
        assert_float_equal(duals[demand_row(t)], 1.5, 1e-9);
        assert_float_equal(duals[share_row(t)], -0.5, 1e-9);
    }
    for (int i = 4; i < N_ROWS; i++)
        assert_float_equal(duals[i], 0, 1e-9);
    iso_lp_free(lp);
    iso_mip_fini(&mip);
}

static void a_program_of_one_period_knows_no_other(void **state)
{
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    double duals[N_ROWS];

    (void)state;
    fill(&mip);
    assert_int_equal(iso_lp_new_period(&mip, 1, &lp, &error), ISO_OK);
    assert_int_equal(iso_lp_add_column(lp, CHEAP_1, &error), ISO_OK);
    assert_int_equal(iso_lp_add_column(lp, DEAR_1, &error), ISO_OK);
    solve(lp, 21);
    iso_lp_duals(lp, duals);
    assert_float_equal(duals[demand_row(0)], 0, 1e-9);
    assert_float_equal(duals[demand_row(1)], 1.5, 1e-9);
    iso_lp_free(lp);
    iso_mip_fini(&mip);
}

/* So artificial columns come in for rows that wait: with the dear instances alone the share holds,
 * with the cheap ones alone it cannot. */
static void artificial_columns_meet_rows_that_waited(void **state)
{
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    double costs[N_ROWS];

    (void)state;
    fill(&mip);
    for (int i = 0; i < N_ROWS; i++)
        costs[i] = 5;
    assert_int_equal(iso_lp_new_period(&mip, 0, &lp, &error), ISO_OK);
    assert_int_equal(iso_lp_add_column(lp, CHEAP_0, &error), ISO_OK);
    assert_int_equal(iso_lp_price_artificials(lp, costs, &error), ISO_OK);
    solve(lp, 50); /* all by the artificial column of the demand: the share leaves room for none */
    assert_float_equal(iso_lp_artificial_sum(lp), 1, 1e-9);
    assert_int_equal(iso_lp_add_column(lp, DEAR_0, &error), ISO_OK);
    solve(lp, 15);
    assert_float_equal(iso_lp_artificial_sum(lp), 0, 1e-9);
    iso_lp_free(lp);
    iso_mip_fini(&mip);
}

static void bases_of_periods_together_are_optimal_where_nothing_joins_them(void **state)
{
    struct iso_simplex_basis basis = {0};
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    const uint8_t nothing[N_COLUMNS] = {0};

    (void)state;
    fill(&mip);
    for (int t = 0; t < 2; t++) {
        assert_int_equal(iso_lp_new_period(&mip, t, &lp, &error), ISO_OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(iso_lp_add_column(lp, 2 * t + k, &error), ISO_OK);
        assert_true(solve(lp, t == 0 ? 15 : 21) > 0);
        assert_int_equal(iso_lp_add_basis(lp, &basis, &error), ISO_OK);
        iso_lp_free(lp);
    }
    assert_int_equal(basis.n_columns, 4);
    assert_int_equal(basis.n_rows, 4);
    assert_int_equal(iso_lp_new(&mip, nothing, &lp, &error), ISO_OK);
    assert_int_equal(iso_lp_start_from(lp, &basis, &error), ISO_OK);
    assert_int_equal(solve(lp, 36), 0);
    iso_lp_free(lp);
    iso_simplex_basis_fini(&basis);
    iso_mip_fini(&mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_wait_are_kept_all_the_same),
        cmocka_unit_test(a_program_of_one_period_knows_no_other),
        cmocka_unit_test(artificial_columns_meet_rows_that_waited),
        cmocka_unit_test(bases_of_periods_together_are_optimal_where_nothing_joins_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
