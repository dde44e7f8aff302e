/* What artificial columns cost, so that a program without enough columns has multipliers by which
 * others come in.
 *
 * A workload must run in one place at least, and a place counts when 6 copies run there in each of
 * two periods. An instance holds 2 copies and costs 5. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/search.h"

enum { IN_FIRST, IN_SECOND, PLACES, N_ROWS };
enum { PLACE, FIRST, SECOND, N_COLUMNS };

static double now(void *context)
{
    (void)context;
    return 0;
}

static double solved(struct iso_lp *lp)
{
    const struct iso_control control = {.now = now};
    struct iso_error error = {0};
    enum iso_lp_outcome outcome;
    int64_t iterations = 0;

    assert_int_equal(iso_lp_solve(lp, &control, &iterations, &outcome, &error), ISO_OK);
    assert_int_equal(outcome, ISO_LP_OPTIMAL);
    return iso_lp_objective(lp);
}

static void fill(struct iso_mip *mip)
{
    for (int32_t t = 0; t < 2; t++)
        iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_SPREAD, 0, 0, t, 0, 0, INFINITY});
    iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_SPREAD_N, 0, 0, -1, -1, 1, INFINITY});
    iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_DOMAIN, .upper = 1});
    iso_mip_add_entry(mip, PLACES, 1);
    iso_mip_add_entry(mip, IN_FIRST, -6);
    iso_mip_add_entry(mip, IN_SECOND, -6);
    for (int32_t t = 0; t < 2; t++) {
        int32_t j = iso_mip_add_column(
            mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PATTERN, .c = t, .upper = INFINITY});
        iso_mip_add_entry(mip, IN_FIRST + t, 2);
        mip->objective[j] = 5;
    }
}

/* A copy is worth 2.50 at most; artificial columns stand for twice that, a place for 2 * 6 of them:
 * 60. Dearer 30 times it is 1800. With instances a place costs 2 * 3 * 5 = 30. */
static void a_place_costs_what_must_run_there(void **state)
{
    const uint8_t no_instances[N_COLUMNS] = {[PLACE] = 1};
    struct iso_artificials artificials = {0};
    struct iso_formulation formulation = {0};
    struct iso_search search = {.formulation = &formulation};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    int32_t n_new = 0;

    (void)state;
    fill(&formulation.mip);
    assert_int_equal(iso_lp_new(&formulation.mip, no_instances, &lp, &error), ISO_OK);
    assert_int_equal(iso_artificials_open(&artificials, &search, lp, -1, &error), ISO_OK);
    assert_float_equal(solved(lp), 60, 1e-9);
    assert_float_equal(iso_lp_artificial(lp, PLACES), 1, 1e-9);
    assert_float_equal(iso_lp_artificial(lp, IN_FIRST), 0, 1e-9);
    assert_int_equal(iso_artificials_raise(&artificials, &search, lp, &n_new, &error), ISO_OK);
    assert_float_equal(solved(lp), 1800, 1e-9);
    assert_int_equal(iso_lp_add_column(lp, FIRST, &error), ISO_OK);
    assert_int_equal(iso_lp_add_column(lp, SECOND, &error), ISO_OK);
    assert_float_equal(solved(lp), 30, 1e-9);
    assert_float_equal(iso_lp_artificial_sum(lp), 0, 1e-9);
    iso_lp_free(lp);
    iso_artificials_fini(&artificials);
    iso_mip_fini(&formulation.mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_place_costs_what_must_run_there)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
