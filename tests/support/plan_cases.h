/* Problems small enough to solve by hand, each with an optimal plan and the multipliers that prove
 * it. Together they use every kind of rule. The derivations stand above the builders.
 *
 * The arrays behind a problem's const pointers are not const: a test may change a number through a
 * cast, and must put it back. */
#ifndef PLAN_CASES_H
#define PLAN_CASES_H

#include "isocost/plan.h"
#include "isocost/problem.h"

/* A decimal of a literal. */
#define D(x) ((iso_decimal)((x)*1e9 + ((x) < 0 ? -0.5 : 0.5)))

struct plan_case {
    const char *name;
    struct iso_problem problem;
    struct iso_plan *plan; /* owned; bill and tiers made */
};

enum plan_case_kind {
    PLAN_CASE_SEED,        /* limits */
    PLAN_CASE_COMMITMENTS, /* products, covers, budgets of each basis, two currencies, periods */
    PLAN_CASE_RULES,       /* shares, survive */
    PLAN_CASE_POLICIES,    /* priorities, penalties, SOFT, PREFER, DEFAULT, spread, frozen tiers */
    PLAN_CASE_POOL,        /* replicas */
    PLAN_CASE_MOVES,       /* current placement */
    PLAN_CASE_FUNCTION,    /* a value function */
    PLAN_CASE_RAY,         /* no plan */
    PLAN_CASE_VOLUME,      /* a price by volume */
    PLAN_CASE_RUNS,        /* lines of several periods */
    PLAN_CASE_EGRESS,      /* traffic, a dependency, a budget of egress */
    PLAN_CASES
};

/* Builds one case; aborts when the door refuses it or memory is short. */
void plan_case_init(struct plan_case *c, enum plan_case_kind kind);
void plan_case_fini(struct plan_case *c);

#endif
