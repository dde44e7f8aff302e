#include "scenario_result.h"

#include <math.h>
#include <string.h>

#include "isocost/base/status.h"
#include "isocost/proto/money.h"

#define WARNINGS_MAX 20
#define COMMITMENTS_MAX 200
#define VIOLATIONS_MAX 200

/* What is left of a plan: how it ended, what it costs by provider, team and region, what to buy. */
static void shorten(struct iso_scenario_result *result)
{
    Isocost__V1__Plan *plan = &result->plan;

    if (plan->stats) {
        result->stats = *plan->stats;
        result->stats.n_filters = 0;
        result->stats.n_roundings = 0;
        plan->stats = &result->stats;
    }
    if (plan->certificate) {
        result->certificate = *plan->certificate;
        result->certificate.n_components = 0;
        plan->certificate = &result->certificate;
    }
    plan->state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    plan->n_lines = 0;
    plan->n_unserved = 0;
    plan->n_cost_by_period = 0;
    plan->n_binding_rules = 0;
    plan->n_runners_up = 0;
    plan->n_baselines = 0;
    plan->n_actions = 0;
    plan->n_quotas_relied_on = 0;
    plan->n_alternatives = 0;
    plan->n_labels = 0;
    plan->options = NULL;
    if (plan->n_warnings > WARNINGS_MAX)
        plan->n_warnings = WARNINGS_MAX;
    if (plan->n_commitments > COMMITMENTS_MAX)
        plan->n_commitments = COMMITMENTS_MAX;
    if (plan->n_violations > VIOLATIONS_MAX)
        plan->n_violations = VIOLATIONS_MAX;
}

/* Mean over the hours and the workloads that have a priority, by weight, of the share of the demand
 * that is served: 1 - (sum over stages of sum_a w_a sum_t h_t u_at / D_at) / (H sum_a w_a). */
static bool served_share(const Isocost__V1__Model *base, const Isocost__V1__Plan *plan,
                         double *ret_share)
{
    double weights = 0, unserved = 0;

    for (size_t i = 0; i < base->n_workloads; i++) {
        const Isocost__V1__Workload *w = base->workloads[i];
        if (w->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY)
            weights += w->opt_weight_case ? w->weight : 1;
    }
    for (size_t i = 0; i < plan->n_tiers; i++)
        if (strncmp(plan->tiers[i]->name, "unserved ", 9) == 0)
            unserved += plan->tiers[i]->value;
    if (plan->n_tiers == 0 || !(weights > 0) || !(plan->horizon_hours > 0))
        return false;
    *ret_share = fmin(1, fmax(0, 1 - unserved / (weights * plan->horizon_hours)));
    return true;
}

static double cost_of(const Isocost__V1__Plan *plan)
{
    iso_decimal cost = 0;

    if (!plan->cost || iso_money_to_decimal(plan->cost, &cost, NULL) != ISO_OK)
        return NAN;
    return iso_decimal_to_double(cost);
}

static bool found_plan(const Isocost__V1__Plan *plan)
{
    return plan && plan->termination &&
           (plan->termination->reason ==
                ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL ||
            plan->termination->reason ==
                ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE);
}

void iso_scenario_result_init(struct iso_scenario_result *result, enum iso_curve_height height,
                              const Isocost__V1__Model *base, const Isocost__V1__Plan *plan,
                              const Google__Rpc__Status *error)
{
    Isocost__V1__ScenarioResult *message = &result->message;

    isocost__v1__scenario_result__init(message);
    if (plan) {
        result->plan = *plan;
        shorten(result);
        message->plan = &result->plan;
        if (height == ISO_CURVE_SERVED && found_plan(plan) &&
            served_share(base, plan, &message->served_share))
            message->opt_served_share_case =
                ISOCOST__V1__SCENARIO_RESULT__OPT_SERVED_SHARE_SERVED_SHARE;
        return;
    }
    google__rpc__status__init(&result->failure);
    if (error)
        result->failure = *error;
    else
        result->failure.code = iso_status_grpc_code(ISO_E_NOMEM);
    message->error = &result->failure;
}

double iso_curve_height_of(enum iso_curve_height height, const Isocost__V1__ScenarioResult *result)
{
    if (height == ISO_CURVE_SERVED)
        return result->opt_served_share_case ? result->served_share : NAN;
    return found_plan(result->plan) ? cost_of(result->plan) : NAN;
}

/* In a box whose sides are both 1 long, the distance of a point (x, y) relative to the first one is
 * |dy x - dx y| up to a factor, with dx = 1 and dy = 1. */
int iso_curve_knee(const struct iso_curve_point *points, int n)
{
    int first = -1, last = -1, n_used = 0, knee = -1;
    double farthest = 1e-6;

    for (int i = 0; i < n; i++) {
        if (!points[i].has_value || !isfinite(points[i].height))
            continue;
        first = first < 0 ? i : first;
        last = i;
        n_used++;
    }
    if (n_used < 3)
        return -1;
    double width = points[last].value - points[first].value,
           height = points[last].height - points[first].height;
    if (width == 0 || height == 0)
        return -1;
    for (int i = first + 1; i < last; i++) {
        if (!points[i].has_value || !isfinite(points[i].height))
            continue;
        double x = (points[i].value - points[first].value) / width;
        double y = (points[i].height - points[first].height) / height;
        if (fabs(y - x) > farthest) {
            farthest = fabs(y - x);
            knee = i;
        }
    }
    return knee;
}
