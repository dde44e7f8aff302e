/* Alternatives: what each costs, what it uses instead, and its lines. */
#include "plan_parts.h"

#define MOST_LINES 500

/* Flags what a plan uses: offerings that run, then products that are bought. */
static uint8_t *find_used(const struct iso_plan_writer *writer, const struct iso_plan *plan)
{
    const struct iso_problem *problem = writer->problem;
    size_t n = (size_t)problem->n_offerings + (size_t)problem->n_products;
    uint8_t *used = iso_arena_calloc(writer->arena, n + 1, 1);

    for (int32_t i = 0; used && i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_INSTANCE)
            used[plan->lines[i].offering] = 1;
    for (int32_t i = 0; used && i < plan->n_purchases; i++)
        used[problem->n_offerings + plan->purchases[i].product] = 1;
    return used;
}

/* Ids of the things that are in `these` and not in `those`. */
static char **difference(const struct iso_plan_writer *writer, const uint8_t *these,
                         const uint8_t *those, size_t *ret_n)
{
    const struct iso_problem *problem = writer->problem;
    int32_t n = problem->n_offerings + problem->n_products;
    char **ids = iso_arena_calloc(writer->arena, (size_t)n + 1, sizeof(*ids));

    *ret_n = 0;
    for (int32_t j = 0; ids && j < n; j++)
        if (these[j] && !those[j])
            ids[(*ret_n)++] = iso_borrow(j < problem->n_offerings
                                             ? problem->offerings[j].id
                                             : problem->products[j - problem->n_offerings].id);
    return ids;
}

static double objective_of(const struct iso_plan *plan)
{
    return iso_decimal_to_double(plan->cost) + iso_decimal_to_double(plan->penalties) +
           iso_decimal_to_double(plan->risk);
}

/* Lines and commitments come from the pieces that write the plan's own. */
static void write_bill(const struct iso_plan_writer *writer, const struct iso_plan *plan,
                       Isocost__V1__Alternative *to)
{
    struct iso_plan_writer own = *writer;

    own.plan = plan;
    own.message = iso_message_new(writer->arena, &isocost__v1__plan__descriptor);
    if (!own.message)
        return;
    own.message->warnings = iso_arena_calloc(writer->arena, (size_t)plan->n_purchases + 1,
                                             sizeof(*own.message->warnings));
    if (!own.message->warnings || !iso_plan_open_reasons(&own))
        return;
    iso_plan_write_lines(&own, MOST_LINES, SIZE_MAX);
    iso_plan_write_commitments(&own);
    to->line_count = own.message->line_count;
    to->n_lines = own.message->n_lines;
    to->lines = own.message->lines;
    to->n_commitments = own.message->n_commitments;
    to->commitments = own.message->commitments;
}

void iso_plan_write_alternatives(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;
    const uint8_t *mine = find_used(writer, plan);

    message->alternatives = (Isocost__V1__Alternative **)iso_messages_new(
        writer->arena, (size_t)plan->n_alternatives, &isocost__v1__alternative__descriptor);
    for (int32_t i = 0; mine && message->alternatives && i < plan->n_alternatives; i++) {
        const struct iso_plan *from = plan->alternatives[i];
        Isocost__V1__Alternative *to = message->alternatives[message->n_alternatives++];
        const uint8_t *its = find_used(writer, from);
        iso_decimal objective;
        if (!its)
            return;
        to->cost = iso_plan_money(writer, from->cost);
        if (iso_wide_to_decimal((iso_wide)from->cost + from->penalties + from->risk, &objective))
            to->objective = iso_plan_money(writer, objective);
        if (objective_of(plan) > 0)
            to->dearer_by = objective_of(from) / objective_of(plan) - 1;
        to->adds = difference(writer, its, mine, &to->n_adds);
        to->does_without = difference(writer, mine, its, &to->n_does_without);
        write_bill(writer, from, to);
    }
}
