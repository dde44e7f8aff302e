/* Bundles of a linear program: a unit of a purchase with the coverage that uses it. Two periods ask
 * for 10 and 4 units; an instance serves 2 and costs 3; covered it costs nothing, and a commitment
 * that covers one in both periods costs 4.
 *
 * By hand: without commitments ceil aside 5 * 3 + 2 * 3 = 21. A unit of the commitment saves 3 + 3
 * = 6 for 4 as long as both periods can use it, that is for 2 units; from then on it saves 3 for 4.
 * So y = 2 and x = 3, 0 paid: 8 + 9 = 17, with demand worth 3/2 a unit in period 0, and in period 1
 * what is left to pay for, (4 - 3) / 2 = 1/2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/glpk_lp.h"

enum { DEMAND_0, DEMAND_1, COMMIT_0, COMMIT_1, LINK_0, LINK_1 };
enum { USE_0, USE_1, COVER_0, COVER_1, BUY };

static void add_column(struct iso_mip *mip, enum iso_column_kind kind, double cost)
{
    int32_t j = iso_mip_add_column(mip, &(struct iso_mip_column){.kind = kind, .upper = INFINITY});

    assert_true(j >= 0);
    mip->objective[j] = cost;
}

static void fill(struct iso_mip *mip)
{
    const double demand[] = {10, 4};

    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip,
                        &(struct iso_mip_row){ISO_ROW_DEMAND, 0, t, -1, -1, demand[t], INFINITY});
    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_COMMIT, 0, t, -1, -1, -INFINITY, 0});
    for (int t = 0; t < 2; t++)
        iso_mip_add_row(mip, &(struct iso_mip_row){ISO_ROW_LINK_COVER, 0, 0, t, -1, 0, INFINITY});
    for (int t = 0; t < 2; t++) {
        add_column(mip, ISO_COLUMN_USE, 3);
        iso_mip_add_entry(mip, DEMAND_0 + t, 2);
        iso_mip_add_entry(mip, LINK_0 + t, 1);
    }
    for (int t = 0; t < 2; t++) {
        add_column(mip, ISO_COLUMN_COVER, -3);
        iso_mip_add_entry(mip, LINK_0 + t, -1);
        iso_mip_add_entry(mip, COMMIT_0 + t, 1);
    }
    add_column(mip, ISO_COLUMN_BUY, 4);
    iso_mip_add_entry(mip, COMMIT_0, -1);
    iso_mip_add_entry(mip, COMMIT_1, -1);
}

static double now(void *context)
{
    (void)context;
    return 0;
}

static void solve(struct iso_lp *lp)
{
    const struct iso_control control = {.now = now};
    struct iso_error error = {0};
    enum iso_lp_outcome outcome;
    int64_t iterations = 0;

    assert_int_equal(iso_lp_solve(lp, &control, &iterations, &outcome, &error), ISO_OK);
    assert_int_equal(outcome, ISO_LP_OPTIMAL);
}

static void add_bundle(struct iso_lp *lp, int32_t n)
{
    const struct iso_lp_part parts[] = {{COVER_0, 1}, {COVER_1, 1}};
    struct iso_error error = {0};

    assert_int_equal(iso_lp_add_bundle(lp, BUY, parts, n, &error), ISO_OK);
}

static void a_bundle_does_what_its_columns_do_together(void **state)
{
    const uint8_t instances_alone[] = {1, 1, 0, 0, 0};
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    double x[5], duals[6];

    (void)state;
    fill(&mip);
    assert_int_equal(iso_lp_new(&mip, instances_alone, &lp, &error), ISO_OK);
    solve(lp);
    assert_float_equal(iso_lp_objective(lp), 21, 1e-9);
    assert_true(isinf(iso_lp_purchase_price(lp, BUY)));
    add_bundle(lp, 2);
    solve(lp);
    assert_float_equal(iso_lp_objective(lp), 17, 1e-9);
    assert_float_equal(iso_lp_purchase_price(lp, BUY), 4, 1e-9);
    iso_lp_duals(lp, duals);
    assert_float_equal(duals[DEMAND_0], 1.5, 1e-9);
    assert_float_equal(duals[DEMAND_1], 0.5, 1e-9);
    iso_lp_values(lp, x);
    assert_float_equal(x[BUY], 2, 1e-9);
    assert_float_equal(x[COVER_0], 2, 1e-9);
    assert_float_equal(x[USE_0], 5, 1e-9); /* 3 paid, 2 covered */
    assert_float_equal(x[USE_1], 2, 1e-9);
    iso_lp_free(lp);
    iso_mip_fini(&mip);
}

/* With 5 units bought and only the bundle of both periods, 5 run in each: nothing is paid but the
 * 20 they cost. With 3 bought, 2 more are paid in period 0: 12 + 6 = 18. A bundle of period 0 alone
 * changes nothing, as running too much in period 1 is free. */
static void bundles_together_use_what_is_bought_and_no_more(void **state)
{
    const uint8_t instances_alone[] = {1, 1, 0, 0, 0};
    struct iso_mip mip = {0};
    struct iso_lp *lp = NULL;
    struct iso_error error = {0};
    double x[5];

    (void)state;
    fill(&mip);
    assert_int_equal(iso_lp_new(&mip, instances_alone, &lp, &error), ISO_OK);
    add_bundle(lp, 2);
    add_bundle(lp, 1);
    assert_int_equal(iso_lp_set_bounds(lp, BUY, 5, 5, &error), ISO_OK);
    solve(lp);
    assert_float_equal(iso_lp_objective(lp), 20, 1e-9);
    assert_int_equal(iso_lp_set_bounds(lp, BUY, 3, 3, &error), ISO_OK);
    solve(lp);
    assert_float_equal(iso_lp_objective(lp), 18, 1e-9);
    iso_lp_values(lp, x);
    assert_float_equal(x[COVER_0], 3, 1e-9); /* of either bundle */
    iso_lp_free(lp);
    iso_mip_fini(&mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_does_what_its_columns_do_together),
        cmocka_unit_test(bundles_together_use_what_is_bought_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
