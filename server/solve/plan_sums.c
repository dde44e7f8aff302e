/* What follows from the lines: sums, commitments, unserved demand, actions, reliances, ages. */
#include "plan_parts.h"

/* Money that belongs to no team or region, and to no provider. */
static const char shared[] = "(shared)";
static const char moves[] = "(moves)";

/* The one team that may use a product, or n_teams: shared. */
static int32_t product_team(const struct iso_problem *problem, const struct iso_product *product)
{
    int32_t team = -1;
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++) {
        if (!product->cells[cell])
            continue;
        int32_t of_cell = iso_cell_team(problem, cell);
        if (team >= 0 && team != of_cell)
            return problem->n_teams;
        team = of_cell;
    }
    return team >= 0 ? team : problem->n_teams;
}

/* Sums by name: n names, then `shared`, then `moves`. Sums of 0 are left out unless `all`. */
static void write_named(const struct iso_plan_writer *writer, const iso_decimal *sums, int32_t n,
                        const char *(*name)(const struct iso_problem *problem, int32_t index),
                        bool all, size_t *ret_n, Isocost__V1__NamedCost ***ret_costs)
{
    Isocost__V1__NamedCost **costs = (Isocost__V1__NamedCost **)iso_messages_new(
        writer->arena, (size_t)n + 2, &isocost__v1__named_cost__descriptor);
    size_t n_costs = 0;

    for (int32_t i = 0; costs && i < n + 2; i++) {
        if (sums[i] == 0 && (i >= n || !all))
            continue;
        const char *text = i < n ? name(writer->problem, i) : i == n ? shared : moves;
        costs[n_costs]->name = iso_borrow(text);
        costs[n_costs++]->cost = iso_plan_money(writer, sums[i]);
    }
    *ret_n = n_costs;
    *ret_costs = costs;
}

static const char *provider_name(const struct iso_problem *problem, int32_t index)
{
    return problem->provider_names[index];
}

static const char *region_name(const struct iso_problem *problem, int32_t index)
{
    return problem->region_names[index];
}

static const char *team_name(const struct iso_problem *problem, int32_t index)
{
    return problem->teams[index].id;
}

static const char *period_name(const struct iso_problem *problem, int32_t index)
{
    return problem->periods[index].id;
}

/* The provider that a place belongs to, or n_providers: none of them. */
static int32_t provider_of_place(const struct iso_problem *problem, int32_t place)
{
    const char *name = iso_problem_place_name(problem, place);

    for (int32_t p = 0; p < problem->n_providers; p++) {
        size_t n = strlen(problem->provider_names[p]);
        if (strncmp(name, problem->provider_names[p], n) == 0 && name[n] == '/')
            return p;
    }
    return problem->n_providers;
}

/* Which provider, region and team a line belongs to; n = shared, n + 1 = moves. */
static void place_line(const struct iso_problem *problem, const struct iso_plan *plan,
                       const struct iso_line *line, int32_t *ret_provider, int32_t *ret_region,
                       int32_t *ret_team)
{
    *ret_provider = problem->n_providers + 1;
    *ret_region = problem->n_regions + 1;
    *ret_team = problem->n_teams + 1;
    if (line->kind == ISO_LINE_INSTANCE) {
        *ret_provider = problem->offerings[line->offering].provider;
        *ret_region = problem->offerings[line->offering].region;
        *ret_team = iso_cell_team(problem, line->cell);
    } else if (line->kind == ISO_LINE_EGRESS) {
        int32_t to;
        iso_plan_egress_places(problem, plan, line, ret_region, &to);
        *ret_provider = provider_of_place(problem, *ret_region);
        if (*ret_region > problem->n_regions) /* a site */
            *ret_region = problem->n_regions;
        *ret_team = iso_cell_team(problem, line->cell);
    } else if (line->kind == ISO_LINE_VOLUME) {
        *ret_provider = problem->n_providers; /* shared */
        *ret_region = problem->n_regions;
        *ret_team = problem->n_teams;
    } else if (line->kind != ISO_LINE_MOVE) {
        const struct iso_product *product = &problem->products[line->product];
        *ret_provider = product->provider;
        *ret_region = problem->n_regions;
        *ret_team = product_team(problem, product);
    }
}

void iso_plan_write_sums(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    Isocost__V1__Plan *message = writer->message;
    struct iso_arena *arena = writer->arena;
    iso_decimal *providers =
        iso_arena_calloc(arena, (size_t)problem->n_providers + 2, sizeof(*providers));
    iso_decimal *regions =
        iso_arena_calloc(arena, (size_t)problem->n_regions + 2, sizeof(*regions));
    iso_decimal *teams = iso_arena_calloc(arena, (size_t)problem->n_teams + 2, sizeof(*teams));
    iso_decimal *periods =
        iso_arena_calloc(arena, (size_t)problem->n_periods + 2, sizeof(*periods));

    if (!providers || !regions || !teams || !periods)
        return;
    for (int32_t i = 0; i < writer->plan->n_lines; i++) {
        const struct iso_line *line = &writer->plan->lines[i];
        int32_t provider, region, team;
        place_line(problem, writer->plan, line, &provider, &region, &team);
        providers[provider] += line->cost;
        regions[region] += line->cost;
        teams[team] += line->cost;
        iso_decimal share = iso_line_share(line);
        for (int32_t t = line->period; t < line->period + line->n_periods; t++)
            periods[t] += share;
    }
    write_named(writer, providers, problem->n_providers, provider_name, false,
                &message->n_cost_by_provider, &message->cost_by_provider);
    write_named(writer, regions, problem->n_regions, region_name, false, &message->n_cost_by_region,
                &message->cost_by_region);
    write_named(writer, teams, problem->n_teams, team_name, false, &message->n_cost_by_team,
                &message->cost_by_team);
    write_named(writer, periods, problem->n_periods, period_name, true, &message->n_cost_by_period,
                &message->cost_by_period);
}

/* Hours of the term after the horizon: `hours_after` is for the first start, and what a later start
 * has less inside it has more after. */
static iso_decimal hours_after(const struct iso_plan_writer *writer,
                               const struct iso_purchase *purchase)
{
    const struct iso_product *product = &writer->problem->products[purchase->product];
    iso_decimal after =
        writer->resolved->hours_after
            ? writer->resolved->hours_after[purchase->product] + product->starts[0].hours_inside
            : product->term_hours;
    after -= product->starts[purchase->start].hours_inside;
    return after > 0 ? after : 0;
}

static void warn_of_term(struct iso_plan_writer *writer, const char *product, iso_decimal hours)
{
    Isocost__V1__Plan *message = writer->message;
    char text[ISO_DECIMAL_TEXT_SIZE];
    message->warnings[message->n_warnings++] = iso_arena_printf(
        writer->arena,
        "commitment %s runs %s hours past the horizon; the plan assumes the same load for them",
        product, iso_decimal_format(hours, text));
}

/* Needs room for a warning a purchase. */
void iso_plan_write_commitments(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->commitments = (Isocost__V1__CommitmentPurchase **)iso_messages_new(
        writer->arena, (size_t)plan->n_purchases, &isocost__v1__commitment_purchase__descriptor);
    for (int32_t i = 0; message->commitments && i < plan->n_purchases; i++) {
        const struct iso_purchase *from = &plan->purchases[i];
        const struct iso_product *product = &writer->problem->products[from->product];
        const char *currency = writer->problem->currencies[product->currency].code;
        Isocost__V1__CommitmentPurchase *to = message->commitments[i];
        iso_decimal after = hours_after(writer, from), amount;

        to->product = iso_borrow(product->id);
        to->start_period =
            iso_borrow(writer->problem->periods[product->starts[from->start].period].id);
        to->quantity = (double)from->quantity;
        if (iso_wide_to_decimal((iso_wide)product->upfront * from->quantity, &amount))
            to->upfront = iso_money_from_decimal(amount, currency, writer->arena);
        if (iso_wide_to_decimal((iso_wide)product->fee * from->quantity, &amount))
            to->hourly_fee = iso_money_from_decimal(amount, currency, writer->arena);
        to->hours_after_horizon = iso_decimal_to_double(after);
        if (after > 0)
            warn_of_term(writer, product->id, after);
        message->n_commitments++;
    }
}

void iso_plan_write_unserved(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->unserved = (Isocost__V1__Unserved **)iso_messages_new(
        writer->arena, (size_t)plan->n_unserved, &isocost__v1__unserved__descriptor);
    for (int32_t i = 0; message->unserved && i < plan->n_unserved; i++) {
        const struct iso_unserved *from = &plan->unserved[i];
        const struct iso_workload *workload = &writer->problem->workloads[from->workload];
        Isocost__V1__Unserved *to = message->unserved[i];
        to->workload = iso_borrow(workload->id);
        to->period = iso_borrow(writer->problem->periods[from->period].id);
        to->amount = iso_decimal_to_double(from->amount);
        to->demand = iso_decimal_to_double(workload->required[from->period]);
        message->n_unserved++;
    }
}

static int compare_current(const void *key, const void *element)
{
    const struct iso_line *line = key;
    const struct iso_current *current = element;
    if (line->cell != current->cell)
        return line->cell < current->cell ? -1 : 1;
    return (line->offering > current->offering) - (line->offering < current->offering);
}

static void add_action(const struct iso_plan_writer *writer, Isocost__V1__ActionKind kind,
                       const char *target, const char *user, double quantity)
{
    Isocost__V1__Action *action = writer->message->actions[writer->message->n_actions++];
    action->kind = kind;
    action->target = iso_borrow(target);
    action->user = iso_borrow(user);
    action->quantity = quantity;
}

/* Buy, then start, then stop: there is always enough running. */
void iso_plan_write_actions(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    const struct iso_moves *today = &problem->moves;
    int32_t n_current = today->present ? today->n_current : 0;
    iso_decimal *left =
        iso_arena_calloc(writer->arena, (size_t)n_current + 1, sizeof(*left)); /* in the plan */

    size_t most = (size_t)plan->n_purchases + (size_t)n_current;

    for (int32_t i = 0; today->present && i < plan->n_lines && plan->lines[i].period == 0; i++)
        most++;
    writer->message->actions = (Isocost__V1__Action **)iso_messages_new(
        writer->arena, most, &isocost__v1__action__descriptor);
    if (!writer->message->actions || !left)
        return;
    for (int32_t i = 0; i < plan->n_purchases; i++)
        add_action(writer, ISOCOST__V1__ACTION_KIND__ACTION_KIND_BUY,
                   problem->products[plan->purchases[i].product].id, "",
                   (double)plan->purchases[i].quantity);
    if (!today->present)
        return;
    for (int32_t i = 0; i < plan->n_lines && plan->lines[i].period == 0; i++) {
        const struct iso_line *line = &plan->lines[i];
        if (line->kind != ISO_LINE_INSTANCE)
            continue;
        const struct iso_current *runs =
            n_current > 0
                ? bsearch(line, today->current, (size_t)n_current, sizeof(*runs), compare_current)
                : NULL;
        double more = iso_decimal_to_double(line->quantity) - (runs ? (double)runs->count : 0);
        if (runs)
            left[runs - today->current] = line->quantity;
        if (more > 0)
            add_action(writer, ISOCOST__V1__ACTION_KIND__ACTION_KIND_START,
                       problem->offerings[line->offering].id, iso_cell_id(problem, line->cell),
                       more);
    }
    for (int32_t i = 0; i < n_current; i++) {
        const struct iso_current *runs = &today->current[i];
        double fewer = (double)runs->count - iso_decimal_to_double(left[i]);
        if (fewer > 0)
            add_action(writer, ISOCOST__V1__ACTION_KIND__ACTION_KIND_STOP,
                       problem->offerings[runs->offering].id, iso_cell_id(problem, runs->cell),
                       fewer);
    }
}

/* Most of a quota that the plan uses at once. `weights` has a value for each offering. */
static double most_used(const struct iso_plan_writer *writer, const iso_decimal *weights,
                        double *by_period)
{
    double most = 0;

    memset(by_period, 0, (size_t)writer->problem->n_periods * sizeof(*by_period));
    for (int32_t i = 0; i < writer->plan->n_lines; i++) {
        const struct iso_line *line = &writer->plan->lines[i];
        iso_decimal used;
        if (line->kind != ISO_LINE_INSTANCE || weights[line->offering] == 0 ||
            !iso_decimal_multiply(weights[line->offering], line->quantity, ISO_ROUND_HALF_EVEN,
                                  &used))
            continue;
        for (int32_t t = line->period; t < line->period + line->n_periods; t++)
            by_period[t] += iso_decimal_to_double(used);
    }
    for (int32_t t = 0; t < writer->problem->n_periods; t++)
        if (by_period[t] > most)
            most = by_period[t];
    return most;
}

void iso_plan_write_reliances(struct iso_plan_writer *writer)
{
    const struct iso_resolved *resolved = writer->resolved;
    const struct iso_problem *problem = writer->problem;
    Isocost__V1__Plan *message = writer->message;
    iso_decimal *weights =
        iso_arena_calloc(writer->arena, (size_t)problem->n_offerings + 1, sizeof(*weights));
    double *by_period =
        iso_arena_calloc(writer->arena, (size_t)problem->n_periods + 1, sizeof(*by_period));

    message->quotas_relied_on = (Isocost__V1__QuotaReliance **)iso_messages_new(
        writer->arena, (size_t)resolved->n_reliances, &isocost__v1__quota_reliance__descriptor);
    if (!message->quotas_relied_on || !weights || !by_period)
        return;
    for (int32_t i = 0; i < resolved->n_reliances; i++) {
        const struct iso_reliance *reliance = &resolved->reliances[i];
        for (int32_t k = 0; k < reliance->n_offerings; k++)
            weights[reliance->offerings[k]] = reliance->weights[k];
        double most = most_used(writer, weights, by_period);
        for (int32_t k = 0; k < reliance->n_offerings; k++)
            weights[reliance->offerings[k]] = 0;
        if (most <= 0)
            continue;
        Isocost__V1__QuotaReliance *to = message->quotas_relied_on[message->n_quotas_relied_on++];
        to->place = iso_borrow(reliance->place);
        to->metric = iso_borrow(reliance->metric);
        to->quantity = most;
        to->state = iso_borrow(reliance->state);
    }
}

/* When the price of a line was observed; 0: it is not said. */
static int64_t observed_ns(const struct iso_plan_writer *writer, const struct iso_line *line)
{
    const struct iso_egress_note *note;
    int32_t from, to;

    if (line->kind == ISO_LINE_INSTANCE)
        return writer->resolved->observed_ns ? writer->resolved->observed_ns[line->offering] : 0;
    if (line->kind != ISO_LINE_EGRESS)
        return 0;
    iso_plan_egress_places(writer->problem, writer->plan, line, &from, &to);
    note = iso_egress_note_find(writer->resolved, from, to);
    return note ? note->observed_ns : 0;
}

void iso_plan_write_age(struct iso_plan_writer *writer)
{
    const double ns_per_hour = 3600e9;
    int64_t oldest = 0;

    for (int32_t i = 0; i < writer->plan->n_lines; i++) {
        int64_t observed = observed_ns(writer, &writer->plan->lines[i]);
        if (observed > 0 && (oldest == 0 || observed < oldest))
            oldest = observed;
    }
    if (oldest == 0)
        return;
    writer->message->opt_oldest_price_hours_case =
        ISOCOST__V1__PLAN__OPT_OLDEST_PRICE_HOURS_OLDEST_PRICE_HOURS;
    if (writer->now_ns > oldest)
        writer->message->oldest_price_hours = (double)(writer->now_ns - oldest) / ns_per_hour;
}
