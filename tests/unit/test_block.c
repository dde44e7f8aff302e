/* What a plan loses block by block, and the prices that say so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/block.h"
#include "../../solver/glpk_lp.h"
#include "../../solver/search.h"

enum row { DEMAND, HELD_COMMIT, OTHER_COMMIT, LINK_A, LINK_B, N_ROWS };
enum column { X_A, X_B, V_HELD, V_OTHER };

/* One period: A serves 2 for 3, B serves 3 for 5, 12 are wanted. One unit of a product is held that
 * covers one A; of a second one, which would cover money of B at a half, nothing is. */
struct level {
    iso_decimal one, none;
    struct iso_product products[2];
    struct iso_problem problem;
    struct iso_formulation formulation;
    struct iso_search search;
    double duals[N_ROWS];
};

static void add_row(struct iso_mip *mip, int kind, double lower, double upper)
{
    assert_true(iso_mip_add_row(mip, &(struct iso_mip_row){kind, 0, 0, 0, 0, lower, upper}) >= 0);
}

static void add_column(struct iso_mip *mip, enum iso_column_kind kind, int32_t product,
                       double objective, const double *entries)
{
    int32_t at = iso_mip_add_column(
        mip, &(struct iso_mip_column){.kind = kind, .a = product, .upper = INFINITY});

    assert_true(at >= 0);
    mip->objective[at] = objective;
    for (int row = 0; row < N_ROWS; row++)
        assert_true(iso_mip_add_entry(mip, row, entries[row]));
}

static void level_init(struct level *level)
{
    struct iso_mip *mip = &level->formulation.mip;

    *level = (struct level){.one = 1};
    level->products[0].existing = &level->one;
    level->products[1].existing = &level->none;
    level->problem = (struct iso_problem){
        .n_periods = 1, .n_workloads = 1, .n_products = 2, .products = level->products};
    level->formulation.problem = &level->problem;
    level->search.formulation = &level->formulation;
    add_row(mip, ISO_ROW_DEMAND, 12, INFINITY);
    add_row(mip, ISO_ROW_COMMIT, -INFINITY, 1);
    add_row(mip, ISO_ROW_COMMIT, -INFINITY, 0);
    add_row(mip, ISO_ROW_LINK_COVER, 0, INFINITY);
    add_row(mip, ISO_ROW_LINK_COVER, 0, INFINITY);
    add_column(mip, ISO_COLUMN_USE, 0, 3, (double[N_ROWS]){[DEMAND] = 2, [LINK_A] = 1});
    add_column(mip, ISO_COLUMN_USE, 0, 5, (double[N_ROWS]){[DEMAND] = 3, [LINK_B] = 1});
    add_column(mip, ISO_COLUMN_COVER, 0, -3, (double[N_ROWS]){[HELD_COMMIT] = 1, [LINK_A] = -1});
    add_column(mip, ISO_COLUMN_COVER, 1, -5, (double[N_ROWS]){[OTHER_COMMIT] = 2.5, [LINK_B] = -1});
    level->duals[DEMAND] = 1;
    level->duals[HELD_COMMIT] = -2;
    assert_int_equal(iso_price_fixed_purchases(&level->search, (double[4]){0}, level->duals,
                                               &(struct iso_error){0}),
                     ISO_OK);
}

static bool near(double value, double expected)
{
    return fabs(value - expected) < 1e-9;
}

/* At 1 a unit of demand and 2 a unit held, covering A saves 3 - 2: A is worth 1 less for it, and
 * prices out. B costs 5 - 3 = 2 more than it is worth. Its coverage saves 5, so one B with it would
 * gain 3 by 2.5 units, if any were held: 1.2 a unit. That must not make B itself any cheaper. */
static void coverage_by_what_is_not_held_makes_no_instance_cheap(void **state)
{
    struct level level;
    (void)state;

    level_init(&level);
    assert_true(near(level.duals[LINK_A], 1) && near(level.duals[LINK_B], 0));
    assert_true(near(level.duals[OTHER_COMMIT], -1.2));
    assert_true(near(iso_reduced_cost(&level.formulation.mip, level.duals, X_A), 0));
    assert_true(near(iso_reduced_cost(&level.formulation.mip, level.duals, X_B), 2));
    iso_mip_fini(&level.formulation.mip);
}

/* 5 A, one of them covered, and 1 B cost 15 - 3 + 5 = 17. The multipliers prove 12 - 2 = 10. The 7
 * between are 2 for B, 1 for the thirteenth unit, and 4 for A that are not covered. */
static void what_blocks_lose_is_what_a_plan_is_above_its_bound(void **state)
{
    struct level level;
    struct iso_blocks blocks = {0};
    struct iso_error error = {0};
    double lost[2], rest;
    (void)state;

    level_init(&level);
    assert_int_equal(iso_blocks_init(&blocks, &level.formulation, level.duals, &error), ISO_OK);
    iso_blocks_lost(&blocks, &level.formulation, level.duals, (double[]){5, 1, 1, 0},
                    (double[N_ROWS]){[DEMAND] = 13, [HELD_COMMIT] = 1, [LINK_A] = 4, [LINK_B] = 1},
                    lost, &rest);
    assert_true(near(lost[0], 7) && near(lost[1], 0) && near(rest, 0));
    iso_blocks_fini(&blocks);
    iso_mip_fini(&level.formulation.mip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coverage_by_what_is_not_held_makes_no_instance_cheap),
        cmocka_unit_test(what_blocks_lose_is_what_a_plan_is_above_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
