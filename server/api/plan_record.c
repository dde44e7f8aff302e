/* Plans as the store has them and plans as callers see them. */
#include <stdio.h>

#include "api_internal.h"
#include "line_reader.h"

#define MAX_LIST 2000 /* entries of a list beside the lines, once a plan is too large */
#define MAX_PLAN_BYTES ((size_t)2500 << 10)
#define LINE_TAG_BYTES 6 /* of a line in a plan, at most */

enum iso_status iso_plan_lines_from_record(const struct iso_plan_record *record,
                                           struct iso_arena *arena, size_t *ret_n_lines,
                                           Isocost__V1__PlanLine ***ret_lines,
                                           struct iso_error *reterr)
{
    Isocost__V1__Plan *carrier = isocost__v1__plan__unpack(
        iso_arena_allocator(arena), record->lines.n_bytes, record->lines.bytes);

    if (!carrier)
        return iso_fail(reterr, iso_arena_full(arena) ? ISO_E_LIMIT : ISO_E_INTERNAL, "",
                        "the lines of plan %.32s cannot be read", record->id);
    *ret_n_lines = carrier->n_lines;
    *ret_lines = carrier->lines;
    return ISO_OK;
}

static void cut_lists(Isocost__V1__Plan *plan, size_t line_bytes)
{
    Isocost__V1__Plan rest = *plan;
    size_t *const lists[] = {&plan->n_unserved,      &plan->n_actions,       &plan->n_runners_up,
                             &plan->n_binding_rules, &plan->n_violations,    &plan->n_warnings,
                             &plan->n_commitments,   &plan->n_cost_by_period};

    rest.n_lines = 0;
    if (line_bytes + isocost__v1__plan__get_packed_size(&rest) <= MAX_PLAN_BYTES)
        return;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(lists); i++)
        if (*lists[i] > MAX_LIST)
            *lists[i] = MAX_LIST;
}

/* The first lines of a record, as many as take 1 MiB in a message. */
static enum iso_status read_first_lines(const struct iso_plan_record *record,
                                        struct iso_arena *arena, Isocost__V1__Plan *plan,
                                        struct iso_error *reterr)
{
    struct iso_line_reader reader = iso_line_reader(record->lines), first = reader;
    struct iso_bytes line;
    size_t n = 0, n_bytes = 0;

    while (iso_line_reader_next(&reader, &line) &&
           (n_bytes += line.n_bytes + LINE_TAG_BYTES) <= ISO_MAX_CHUNK_BYTES)
        n++;
    plan->lines = iso_arena_calloc(arena, n + 1, sizeof(*plan->lines));
    for (size_t i = 0; plan->lines && i < n && iso_line_reader_next(&first, &line); i++) {
        plan->lines[i] = iso_line_unpack(line, arena);
        if (!plan->lines[i])
            break;
        plan->n_lines++;
    }
    return reader.damaged || plan->n_lines < n ? iso_line_reader_fail(record->id, arena, reterr)
                                               : ISO_OK;
}

enum iso_status iso_plan_load(struct iso_api *api, const struct iso_principal *principal,
                              const char *id, bool with_lines, struct iso_arena *arena,
                              Isocost__V1__Plan **ret_plan, struct iso_error *reterr)
{
    struct iso_plan_record record;

    ISO_TRY(
        iso_store_get_plan(api->config.store, principal, id, with_lines, arena, &record, reterr));
    ISO_TRY(iso_plan_from_record(&record, arena, ret_plan, reterr));
    if (with_lines)
        ISO_TRY(read_first_lines(&record, arena, *ret_plan, reterr));
    cut_lists(*ret_plan, (*ret_plan)->n_lines > 0 ? ISO_MAX_CHUNK_BYTES : 0);
    return ISO_OK;
}

void iso_plan_cut(Isocost__V1__Plan *plan)
{
    size_t line_bytes = 0;

    for (size_t i = 0; i < plan->n_lines; i++) {
        size_t n_bytes = isocost__v1__plan_line__get_packed_size(plan->lines[i]) + 6;
        if (line_bytes + n_bytes > ISO_MAX_CHUNK_BYTES) {
            plan->n_lines = i;
            break;
        }
        line_bytes += n_bytes;
    }
    cut_lists(plan, line_bytes);
}

void iso_plan_cut_lists(Isocost__V1__Plan *plan)
{
    cut_lists(plan, plan->n_lines > 0 ? ISO_MAX_CHUNK_BYTES : 0);
}

char *iso_plan_labels(const Isocost__V1__Plan *plan, struct iso_arena *arena)
{
    char *text = iso_arena_strdup(arena, "");

    for (size_t i = 0; text && i < plan->n_labels; i++)
        text = iso_arena_printf(arena, "%s%s=%s\n", text, plan->labels[i]->key,
                                plan->labels[i]->value);
    return text;
}
