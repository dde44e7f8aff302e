/* Bills derived by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "isocost/ledger.h"

#include "../support/plan_cases.h"

static void assert_line(const struct iso_line *line, const struct iso_line *wanted)
{
    assert_int_equal(line->kind, wanted->kind);
    assert_int_equal(line->period, wanted->period);
    assert_int_equal(line->cell, wanted->cell);
    assert_int_equal(line->offering, wanted->offering);
    assert_int_equal(line->product, wanted->product);
    assert_int_equal(line->start, wanted->start);
    assert_int_equal(line->quantity, wanted->quantity);
    assert_int_equal(line->covered, wanted->covered);
    assert_int_equal(line->unit_price, wanted->unit_price);
    assert_int_equal(line->currency, wanted->currency);
    assert_int_equal(line->hours, wanted->hours);
    assert_int_equal(line->rate, wanted->rate);
    assert_int_equal(line->cost, wanted->cost);
    assert_int_equal(line->served, wanted->served);
    assert_int_equal(line->n_periods, wanted->n_periods);
}

static void assert_lines(const struct iso_plan *plan, const struct iso_line *wanted, int32_t n)
{
    assert_int_equal(plan->n_lines, n);
    for (int32_t i = 0; i < n; i++)
        assert_line(&plan->lines[i], &wanted[i]);
}

/* 500 * 0.5 + 1500 * 0.4 = 250 + 600. */
static void instances_are_billed_by_the_hour(void **state)
{
    const struct iso_line wanted[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(500), 0, D(0.5), 0, D(1), D(1), D(250), D(500), 1},
        {ISO_LINE_INSTANCE, 0, 0, 1, -1, -1, D(1500), 0, D(0.4), 0, D(1), D(1), D(600), D(1500),
         1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    assert_lines(c.plan, wanted, 2);
    assert_int_equal(c.plan->cost, D(850));
    assert_int_equal(c.plan->penalties, 0);
    plan_case_fini(&c);
}

/* All is covered, so instances cost nothing. Fees: 4 * 0.4 * 10 h * 0.9 = 14.4 and 6 * 0.4 * 20 *
 * 0.9 = 43.2; upfronts: 3 * 2 * 0.9 = 5.4 whole, 2 * 2 * 0.9 * 20 / 30 = 2.4. Sum 65.4. The cash
 * budget is 22 - 21 = 1 dollar over, at 0.01. */
static void covered_instances_cost_their_commitments(void **state)
{
    const struct iso_line wanted[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(4), D(4), D(1), 1, D(10), D(0.9), 0, D(4), 1},
        {ISO_LINE_FEE, 0, -1, -1, 0, -1, D(4), 0, D(0.4), 1, D(10), D(0.9), D(14.4), 0, 1},
        {ISO_LINE_UPFRONT, 0, -1, -1, 0, 0, D(3), 0, D(2), 1, 0, D(0.9), D(5.4), 0, 1},
        {ISO_LINE_INSTANCE, 1, 0, 0, -1, -1, D(6), D(6), D(1), 1, D(20), D(0.9), 0, D(6), 1},
        {ISO_LINE_FEE, 1, -1, -1, 0, -1, D(6), 0, D(0.4), 1, D(20), D(0.9), D(43.2), 0, 1},
        {ISO_LINE_UPFRONT, 1, -1, -1, 0, 1, D(2), 0, D(2), 1, 0, D(0.9), D(2.4), 0, 1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    assert_lines(c.plan, wanted, 6);
    assert_int_equal(c.plan->cost, D(65.4));
    assert_int_equal(c.plan->penalties, D(0.01));
    plan_case_fini(&c);
}

/* 2 old, 3 new; two starts, two stops, two moves. */
static void starts_stops_and_moves_are_lines(void **state)
{
    const struct iso_line wanted[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(2), 0, D(3), 0, D(1), D(1), D(6), D(2), 1},
        {ISO_LINE_INSTANCE, 0, 0, 1, -1, -1, D(3), 0, D(1), 0, D(1), D(1), D(3), D(3), 1},
        {ISO_LINE_MOVE, 0, -1, -1, -1, ISO_MOVE_START, D(2), 0, D(0.5), 0, 0, D(1), D(1), 0, 1},
        {ISO_LINE_MOVE, 0, -1, -1, -1, ISO_MOVE_STOP, D(2), 0, D(0.25), 0, 0, D(1), D(0.5), 0, 1},
        {ISO_LINE_MOVE, 0, -1, -1, -1, ISO_MOVE_MOVE, D(2), 0, D(1), 0, 0, D(1), D(2), 0, 1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_MOVES);
    assert_lines(c.plan, wanted, 5);
    assert_int_equal(c.plan->cost, D(12.5));
    plan_case_fini(&c);
}

/* Both stops are forced by falling demand: no moves are left, and no line for them. */
static void forced_stops_are_not_moves(void **state)
{
    struct iso_error error = {0};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_MOVES);
    c.problem.moves.forced_stops = 2;
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->n_lines, 4);
    assert_int_equal(c.plan->cost, D(10.5));
    plan_case_fini(&c);
}

/* A pool is one cell after the workloads: three instances in two fills are one line; they hold 2 *
 * 2 + 1 of w0 and 2 of w1. */
static void fills_of_one_offering_share_a_line(void **state)
{
    const struct iso_line wanted[] = {
        {ISO_LINE_INSTANCE, 0, 2, 0, -1, -1, D(3), 0, D(0.8), 0, D(1), D(1), D(2.4), D(7), 1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_POOL);
    assert_lines(c.plan, wanted, 1);
    plan_case_fini(&c);
}

/* The derivation stands with the case. The third hour is dearer and the rate of the fourth lower,
 * so the fourth hour's instances begin a run of their own, as do its fees: 0.4 * 0.8 = 0.32. */
static void alike_periods_share_a_line(void **state)
{
    const struct iso_line wanted[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(2), D(1), D(1), 0, D(1), D(1), D(2), D(2), 2},
        {ISO_LINE_FEE, 0, -1, -1, 0, -1, D(1), 0, D(0.4), 1, D(1), D(0.9), D(1.08), 0, 3},
        {ISO_LINE_INSTANCE, 2, 0, 0, -1, -1, D(2), D(1), D(2), 0, D(1), D(1), D(2), D(2), 1},
        {ISO_LINE_INSTANCE, 3, 0, 0, -1, -1, D(2), D(1), D(1), 0, D(1), D(1), D(1), D(2), 1},
        {ISO_LINE_FEE, 3, -1, -1, 0, -1, D(1), 0, D(0.4), 1, D(1), D(0.8), D(0.32), 0, 1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RUNS);
    assert_lines(c.plan, wanted, 5);
    assert_int_equal(c.plan->cost, D(6.4));
    plan_case_fini(&c);
}

/* What ends a run, one at a time: another number of instances, of covered ones, or of hours. With
 * two instances in each hour, all at 1, one line is for all four. */
static void a_run_ends_where_anything_changes(void **state)
{
    struct iso_error error = {0};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RUNS);
    struct iso_period *periods = (struct iso_period *)c.problem.periods;
    iso_decimal *rates = (iso_decimal *)c.problem.currencies[1].rate_to_base;
    c.problem.n_price_exceptions = 0;
    rates[3] = D(0.9);
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->n_lines, 2);
    assert_int_equal(c.plan->lines[0].n_periods, 4);
    assert_int_equal(c.plan->lines[1].n_periods, 4);
    assert_int_equal(c.plan->cost, D(5.44)); /* 4 * (1 + 0.36) */

    c.plan->uses[2].count = 3;
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->n_lines, 4); /* hours 0-1, 2, 3, and fees */
    assert_int_equal(c.plan->cost, D(6.44));
    c.plan->uses[2].count = 2;

    c.plan->covers[3].instances = D(0.5);
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->n_lines, 3); /* hours 0-2, 3, and fees */
    assert_int_equal(c.plan->cost, D(5.94));
    c.plan->covers[3].instances = D(1);

    periods[0].hours = D(2);
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->n_lines, 4); /* hour 0, 1-3, and the same of fees */
    assert_int_equal(c.plan->cost, D(6.8));
    periods[0].hours = D(1);
    rates[3] = D(0.8);
    plan_case_fini(&c);
}

/* Three periods of a third of 1e-9 each are rounded each, so that they cost nothing; together they
 * would cost 1e-9. */
static void a_run_is_rounded_in_each_period(void **state)
{
    struct iso_error error = {0};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RUNS);
    struct iso_product *product = (struct iso_product *)c.problem.products;
    iso_decimal *rates = (iso_decimal *)c.problem.currencies[1].rate_to_base;
    product->fee = 1;
    rates[0] = rates[1] = rates[2] = D(0.333333333);
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->lines[1].n_periods, 3);
    assert_int_equal(c.plan->lines[1].cost, 0);
    product->fee = 2; /* two thirds: 1e-9 in each */
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    assert_int_equal(c.plan->lines[1].cost, 3);
    product->fee = D(0.4);
    rates[0] = rates[1] = rates[2] = D(0.9);
    plan_case_fini(&c);
}

static void what_is_not_there_is_not_billed(void **state)
{
    struct iso_error error = {0};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RUNS);
    c.plan->uses[1].offering = 1;
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "uses");
    c.plan->uses[1].offering = 0;
    c.plan->covers[0].product = -1;
    error = (struct iso_error){0};
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "covers");
    plan_case_fini(&c);
}

/* 1 over the soft limit at 0.5, 3 units unserved at 5 an hour. */
static void penalties_are_beside_the_cost(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_POLICIES);
    assert_int_equal(c.plan->cost, D(18));
    assert_int_equal(c.plan->penalties, D(15.5));
    plan_case_fini(&c);
}

/* One instance at 0.000000001 for half an hour is 0.5e-9, a tie: to even, 0. At 0.000000003 it is
 * 1.5e-9: to even, 2e-9; then 2.5e-9 and 3.5e-9. */
static void products_are_rounded_once_half_to_even(void **state)
{
    static const struct {
        iso_decimal price, cost;
    } rows[] = {{1, 0}, {3, 2}, {5, 2}, {7, 4}};
    struct iso_error error = {0};
    struct plan_case c;
    struct iso_offering *offerings;
    struct iso_period half_hour = {"half", D(0.5), false, 0};

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    offerings = (struct iso_offering *)c.problem.offerings;
    c.problem.periods = &half_hour;
    c.plan->uses[0].count = 1;
    c.plan->n_uses = 1;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        offerings[0].price = rows[i].price;
        assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
        assert_int_equal(c.plan->cost, rows[i].cost);
    }
    offerings[0].price = D(0.5);
    plan_case_fini(&c);
}

static void upfronts_are_shared_by_hours_inside(void **state)
{
    static const struct {
        iso_decimal upfront, inside, term, cost;
    } rows[] = {
        {10, D(10), D(30), 3},                                  /* 3.33e-9 */
        {10, D(20), D(30), 7},                                  /* 6.67e-9 */
        {1, D(15), D(30), 0},                                   /* a tie, to even */
        {3, D(15), D(30), 2},                                   /* a tie, to even */
        {D(9000000000), D(8760), D(26280), D(3000000000)},      /* 2^63 * 2^43 inside */
        {D(9000000000), D(0.000000003), D(0.000000009), D(3e9)} /* the smallest terms */
    };
    struct iso_error error = {0};
    struct plan_case c;
    struct iso_product *product;
    struct iso_start *start;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    product = (struct iso_product *)c.problem.products;
    start = (struct iso_start *)product->starts;
    struct iso_product saved_product = *product;
    struct iso_start saved_start = *start;
    iso_decimal *rates = (iso_decimal *)c.problem.currencies[1].rate_to_base;
    iso_decimal saved_rate = rates[0];
    c.problem.n_budgets = 0;
    c.plan->n_covers = c.plan->n_uses = 0;
    c.plan->n_purchases = 1;
    c.plan->purchases[0].quantity = 1;
    product->fee = 0;
    rates[0] = D(1);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        product->upfront = rows[i].upfront;
        start->hours_inside = rows[i].inside;
        product->term_hours = rows[i].term;
        assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
        assert_int_equal(c.plan->n_lines, 1);
        assert_int_equal(c.plan->cost, rows[i].cost);
    }
    *product = saved_product;
    *start = saved_start;
    rates[0] = saved_rate;
    plan_case_fini(&c);
}

/* 2000 instances of 9 billion an hour leave the range of a decimal; the old bill stays. */
static void amounts_out_of_range_are_refused(void **state)
{
    struct iso_error error = {0};
    struct plan_case c;
    struct iso_offering *offering;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    offering = (struct iso_offering *)c.problem.offerings;
    offering->price = D(9000000000);
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "lines");
    assert_int_equal(c.plan->cost, D(850));
    offering->price = D(0.5);
    plan_case_fini(&c);
}

static void a_failed_allocation_leaves_the_old_bill(void **state)
{
    struct plan_case c;
    enum iso_status status = ISO_E_NOMEM;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    for (long nth = 0; status != ISO_OK; nth++) {
        struct iso_error error = {0};
        assert_true(nth < 100);
        iso_alloc_fail_at(nth);
        status = iso_plan_account(&c.problem, c.plan, &error);
        iso_alloc_fail_at(-1);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        assert_int_equal(c.plan->n_lines, 6);
        assert_int_equal(c.plan->cost, D(65.4));
    }
    plan_case_fini(&c);
}

/* In units of 1e-9, 3 times a half is 1.5 and 5 times a half is 2.5: both are rounded to 2. */
static void factors_of_one_change_no_product(void **state)
{
    static const iso_decimal half = ISO_DECIMAL_ONE / 2, one = ISO_DECIMAL_ONE;
    iso_decimal product;

    (void)state;
    assert_true(iso_decimal_product((const iso_decimal[]){3, half, one, one}, 4, &product));
    assert_int_equal(product, 2);
    assert_true(iso_decimal_product((const iso_decimal[]){one, 5, one, half}, 4, &product));
    assert_int_equal(product, 2);
    assert_true(iso_decimal_product((const iso_decimal[]){-3, half, 2 * one, half}, 4, &product));
    assert_int_equal(product, -2);
    assert_true(iso_decimal_product((const iso_decimal[]){one, -3, half}, 3, &product));
    assert_int_equal(product, -2);
    assert_true(iso_decimal_product((const iso_decimal[]){one, one, -7}, 3, &product));
    assert_int_equal(product, -7);
    assert_true(iso_decimal_product((const iso_decimal[]){one, one, one, one}, 4, &product));
    assert_int_equal(product, ISO_DECIMAL_ONE);
    assert_false(iso_decimal_product((const iso_decimal[]){INT64_MAX, 2 * one}, 2, &product));
    assert_false(iso_decimal_product((const iso_decimal[]){one, INT64_MIN, one}, 3, &product));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_of_one_change_no_product),
        cmocka_unit_test(instances_are_billed_by_the_hour),
        cmocka_unit_test(covered_instances_cost_their_commitments),
        cmocka_unit_test(starts_stops_and_moves_are_lines),
        cmocka_unit_test(forced_stops_are_not_moves),
        cmocka_unit_test(fills_of_one_offering_share_a_line),
        cmocka_unit_test(alike_periods_share_a_line),
        cmocka_unit_test(a_run_ends_where_anything_changes),
        cmocka_unit_test(a_run_is_rounded_in_each_period),
        cmocka_unit_test(what_is_not_there_is_not_billed),
        cmocka_unit_test(penalties_are_beside_the_cost),
        cmocka_unit_test(products_are_rounded_once_half_to_even),
        cmocka_unit_test(upfronts_are_shared_by_hours_inside),
        cmocka_unit_test(amounts_out_of_range_are_refused),
        cmocka_unit_test(a_failed_allocation_leaves_the_old_bill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
