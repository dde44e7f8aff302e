/* The bill, line by line, with what covers and fills the instances. */
#include "plan_parts.h"

#define LINE_TAG_BYTES 6 /* of a line in a plan, at most */
#define LINES_AT_ONCE 2000
#define PARTS_BYTES ((size_t)1 << 30)

static void write_coverage(const struct iso_plan_writer *writer, struct iso_line_parts *parts,
                           const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_cover **first;
    int32_t n = iso_line_covers(parts, line, &first);

    if (n == 0)
        return;
    message->coverage = (Isocost__V1__Coverage **)iso_messages_new(
        writer->arena, (size_t)n, &isocost__v1__coverage__descriptor);
    for (int32_t i = 0; message->coverage && i < n; i++) {
        message->coverage[i]->product = iso_borrow(writer->problem->products[first[i]->product].id);
        message->coverage[i]->instances = iso_decimal_to_double(first[i]->instances);
        message->n_coverage++;
    }
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

static void write_patterns(const struct iso_plan_writer *writer, struct iso_line_parts *parts,
                           const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_fill **first;
    int32_t n = iso_line_fills(parts, line, &first);

    message->patterns = (Isocost__V1__Pattern **)iso_messages_new(
        writer->arena, (size_t)n, &isocost__v1__pattern__descriptor);
    for (int32_t i = 0; message->patterns && i < n; i++) {
        write_pattern(writer, first[i], message->patterns[i]);
        message->n_patterns++;
    }
}

/* What made the price in the line's first period. */
static const char *price_note(const struct iso_plan_writer *writer, const struct iso_line *line)
{
    const struct iso_resolved *resolved = writer->resolved;
    int32_t n_scenarios = writer->problem->n_scenarios;
    int32_t n_periods = writer->problem->n_periods / (n_scenarios ? n_scenarios : 1);

    if (!resolved->price_notes)
        return "";
    return resolved->price_notes[line->offering * resolved->n_spans +
                                 resolved->span_of_period[line->period % n_periods]];
}

static void write_instances(struct iso_plan_writer *writer, struct iso_line_parts *parts,
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
    message->price_note = iso_borrow(price_note(writer, line));
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
    const struct iso_egress_note *note = iso_egress_note_find(writer->resolved, from, to);
    if (note)
        message->price_note = iso_borrow(note->text);
    message->kind = ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS;
    message->workload = iso_borrow(workload->id);
    message->team = iso_borrow(problem->teams[iso_cell_team(problem, line->cell)].id);
    message->from = iso_borrow(iso_problem_place_name(problem, from));
    message->to = iso_borrow(iso_problem_place_name(problem, to));
    message->served = iso_decimal_to_double(flow->amount);
    message->reason = iso_borrow(iso_arena_printf(writer->arena, what, workload->id, traffic->id));
}

static void write_line(struct iso_plan_writer *writer, struct iso_line_parts *parts,
                       const struct iso_line *line, Isocost__V1__PlanLine *message)
{
    const struct iso_problem *problem = writer->problem;

    message->period = iso_borrow(problem->periods[line->period].id);
    message->last_period = iso_borrow(problem->periods[line->period + line->n_periods - 1].id);
    message->place = line->period;
    message->periods = line->n_periods;
    message->quantity = iso_decimal_to_double(line->quantity);
    message->unit_price = iso_plan_money_in(writer, line->unit_price, line->currency);
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

/* Writes lines from *next on into `message`: at most as many, and no more bytes on the wire. */
static void write_some(struct iso_plan_writer *writer, struct iso_line_parts *parts, int32_t *next,
                       int32_t most_lines, size_t most_bytes, Isocost__V1__Plan *message)
{
    const struct iso_plan *plan = writer->plan;
    int32_t n = plan->n_lines - *next < most_lines ? plan->n_lines - *next : most_lines;
    size_t n_bytes = 0;

    message->lines = iso_arena_calloc(writer->arena, (size_t)n, sizeof(*message->lines));
    while (message->lines && message->n_lines < (size_t)n) {
        Isocost__V1__PlanLine *line = iso_arena_calloc(writer->arena, 1, sizeof(*line));
        if (!line)
            return;
        *line = (Isocost__V1__PlanLine)ISOCOST__V1__PLAN_LINE__INIT;
        write_line(writer, parts, &plan->lines[(*next)++], line);
        if (most_bytes < SIZE_MAX)
            n_bytes += isocost__v1__plan_line__get_packed_size(line) + LINE_TAG_BYTES;
        if (n_bytes > most_bytes)
            return;
        message->lines[message->n_lines++] = line;
    }
}

void iso_plan_write_lines(struct iso_plan_writer *writer, int32_t most_lines, size_t most_bytes)
{
    struct iso_line_parts parts;
    int32_t next = 0;

    writer->message->line_count = writer->plan->n_lines;
    if (iso_line_parts_init(writer, &parts))
        write_some(writer, &parts, &next, most_lines, most_bytes, writer->message);
}

/* Lines were measured when they were written, so they fit. */
unsigned char *iso_plan_pack_shown(const Isocost__V1__Plan *message, size_t most_line_bytes,
                                   struct iso_arena *arena, size_t *ret_n_bytes)
{
    Isocost__V1__Plan carrier = ISOCOST__V1__PLAN__INIT;
    unsigned char *bytes = iso_arena_calloc(arena, most_line_bytes, 1);

    carrier.n_lines = message->n_lines;
    carrier.lines = message->lines;
    if (bytes)
        *ret_n_bytes = isocost__v1__plan__pack(&carrier, bytes);
    return bytes;
}

/* Appends a message that holds some lines to the bytes of those before. */
static bool append(const Isocost__V1__Plan *message, unsigned char **bytes, size_t *n_bytes)
{
    size_t n = isocost__v1__plan__get_packed_size(message);
    unsigned char *longer = iso_realloc(*bytes, *n_bytes + n + 1, 1);

    if (!longer)
        return false;
    isocost__v1__plan__pack(message, longer + *n_bytes);
    *bytes = longer;
    *n_bytes += n;
    return true;
}

enum iso_status iso_plan_pack_lines(const struct iso_resolved *resolved,
                                    const struct iso_plan *plan, unsigned char **ret_bytes,
                                    size_t *ret_n_bytes, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(PARTS_BYTES);
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(1, 1);
    struct iso_plan_writer writer = {
        .resolved = resolved, .problem = &resolved->problem, .plan = plan, .arena = arena};
    struct iso_line_parts parts;
    size_t n_bytes = 0;

    if (!arena || !bytes || !iso_plan_open_reasons(&writer) ||
        !iso_line_parts_init(&writer, &parts))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the lines of the plan");
    for (int32_t next = 0; next < plan->n_lines;) {
        ISO_AUTO(iso_arena) some = iso_arena_new(PARTS_BYTES);
        Isocost__V1__Plan message = ISOCOST__V1__PLAN__INIT;
        writer.arena = some;
        if (some)
            write_some(&writer, &parts, &next, LINES_AT_ONCE, SIZE_MAX, &message);
        if (!some || iso_arena_full(some) || !append(&message, &bytes, &n_bytes))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the lines of the plan");
    }
    *ret_bytes = ISO_STEAL(bytes);
    *ret_n_bytes = n_bytes;
    return ISO_OK;
}
