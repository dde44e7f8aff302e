/* Branch and cut on which GLPK's presolve ends with an internal error.
 *
 * It does so on  x - y >= 0,  10 x - y <= -1  with x, y >= 0  (GLPK 5.0, npp3.c line 554), which
 * has no point: from the first row 10 x - y >= 9 x >= 0. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/glpk_lp.h"
#include "../../solver/glpk_mip.h"

static double now(void *context)
{
    (void)context;
    return 0;
}

static const struct iso_control control = {.now = now};

/* The program above; `most` in the place of -1. */
static void fill(struct iso_mip *mip, double most)
{
    const double coefficients[2][2] = {{1, 10}, {-1, -1}};

    iso_mip_add_row(mip, &(struct iso_mip_row){.kind = ISO_ROW_DEMAND, .upper = INFINITY});
    iso_mip_add_row(
        mip, &(struct iso_mip_row){.kind = ISO_ROW_LIMIT, .lower = -INFINITY, .upper = most});
    for (int j = 0; j < 2; j++) {
        int32_t column = iso_mip_add_column(
            mip,
            &(struct iso_mip_column){.kind = ISO_COLUMN_USE, .integer = true, .upper = INFINITY});
        mip->objective[column] = 1;
        for (int i = 0; i < 2; i++)
            iso_mip_add_entry(mip, i, coefficients[j][i]);
    }
}

static void grow_one_that_ends_on_an_error(void)
{
    const struct iso_mip_limits limits = {.seconds = 10};
    struct iso_mip mip __attribute__((cleanup(iso_mip_fini))) = {0};
    struct iso_mip_result result;
    struct iso_error error = {0};
    double x[2];

    fill(&mip, -1);
    assert_int_equal(iso_mip_solve(&mip, NULL, INFINITY, &limits, &control, &result, x, &error),
                     ISO_OK);
    assert_int_equal(error.status, ISO_OK);
    assert_int_equal(result.outcome, ISO_MIP_SOLVED);
    assert_false(result.has_x);
    assert_true(isinf(result.bound) && result.bound > 0);
}

static void a_tree_on_which_presolve_ends_is_grown_without_it(void **state)
{
    (void)state;
    grow_one_that_ends_on_an_error();
}

static void a_relaxation_goes_on_after_a_tree_that_ended(void **state)
{
    struct iso_mip mip __attribute__((cleanup(iso_mip_fini))) = {0};
    ISO_AUTO(iso_lp) lp = NULL;
    struct iso_error error = {0};
    const uint8_t first_alone[] = {1, 0};
    enum iso_lp_outcome outcome;
    int64_t iterations = 0;
    double x[2];

    (void)state;
    fill(&mip, 100);
    mip.rows[1] = (struct iso_mip_row){.kind = ISO_ROW_DEMAND, .lower = 12, .upper = INFINITY};
    assert_int_equal(iso_lp_new(&mip, first_alone, &lp, &error), ISO_OK);
    assert_int_equal(iso_lp_solve(lp, &control, &iterations, &outcome, &error), ISO_OK);
    assert_float_equal(iso_lp_objective(lp), 1.2, 1e-9); /* 10 x >= 12 */
    grow_one_that_ends_on_an_error();
    assert_int_equal(iso_lp_add_column(lp, 1, &error), ISO_OK);
    assert_int_equal(iso_lp_set_bounds(lp, 1, 2, 2, &error), ISO_OK);
    assert_int_equal(iso_lp_solve(lp, &control, &iterations, &outcome, &error), ISO_OK);
    iso_lp_values(lp, x); /* x >= 2 by the first row, 10 x >= 14 by the second */
    assert_float_equal(x[0], 2, 1e-9);
    assert_float_equal(iso_lp_objective(lp), 4, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_on_which_presolve_ends_is_grown_without_it),
        cmocka_unit_test(a_relaxation_goes_on_after_a_tree_that_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
