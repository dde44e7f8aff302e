/* Strategy 1, separable cover: every workload by its own covering table (cover_table.c).
 *
 * Limits are looked at afterwards: a plan that keeps them all by itself is optimal with them. */
#include <math.h>
#include <stdlib.h>

#include "cover_table.h"
#include "explain.h"
#include "horizon.h"
#include "isocost/ledger.h"
#include "strategy.h"

#define FEW_COLUMNS 150 /* where the tree answers as fast */

bool iso_separable_applies(const struct iso_problem *problem)
{
    int64_t n_columns = 0;

    if (problem->moves.present || problem->n_budgets > 0)
        return false;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].minimum || problem->limits[l].policy != ISO_POLICY_HARD)
            return false;
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t g = 0; g < problem->n_teams; g++)
            if (problem->products[c].cells[problem->n_workloads + g])
                return false;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        n_columns += (int64_t)problem->workloads[a].n_options * problem->n_periods;
        if (!iso_cover_applies(problem, a))
            return false;
    }
    return n_columns > FEW_COLUMNS || problem->options.strategy == ISO_STRATEGY_SEPARABLE;
}

struct separable {
    const struct iso_problem *problem;
    struct iso_plan *plan;
    struct iso_cover_table *tables; /* n_workloads */
    int64_t **count, **covered;     /* [workload][option], latest period */
    int64_t **bought;               /* [workload][product of its table]: instances they cover */
};

static void separable_fini(struct separable *s)
{
    for (int32_t a = 0; a < s->problem->n_workloads; a++) {
        if (s->tables)
            iso_cover_fini(&s->tables[a]);
        if (s->count)
            free(s->count[a]);
        if (s->covered)
            free(s->covered[a]);
        if (s->bought)
            free(s->bought[a]);
    }
    free(s->tables);
    free(s->count);
    free(s->covered);
    free(s->bought);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for covering tables");
}

/* Instances that the units bought of each product cover in each period. */
static void sum_bought(const struct iso_cover_table *table, int64_t *bought)
{
    for (int32_t i = 0; i < table->n_products; i++)
        for (int32_t u = 0; u < table->n_units; u++)
            if (table->units[u].product == table->products[i].product)
                bought[i] += table->bought[u] * table->products[i].instances;
}

/* Tables and scratch; *ret_small is false when a table would be too large. */
static enum iso_status open_tables(struct separable *s, bool *ret_small, struct iso_error *reterr)
{
    size_t n_workloads = (size_t)s->problem->n_workloads;

    s->tables = iso_calloc(n_workloads, sizeof(*s->tables));
    s->count = iso_calloc(n_workloads, sizeof(int64_t *));
    s->covered = iso_calloc(n_workloads, sizeof(int64_t *));
    s->bought = iso_calloc(n_workloads, sizeof(int64_t *));
    if (!s->tables || !s->count || !s->covered || !s->bought)
        return no_memory(reterr);
    *ret_small = true;
    for (int32_t a = 0; a < s->problem->n_workloads && *ret_small; a++) {
        size_t n_options = (size_t)s->problem->workloads[a].n_options;
        ISO_TRY(iso_cover_init(&s->tables[a], s->problem, a, ret_small, reterr));
        s->count[a] = iso_calloc(n_options, sizeof(int64_t));
        s->covered[a] = iso_calloc(n_options, sizeof(int64_t));
        s->bought[a] = iso_calloc((size_t)s->tables[a].n_products, sizeof(int64_t));
        if (!s->count[a] || !s->covered[a] || !s->bought[a])
            return no_memory(reterr);
        sum_bought(&s->tables[a], s->bought[a]);
    }
    return ISO_OK;
}

/* Adds what products cover of an option: what is held of them first. */
static bool add_covers(const struct separable *s, int32_t a, int32_t option, int32_t t,
                       int64_t covered)
{
    const struct iso_problem *problem = s->problem;
    const struct iso_cover_table *table = &s->tables[a];

    for (int32_t i = 0; i < table->n_products && covered > 0; i++) {
        int32_t c = table->products[i].product;
        int64_t room = s->bought[a][i];
        if (table->products[i].option != option)
            continue;
        iso_decimal existing = problem->products[c].existing[t];
        if (existing > 0)
            room += (int64_t)((iso_wide)existing * table->products[i].instances / ISO_DECIMAL_ONE);
        int64_t n = room < covered ? room : covered;
        struct iso_cover cover = {c, a, problem->workloads[a].options[option].offering, t,
                                  n * ISO_DECIMAL_ONE};
        covered -= n;
        if (n > 0 && !iso_append(&s->plan->covers, &s->plan->n_covers, sizeof(cover), &cover))
            return false;
    }
    return true;
}

static bool add_workload(const struct separable *s, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &s->problem->workloads[a];
    const int64_t *count = s->count[a], *covered = s->covered[a];

    iso_cover_counts(&s->tables[a], s->tables[a].level_of[t], t, s->count[a], s->covered[a]);
    for (int32_t i = 0; i < workload->n_options; i++) {
        struct iso_use use = {a, workload->options[i].offering, t, count[i]};
        if (count[i] > 0 && !iso_append(&s->plan->uses, &s->plan->n_uses, sizeof(use), &use))
            return false;
        if (covered[i] > 0 && !add_covers(s, a, i, t, covered[i]))
            return false;
    }
    return true;
}

static bool add_purchases(const struct separable *s, bool *ret_allowed)
{
    *ret_allowed = true;
    for (int32_t a = 0; a < s->problem->n_workloads; a++)
        for (int32_t u = 0; u < s->tables[a].n_units; u++) {
            const struct iso_cover_unit *unit = &s->tables[a].units[u];
            int64_t most = s->problem->products[unit->product].most;
            struct iso_purchase made = {unit->product, unit->start, s->tables[a].bought[u]};
            *ret_allowed &= most < 0 || made.quantity <= most;
            if (made.quantity > 0 &&
                !iso_append(&s->plan->purchases, &s->plan->n_purchases, sizeof(made), &made))
                return false;
        }
    return true;
}

static int by_purchase(const void *left, const void *right)
{
    const struct iso_purchase *a = left, *b = right;

    return (a->product > b->product) - (a->product < b->product);
}

/* What runs and is bought; *ret_allowed is false where a cap or limit is in the way. */
static enum iso_status make_plan(struct separable *s, bool *ret_allowed, struct iso_error *reterr)
{
    if (!add_purchases(s, ret_allowed))
        return no_memory(reterr);
    if (s->plan->n_purchases > 0)
        qsort(s->plan->purchases, (size_t)s->plan->n_purchases, sizeof(*s->plan->purchases),
              by_purchase);
    for (int32_t t = 0; t < s->problem->n_periods && *ret_allowed; t++) {
        for (int32_t a = 0; a < s->problem->n_workloads; a++)
            if (!add_workload(s, a, t))
                return no_memory(reterr);
        *ret_allowed = iso_cover_limits_hold(s->problem, s->count, t);
    }
    return ISO_OK;
}

/* The money stage, with one value function for each workload as its proof. */
static enum iso_status add_proof(struct separable *s, struct iso_error *reterr)
{
    struct iso_plan *plan = s->plan;
    struct iso_tier tier = {.kind = ISO_TIER_MONEY,
                            .tolerance = s->problem->options.tier_tolerance,
                            .proof = ISO_PROOF_VALUE_FUNCTION,
                            .bound = iso_existing_fees(s->problem)};

    for (int32_t a = 0; a < s->problem->n_workloads; a++) {
        struct iso_value_function function = {a, s->tables[a].step};
        tier.bound += s->tables[a].cost;
        if (!iso_append(&plan->value_functions, &plan->n_value_functions, sizeof(function),
                        &function))
            return no_memory(reterr);
    }
    tier.checked_bound = tier.bound;
    tier.frozen = iso_decimal_to_double(plan->cost) * (1 + tier.tolerance);
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return no_memory(reterr);
    iso_settle_tiers(s->problem, plan);
    plan->reason = iso_proved_optimal(s->problem, plan) ? ISO_REASON_OPTIMAL : ISO_REASON_FEASIBLE;
    plan->stop = s->problem->options.gap > 0 && plan->reason == ISO_REASON_OPTIMAL ? ISO_STOP_GAP
                                                                                   : ISO_STOP_NONE;
    return ISO_OK;
}

static void fill_stats(const struct separable *s, double seconds)
{
    struct iso_plan_stats *stats = &s->plan->stats;

    for (int32_t a = 0; a < s->problem->n_workloads; a++) {
        stats->columns += (int64_t)s->problem->workloads[a].n_options * s->problem->n_periods;
        stats->columns_solved += s->tables[a].n_classes * s->problem->workloads[a].n_options;
        stats->rows_solved += s->tables[a].n_levels;
    }
    stats->seconds = seconds;
    s->plan->reproducible = s->problem->options.deterministic;
}

enum iso_status iso_separable(const struct iso_problem *problem, const struct iso_control *control,
                              bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct separable s __attribute__((cleanup(separable_fini))) = {.problem = problem};
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    double begin_s = control->now(control->context);
    bool small, allowed;

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    s.plan = plan;
    ISO_TRY(open_tables(&s, &small, reterr));
    if (!small)
        return ISO_OK;
    ISO_TRY(make_plan(&s, &allowed, reterr));
    if (!allowed)
        return ISO_OK;
    plan->has_solution = true;
    ISO_TRY(iso_plan_account(problem, plan, reterr));
    ISO_TRY(add_proof(&s, reterr));
    ISO_TRY(iso_add_component(problem, iso_choose_strategy(problem), plan, reterr));
    fill_stats(&s, control->now(control->context) - begin_s);
    if (explain) {
        struct iso_search search = {.problem = problem,
                                    .control = control,
                                    .plan = plan,
                                    .begin_s = begin_s,
                                    .end_s = begin_s + problem->options.time_limit_s};
        ISO_TRY(iso_explain_tables(&search, reterr));
    }
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}
