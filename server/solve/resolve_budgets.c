/* What runs today and what it costs to change it; budgets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_internal.h"

static int compare_current(const void *a, const void *b)
{
    const struct iso_current *left = a, *right = b;

    if (left->cell != right->cell)
        return left->cell < right->cell ? -1 : 1;
    return (left->offering > right->offering) - (left->offering < right->offering);
}

static enum iso_status fill_current(struct iso_resolve *r, struct iso_moves *moves,
                                    struct iso_error *reterr)
{
    const Isocost__V1__CurrentPlacement *message = r->model->current;
    struct iso_current *current =
        iso_arena_calloc(r->arena, message->n_instances, sizeof(*current));
    struct iso_names ids = {.arena = r->arena};
    char path[ISO_PATH_SIZE];

    if (!current)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < r->n_kept; i++)
        if (iso_names_add(&ids, r->kept[i].view.id) < 0)
            return iso_resolve_full(reterr);
    for (size_t i = 0; i < message->n_instances; i++) {
        const Isocost__V1__CurrentInstances *instances = message->instances[i];
        bool team = instances->user_case == ISOCOST__V1__CURRENT_INSTANCES__USER_TEAM;
        const char *id = iso_offering_id_fold(instances->offering, r->arena);
        int32_t offering = id ? iso_names_find(&ids, id) : -1;
        if (offering < 0) {
            iso_check_path(path, "model.current", "instances", i);
            strncat(path, ".offering", sizeof(path) - strlen(path) - 1);
            iso_violations_add(r->violations, path,
                               "\"%.128s\" is neither in the catalog nor in the model's offerings",
                               instances->offering);
            continue;
        }
        current[moves->n_current++] = (struct iso_current){
            .cell = team ? r->problem->n_workloads + iso_names_find(&r->teams, instances->team)
                         : iso_names_find(&r->workloads, instances->workload),
            .offering = offering,
            .count = (int64_t)floor(instances->count),
        };
    }
    qsort(current, (size_t)moves->n_current, sizeof(*current), compare_current);
    moves->current = current;
    return ISO_OK;
}

enum iso_status iso_resolve_current(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__CurrentPlacement *message = r->model->current;
    struct iso_moves *moves = &r->problem->moves;

    moves->maximum = -1;
    if (!message)
        return ISO_OK;
    if (r->level_hour && r->problem->n_periods > 1)
        iso_violations_add(r->violations, "model.current", ISO_NOT_SERVED,
                           "current with several load levels");
    moves->present = true;
    if (message->opt_maximum_moves_case)
        moves->maximum = (int64_t)floor(message->maximum_moves);
    iso_resolve_to_base(r, message->start_cost, false, "model.current.start_cost",
                        &moves->start_cost);
    iso_resolve_to_base(r, message->stop_cost, false, "model.current.stop_cost", &moves->stop_cost);
    iso_resolve_to_base(r, message->move_cost, false, "model.current.move_cost", &moves->move_cost);
    ISO_TRY(fill_current(r, moves, reterr));
    moves->forced_stops = iso_forced_stops(r->problem);
    return ISO_OK;
}

static enum iso_basis basis_of(const Isocost__V1__Budget *budget)
{
    switch (budget->basis) {
    case ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_LIST:
        return ISO_BASIS_LIST;
    case ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_AMORTISED:
        return ISO_BASIS_AMORTISED;
    case ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_CASH:
        return ISO_BASIS_CASH;
    default:
        return budget->scope_case == ISOCOST__V1__BUDGET__SCOPE_TEAM ? ISO_BASIS_LIST
                                                                     : ISO_BASIS_AMORTISED;
    }
}

/* What counts in a budget while it is filled. */
struct scope {
    uint8_t *offerings, *cells, *products, *places;
};

/* A commitment counts for a team when only that team may use it. */
static bool is_of_cells(const struct iso_problem *problem, const struct iso_product *product,
                        const uint8_t *cells)
{
    bool any = false;

    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++) {
        if (product->cells[cell] && !cells[cell])
            return false;
        any |= product->cells[cell] != 0;
    }
    return any;
}

/* A commitment counts for offerings when all that it can cover is among them. */
static bool is_of_offerings(const struct iso_product *product, const uint8_t *offerings)
{
    for (int32_t i = 0; i < product->n_eligible; i++)
        if (!offerings[product->eligible[i].offering])
            return false;
    return product->n_eligible > 0;
}

static void scope_everything(const struct iso_problem *problem, struct scope *scope)
{
    memset(scope->offerings, 1, (size_t)problem->n_offerings);
    memset(scope->cells, 1, (size_t)iso_problem_n_cells(problem));
    memset(scope->products, 1, (size_t)problem->n_products);
    memset(scope->places, 1, (size_t)iso_problem_n_places(problem));
}

static void scope_provider(struct iso_resolve *r, const char *name, struct scope *scope)
{
    const struct iso_problem *problem = r->problem;
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *folded = iso_provider_fold(name, buffer);
    int32_t provider = iso_names_find(&r->providers, folded ? folded : name);

    for (int32_t o = 0; o < problem->n_offerings; o++)
        scope->offerings[o] = problem->offerings[o].provider == provider;
    for (int32_t c = 0; c < problem->n_products; c++)
        scope->products[c] = problem->products[c].provider == provider;
    for (int32_t p = 0; p < iso_problem_n_places(problem); p++) {
        const char *place = iso_problem_place_name(problem, p), *word = folded ? folded : name;
        size_t n = strlen(word);
        scope->places[p] = strncmp(place, word, n) == 0 && place[n] == '/';
    }
}

static void scope_team(struct iso_resolve *r, const char *name, struct scope *scope)
{
    const struct iso_problem *problem = r->problem;
    int32_t team = iso_names_find(&r->teams, name);

    memset(scope->cells, 0, (size_t)iso_problem_n_cells(problem));
    for (int32_t a = 0; a < problem->n_workloads; a++)
        scope->cells[a] = !problem->workloads[a].replicas && problem->workloads[a].team == team;
    if (team >= 0)
        scope->cells[problem->n_workloads + team] = 1;
    for (int32_t c = 0; c < problem->n_products; c++)
        scope->products[c] = is_of_cells(problem, &problem->products[c], scope->cells);
}

static enum iso_status fill_scope(struct iso_resolve *r, const Isocost__V1__Budget *message,
                                  struct iso_budget *budget, struct iso_error *reterr)
{
    const struct iso_problem *problem = r->problem;
    struct scope scope = {
        .offerings = iso_arena_calloc(r->arena, (size_t)problem->n_offerings, 1),
        .cells = iso_arena_calloc(r->arena, (size_t)iso_problem_n_cells(problem), 1),
        .products = iso_arena_calloc(r->arena, (size_t)problem->n_products, 1),
        .places = iso_arena_calloc(r->arena, (size_t)iso_problem_n_places(problem), 1),
    };
    bool any = false;

    if (!scope.offerings || !scope.cells || !scope.products || !scope.places)
        return iso_resolve_full(reterr);
    scope_everything(problem, &scope);
    if (message->scope_case == ISOCOST__V1__BUDGET__SCOPE_PROVIDER) {
        scope_provider(r, message->provider, &scope);
    } else if (message->scope_case == ISOCOST__V1__BUDGET__SCOPE_TEAM) {
        scope_team(r, message->team, &scope);
    } else if (message->scope_case == ISOCOST__V1__BUDGET__SCOPE_OFFERINGS) {
        const struct iso_selector *set = iso_selector_compile(message->offerings, r->scratch);
        if (!set)
            return iso_resolve_full(reterr);
        memset(scope.places, 0, (size_t)iso_problem_n_places(problem));
        for (int32_t o = 0; o < problem->n_offerings; o++)
            scope.offerings[o] = iso_selector_matches(set, &r->kept[o].view);
        for (int32_t c = 0; c < problem->n_products; c++)
            scope.products[c] = is_of_offerings(&problem->products[c], scope.offerings);
    }
    for (int32_t o = 0; o < problem->n_offerings; o++)
        any |= scope.offerings[o] != 0;
    if (!any)
        iso_resolve_warn(r, "budget %s: its scope matches no usable offering", message->id);
    budget->offerings = scope.offerings;
    budget->cells = scope.cells;
    budget->products = scope.products;
    budget->places = scope.places;
    budget->moves = message->scope_case == ISOCOST__V1__BUDGET__SCOPE__NOT_SET;
    return ISO_OK;
}

static uint8_t *window_flags(struct iso_resolve *r, const Isocost__V1__BudgetWindow *message)
{
    if (!r->level_hour)
        return iso_resolve_period_flags(r, message->periods, message->n_periods);
    uint8_t *flags = iso_arena_calloc(r->arena, (size_t)r->problem->n_periods, 1);
    int32_t end = message->to_hour == 0 ? r->out->n_hours : message->to_hour;
    for (int32_t t = 0; flags && t < r->problem->n_periods; t++)
        flags[t] = r->level_hour[t] >= message->from_hour && r->level_hour[t] < end;
    return flags;
}

/* How much what runs today would spend above the amount, at list price, or 0. */
static iso_decimal overspent_today(struct iso_resolve *r, const struct iso_budget *budget,
                                   const struct iso_window *window)
{
    const struct iso_problem *problem = r->problem;
    iso_wide sum = 0;
    iso_decimal today = 0, spent;

    for (int32_t i = 0; i < problem->moves.n_current; i++) {
        const struct iso_current *now = &problem->moves.current[i];
        if (!budget->offerings[now->offering] || !budget->cells[now->cell])
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++) {
            iso_decimal factors[] = {
                iso_problem_price(problem, now->offering, t),
                now->count * ISO_DECIMAL_ONE, /* at most 9223372036, see iso_check_whole() */
                problem->periods[t].hours,
                iso_problem_rate(problem, problem->offerings[now->offering].currency,
                                 window->currency, t),
            };
            if (!window->periods[t])
                continue;
            if (!iso_decimal_product(factors, 4, &spent))
                return ISO_DECIMAL_MAX;
            sum += spent;
        }
    }
    if (sum <= window->amount)
        return 0;
    return iso_wide_to_decimal(sum - window->amount, &today) ? today : ISO_DECIMAL_MAX;
}

/* Keeps the part of the amount that the hours inside the horizon have of all hours of the window.
 */
static void prorate(const struct iso_resolve *r, const Isocost__V1__BudgetWindow *message,
                    struct iso_window *window)
{
    iso_wide inside = 0, all = 0;

    if (r->level_hour) {
        inside = r->out->n_hours - message->from_hour;
        all = message->to_hour > 0 ? message->to_hour - message->from_hour : inside;
    } else {
        for (int32_t t = 0; t < r->problem->n_periods; t++)
            inside += window->periods[t] ? r->problem->periods[t].hours : 0;
        all = message->hours > 0 ? iso_number(message->hours) : inside;
    }
    if (all > inside)
        window->amount = (iso_decimal)((iso_wide)window->amount * inside / all);
}

static enum iso_status fill_windows(struct iso_resolve *r, const Isocost__V1__Budget *message,
                                    struct iso_budget *budget, struct iso_error *reterr)
{
    struct iso_window *windows = iso_arena_calloc(r->arena, message->n_windows, sizeof(*windows));
    bool needs_today = budget->policy == ISO_POLICY_PREFER || budget->policy == ISO_POLICY_DEFAULT;

    if (!windows)
        return iso_resolve_full(reterr);
    for (size_t w = 0; w < message->n_windows; w++) {
        const Google__Type__Money *amount = message->windows[w]->amount;
        iso_decimal spent = 0;
        windows[w].periods = window_flags(r, message->windows[w]);
        if (!windows[w].periods)
            return iso_resolve_full(reterr);
        windows[w].currency = iso_names_find(&r->currencies, amount->currency_code);
        iso_money_to_decimal(amount, &windows[w].amount, NULL);
        if (w == 0 && message->spent_already)
            iso_money_to_decimal(message->spent_already, &spent, NULL);
        if (spent > windows[w].amount)
            iso_resolve_warn(r, "budget %s: more is spent already than its first window has",
                             message->id);
        windows[w].amount = spent > windows[w].amount ? 0 : windows[w].amount - spent;
        prorate(r, message->windows[w], &windows[w]);
        if (needs_today)
            windows[w].today = overspent_today(r, budget, &windows[w]);
    }
    budget->n_windows = (int32_t)message->n_windows;
    budget->windows = windows;
    return ISO_OK;
}

static enum iso_status fill_budget(struct iso_resolve *r, size_t index, struct iso_budget *budget,
                                   struct iso_error *reterr)
{
    const Isocost__V1__Budget *message = r->model->budgets[index];

    budget->id = message->id;
    budget->basis = basis_of(message);
    budget->policy = iso_resolve_policy(message->policy);
    ISO_TRY(fill_scope(r, message, budget, reterr));
    ISO_TRY(fill_windows(r, message, budget, reterr));
    if (budget->policy == ISO_POLICY_DEFAULT && !r->model->current)
        iso_resolve_warn(r, "budget %s: without a current placement DEFAULT may not be broken",
                         message->id);
    return ISO_OK;
}

/* The windows of the budget with `from` more in each, in the window's currency. No spend is higher
 * than the highest decimal. NULL when the arena is full. */
static struct iso_window *raise_windows(struct iso_resolve *r, const struct iso_budget *budget,
                                        iso_decimal from)
{
    size_t n = (size_t)budget->n_windows;
    struct iso_window *windows = iso_arena_calloc(r->arena, n, sizeof(*windows));

    for (size_t w = 0; windows && w < n; w++) {
        windows[w] = budget->windows[w];
        if (!iso_wide_to_decimal((iso_wide)windows[w].amount + from, &windows[w].amount))
            windows[w].amount = ISO_DECIMAL_MAX;
    }
    return windows;
}

/* Adds the budget, once for each step of its price. */
static enum iso_status add_budget(struct iso_resolve *r, size_t index, struct iso_budget *budgets,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Policy *policy = r->model->budgets[index]->policy;
    struct iso_budget budget = {0};
    struct iso_penalty_step *steps = NULL;
    char path[ISO_PATH_SIZE];
    int32_t n_steps = 0;

    ISO_TRY(fill_budget(r, index, &budget, reterr));
    if (budget.policy != ISO_POLICY_SOFT) {
        budgets[r->problem->n_budgets++] = budget;
        return ISO_OK;
    }
    snprintf(path, sizeof(path), "model.budgets[%zu].policy", index);
    ISO_TRY(iso_resolve_penalty(r, policy, path, &steps, &n_steps, reterr));
    for (int32_t i = 0; i < n_steps; i++) {
        struct iso_budget step = budget;
        step.price = steps[i].adds;
        step.later_step = i > 0;
        step.windows = raise_windows(r, &budget, steps[i].from);
        if (!step.windows)
            return iso_resolve_full(reterr);
        budgets[r->problem->n_budgets++] = step;
    }
    return ISO_OK;
}

enum iso_status iso_resolve_budgets(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    size_t n_most = model->n_budgets;

    for (size_t i = 0; i < model->n_budgets; i++)
        n_most += model->budgets[i]->policy ? model->budgets[i]->policy->n_steps : 0;
    struct iso_budget *budgets = iso_arena_calloc(r->arena, n_most, sizeof(*budgets));
    if (!budgets)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < model->n_budgets; i++)
        if (!model->budgets[i]->disabled)
            ISO_TRY(add_budget(r, i, budgets, reterr));
    r->problem->budgets = budgets;
    return ISO_OK;
}
