/* Lines of stored plans, by pages or all, as columns. */
#include <stdio.h>

#include "api_internal.h"
#include "isocost/proto/money.h"
#include "message_new.h"

#define LINES_A_MESSAGE 2000 /* stays below 1 MiB with the longest ids */

/* --- filters --- */

bool iso_filter_next(const char **text, struct iso_arena *arena, char **ret_name, char **ret_value,
                     struct iso_error *reterr)
{
    const char *begin = *text + strspn(*text, " ");
    const char *end = strstr(begin, " AND ");
    const char *equals;
    size_t n;

    if (!*begin)
        return false;
    if (!end)
        end = begin + strlen(begin);
    n = (size_t)(end - begin);
    while (n > 0 && begin[n - 1] == ' ')
        n--;
    equals = memchr(begin, '=', n);
    if (!equals || equals == begin || equals + 1 == begin + n) {
        iso_fail(reterr, ISO_E_INVALID, "filter",
                 "\"%.*s\" is not NAME=VALUE; terms are joined by AND", n > 60 ? 60 : (int)n,
                 begin);
        return false;
    }
    *ret_name = iso_arena_printf(arena, "%.*s", (int)(equals - begin), begin);
    *ret_value = iso_arena_printf(arena, "%.*s", (int)(begin + n - equals - 1), equals + 1);
    if (!*ret_name || !*ret_value) {
        iso_fail(reterr, ISO_E_LIMIT, "filter", "no memory for the filter");
        return false;
    }
    *text = *end ? end + strlen(" AND ") : end;
    return true;
}

static enum iso_status set_term(struct iso_line_filter *filter, const char *name, const char *value,
                                struct iso_error *reterr)
{
    const struct {
        const char *name;
        const char **member;
    } members[] = {{"workload", &filter->workload},
                   {"team", &filter->team},
                   {"offering", &filter->offering},
                   {"period", &filter->period},
                   {"provider", &filter->provider}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(members); i++) {
        if (strcmp(name, members[i].name) == 0) {
            *members[i].member = value;
            return ISO_OK;
        }
    }
    if (strcmp(name, "kind") != 0)
        return iso_fail(reterr, ISO_E_INVALID, "filter",
                        "\"%.60s\" is none of workload, team, offering, period, provider, kind",
                        name);
    filter->kind = iso_enum_by_name(&isocost__v1__line_kind__descriptor, "LINE_KIND_", value);
    if (!filter->kind)
        return iso_fail(reterr, ISO_E_INVALID, "filter",
                        "kind \"%.40s\" is none of INSTANCE, COMMITMENT_FEE, UPFRONT_SHARE, "
                        "EGRESS, MOVE, VOLUME",
                        value);
    return ISO_OK;
}

enum iso_status iso_line_filter_parse(const char *text, struct iso_arena *arena,
                                      struct iso_line_filter *ret_filter, struct iso_error *reterr)
{
    struct iso_error error = {0};
    char *name, *value;

    *ret_filter = (struct iso_line_filter){.place = -1};
    while (iso_filter_next(&text, arena, &name, &value, &error))
        ISO_TRY(set_term(ret_filter, name, value, reterr));
    return error.status == ISO_OK ? ISO_OK
                                  : iso_fail(reterr, error.status, error.field, "%s", error.text);
}

bool iso_line_filter_matches(const struct iso_line_filter *filter,
                             const Isocost__V1__PlanLine *line)
{
    const char *of = line->offering[0] ? line->offering
                     : line->from[0]   ? line->from
                                       : line->product;

    return (!filter->workload || strcmp(line->workload, filter->workload) == 0) &&
           (!filter->team || strcmp(line->team, filter->team) == 0) &&
           (!filter->offering || strcmp(line->offering, filter->offering) == 0) &&
           (!filter->period || strcmp(line->period, filter->period) == 0 ||
            (filter->place >= line->place && filter->place - line->place < line->periods)) &&
           (!filter->kind || (int)line->kind == filter->kind) &&
           (!filter->provider || (strncmp(of, filter->provider, strlen(filter->provider)) == 0 &&
                                  of[strlen(filter->provider)] == '/'));
}

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
    uint32_t **const indices[] = {
        &table->period_index,   &table->last_period_index, &table->workload_index,
        &table->team_index,     &table->offering_index,    &table->product_index,
        &table->currency_index, &table->from_index,        &table->to_index};
    size_t *const index_counts[] = {
        &table->n_period_index,   &table->n_last_period_index, &table->n_workload_index,
        &table->n_team_index,     &table->n_offering_index,    &table->n_product_index,
        &table->n_currency_index, &table->n_from_index,        &table->n_to_index};
    double **const numbers[] = {&table->quantity, &table->unit_price, &table->hours,
                                &table->cost,     &table->served,     &table->covered};
    size_t *const number_counts[] = {&table->n_quantity, &table->n_unit_price, &table->n_hours,
                                     &table->n_cost,     &table->n_served,     &table->n_covered};

    for (strings->n_slots = 16; strings->n_slots < 18 * n + 2;)
        strings->n_slots *= 2;
    strings->slots = iso_arena_calloc(arena, strings->n_slots, sizeof(strings->slots[0]));
    strings->texts = iso_arena_calloc(arena, 9 * n + 1, sizeof(strings->texts[0]));
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

/* The lines of a stored plan that the filter lets through. */
static enum iso_status load_lines(struct iso_api *api, const struct iso_principal *principal,
                                  const char *id, const char *filter_text, struct iso_arena *arena,
                                  Isocost__V1__PlanLine ***ret_lines, size_t *ret_n_lines,
                                  struct iso_error *reterr)
{
    struct iso_line_filter filter;
    struct iso_plan_record record;
    Isocost__V1__PlanLine **lines;
    size_t n_lines, n_kept = 0;

    ISO_TRY(iso_ulid_check(id, "id", reterr));
    ISO_TRY(iso_line_filter_parse(filter_text, arena, &filter, reterr));
    ISO_TRY(iso_store_get_plan(api->config.store, principal, id, /* with_lines= */ true, arena,
                               &record, reterr));
    if (record.state < ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE)
        return iso_fail(reterr, ISO_E_PRECONDITION, "id", "plan %.32s has not ended yet", id);
    ISO_TRY(place_filter(&record, arena, &filter, reterr));
    ISO_TRY(iso_plan_lines_from_record(&record, arena, &n_lines, &lines, reterr));
    for (size_t i = 0; i < n_lines; i++)
        if (iso_line_filter_matches(&filter, lines[i]))
            lines[n_kept++] = lines[i];
    *ret_lines = lines;
    *ret_n_lines = n_kept;
    return ISO_OK;
}

enum iso_status iso_list_plan_lines(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__ListPlanLinesRequest *request =
        (const Isocost__V1__ListPlanLinesRequest *)iso_call_request(call);
    const struct iso_principal *principal = iso_call_principal(call);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    Isocost__V1__ListPlanLinesResponse response = ISOCOST__V1__LIST_PLAN_LINES_RESPONSE__INIT;
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
    ISO_TRY(load_lines(service, principal, request->id, request->filter, arena, &lines, &n_lines,
                       reterr));
    if (begin > n_lines)
        begin = n_lines;
    n = n_lines - begin < (size_t)page_size ? n_lines - begin : (size_t)page_size;
    response.total_count = (int64_t)n_lines;
    for (;;) {
        response.lines = iso_line_table(lines + begin, n, arena);
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
    struct iso_arena *arena;
    Isocost__V1__PlanLine **lines;
    size_t n_lines, next;
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
    size_t n = stream->n_lines - stream->next;

    (void)service;
    if (n == 0) {
        iso_call_finish(call);
        return ISO_OK;
    }
    if (n > LINES_A_MESSAGE)
        n = LINES_A_MESSAGE;
    response.lines = arena ? iso_line_table(stream->lines + stream->next, n, arena) : NULL;
    if (!response.lines)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for lines");
    stream->next += n;
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
    ISO_TRY(load_lines(service, iso_call_principal(call), request->id, request->filter,
                       stream->arena, &stream->lines, &stream->n_lines, reterr));
    iso_call_set_step(call, send_lines);
    return ISO_OK;
}
