/* Lines of stored plans, by pages or all, as columns. */
#include <stdio.h>

#include "api_internal.h"
#include "isocost/proto/money.h"
#include "line_reader.h"
#include "message_new.h"

#define SCRATCH_BYTES ((size_t)1 << 20)
#define LINES_A_MESSAGE 2000 /* stays below 1 MiB with the longest ids */

/* --- the string table: open addressing over at most as many strings as lines hold --- */

struct strings {
    char **texts;
    uint32_t n, n_slots;
    uint32_t *slots; /* 1 + index in texts; 0 = free */
};

static uint32_t intern(struct strings *strings, char *text)
{
    uint32_t hash = 2166136261u, at;

    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (at = hash & (strings->n_slots - 1); strings->slots[at];
         at = (at + 1) & (strings->n_slots - 1))
        if (strcmp(strings->texts[strings->slots[at] - 1], text) == 0)
            return strings->slots[at] - 1;
    strings->texts[strings->n] = text;
    strings->slots[at] = ++strings->n;
    return strings->n - 1;
}

static double money_value(const Google__Type__Money *money)
{
    iso_decimal amount = 0;

    if (!money || iso_money_to_decimal(money, &amount, NULL) != ISO_OK)
        return 0;
    return iso_decimal_to_double(amount);
}

static void fill_row(Isocost__V1__LineTable *table, size_t i, struct strings *strings,
                     const Isocost__V1__PlanLine *line)
{
    static char none[] = "";
    double covered = 0;

    for (size_t c = 0; c < line->n_coverage; c++)
        covered += line->coverage[c]->instances;
    table->kind[i] = line->kind;
    table->period_index[i] = intern(strings, line->period);
    table->last_period_index[i] = intern(strings, line->last_period);
    table->place[i] = line->place;
    table->periods[i] = line->periods;
    table->workload_index[i] = intern(strings, line->workload);
    table->team_index[i] = intern(strings, line->team);
    table->offering_index[i] = intern(strings, line->offering);
    table->product_index[i] = intern(strings, line->product);
    table->from_index[i] = intern(strings, line->from);
    table->to_index[i] = intern(strings, line->to);
    table->price_note_index[i] = intern(strings, line->price_note);
    table->quantity[i] = line->quantity;
    table->unit_price[i] = money_value(line->unit_price);
    table->currency_index[i] =
        intern(strings, line->unit_price ? line->unit_price->currency_code : none);
    table->hours[i] = line->hours;
    table->cost[i] = money_value(line->cost);
    table->served[i] = line->served;
    table->covered[i] = covered;
}

static bool make_columns(Isocost__V1__LineTable *table, struct strings *strings, size_t n,
                         struct iso_arena *arena)
{
    uint32_t **const indices[] = {&table->period_index,   &table->last_period_index,
                                  &table->workload_index, &table->team_index,
                                  &table->offering_index, &table->product_index,
                                  &table->currency_index, &table->from_index,
                                  &table->to_index,       &table->price_note_index};
    size_t *const index_counts[] = {&table->n_period_index,   &table->n_last_period_index,
                                    &table->n_workload_index, &table->n_team_index,
                                    &table->n_offering_index, &table->n_product_index,
                                    &table->n_currency_index, &table->n_from_index,
                                    &table->n_to_index,       &table->n_price_note_index};
    double **const numbers[] = {&table->quantity, &table->unit_price, &table->hours,
                                &table->cost,     &table->served,     &table->covered};
    size_t *const number_counts[] = {&table->n_quantity, &table->n_unit_price, &table->n_hours,
                                     &table->n_cost,     &table->n_served,     &table->n_covered};

    for (strings->n_slots = 16; strings->n_slots < 20 * n + 2;)
        strings->n_slots *= 2;
    strings->slots = iso_arena_calloc(arena, strings->n_slots, sizeof(strings->slots[0]));
    strings->texts = iso_arena_calloc(arena, 10 * n + 1, sizeof(strings->texts[0]));
    table->kind = iso_arena_calloc(arena, n, sizeof(table->kind[0]));
    table->n_kind = n;
    table->place = iso_arena_calloc(arena, n, sizeof(table->place[0]));
    table->periods = iso_arena_calloc(arena, n, sizeof(table->periods[0]));
    table->n_place = table->n_periods = n;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(indices); i++) {
        *indices[i] = iso_arena_calloc(arena, n, sizeof(uint32_t));
        *index_counts[i] = n;
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(numbers); i++) {
        *numbers[i] = iso_arena_calloc(arena, n, sizeof(double));
        *number_counts[i] = n;
    }
    return !iso_arena_full(arena);
}

Isocost__V1__LineTable *iso_line_table(Isocost__V1__PlanLine *const *lines, size_t n_lines,
                                       struct iso_arena *arena)
{
    Isocost__V1__LineTable *table = iso_message_new(arena, &isocost__v1__line_table__descriptor);
    struct strings strings = {0};

    if (!table || !make_columns(table, &strings, n_lines, arena))
        return NULL;
    for (size_t i = 0; i < n_lines; i++)
        fill_row(table, i, &strings, lines[i]);
    table->strings = strings.texts;
    table->n_strings = strings.n;
    return table;
}

/* --- handlers --- */

/* Where the filter's period is among those of the plan; -1: nowhere. */
static enum iso_status place_filter(const struct iso_plan_record *record, struct iso_arena *arena,
                                    struct iso_line_filter *filter, struct iso_error *reterr)
{
    Isocost__V1__Plan *plan;

    if (!filter->period)
        return ISO_OK;
    ISO_TRY(iso_plan_from_record(record, arena, &plan, reterr));
    for (size_t i = 0; i < plan->n_cost_by_period && filter->place < 0; i++)
        if (strcmp(plan->cost_by_period[i]->name, filter->period) == 0)
            filter->place = (int32_t)i;
    return ISO_OK;
}

/* The lines of a stored plan, and what is asked of them. */
struct line_search {
    struct iso_plan_record record;
    struct iso_line_filter filter;
    struct iso_line_reader reader;
};

static enum iso_status open_lines(struct iso_api *api, const struct iso_principal *principal,
                                  const char *id, const char *filter, struct iso_arena *arena,
                                  struct line_search *search, struct iso_error *reterr)
{
    ISO_TRY(iso_ulid_check(id, "id", reterr));
    ISO_TRY(iso_line_filter_parse(filter, arena, &search->filter, reterr));
    ISO_TRY(iso_store_get_plan(api->config.store, principal, id, /* with_lines= */ true, arena,
                               &search->record, reterr));
    if (search->record.state < ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE)
        return iso_fail(reterr, ISO_E_PRECONDITION, "id", "plan %.32s has not ended yet", id);
    search->reader = iso_line_reader(search->record.lines);
    return place_filter(&search->record, arena, &search->filter, reterr);
}

static bool lets_all_through(const struct iso_line_filter *filter)
{
    return !filter->workload && !filter->team && !filter->offering && !filter->period &&
           !filter->provider && !filter->kind;
}

/* The next line that the filter lets through, packed; false after the last. A line becomes a
 * message only where the filter has to look at it, and then in `scratch`, which is given back now
 * and then.
 */
static bool find_line(struct line_search *search, struct iso_arena **scratch,
                      struct iso_bytes *ret_line)
{
    while (iso_line_reader_next(&search->reader, ret_line)) {
        if (lets_all_through(&search->filter))
            return true;
        if (!*scratch || iso_arena_used(*scratch) > SCRATCH_BYTES) {
            iso_arena_free(*scratch);
            *scratch = iso_arena_new(2 * SCRATCH_BYTES);
        }
        const Isocost__V1__PlanLine *line = *scratch ? iso_line_unpack(*ret_line, *scratch) : NULL;
        search->reader.damaged = !line;
        if (line && iso_line_filter_matches(&search->filter, line))
            return true;
    }
    return false;
}

/* At most `most` of the lines that are let through, after the first `begin` of them; *ret_total of
 * them there are, when `to_the_end`. */
static enum iso_status take_lines(struct line_search *search, size_t begin, size_t most,
                                  bool to_the_end, struct iso_arena *arena,
                                  Isocost__V1__PlanLine ***ret_lines, size_t *ret_n,
                                  size_t *ret_total, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = NULL;
    struct iso_bytes line;
    size_t n = 0, total = 0;

    *ret_lines = iso_arena_calloc(arena, most, sizeof(Isocost__V1__PlanLine *));
    while (*ret_lines && (to_the_end || n < most) && find_line(search, &scratch, &line)) {
        if (total++ < begin || n == most)
            continue;
        (*ret_lines)[n] = iso_line_unpack(line, arena);
        search->reader.damaged = !(*ret_lines)[n++];
    }
    if (!*ret_lines || search->reader.damaged)
        return iso_line_reader_fail(search->record.id, arena, reterr);
    *ret_n = n;
    *ret_total = total;
    return ISO_OK;
}

enum iso_status iso_list_plan_lines(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__ListPlanLinesRequest *request =
        (const Isocost__V1__ListPlanLinesRequest *)iso_call_request(call);
    const struct iso_principal *principal = iso_call_principal(call);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    Isocost__V1__ListPlanLinesResponse response = ISOCOST__V1__LIST_PLAN_LINES_RESPONSE__INIT;
    struct line_search search;
    Isocost__V1__PlanLine **lines;
    size_t n_lines, begin = 0, n;
    const char *position;
    int32_t page_size;
    char *scope;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for lines");
    scope = iso_arena_printf(arena, "ListPlanLines\n%s\n%s", request->id, request->filter);
    if (!scope)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for lines");
    ISO_TRY(iso_page_size(request->page_size, 1000, 10000, &page_size, reterr));
    ISO_TRY(iso_page_token_read(principal, scope, request->page_token, arena, &position, reterr));
    if (position[0])
        begin = strtoul(position, NULL, 10);
    ISO_TRY(open_lines(service, principal, request->id, request->filter, arena, &search, reterr));
    ISO_TRY(take_lines(&search, begin, (size_t)page_size, /* to_the_end= */ true, arena, &lines, &n,
                       &n_lines, reterr));
    response.total_count = (int64_t)n_lines;
    for (;;) {
        response.lines = iso_line_table(lines, n, arena);
        if (!response.lines)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for lines");
        if (n < 2 || isocost__v1__line_table__get_packed_size(response.lines) <= (5u << 19))
            break;
        n /= 2;
    }
    if (begin + n < n_lines) {
        response.next_page_token =
            iso_page_token_make(principal, scope, iso_arena_printf(arena, "%zu", begin + n), arena);
        if (!response.next_page_token)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a page token");
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

struct line_stream {
    struct iso_arena *arena; /* of the packed lines and the filter */
    struct line_search search;
};

static void free_line_stream(void *data)
{
    struct line_stream *stream = data;

    iso_arena_free(stream->arena);
    free(stream);
}

static enum iso_status send_lines(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct line_stream *stream = iso_call_data(call);
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)64 << 20);
    Isocost__V1__StreamPlanLinesResponse response = ISOCOST__V1__STREAM_PLAN_LINES_RESPONSE__INIT;
    Isocost__V1__PlanLine **lines;
    size_t n, total;

    (void)service;
    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for lines");
    ISO_TRY(take_lines(&stream->search, 0, LINES_A_MESSAGE, /* to_the_end= */ false, arena, &lines,
                       &n, &total, reterr));
    if (n == 0) {
        iso_call_finish(call);
        return ISO_OK;
    }
    response.lines = iso_line_table(lines, n, arena);
    if (!response.lines)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for lines");
    iso_call_send(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_stream_plan_lines(struct iso_call *call, void *service,
                                      struct iso_error *reterr)
{
    const Isocost__V1__StreamPlanLinesRequest *request =
        (const Isocost__V1__StreamPlanLinesRequest *)iso_call_request(call);
    struct line_stream *stream = iso_calloc(1, sizeof(*stream));

    if (stream)
        stream->arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    if (!stream || !stream->arena) {
        free(stream);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for lines");
    }
    iso_call_set_data(call, stream, free_line_stream);
    ISO_TRY(open_lines(service, iso_call_principal(call), request->id, request->filter,
                       stream->arena, &stream->search, reterr));
    iso_call_set_step(call, send_lines);
    return ISO_OK;
}
