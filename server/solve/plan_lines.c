/* The bill, line by line, with what covers and fills the instances. */
#include "plan_parts.h"

/* Covers and fills in the order of the lines, so that one pass finds each line's. */
struct line_parts {
    const struct iso_cover **covers; /* by (period, cell, offering) */
    const struct iso_fill **fills;   /* by (period, team, offering) */
};

static int compare3(int32_t a1, int32_t a2, int32_t a3, int32_t b1, int32_t b2, int32_t b3)
{
    if (a1 != b1)
        return a1 < b1 ? -1 : 1;
    if (a2 != b2)
        return a2 < b2 ? -1 : 1;
    return (a3 > b3) - (a3 < b3);
}

static int compare_covers(const void *left, const void *right)
{
    const struct iso_cover *a = *(const struct iso_cover *const *)left;
    const struct iso_cover *b = *(const struct iso_cover *const *)right;
    int order = compare3(a->period, a->cell, a->offering, b->period, b->cell, b->offering);
    return order ? order : (a->product > b->product) - (a->product < b->product);
}

static int compare_fills(const void *left, const void *right)
{
    const struct iso_fill *a = *(const struct iso_fill *const *)left;
    const struct iso_fill *b = *(const struct iso_fill *const *)right;
    int order = compare3(a->period, a->team, a->offering, b->period, b->team, b->offering);
    return order ? order : (a->first_entry > b->first_entry) - (a->first_entry < b->first_entry);
}

static bool sort_parts(const struct iso_plan_writer *writer, struct line_parts *ret_parts)
{
    const struct iso_plan *plan = writer->plan;
    struct line_parts parts = {
        iso_arena_calloc(writer->arena, (size_t)plan->n_covers + 1, sizeof(*parts.covers)),
        iso_arena_calloc(writer->arena, (size_t)plan->n_fills + 1, sizeof(*parts.fills))};

    if (!parts.covers || !parts.fills)
        return false;
    for (int32_t i = 0; i < plan->n_covers; i++)
        parts.covers[i] = &plan->covers[i];
    for (int32_t i = 0; i < plan->n_fills; i++)
        parts.fills[i] = &plan->fills[i];
    qsort(parts.covers, (size_t)plan->n_covers, sizeof(*parts.covers), compare_covers);
    qsort(parts.fills, (size_t)plan->n_fills, sizeof(*parts.fills), compare_fills);
    *ret_parts = parts;
    return true;
}

static int order_cover(const struct iso_cover *cover, const struct iso_line *line)
{
    return compare3(cover->period, cover->cell, cover->offering, line->period, line->cell,
                    line->offering);
}

/* First of the sorted covers that is not before the line. */
static int32_t first_cover(const struct iso_plan *plan, const struct line_parts *parts,
                           const struct iso_line *line)
{
    int32_t low = 0, high = plan->n_covers;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (order_cover(parts->covers[middle], line) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void write_coverage(const struct iso_plan_writer *writer, const struct line_parts *parts,
                           const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_plan *plan = writer->plan;
    int32_t first = first_cover(plan, parts, line), n = 0;

    while (first + n < plan->n_covers && order_cover(parts->covers[first + n], line) == 0)
        n++;
    if (n == 0)
        return;
    message->coverage = (Isocost__V1__Coverage **)iso_messages_new(
        writer->arena, (size_t)n, &isocost__v1__coverage__descriptor);
    for (int32_t i = 0; message->coverage && i < n; i++) {
        const struct iso_cover *cover = parts->covers[first + i];
        message->coverage[i]->product = iso_borrow(writer->problem->products[cover->product].id);
        message->coverage[i]->instances = iso_decimal_to_double(cover->instances);
        message->n_coverage++;
    }
}

static int order_fill(const struct iso_fill *fill, const struct iso_line *line, int32_t team)
{
    return compare3(fill->period, fill->team, fill->offering, line->period, team, line->offering);
}

static int32_t first_fill(const struct iso_plan *plan, const struct line_parts *parts,
                          const struct iso_line *line, int32_t team)
{
    int32_t low = 0, high = plan->n_fills;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (order_fill(parts->fills[middle], line, team) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void write_pattern(const struct iso_plan_writer *writer, const struct iso_fill *fill,
                          Isocost__V1__Pattern *pattern)
{
    pattern->instances = fill->instances;
    pattern->entries = (Isocost__V1__PatternEntry **)iso_messages_new(
        writer->arena, (size_t)fill->n_entries, &isocost__v1__pattern_entry__descriptor);
    for (int32_t e = 0; pattern->entries && e < fill->n_entries; e++) {
        const struct iso_fill_entry *entry = &writer->plan->entries[fill->first_entry + e];
        pattern->entries[e]->workload = iso_borrow(writer->problem->workloads[entry->workload].id);
        pattern->entries[e]->count = entry->count;
        pattern->n_entries++;
    }
}

static void write_patterns(const struct iso_plan_writer *writer, const struct line_parts *parts,
                           const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_plan *plan = writer->plan;
    int32_t team = line->cell - writer->problem->n_workloads;
    int32_t first = first_fill(plan, parts, line, team), n = 0;

    while (first + n < plan->n_fills && order_fill(parts->fills[first + n], line, team) == 0)
        n++;
    message->patterns = (Isocost__V1__Pattern **)iso_messages_new(
        writer->arena, (size_t)n, &isocost__v1__pattern__descriptor);
    for (int32_t i = 0; message->patterns && i < n; i++) {
        write_pattern(writer, parts->fills[first + i], message->patterns[i]);
        message->n_patterns++;
    }
}

static void write_instances(struct iso_plan_writer *writer, const struct line_parts *parts,
                            const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_problem *problem = writer->problem;

    message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE;
    if (line->cell < problem->n_workloads)
        message->workload = iso_borrow(problem->workloads[line->cell].id);
    else
        write_patterns(writer, parts, line, message);
    message->team = iso_borrow(problem->teams[iso_cell_team(problem, line->cell)].id);
    message->offering = iso_borrow(problem->offerings[line->offering].id);
    message->served = iso_decimal_to_double(line->served);
    message->reason = iso_borrow(iso_plan_reason(writer, line));
    if (line->covered > 0)
        write_coverage(writer, parts, line, message);
}

static const char *move_reason(int32_t kind)
{
    static const char *const reasons[] = {"cost of starting instances",
                                          "cost of stopping instances", "cost of moves"};
    return kind >= 0 && (size_t)kind < ISO_ARRAY_LENGTH(reasons) ? reasons[kind] : "";
}

static const char *volume_reason(const struct iso_plan_writer *writer, int32_t step)
{
    const struct iso_problem *problem = writer->problem;
    char from[ISO_DECIMAL_TEXT_SIZE];
    int32_t i = 0;

    while (i < problem->n_volumes && step >= problem->volumes[i].n_steps)
        step -= problem->volumes[i++].n_steps;
    if (i == problem->n_volumes || step < 0)
        return "";
    const struct iso_volume_step *at = &problem->volumes[i].steps[step];
    return iso_arena_printf(
        writer->arena, "price by volume %s: %.9g times the price for what is beyond %s %s",
        problem->volumes[i].id, iso_decimal_to_double(at->factor),
        iso_decimal_format(at->from, from), problem->currencies[problem->base_currency].code);
}

static void write_egress(const struct iso_plan_writer *writer, const struct iso_line *line,
                         Isocost__V1__PlanLine *message)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_flow *flow = &writer->plan->flows[line->start / ISO_N_DIRECTIONS];
    const struct iso_workload *workload = &problem->workloads[flow->workload];
    const struct iso_traffic *traffic = &workload->traffic[flow->traffic];
    const char *what = traffic->other < 0 ? "data between %s and the sources of its demand, %s"
                                          : "data between %s and a workload that it asks, %s";
    int32_t from, to;

    iso_plan_egress_places(problem, writer->plan, line, &from, &to);
    message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS;
    message->workload = iso_borrow(workload->id);
    message->team = iso_borrow(problem->teams[iso_cell_team(problem, line->cell)].id);
    message->from = iso_borrow(iso_problem_place_name(problem, from));
    message->to = iso_borrow(iso_problem_place_name(problem, to));
    message->served = iso_decimal_to_double(flow->amount);
    message->reason = iso_borrow(iso_arena_printf(writer->arena, what, workload->id, traffic->id));
}

static void write_line(struct iso_plan_writer *writer, const struct line_parts *parts,
                       const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_problem *problem = writer->problem;

    message->period = iso_borrow(problem->periods[line->period].id);
    message->quantity = iso_decimal_to_double(line->quantity);
    message->unit_price = iso_money_from_decimal(
        line->unit_price, problem->currencies[line->currency].code, writer->arena);
    message->hours = iso_decimal_to_double(line->hours);
    message->rate = iso_decimal_to_double(line->rate);
    message->cost = iso_plan_money(writer, line->cost);
    switch (line->kind) {
    case ISO_LINE_INSTANCE:
        write_instances(writer, parts, line, message);
        break;
    case ISO_LINE_FEE:
        message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_COMMITMENT_FEE;
        message->product = iso_borrow(problem->products[line->product].id);
        message->reason = iso_borrow("fee of the commitments held and bought, used or not");
        break;
    case ISO_LINE_UPFRONT:
        message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_UPFRONT_SHARE;
        message->product = iso_borrow(problem->products[line->product].id);
        message->reason = iso_borrow("the part of the upfront that falls in the horizon");
        break;
    case ISO_LINE_MOVE:
        message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_MOVE;
        message->reason = iso_borrow(move_reason(line->start));
        break;
    case ISO_LINE_EGRESS:
        write_egress(writer, line, message);
        break;
    case ISO_LINE_VOLUME:
        message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_VOLUME;
        message->reason = iso_borrow(volume_reason(writer, line->start));
        break;
    }
}

void iso_plan_write_lines(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;
    struct line_parts parts;

    message->line_count = plan->n_lines;
    message->lines = (Isocost__V1__PlanLine **)iso_messages_new(
        writer->arena, (size_t)plan->n_lines, &isocost__v1__plan_line__descriptor);
    if (!message->lines || !sort_parts(writer, &parts))
        return;
    for (int32_t i = 0; i < plan->n_lines; i++)
        write_line(writer, &parts, &plan->lines[i], message->lines[i]);
    message->n_lines = (size_t)plan->n_lines;
}
