/* Rules that hold in one of several ways, and prices that depend on volume.
 *
 * Of the offerings of an or-nothing limit, in each period either nothing runs or at least the
 * bound: each such (limit, period) is a gate, shut or open. A price that falls with the volume is
 * the least of several lines. A node of the tree has settled some of that and asks for nothing
 * where it has not. So it is a problem as any other (see branch_problem.c), and its bounds hold for
 * all below it. Where its plan breaks gates, the one that is furthest from both ways is settled,
 * first the nearer way; otherwise the plan is one of the model, and the price that the node knows
 * least well is split.
 *
 * Nodes are compared by the stages of the objective, in order. The multipliers of the root prove
 * part of the bound by themselves; the rest is the tree's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "branches.h"
#include "explain.h"
#include "isocost/ledger.h"
#include "search.h"
#include "split.h"

#define CLOSE 1e-9  /* relative and absolute */
#define PROVED 1e-7 /* likewise: how near to its value a stage before money is proved */

struct node {
    uint8_t *choices;             /* see iso_forks */
    double bounds[ISO_MAX_TIERS]; /* of the node above it */
};

/* What a closed node says of the stages: no plan below it is better. */
struct leaf {
    double bounds[ISO_MAX_TIERS];
};

struct branches {
    const struct iso_problem *problem;
    struct iso_control control; /* of nodes */
    double end_s;
    double gap;      /* relative, of money, within which a node is closed */
    int32_t stage;   /* the period whose gates are settled now; -1: those of all periods */
    int32_t last;    /* the last period with gates, when they are settled one after the other */
    double left_out; /* by how much the stages before may have missed their optimum */
    struct iso_forks forks;
    int32_t n_nodes, n_leaves, n_tiers;
    struct node *nodes; /* still open, the next one last */
    struct leaf *leaves;
    struct iso_plan *root, *best; /* best: its stages without bounds and proofs */
    struct iso_plan_stats stats;
    enum iso_stop stop;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tree of problems");
}

static void branches_fini(struct branches *b)
{
    for (int32_t i = 0; i < b->n_nodes; i++)
        free(b->nodes[i].choices);
    free(b->nodes);
    free(b->leaves);
    iso_forks_fini(&b->forks);
    iso_plan_free(b->root);
    iso_plan_free(b->best);
}

bool iso_has_branches(const struct iso_problem *problem)
{
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].or_nothing)
            return true;
    return problem->n_volumes > 0;
}

/* --- plans against gates --- */

static iso_decimal weight_of(const struct iso_limit *limit, int32_t offering)
{
    for (int32_t i = 0; i < limit->n_terms; i++)
        if (limit->terms[i].offering == offering)
            return limit->terms[i].weight;
    return 0;
}

/* What a plan runs of a gate, exactly. */
static iso_wide level_of(const struct branches *b, const struct iso_plan *plan,
                         const struct iso_gate *gate)
{
    const struct iso_limit *limit = &b->problem->limits[gate->limit];
    iso_wide level = 0;

    for (int32_t i = 0; i < plan->n_uses; i++)
        if (plan->uses[i].period == gate->period)
            level += (iso_wide)weight_of(limit, plan->uses[i].offering) * plan->uses[i].count;
    for (int32_t i = 0; i < plan->n_fills; i++)
        if (plan->fills[i].period == gate->period)
            level += (iso_wide)weight_of(limit, plan->fills[i].offering) * plan->fills[i].instances;
    return level;
}

/* The gate that a plan keeps worst, or -1; *ret_nearer: the way that is nearer to the plan. */
static int32_t worst_gate(const struct branches *b, const struct iso_plan *plan,
                          enum iso_way *ret_nearer)
{
    int32_t worst = -1;
    double most = 0;

    for (int32_t i = 0; i < b->forks.n_gates; i++) {
        iso_decimal bound = b->problem->limits[b->forks.gates[i].limit].bound;
        iso_wide level = level_of(b, plan, &b->forks.gates[i]);
        if (level == 0 || level >= bound || (b->stage >= 0 && b->forks.gates[i].period != b->stage))
            continue;
        double up = (double)(bound - level) / (double)bound, away = fmin(up, 1 - up);
        if (worst >= 0 && away <= most)
            continue;
        worst = i;
        most = away;
        *ret_nearer = up <= 0.5 ? ISO_WAY_OPEN : ISO_WAY_SHUT;
    }
    return worst;
}

/* --- stages --- */

/* Whether no plan with these bounds can be better than the best, stage by stage. */
static bool is_beaten(const struct branches *b, const double *bounds)
{
    for (int32_t k = 0; b->best && k < b->n_tiers; k++) {
        double value = b->best->tiers[k].value, slack = CLOSE * (1 + fabs(value));
        if (b->best->tiers[k].kind == ISO_TIER_MONEY)
            slack = fmax(slack, b->gap * fabs(value));
        if (bounds[k] > value + CLOSE * (1 + fabs(value)))
            return true;
        if (bounds[k] < value - slack)
            return false;
    }
    return b->best != NULL;
}

static enum iso_status close_node(struct branches *b, const double *bounds,
                                  struct iso_error *reterr)
{
    struct leaf leaf = {0};

    for (int32_t k = 0; k < b->n_tiers; k++)
        leaf.bounds[k] = bounds[k];
    return iso_append(&b->leaves, &b->n_leaves, sizeof(leaf), &leaf) ? ISO_OK : no_memory(reterr);
}

/* The bound of a stage over all leaves that may keep to what the best plan reaches before it. One
 * that may do better before it has no bound for what comes after. */
static double least_bound(const struct branches *b, int32_t tier)
{
    double least = INFINITY;

    for (int32_t i = 0; i < b->n_leaves; i++) {
        bool keeps = true;
        for (int32_t k = 0; k < tier && keeps; k++) {
            double value = b->best->tiers[k].value;
            keeps = b->leaves[i].bounds[k] <= b->best->tiers[k].frozen;
            if (keeps && b->leaves[i].bounds[k] < value - PROVED * (1 + fabs(value)))
                return -INFINITY;
        }
        if (keeps)
            least = fmin(least, b->leaves[i].bounds[tier]);
    }
    return isinf(least) ? -INFINITY : least;
}

/* --- explanations --- */

/* A rule of a node's problem in the words of the model: a limit that keeps a gate shut comes from
 * the limit with the gate. False for a step of a price. */
static bool name_rule(const struct iso_problem *problem, struct iso_rule *rule)
{
    int32_t shut = problem->n_limits;

    if (rule->kind == ISO_RULE_BUDGET)
        return rule->a < problem->n_budgets;
    if (rule->kind != ISO_RULE_LIMIT || rule->a < problem->n_limits)
        return true;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].or_nothing && shut++ == rule->a)
            rule->a = l;
    return true;
}

/* What a node explains holds with the gates as its plan has them. That a gate is shut is a decision
 * and has no worth at the margin. */
static void keep_explanations(const struct iso_problem *problem, struct iso_plan *plan)
{
    int32_t n = 0;

    for (int32_t i = 0; i < plan->n_bindings; i++) {
        struct iso_rule rule = plan->bindings[i].rule;
        if (name_rule(problem, &rule) && rule.a == plan->bindings[i].rule.a)
            plan->bindings[n++] = plan->bindings[i];
    }
    plan->n_bindings = n;
    for (int32_t i = 0; i < plan->n_runners_up; i++)
        plan->runners_up[i].blocked =
            plan->runners_up[i].blocked && name_rule(problem, &plan->runners_up[i].blocker);
}

/* Takes everything off a plan that its node's problem proves. */
static void make_bare(struct iso_plan *plan)
{
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        struct iso_tier *tier = &plan->tiers[k];
        tier->bound = tier->checked_bound = -INFINITY;
        tier->proof = ISO_PROOF_NONE;
        tier->first_dual = tier->n_duals = 0;
    }
    for (int32_t i = 0; i < plan->n_components; i++)
        free(plan->components[i].workloads);
    plan->n_duals = plan->n_value_functions = plan->n_components = 0;
    plan->reason = ISO_REASON_FEASIBLE;
    plan->stop = ISO_STOP_NONE;
}

/* --- the tree --- */

/* A node below `node`, or the root, for the caller to settle more; NULL when memory is short. */
static struct node *push(struct branches *b, const struct node *node, const double *bounds)
{
    struct node child = {.choices = iso_calloc(iso_forks_bytes(&b->forks), 1)};

    if (!child.choices)
        return NULL;
    if (node)
        memcpy(child.choices, node->choices, iso_forks_bytes(&b->forks));
    else
        iso_forks_open(&b->forks, child.choices);
    for (int32_t k = 0; k < b->n_tiers; k++)
        child.bounds[k] = bounds ? bounds[k] : -INFINITY;
    if (iso_append(&b->nodes, &b->n_nodes, sizeof(child), &child))
        return &b->nodes[b->n_nodes - 1];
    free(child.choices);
    return NULL;
}

static enum iso_status solve_node(struct branches *b, uint8_t *choices, bool proof,
                                  struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_settled settled __attribute__((cleanup(iso_settled_fini))) = {0};
    const struct iso_options *options = &b->problem->options;

    ISO_TRY(iso_settled_init(&settled, &b->forks, choices, proof, reterr));
    settled.problem.options.time_limit_s =
        fmax(1e-3, b->end_s - b->control.now(b->control.context));
    if (!proof)
        settled.problem.options.gap = b->gap;
    if (options->work_limit > 0)
        settled.problem.options.work_limit =
            options->work_limit - b->stats.iterations - b->stats.nodes > 1
                ? options->work_limit - b->stats.iterations - b->stats.nodes
                : 1;
    ISO_TRY(iso_optimise(&settled.problem, &b->control, true, ret_plan, reterr));
    b->stats.iterations += (*ret_plan)->stats.iterations;
    b->stats.nodes += (*ret_plan)->stats.nodes + 1;
    if (options->work_limit > 0 && b->stats.iterations + b->stats.nodes >= options->work_limit)
        b->stop = ISO_STOP_WORK;
    if ((*ret_plan)->stop > ISO_STOP_GAP && (*ret_plan)->reason != ISO_REASON_OPTIMAL &&
        (*ret_plan)->reason != ISO_REASON_INFEASIBLE)
        b->stop = (*ret_plan)->stop;
    return ISO_OK;
}

/* Values a plan that keeps all rules by the original problem, and keeps it when it is better. */
static enum iso_status offer(struct branches *b, struct iso_plan **plan, struct iso_error *reterr)
{
    double values[ISO_MAX_TIERS];

    ISO_TRY(iso_plan_account(b->problem, *plan, reterr));
    for (int32_t k = 0; k < b->n_tiers; k++) {
        struct iso_tier *tier = &(*plan)->tiers[k];
        values[k] = tier->value = iso_tier_value(b->problem, *plan, tier);
        if (tier->kind == ISO_TIER_MONEY && b->problem->n_volumes > 0)
            tier->frozen = tier->value; /* the node had it by one line of the price */
    }
    if (is_beaten(b, values))
        return ISO_OK;
    iso_plan_free(b->best);
    b->best = ISO_STEAL(*plan);
    make_bare(b->best);
    keep_explanations(b->problem, b->best);
    return ISO_OK;
}

/* What of a volume the plan pays before its price by volume. */
static double volume_of(const struct iso_volume *volume, const struct iso_plan *plan)
{
    double sum = 0;

    for (int32_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_INSTANCE && volume->offerings[plan->lines[i].offering])
            sum += iso_value(iso_line_share(&plan->lines[i])) *
                   iso_line_count(&plan->lines[i], volume->periods);
    return sum;
}

/* The volume whose price the node knows least well at the plan, or -1; *ret_line: the line that
 * holds there. */
static int32_t worst_volume(const struct branches *b, const struct node *node,
                            const struct iso_plan *plan, int32_t *ret_line)
{
    int32_t worst = -1;
    double most = -1;

    for (int32_t i = 0; i < b->problem->n_volumes; i++) {
        const struct iso_volume *volume = &b->problem->volumes[i];
        const uint8_t *lines = iso_forks_lines(&b->forks, node->choices, i);
        double sum = volume_of(volume, plan);
        if (lines[0] == lines[1] || iso_volume_rises(volume))
            continue;
        int32_t line = lines[0];
        while (line < lines[1] && sum > iso_value(volume->steps[line].from))
            line++;
        double off = iso_volume_intercept(volume, line) + iso_volume_factor(volume, line) * sum -
                     iso_volume_intercept(volume, lines[0]) -
                     iso_volume_factor(volume, lines[1]) * sum;
        if (off <= most)
            continue;
        worst = i;
        most = off;
        *ret_line = line;
    }
    return worst;
}

static enum iso_status fork_gate(struct branches *b, const struct node *node, int32_t gate,
                                 enum iso_way nearer, const double *bounds,
                                 struct iso_error *reterr)
{
    const enum iso_way ways[] = {nearer == ISO_WAY_OPEN ? ISO_WAY_SHUT : ISO_WAY_OPEN, nearer};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(ways); i++) {
        struct node *child = push(b, node, bounds);
        if (!child)
            return no_memory(reterr);
        child->choices[gate] = (uint8_t)ways[i];
    }
    return ISO_OK;
}

/* The lines up to `line` and those after it; where it is the last, those before it and itself. */
static enum iso_status fork_volume(struct branches *b, const struct node *node, int32_t volume,
                                   int32_t line, const double *bounds, struct iso_error *reterr)
{
    const uint8_t *lines = iso_forks_lines(&b->forks, node->choices, volume);
    int32_t cut = line < lines[1] ? line : line - 1;

    for (int half = 0; half < 2; half++) {
        struct node *child = push(b, node, bounds);
        if (!child)
            return no_memory(reterr);
        uint8_t *left = iso_forks_lines(&b->forks, child->choices, volume);
        if ((half == 1) == (line <= cut))
            left[1] = (uint8_t)cut;
        else
            left[0] = (uint8_t)(cut + 1);
    }
    return ISO_OK;
}

/* Looks at a node's plan: closes the node, or opens the two below it. */
static enum iso_status visit(struct branches *b, const struct node *node, struct iso_plan **plan,
                             struct iso_error *reterr)
{
    double bounds[ISO_MAX_TIERS];
    enum iso_way nearer = ISO_WAY_ANY;
    int32_t volume = -1, line = 0;

    if ((*plan)->reason == ISO_REASON_INFEASIBLE)
        return ISO_OK;
    for (int32_t k = 0; k < b->n_tiers; k++) {
        bounds[k] = k < (*plan)->n_tiers ? (*plan)->tiers[k].bound : -INFINITY;
        if (k < (*plan)->n_tiers && (*plan)->tiers[k].kind == ISO_TIER_MONEY)
            bounds[k] += iso_forks_constant(&b->forks, node->choices);
    }
    if (!(*plan)->has_solution || is_beaten(b, bounds))
        return close_node(b, bounds, reterr);
    int32_t gate = worst_gate(b, *plan, &nearer);
    if (gate >= 0)
        return fork_gate(b, node, gate, nearer, bounds, reterr);
    if ((*plan)->n_tiers == b->n_tiers) {
        volume = worst_volume(b, node, *plan, &line);
        ISO_TRY(offer(b, plan, reterr));
    }
    if (volume < 0 || is_beaten(b, bounds))
        return close_node(b, bounds, reterr);
    return fork_volume(b, node, volume, line, bounds, reterr);
}

static enum iso_status search_tree(struct branches *b, const struct iso_control *control,
                                   struct iso_error *reterr)
{
    while (b->n_nodes > 0 && !b->stop) {
        struct node node = b->nodes[--b->n_nodes];
        ISO_AUTO_MEM uint8_t *choices = node.choices;
        ISO_AUTO(iso_plan) plan = NULL;
        if (is_beaten(b, node.bounds)) {
            ISO_TRY(close_node(b, node.bounds, reterr));
            continue;
        }
        ISO_TRY(solve_node(b, choices, false, &plan, reterr));
        ISO_TRY(visit(b, &node, &plan, reterr));
        if (!plan && control->incumbent && b->stage == b->last) /* it is the best now */
            control->incumbent(control->context, b->best);
        if (!b->stop && control->stop)
            b->stop = control->stop(control->context);
        if (!b->stop && control->now(control->context) >= b->end_s)
            b->stop = ISO_STOP_TIME;
    }
    for (int32_t i = 0; i < b->n_nodes; i++) /* stopped before these */
        ISO_TRY(close_node(b, b->nodes[i].bounds, reterr));
    return ISO_OK;
}

/* Whether nothing joins the periods: then what is best in one does not depend on another. */
static bool periods_are_apart(const struct branches *b)
{
    const struct iso_problem *problem = b->problem;
    bool apart = problem->n_products == 0 && problem->n_budgets == 0 && problem->n_volumes == 0 &&
                 !problem->moves.present && !iso_tail_counts(problem) && b->n_tiers == 1;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        apart &= !problem->workloads[a].ramp && !problem->workloads[a].box &&
                 problem->workloads[a].n_spread == 0 && problem->workloads[a].n_affinities == 0;
    return apart;
}

/* Settles the gates of the stage as the best plan has them, which is one of the ways to reach it.
 */
static void keep_ways(const struct branches *b, uint8_t *choices)
{
    for (int32_t i = 0; i < b->forks.n_gates; i++)
        if (b->forks.gates[i].period == b->stage)
            choices[i] =
                level_of(b, b->best, &b->forks.gates[i]) == 0 ? ISO_WAY_SHUT : ISO_WAY_OPEN;
}

/* Settles the gates of one period after the other, those of later periods asking for nothing yet:
 * the tree of each is small, where one tree for all would try every combination of the periods. */
static enum iso_status search_periods(struct branches *b, const struct iso_control *control,
                                      struct iso_error *reterr)
{
    ISO_AUTO_MEM uint8_t *choices = iso_calloc(iso_forks_bytes(&b->forks), 1);

    if (!choices)
        return no_memory(reterr);
    free(b->nodes[--b->n_nodes].choices);
    b->last = b->forks.gates[0].period;
    for (int32_t i = 0; i < b->forks.n_gates; i++)
        b->last = b->forks.gates[i].period > b->last ? b->forks.gates[i].period : b->last;
    b->gap = b->problem->options.gap / (2 * (b->last + 1));
    for (b->stage = 0; b->stage <= b->last && !b->stop; b->stage++) {
        struct node *node = push(b, NULL, NULL);
        if (!node)
            return no_memory(reterr);
        memcpy(node->choices, choices, iso_forks_bytes(&b->forks));
        if (b->best) { /* of the stage before */
            b->left_out += fmax(0, b->best->tiers[0].value - least_bound(b, 0));
            iso_plan_free(b->best);
            b->best = NULL;
        }
        b->n_leaves = 0;
        ISO_TRY(search_tree(b, control, reterr));
        if (!b->best)
            return ISO_OK;
        keep_ways(b, choices);
    }
    if (b->stage <= b->last) { /* stopped: the plan may break gates of later periods */
        iso_plan_free(b->best);
        b->best = NULL;
    }
    return ISO_OK;
}

/* --- the answer --- */

/* Gives a stage of the best plan the root's multipliers, which hold as long as the stages before it
 * are held at the same values, and the tree's bound. */
static enum iso_status prove_tier(struct branches *b, int32_t k, bool *same_before,
                                  struct iso_error *reterr)
{
    struct iso_plan *plan = b->best;
    struct iso_tier *tier = &plan->tiers[k];
    const struct iso_tier *root = k < b->root->n_tiers ? &b->root->tiers[k] : NULL;

    tier->bound = least_bound(b, k) - b->left_out;
    tier->first_dual = plan->n_duals;
    if (root && *same_before && b->root->n_value_functions == 0 &&
        root->checked_bound > -INFINITY) {
        tier->checked_bound = root->checked_bound;
        for (int32_t i = 0; i < root->n_duals; i++)
            if (!iso_append(&plan->duals, &plan->n_duals, sizeof(*plan->duals),
                            &b->root->duals[root->first_dual + i]))
                return no_memory(reterr);
        tier->n_duals = root->n_duals;
    }
    tier->bound = fmax(tier->bound, tier->checked_bound);
    if (tier->bound <= tier->checked_bound + 1e-7 * (1 + fabs(tier->checked_bound)))
        tier->bound = tier->checked_bound; /* the tree added nothing */
    if (tier->bound > -INFINITY)
        tier->proof = tier->bound > tier->checked_bound ? ISO_PROOF_SEARCH : ISO_PROOF_DUAL;
    *same_before &= root && root->frozen == tier->frozen;
    return ISO_OK;
}

static enum iso_status finish(struct branches *b, struct iso_plan **ret_plan,
                              struct iso_error *reterr)
{
    struct iso_choice choice = {ISO_STRATEGY_PLAIN_MIP,
                                "rules that hold one way or another: a tree of problems"};
    bool same_before = true;

    if (!b->best) {
        ISO_AUTO(iso_plan) none = iso_plan_new();
        struct iso_tier tier = b->root->tiers[0];
        if (!none)
            return no_memory(reterr);
        tier.proof = b->stop ? ISO_PROOF_NONE : ISO_PROOF_SEARCH;
        tier.bound = b->stop ? -INFINITY : INFINITY;
        tier.checked_bound = -INFINITY;
        tier.first_dual = tier.n_duals = 0;
        none->reason = b->stop ? ISO_REASON_NO_PLAN_FOUND : ISO_REASON_INFEASIBLE;
        none->stop = b->stop ? b->stop : ISO_STOP_NONE;
        if (!iso_append(&none->tiers, &none->n_tiers, sizeof(tier), &tier))
            return no_memory(reterr);
        none->stats = b->stats;
        ISO_TRY(iso_add_component(b->problem, choice, none, reterr));
        *ret_plan = ISO_STEAL(none);
        return ISO_OK;
    }
    for (int32_t k = 0; k < b->n_tiers; k++)
        ISO_TRY(prove_tier(b, k, &same_before, reterr));
    iso_settle_tiers(b->problem, b->best);
    if (iso_proved_optimal(b->problem, b->best)) {
        b->best->reason = ISO_REASON_OPTIMAL;
        b->stop = b->problem->options.gap > 0 ? ISO_STOP_GAP : ISO_STOP_NONE;
    }
    b->best->stop = b->stop ? b->stop : ISO_STOP_NONE;
    b->best->stats = b->stats;
    b->best->reproducible = b->problem->options.deterministic;
    ISO_TRY(iso_add_component(b->problem, choice, b->best, reterr));
    *ret_plan = ISO_STEAL(b->best);
    return ISO_OK;
}

enum iso_status iso_solve_branches(const struct iso_problem *problem,
                                   const struct iso_control *control, struct iso_plan **ret_plan,
                                   struct iso_error *reterr)
{
    struct branches b
        __attribute__((cleanup(branches_fini))) = {.problem = problem, .stage = -1, .last = -1};
    struct iso_tier tiers[ISO_MAX_TIERS];
    enum iso_way nearer;
    double begin_s = control->now(control->context);

    b.control = *control;
    b.control.incumbent = NULL; /* a node's plan may break the gates that are not settled */
    b.control.progress = NULL;
    b.end_s = begin_s + problem->options.time_limit_s;
    b.gap = problem->moves.present ? 0 : problem->options.gap; /* moves: where money is equal */
    b.n_tiers = iso_tiers_of(problem, tiers);
    ISO_TRY(iso_forks_init(&b.forks, problem, reterr));
    if (!push(&b, NULL, NULL))
        return no_memory(reterr);
    ISO_TRY(solve_node(&b, b.nodes[0].choices, true, &b.root, reterr));
    b.stats = b.root->stats;
    if (!b.root->has_solution || (problem->n_volumes == 0 && worst_gate(&b, b.root, &nearer) < 0)) {
        *ret_plan = ISO_STEAL(b.root);
        return ISO_OK;
    }
    if (b.stop && worst_gate(&b, b.root, &nearer) < 0) { /* a plan of the model, at its own price */
        ISO_TRY(iso_plan_account(problem, b.root, reterr));
        iso_settle_tiers(problem, b.root);
        b.root->reason = ISO_REASON_FEASIBLE;
        b.root->stop = b.stop;
        *ret_plan = ISO_STEAL(b.root);
        return ISO_OK;
    }
    if (periods_are_apart(&b))
        ISO_TRY(search_periods(&b, control, reterr));
    else
        ISO_TRY(search_tree(&b, control, reterr));
    b.stats.seconds = control->now(control->context) - begin_s;
    return finish(&b, ret_plan, reterr);
}
