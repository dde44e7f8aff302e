/* Rules that others imply.
 *
 *   sum_o l_o x_o <= L  is implied by  sum_o m_o x_o <= M  when  l_o M <= m_o L  for every o: then
 *   sum_o l_o x_o <= (L / M) sum_o m_o x_o <= L. Both are HARD caps, M > 0, and the second holds
 *   in every period of the first.
 *
 *   A share of at most 1 and one of at least 0 say nothing. Survival of theta is implied by
 * survival of theta' >= theta at the same level.
 *
 * Premises: bounds, weights and periods of the limits, shares. Of two that imply each other the
 * first stays; so do the rules of a workload with a together or apart rule, which reads them. */
#include "mention.h"
#include "presolve.h"

static bool is_hard_cap(const struct iso_limit *limit)
{
    return limit->policy == ISO_POLICY_HARD && !limit->minimum && !limit->or_nothing &&
           limit->n_terms > 0;
}

static const struct iso_limit_term *find_term(const struct iso_limit *limit, int32_t offering)
{
    int32_t low = 0, high = limit->n_terms;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (limit->terms[middle].offering < offering)
            low = middle + 1;
        else
            high = middle;
    }
    return low < limit->n_terms && limit->terms[low].offering == offering ? &limit->terms[low]
                                                                          : NULL;
}

static bool implies(const struct iso_problem *problem, const struct iso_limit *other,
                    const struct iso_limit *limit)
{
    if (!is_hard_cap(other) || other->bound <= 0)
        return false;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (limit->periods[t] && !other->periods[t])
            return false;
    for (int32_t i = 0; i < limit->n_terms; i++) {
        const struct iso_limit_term *term = find_term(other, limit->terms[i].offering);
        if (!term ||
            (iso_wide)limit->terms[i].weight * other->bound > (iso_wide)term->weight * limit->bound)
            return false;
    }
    return true;
}

static enum iso_status drop_limits(struct iso_presolve *presolve, struct iso_error *reterr)
{
    const struct iso_problem *problem = &presolve->work;
    struct iso_mentions mentions __attribute__((cleanup(iso_mentions_fini))) = {0};
    uint8_t *stays = presolve->selection.limit;

    if (!iso_mentions_of_limits(&mentions, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare limits");
    for (int32_t l = problem->n_limits - 1; l >= 0; l--) {
        const struct iso_limit *limit = &problem->limits[l];
        if (!is_hard_cap(limit))
            continue;
        int32_t offering = limit->terms[0].offering;
        for (int32_t at = mentions.first[offering]; at < mentions.first[offering + 1]; at++) {
            int32_t other = mentions.items[at].set;
            if (other == l || !stays[other] || !implies(problem, &problem->limits[other], limit))
                continue;
            stays[l] = 0;
            presolve->changed = presolve->renames = true;
            break;
        }
    }
    return ISO_OK;
}

static bool says_nothing(const struct iso_share *share)
{
    return (!share->has_maximum || share->maximum >= ISO_DECIMAL_ONE) &&
           (!share->has_minimum || share->minimum <= 0);
}

static bool asks_no_less(const struct iso_survive *one, const struct iso_survive *other, bool first)
{
    return one->level == other->level &&
           (first ? one->share >= other->share : one->share > other->share);
}

static bool is_survived(const struct iso_workload *workload, int32_t rule)
{
    for (int32_t i = 0; i < workload->n_survive; i++)
        if (i != rule &&
            asks_no_less(&workload->survive[i], &workload->survive[rule], /* first= */ i < rule))
            return true;
    return false;
}

/* The rules of a workload that say something, and their places before. */
static enum iso_status drop_rules(struct iso_presolve *presolve, int32_t a,
                                  struct iso_error *reterr)
{
    struct iso_workload *workload = &presolve->workloads[a];
    const struct iso_workload before = *workload;
    size_t n_shares = (size_t)before.n_shares, n_survive = (size_t)before.n_survive;
    struct iso_share *shares = iso_presolve_array(presolve, n_shares, sizeof(*shares));
    struct iso_survive *survive = iso_presolve_array(presolve, n_survive, sizeof(*survive));
    struct iso_rule_places *places = &presolve->places[a];

    places->share = iso_presolve_array(presolve, n_shares, sizeof(*places->share));
    places->survive = iso_presolve_array(presolve, n_survive, sizeof(*places->survive));
    if (!shares || !survive || !places->share || !places->survive)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare rules");
    workload->n_shares = workload->n_survive = 0;
    for (int32_t i = 0; i < before.n_shares; i++)
        if (!says_nothing(&before.shares[i])) {
            places->share[workload->n_shares] = i;
            shares[workload->n_shares++] = before.shares[i];
        }
    for (int32_t i = 0; i < before.n_survive; i++)
        if (!is_survived(&before, i)) {
            places->survive[workload->n_survive] = i;
            survive[workload->n_survive++] = before.survive[i];
        }
    workload->shares = shares;
    workload->survive = survive;
    return ISO_OK;
}

static bool any_rule_goes(const struct iso_workload *workload)
{
    bool any = false;

    for (int32_t i = 0; i < workload->n_shares; i++)
        any |= says_nothing(&workload->shares[i]);
    for (int32_t i = 0; i < workload->n_survive; i++)
        any |= is_survived(workload, i);
    return any;
}

enum iso_status iso_presolve_redundant(struct iso_presolve *presolve, struct iso_error *reterr)
{
    ISO_TRY(drop_limits(presolve, reterr));
    for (int32_t a = 0; a < presolve->work.n_workloads; a++)
        if (!iso_presolve_is_placed(presolve->original, a) &&
            any_rule_goes(&presolve->workloads[a])) {
            ISO_TRY(drop_rules(presolve, a, reterr));
            presolve->changed = presolve->renames = true;
        }
    return ISO_OK;
}

static void rename_rule(const struct iso_presolve *presolve, struct iso_rule *rule)
{
    if (rule->kind == ISO_RULE_SHARE && presolve->places[rule->a].share)
        rule->b = presolve->places[rule->a].share[rule->b];
    if (rule->kind == ISO_RULE_SURVIVE && presolve->places[rule->a].survive)
        rule->b = presolve->places[rule->a].survive[rule->b];
}

void iso_expand_redundant(const struct iso_presolve *presolve, struct iso_plan *plan)
{
    for (int32_t i = 0; i < plan->n_duals; i++) {
        struct iso_dual *dual = &plan->duals[i];
        bool share = dual->kind == ISO_ROW_SHARE_MAX || dual->kind == ISO_ROW_SHARE_MIN;
        if (share && presolve->places[dual->a].share)
            dual->b = presolve->places[dual->a].share[dual->b];
        if (dual->kind == ISO_ROW_SURVIVE && presolve->places[dual->a].survive)
            dual->b = presolve->places[dual->a].survive[dual->b];
    }
    for (int32_t i = 0; i < plan->n_bindings; i++)
        rename_rule(presolve, &plan->bindings[i].rule);
    for (int32_t i = 0; i < plan->n_runners_up; i++)
        if (plan->runners_up[i].blocked)
            rename_rule(presolve, &plan->runners_up[i].blocker);
}
