/* Small programs around a point: coverage that is gathered, coverage that follows, and the gap at
 * which a small tree ends. Expected values are derived above each test. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../solver/follower.h"
#include "../../solver/neighbourhood.h"

#define BINARIES 15

enum row { DEMAND, CAP, COMMIT, LINK_A, LINK_B, SECOND_COMMIT, N_ROWS };
enum column { X_A, X_B, V_A, V_B, SECOND_V_A };

/* One period. An instance of A serves 2 and costs 3, one of B serves 3 and costs 5; 12 are wanted
 * and at most 4 of A may run. A spend commitment of 4 takes half of what an instance costs and
 * covers it: 8 of money at most. */
struct level {
    struct iso_problem problem;
    struct iso_formulation formulation;
    struct iso_control control;
    struct iso_search search;
};

static double no_time(void *context)
{
    (void)context;
    return 0;
}

static void add_row(struct iso_mip *mip, int kind, double lower, double upper)
{
    assert_true(iso_mip_add_row(mip, &(struct iso_mip_row){kind, 0, 0, 0, 0, lower, upper}) >= 0);
}

static void add_column(struct iso_mip *mip, enum iso_column_kind kind, int32_t product,
                       double objective, const double *entries)
{
    struct iso_mip_column column = {
        .kind = kind, .a = product, .upper = INFINITY, .integer = kind != ISO_COLUMN_COVER};
    int32_t at = iso_mip_add_column(mip, &column);

    assert_true(at >= 0);
    mip->objective[at] = objective;
    for (int row = 0; row < N_ROWS; row++)
        assert_true(iso_mip_add_entry(mip, row, entries[row]));
}

/* `b_saves`: what covering an instance of B saves. */
static void level_init(struct level *level, double b_saves, bool second)
{
    struct iso_mip *mip = &level->formulation.mip;

    *level = (struct level){.problem.options.deterministic = true, .control.now = no_time};
    level->formulation.problem = &level->problem;
    level->search = (struct iso_search){
        .problem = &level->problem, .control = &level->control, .formulation = &level->formulation};
    add_row(mip, ISO_ROW_DEMAND, 12, INFINITY);
    add_row(mip, ISO_ROW_LIMIT, -INFINITY, 4);
    add_row(mip, ISO_ROW_COMMIT, -INFINITY, 4);
    add_row(mip, ISO_ROW_LINK_COVER, 0, INFINITY);
    add_row(mip, ISO_ROW_LINK_COVER, 0, INFINITY);
    add_row(mip, ISO_ROW_COMMIT, -INFINITY, 1);
    add_column(mip, ISO_COLUMN_USE, 0, 3,
               (double[]){[DEMAND] = 2, [CAP] = 1, [LINK_A] = 1, [5] = 0});
    add_column(mip, ISO_COLUMN_USE, 0, 5, (double[]){[DEMAND] = 3, [LINK_B] = 1, [5] = 0});
    add_column(mip, ISO_COLUMN_COVER, 0, -3, (double[]){[COMMIT] = 1.5, [LINK_A] = -1, [5] = 0});
    add_column(mip, ISO_COLUMN_COVER, 0, -b_saves,
               (double[]){[COMMIT] = 2.5, [LINK_B] = -1, [5] = 0});
    if (second)
        add_column(mip, ISO_COLUMN_COVER, 1, -3, (double[]){[LINK_A] = -1, [SECOND_COMMIT] = 1});
}

static void level_fini(struct level *level)
{
    iso_mip_fini(&level->formulation.mip);
}

/* Frees everything from four instances of B, expects `cost` and that every row holds; gives how
 * many groups of coverage there were. */
static int32_t optimise_expecting(struct level *level, double cost)
{
    const struct iso_mip *mip = &level->formulation.mip;
    struct iso_mip_limits limits = {.seconds = 1e6};
    struct iso_neighbourhood n = {0};
    struct iso_error error = {0};
    bool found, solved;

    assert_int_equal(iso_neighbourhood_init(&n, &level->search, (double[]){0, 4, 0, 0, 0}, &error),
                     ISO_OK);
    for (int32_t j = 0; j < mip->n_columns; j++)
        iso_neighbourhood_free(&n, j, 0, INFINITY);
    assert_int_equal(iso_neighbourhood_solve(&n, INFINITY, &limits, &found, &solved, &error),
                     ISO_OK);
    assert_true(found && solved);
    assert_true(fabs(iso_neighbourhood_value(&n) - cost) < 1e-6);
    for (int32_t i = 0; i < mip->n_rows; i++)
        assert_true(n.activity[i] >= mip->rows[i].lower - 1e-6 &&
                    n.activity[i] <= mip->rows[i].upper + 1e-6);
    for (int32_t j = 0; j < mip->n_columns; j++)
        assert_true(n.x[j] >= 0);
    int32_t n_groups = n.gathering.n_groups;
    iso_neighbourhood_fini(&n);
    return n_groups;
}

/* 3 A and 2 B serve 12 for 19, less 8 covered: 11. 4 A and 2 B cost 22 - 8, 4 B 20 - 8. */
static void coverage_worth_the_same_everywhere_is_one_column(void **state)
{
    struct level level;
    (void)state;

    level_init(&level, 5, false);
    assert_int_equal(optimise_expecting(&level, 11), 1);
    level_fini(&level);
}

/* A second product covers one A for nothing: 11 - 3. It stays a column of its own, and the first
 * product can only cover what it leaves. */
static void coverage_by_another_product_is_left_in_its_link(void **state)
{
    struct level level;
    (void)state;

    level_init(&level, 5, true);
    assert_int_equal(optimise_expecting(&level, 8), 1);
    level_fini(&level);
}

/* Where covering B saves 4 of its 5, a unit is worth 2 with A and 1.6 with B. 3 A and 2 B cost 19,
 * and 4 / 1.5 of the A are covered: 11, as it was. */
static void coverage_worth_more_here_than_there_is_not_gathered(void **state)
{
    struct level level;
    (void)state;

    level_init(&level, 4, false);
    assert_int_equal(optimise_expecting(&level, 11), 0);
    level_fini(&level);
}

/* The four A that may run cost 3 for 2 units, B costs 5 for 3. With fractions of B alone 4 A and
 * 4/3 of B serve the 12: 12 + 20/3, less 8 covered. The same with B whole costs 11. */
static void columns_freed_after_the_word_may_be_fractional(void **state)
{
    struct level level;
    struct iso_mip_limits limits = {.seconds = 1e6};
    struct iso_neighbourhood n = {0};
    struct iso_error error = {0};
    bool found, solved;
    (void)state;

    level_init(&level, 5, false);
    assert_int_equal(iso_neighbourhood_init(&n, &level.search, (double[]){0, 4, 0, 0, 0}, &error),
                     ISO_OK);
    iso_neighbourhood_free(&n, X_A, 0, INFINITY);
    iso_neighbourhood_relax(&n);
    for (int32_t j = X_B; j < level.formulation.mip.n_columns; j++)
        iso_neighbourhood_free(&n, j, 0, INFINITY);
    assert_int_equal(iso_neighbourhood_solve(&n, INFINITY, &limits, &found, &solved, &error),
                     ISO_OK);
    assert_true(found && fabs(n.x[X_A] - 4) < 1e-6 && fabs(n.x[X_B] - 4.0 / 3) < 1e-6);
    assert_true(fabs(iso_neighbourhood_value(&n) - (12 + 20.0 / 3 - 8)) < 1e-6);
    iso_neighbourhood_clear(&n);
    assert_true(n.n_whole > 0);
    iso_neighbourhood_fini(&n);
    level_fini(&level);
}

/* Nothing is held any more, but 2 of A are still covered: they must be let go with their instance,
 * or no point is left. */
static void coverage_by_what_was_just_given_up_follows(void **state)
{
    struct level level;
    struct iso_followers followers = {0};
    struct iso_neighbourhood n = {0};
    struct iso_error error = {0};
    iso_decimal none[] = {0};
    struct iso_product product = {.existing = none};
    (void)state;

    level_init(&level, 5, false);
    level.problem.products = &product;
    level.problem.n_products = 1;
    level.problem.n_periods = 1;
    assert_int_equal(iso_neighbourhood_init(&n, &level.search, (double[]){4, 2, 2, 0}, &error),
                     ISO_OK);
    assert_int_equal(iso_followers_init(&followers, &level.formulation, &error), ISO_OK);
    iso_followers_look(&followers, &n);
    iso_neighbourhood_free(&n, X_A, 0, INFINITY);
    iso_neighbourhood_free(&n, X_B, 0, INFINITY);
    iso_followers_free(&followers, &n);
    assert_true(n.is_free[V_A]);
    assert_false(n.is_free[V_B]);
    iso_followers_fini(&followers);
    iso_neighbourhood_fini(&n);
    level_fini(&level);
}

/* minimise z subject to 2 sum_i b_i + z = 15 over 15 binaries: z is odd, so 1 is best, but the
 * relaxation says 0 until nearly all binaries are fixed, which takes thousands of nodes (R. G.
 * Jeroslow, Mathematical Programming 6 (1974)). */
static enum iso_mip_outcome solve_parity(double absolute_gap, struct iso_mip_result *ret_result)
{
    struct iso_mip mip __attribute__((cleanup(iso_mip_fini))) = {0};
    struct iso_mip_limits limits = {
        .seconds = 1e6, .absolute_gap = absolute_gap, .nodes = 1000, .no_cuts = true};
    struct iso_control control = {.now = no_time};
    struct iso_error error = {0};
    double x[BINARIES + 1];

    add_row(&mip, ISO_ROW_DEMAND, BINARIES, BINARIES);
    for (int j = 0; j <= BINARIES; j++) {
        struct iso_mip_column column = {.upper = j < BINARIES ? 1 : INFINITY, .integer = true};
        int32_t at = iso_mip_add_column(&mip, &column);
        assert_true(at >= 0 && iso_mip_add_entry(&mip, 0, j < BINARIES ? 2 : 1));
        mip.objective[at] = j < BINARIES ? 0 : 1;
    }
    assert_int_equal(iso_mip_solve(&mip, NULL, INFINITY, &limits, &control, ret_result, x, &error),
                     ISO_OK);
    return ret_result->outcome;
}

static void a_tree_ends_when_it_is_near_enough_in_money(void **state)
{
    struct iso_mip_result result;
    (void)state;

    assert_int_equal(solve_parity(0.5, &result), ISO_MIP_STOPPED);
    assert_int_equal(solve_parity(1, &result), ISO_MIP_GAP);
    assert_true(result.has_x && fabs(result.value - 1) < 1e-9 && result.nodes < 1000);
}

static double a_second_later(void *context)
{
    double *now = context;

    return *now += 1;
}

/* Time may end while the program is still on its way into GLPK: a tree without a point, not an
 * error. */
static void a_tree_may_be_late_from_the_start(void **state)
{
    struct iso_mip mip __attribute__((cleanup(iso_mip_fini))) = {0};
    struct iso_mip_limits limits = {.seconds = 0.5};
    double clock = 0, x[1];
    struct iso_control control = {.context = &clock, .now = a_second_later};
    struct iso_mip_result result;
    struct iso_error error = {0};
    (void)state;

    add_row(&mip, ISO_ROW_DEMAND, 3, INFINITY);
    add_row(&mip, ISO_ROW_LIMIT, -INFINITY, 1);
    assert_int_equal(
        iso_mip_add_column(&mip, &(struct iso_mip_column){.upper = INFINITY, .integer = true}), 0);
    assert_true(iso_mip_add_entry(&mip, 0, 2) && iso_mip_add_entry(&mip, 1, 1));
    assert_int_equal(iso_mip_solve(&mip, NULL, INFINITY, &limits, &control, &result, x, &error),
                     ISO_OK);
    assert_false(result.has_x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coverage_worth_the_same_everywhere_is_one_column),
        cmocka_unit_test(coverage_by_another_product_is_left_in_its_link),
        cmocka_unit_test(coverage_worth_more_here_than_there_is_not_gathered),
        cmocka_unit_test(columns_freed_after_the_word_may_be_fractional),
        cmocka_unit_test(coverage_by_what_was_just_given_up_follows),
        cmocka_unit_test(a_tree_ends_when_it_is_near_enough_in_money),
        cmocka_unit_test(a_tree_may_be_late_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
