#include "isocost/verify.h"

#include "verifier.h"

static enum iso_status verify_solution(struct iso_verifier *v)
{
    ISO_TRY(iso_verify_packing(v));
    ISO_TRY(iso_verify_rules(v));
    ISO_TRY(iso_verify_spread(v));
    ISO_TRY(iso_verify_affinities(v));
    ISO_TRY(iso_verify_ramps(v));
    ISO_TRY(iso_verify_flows(v));
    ISO_TRY(iso_verify_moves(v));
    ISO_TRY(iso_verify_commit(v));
    ISO_TRY(iso_verify_budgets(v));
    ISO_TRY(iso_verify_bill(v));
    ISO_TRY(iso_verify_penalties(v));
    ISO_TRY(iso_verify_scenarios(v));
    ISO_TRY(iso_verify_tiers(v));
    return iso_verify_alternatives(v);
}

/* A plan without a solution runs, buys and costs nothing; it may still claim infeasibility. */
static enum iso_status verify_absence(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;

    if (plan->n_uses || plan->n_fills || plan->n_covers || plan->n_purchases || plan->n_unserved ||
        plan->n_flows || plan->n_lines || plan->cost || plan->penalties || plan->n_bills ||
        plan->risk)
        return iso_verify_fail(v, "has_solution", -1, "", "is false, but the plan runs something");
    if (plan->reason == ISO_REASON_INFEASIBLE)
        return iso_verify_infeasible(v);
    return ISO_OK;
}

enum iso_status iso_verify_run(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;
    bool may_have = plan->reason == ISO_REASON_OPTIMAL || plan->reason == ISO_REASON_FEASIBLE;

    if ((int)plan->reason < ISO_REASON_NONE || (int)plan->reason > ISO_REASON_UNBOUNDED ||
        (plan->reason != ISO_REASON_NONE && plan->has_solution != may_have))
        return iso_verify_fail(v, "reason", -1, "", "is %d for a plan %s a solution",
                               (int)plan->reason, plan->has_solution ? "with" : "without");
    ISO_TRY(iso_verify_read(v));
    ISO_TRY(iso_verify_leads(v));
    ISO_TRY(iso_verify_explanations(v));
    if (v->readable)
        v->readable(v->context);
    ISO_TRY(iso_verify_tabulate(v));
    return plan->has_solution ? verify_solution(v) : verify_absence(v);
}

enum iso_status iso_verify_telling(const struct iso_problem *problem, const struct iso_plan *plan,
                                   void (*readable)(void *context), void *context,
                                   struct iso_verdict *ret_verdict, struct iso_error *reterr)
{
    struct iso_verifier verifier = {.problem = problem,
                                    .plan = plan,
                                    .readable = readable,
                                    .context = context,
                                    .reterr = reterr};
    enum iso_status status = iso_verify_run(&verifier);

    iso_verify_fini(&verifier);
    if (status == ISO_OK)
        *ret_verdict = verifier.verdict;
    return status;
}

enum iso_status iso_verify(const struct iso_problem *problem, const struct iso_plan *plan,
                           struct iso_verdict *ret_verdict, struct iso_error *reterr)
{
    return iso_verify_telling(problem, plan, NULL, NULL, ret_verdict, reterr);
}
