/* The verifier notices a corrupted plan: every number of every valid plan is changed in every way
 * below, and the plan must be refused.
 *
 * One exception: multipliers. A proof with other multipliers that still proves the claimed bound is
 * a proof. Those are counted, and that they prove it is shown by raising the claim as well: any
 * claim more than the slack of 1e-9 above the true optimum, known by hand, must be refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/verify.h"

#include "../support/plan_cases.h"

struct tally {
    int64_t tried, refused, multipliers;
};

static bool accepts(const struct plan_case *c)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};

    return iso_verify(&c->problem, c->plan, &verdict, &error) == ISO_OK;
}

static void must_accept(const struct plan_case *c)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (iso_verify(&c->problem, c->plan, &verdict, &error) != ISO_OK)
        fail_msg("%s: %s: %s", c->name, error.field, error.text);
}

/* Whether a claim above the tier's true value is refused with the multipliers as they are. */
static bool refuses_more(const struct plan_case *c, struct iso_tier *tier)
{
    struct iso_tier saved = *tier;
    bool passed;

    if (tier->proof == ISO_PROOF_RAY)
        return true;
    tier->bound = tier->checked_bound = saved.bound + 4e-9 * (1 + fabs(saved.bound));
    passed = accepts(c);
    *tier = saved;
    return !passed;
}

/* Checks one corruption that is in place. */
static void judge(const struct plan_case *c, struct tally *tally, const char *field, int32_t index,
                  const char *how, bool multiplier)
{
    tally->tried++;
    if (!accepts(c)) {
        tally->refused++;
        return;
    }
    if (multiplier) {
        tally->multipliers++;
        for (int32_t k = 0; k < c->plan->n_tiers; k++)
            assert_true(refuses_more(c, &c->plan->tiers[k]));
        return;
    }
    fail_msg("%s: %s[%d] was accepted %s", c->name, field, index, how);
}

enum number { INT32, INT64, DOUBLE };

static const char *const ways[] = {"plus one", "minus one", "doubled", "negated", "zeroed"};

static double changed(double value, size_t way)
{
    const double results[] = {value + 1, value - 1, 2 * value, -value, 0};
    return results[way];
}

/* One number, in place, in all ways. */
static void corrupt(const struct plan_case *c, struct tally *tally, const char *field,
                    int32_t index, void *place, enum number number, bool multiplier)
{
    for (size_t way = 0; way < ISO_ARRAY_LENGTH(ways); way++) {
        if (number == DOUBLE) {
            double *at = place, saved = *at;
            *at = changed(saved, way);
            if (*at != saved)
                judge(c, tally, field, index, ways[way], multiplier);
            *at = saved;
        } else if (number == INT64) {
            int64_t *at = place, saved = *at;
            const int64_t results[] = {saved + 1, saved - 1, 2 * saved, -saved, 0};
            *at = results[way];
            if (*at != saved)
                judge(c, tally, field, index, ways[way], multiplier);
            *at = saved;
        } else {
            int32_t *at = place, saved = *at;
            const int32_t results[] = {saved + 1, saved - 1, 2 * saved, -saved, 0};
            *at = results[way];
            if (*at != saved)
                judge(c, tally, field, index, ways[way], multiplier);
            *at = saved;
        }
    }
}

/* One member of the structs of an array: each corrupted, and each two neighbours swapped. */
struct member {
    const char *name;
    size_t offset;
    enum number number;
};

/* Whether two rows are the same but for one member: swapping it only changes their order. */
static bool differ_only_in(const char *row, const char *next, size_t size, size_t offset,
                           size_t width)
{
    return memcmp(row, next, offset) == 0 &&
           memcmp(row + offset + width, next + offset + width, size - offset - width) == 0;
}

static void corrupt_member(const struct plan_case *c, struct tally *tally, const char *array,
                           void *first, int32_t n, size_t size, const struct member *member,
                           bool multiplier)
{
    const size_t width = member->number == INT32 ? sizeof(int32_t) : sizeof(int64_t);
    char field[64];

    snprintf(field, sizeof(field), "%s.%s", array, member->name);
    for (int32_t i = 0; i < n; i++) {
        char *at = (char *)first + (size_t)i * size + member->offset, *next = at + size;
        char saved[8];
        corrupt(c, tally, field, i, at, member->number, multiplier);
        if (i + 1 == n || memcmp(at, next, width) == 0)
            continue;
        if (first == c->plan->covers && /* the order of which is free */
            differ_only_in(at - member->offset, next - member->offset, size, member->offset, width))
            continue;
        memcpy(saved, at, width);
        memcpy(at, next, width);
        memcpy(next, saved, width);
        judge(c, tally, field, i, "swapped with the next", multiplier);
        memcpy(next, at, width);
        memcpy(at, saved, width);
    }
}

#define MEMBER(type, name, number)                 \
    {                                              \
#name, offsetof(struct type, name), number \
    }

static const struct member use_members[] = {
    MEMBER(iso_use, workload, INT32), MEMBER(iso_use, offering, INT32),
    MEMBER(iso_use, period, INT32), MEMBER(iso_use, count, INT64)};
static const struct member fill_members[] = {
    MEMBER(iso_fill, team, INT32),        MEMBER(iso_fill, offering, INT32),
    MEMBER(iso_fill, period, INT32),      MEMBER(iso_fill, instances, INT64),
    MEMBER(iso_fill, first_entry, INT32), MEMBER(iso_fill, n_entries, INT32)};
static const struct member entry_members[] = {MEMBER(iso_fill_entry, workload, INT32),
                                              MEMBER(iso_fill_entry, count, INT32)};
static const struct member cover_members[] = {
    MEMBER(iso_cover, product, INT32), MEMBER(iso_cover, cell, INT32),
    MEMBER(iso_cover, offering, INT32), MEMBER(iso_cover, period, INT32),
    MEMBER(iso_cover, instances, INT64)};
static const struct member purchase_members[] = {MEMBER(iso_purchase, product, INT32),
                                                 MEMBER(iso_purchase, start, INT32),
                                                 MEMBER(iso_purchase, quantity, INT64)};
static const struct member unserved_members[] = {MEMBER(iso_unserved, workload, INT32),
                                                 MEMBER(iso_unserved, period, INT32),
                                                 MEMBER(iso_unserved, amount, INT64)};
static const struct member flow_members[] = {
    MEMBER(iso_flow, workload, INT32), MEMBER(iso_flow, traffic, INT32),
    MEMBER(iso_flow, route, INT32), MEMBER(iso_flow, period, INT32),
    MEMBER(iso_flow, amount, INT64)};
static const struct member line_members[] = {
    MEMBER(iso_line, kind, INT32),       MEMBER(iso_line, period, INT32),
    MEMBER(iso_line, cell, INT32),       MEMBER(iso_line, offering, INT32),
    MEMBER(iso_line, product, INT32),    MEMBER(iso_line, start, INT32),
    MEMBER(iso_line, quantity, INT64),   MEMBER(iso_line, covered, INT64),
    MEMBER(iso_line, unit_price, INT64), MEMBER(iso_line, currency, INT32),
    MEMBER(iso_line, hours, INT64),      MEMBER(iso_line, rate, INT64),
    MEMBER(iso_line, cost, INT64),       MEMBER(iso_line, served, INT64),
    MEMBER(iso_line, n_periods, INT32)};
static const struct member tier_members[] = {
    MEMBER(iso_tier, kind, INT32),       MEMBER(iso_tier, priority, INT32),
    MEMBER(iso_tier, worst, INT32),      MEMBER(iso_tier, value, DOUBLE),
    MEMBER(iso_tier, bound, DOUBLE),     MEMBER(iso_tier, tolerance, DOUBLE),
    MEMBER(iso_tier, frozen, DOUBLE),    MEMBER(iso_tier, checked_bound, DOUBLE),
    MEMBER(iso_tier, first_dual, INT32), MEMBER(iso_tier, n_duals, INT32)};
static const struct member ray_members[] = {MEMBER(iso_tier, first_dual, INT32),
                                            MEMBER(iso_tier, n_duals, INT32)};
static const struct member dual_members[] = {
    MEMBER(iso_dual, kind, INT32), MEMBER(iso_dual, a, INT32), MEMBER(iso_dual, b, INT32),
    MEMBER(iso_dual, c, INT32),    MEMBER(iso_dual, d, INT32), MEMBER(iso_dual, value, DOUBLE)};
static const struct member function_members[] = {MEMBER(iso_value_function, workload, INT32)};
static const struct member step_members[] = {MEMBER(iso_value_function, step, INT64)};

static void corrupt_plan(const struct plan_case *c, struct tally *tally)
{
    struct iso_plan *plan = c->plan;
    bool ray = plan->reason == ISO_REASON_INFEASIBLE;
#define EACH(array, members, multiplier)                                                   \
    for (size_t m = 0; m < ISO_ARRAY_LENGTH(members); m++)                                 \
    corrupt_member(c, tally, #array, plan->array, plan->n_##array, sizeof(plan->array[0]), \
                   &(members)[m], multiplier)

    EACH(uses, use_members, false);
    EACH(fills, fill_members, false);
    EACH(entries, entry_members, false);
    EACH(covers, cover_members, false);
    EACH(purchases, purchase_members, false);
    EACH(unserved, unserved_members, false);
    EACH(flows, flow_members, false);
    EACH(lines, line_members, false);
    if (ray)
        EACH(tiers, ray_members, false);
    else
        EACH(tiers, tier_members, false);
    EACH(duals, dual_members, true);
    EACH(value_functions, function_members, false);
    EACH(value_functions, step_members, true);
    corrupt(c, tally, "cost", 0, &plan->cost, INT64, false);
    corrupt(c, tally, "penalties", 0, &plan->penalties, INT64, false);
#undef EACH
}

static void every_corrupted_number_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < PLAN_CASES; kind++) {
        struct plan_case c;
        struct tally tally = {0};
        plan_case_init(&c, (enum plan_case_kind)kind);
        must_accept(&c);
        corrupt_plan(&c, &tally);
        must_accept(&c); /* everything was put back */
        print_message("%-12s %4lld changes: %4lld refused, %3lld other multipliers that prove it\n",
                      c.name, (long long)tally.tried, (long long)tally.refused,
                      (long long)tally.multipliers);
        assert_true(tally.refused > 9 * tally.multipliers);
        plan_case_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_corrupted_number_is_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
