/* The knee of a curve, on points whose distances are worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isocost/base/status.h"
#include "scenario_result.h"

struct curve {
    const char *what;
    int n, knee;
    double values[8], heights[8];
};

static const struct curve curves[] = {
    /* scaled: (0, 0) (.25, .4) (.5, .8) (.75, 1) (1, 1); above the diagonal by .15 .3 .25 */
    {"falling to a floor", 5, 2, {1000, 1400, 1800, 2200, 2600}, {900, 860, 820, 800, 800}},
    /* below the diagonal by .25 at (.5, .25), which is as far as above */
    {"rising ever faster", 3, 1, {0, 1, 2}, {0, 1, 4}},
    {"a line", 4, -1, {0, 1, 2, 3}, {5, 7, 9, 11}},
    {"two points", 2, -1, {0, 1}, {5, 7}},
    {"all at one height", 3, -1, {0, 1, 2}, {5, 5, 5}},
    /* ends and the middle have no height: of what is left, (1/3, .9) is the farthest */
    {"with points that have none", 7, 2, {0, 1, 2, 3, 4, 5, 6}, {NAN, 0, 9, NAN, 10, NAN, NAN}},
};

static void the_knee_is_the_point_farthest_from_the_chord(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(curves); i++) {
        struct iso_curve_point points[8] = {{0}};
        for (int k = 0; k < curves[i].n; k++)
            points[k] = (struct iso_curve_point){
                .has_value = true, .value = curves[i].values[k], .height = curves[i].heights[k]};
        if (iso_curve_knee(points, curves[i].n) != curves[i].knee)
            fail_msg("%s: %d", curves[i].what, iso_curve_knee(points, curves[i].n));
    }
}

static void points_without_a_number_are_no_part_of_a_curve(void **state)
{
    const struct iso_curve_point points[] = {
        {true, 0, 0}, {false, 0, 100}, {true, 1, 3}, {true, 2, 4}};

    (void)state;
    assert_int_equal(iso_curve_knee(points, 4), 2); /* (.5, .75) */
}

/* A plan of 720 h with one workload of weight 3 and one of the weight 1 that is meant where none is
 * given; 1440 unserved weighted hours of 4 * 720 are half. */
static void the_share_that_is_served_is_by_weight_and_hours(void **state)
{
    Isocost__V1__Workload heavy = ISOCOST__V1__WORKLOAD__INIT, light = ISOCOST__V1__WORKLOAD__INIT;
    Isocost__V1__Workload *workloads[] = {&heavy, &light};
    Isocost__V1__Model base = ISOCOST__V1__MODEL__INIT;
    Isocost__V1__Tier tier = ISOCOST__V1__TIER__INIT, *tiers[] = {&tier};
    Isocost__V1__Termination termination = ISOCOST__V1__TERMINATION__INIT;
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;
    struct iso_scenario_result result;

    (void)state;
    heavy.service_case = light.service_case = ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY;
    heavy.opt_weight_case = ISOCOST__V1__WORKLOAD__OPT_WEIGHT_WEIGHT;
    heavy.weight = 3;
    base.n_workloads = 2;
    base.workloads = workloads;
    tier.name = (char[]){"unserved 1"};
    tier.value = 1440;
    termination.reason = ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL;
    plan.termination = &termination;
    plan.horizon_hours = 720;
    plan.n_tiers = 1;
    plan.tiers = tiers;
    iso_scenario_result_init(&result, ISO_CURVE_SERVED, &base, &plan, NULL);
    assert_true(fabs(iso_curve_height_of(ISO_CURVE_SERVED, &result.message) - 0.5) < 1e-12);
    iso_scenario_result_init(&result, ISO_CURVE_COST, &base, &plan, NULL);
    assert_true(isnan(iso_curve_height_of(ISO_CURVE_COST, &result.message))); /* it has no cost */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_knee_is_the_point_farthest_from_the_chord),
        cmocka_unit_test(points_without_a_number_are_no_part_of_a_curve),
        cmocka_unit_test(the_share_that_is_served_is_by_weight_and_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
