#include "usage_commands.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "cost_view.h"
#include "csv_cell.h"
#include "isocost/v1/usage_service.pb-c.h"
#include "remote.h"
#include "table.h"
#include "time_option.h"

#define MEMBER(name) offsetof(struct iso_usage_options, name)
#define CALL(name, prefix) ISO_CLIENT_METHOD("isocost.v1.UsageService", name, prefix)
#define RANGE                                                                                \
    {"from", 0, ISO_OPTION_TEXT, MEMBER(from), "TIME", "begin, e.g. 2026-03 or 2026-03-01"}, \
    {                                                                                        \
        "to", 0, ISO_OPTION_TEXT, MEMBER(to), "TIME", "end, excluded"                        \
    }
#define WHOSE                                                                                 \
    {"source", 0, ISO_OPTION_TEXT, MEMBER(source), "NAME", "only of this provider instance"}, \
        {"provider", 0, ISO_OPTION_TEXT, MEMBER(provider), "WORD", "only this provider"},     \
        {"account", 0, ISO_OPTION_TEXT, MEMBER(account), "ID", "only this account"},          \
    {                                                                                         \
        "region", 0, ISO_OPTION_TEXT, MEMBER(region), "WORD", "only this region"              \
    }
#define LIMIT                                                                             \
    {                                                                                     \
        "limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 1000" \
    }

const struct iso_option iso_usage_refresh_option_rows[] = {
    ISO_COMMON_OPTIONS,
    RANGE,
    {"kind", 0, ISO_OPTION_LIST, MEMBER(kinds), "WORD",
     "usage, cost or running; again for more; default: all that the provider can"},
    {0}};
const struct iso_option iso_usage_refreshes_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 20"},
    {0}};
const struct iso_option iso_usage_costs_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"by", 0, ISO_OPTION_LIST, MEMBER(by), "WORD",
     "provider, account, service, region, category or month; again or with commas for more"},
    RANGE,
    WHOSE,
    {"service", 0, ISO_OPTION_TEXT, MEMBER(service), "NAME", "only this service"},
    {"category", 0, ISO_OPTION_TEXT, MEMBER(category), "WORD",
     "only usage, purchase, tax, credit or adjustment"},
    LIMIT,
    {0}};
const struct iso_option iso_usage_query_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"resource", 0, ISO_OPTION_TEXT, MEMBER(resource), "ID", "only this resource"},
    {"metric", 0, ISO_OPTION_TEXT, MEMBER(metric), "WORD", "only this metric, e.g. cpu_ratio"},
    RANGE,
    WHOSE,
    LIMIT,
    {0}};
const struct iso_option iso_usage_running_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"resource", 0, ISO_OPTION_TEXT, MEMBER(resource), "ID", "only this resource"},
    WHOSE,
    LIMIT,
    {0}};

/* A word's value of an enum whose names begin with `prefix`; -1 when it has none. */
static int word_value(const ProtobufCEnumDescriptor *type, const char *prefix, const char *word,
                      size_t n_bytes)
{
    for (unsigned i = 1; i < type->n_values; i++) {
        const char *name = type->values[i].name + strlen(prefix);
        if (strlen(name) == n_bytes && strncasecmp(name, word, n_bytes) == 0)
            return type->values[i].value;
    }
    return -1;
}

/* Adds the words of a list, with commas between or not. */
static enum iso_exit_code read_words(struct iso_cli *cli, const struct iso_texts *texts,
                                     const ProtobufCEnumDescriptor *type, const char *prefix,
                                     const char *option, int *values, size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < texts->n; i++)
        for (const char *word = texts->items[i]; *word;) {
            size_t n_bytes = strcspn(word, ",");
            int value = word_value(type, prefix, word, n_bytes);
            if (value < 0 || n == type->n_values) {
                fprintf(cli->err, "isocost: --%s: \"%.*s\" is not one of its words\n", option,
                        (int)n_bytes, word);
                return ISO_EXIT_USAGE;
            }
            values[n++] = value;
            word += n_bytes + (word[n_bytes] == ',');
        }
    *ret_n = n;
    return ISO_EXIT_OK;
}

static void set_text(const char *text, char **member)
{
    if (text)
        *member = (char *)text;
}

static void set_resources(const struct iso_usage_options *options,
                          Isocost__V1__ResourceFilter *filter)
{
    set_text(options->source, &filter->source);
    set_text(options->provider, &filter->provider);
    set_text(options->account, &filter->account);
    set_text(options->region, &filter->region);
    set_text(options->resource, &filter->resource);
}

/* --- refreshes --- */

static void print_refresh(struct iso_cli *cli, const Isocost__V1__UsageRefresh *refresh)
{
    struct iso_view view = iso_cli_view(cli);

    fprintf(cli->out, "%s, %s to %s: %lld costs, %lld samples of usage, %lld running\n",
            refresh->provider, refresh->from ? iso_view_time(&view, refresh->from) : "now",
            refresh->to ? iso_view_time(&view, refresh->to) : "now", (long long)refresh->cost_count,
            (long long)refresh->usage_count, (long long)refresh->running_count);
    for (size_t i = 0; i < refresh->n_diagnostics; i++) {
        const Isocost__V1__DiagnosticCount *count = refresh->diagnostics[i];
        const char *place = "", *text = "";
        for (size_t k = refresh->n_examples; k-- > 0;)
            if (strcmp(refresh->examples[k]->code, count->code) == 0 &&
                refresh->examples[k]->quarantined == count->quarantined) {
                place = refresh->examples[k]->place;
                text = refresh->examples[k]->text;
            }
        fprintf(cli->out, "  %s: %lld%s; first %s: %s\n", count->code, (long long)count->count,
                count->quarantined ? " left out" : "", place, text);
    }
}

static bool on_refresh_event(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__RefreshUsageResponse *event =
        (const Isocost__V1__RefreshUsageResponse *)message;
    struct iso_cli *cli = context;

    if (event->event_case == ISOCOST__V1__REFRESH_USAGE_RESPONSE__EVENT_PROGRESS) {
        const Isocost__V1__UsageProgress *now = event->progress;
        fprintf(cli->err, "%lld pages, %lld rows, %lld left out", (long long)now->pages,
                (long long)now->rows, (long long)now->quarantined);
        if (now->opt_seconds_left_case ==
            ISOCOST__V1__USAGE_PROGRESS__OPT_SECONDS_LEFT_SECONDS_LEFT)
            fprintf(cli->err, ", %.0f s left", now->seconds_left);
        fputc('\n', cli->err);
    } else if (event->event_case == ISOCOST__V1__REFRESH_USAGE_RESPONSE__EVENT_REFRESH) {
        if (cli->output != ISO_OUTPUT_TABLE)
            return iso_cli_print_message(cli, &event->refresh->base) == ISO_EXIT_OK;
        print_refresh(cli, event->refresh);
    }
    return true;
}

enum iso_exit_code iso_usage_refresh_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands)
{
    Isocost__V1__RefreshUsageRequest request = ISOCOST__V1__REFRESH_USAGE_REQUEST__INIT;
    const struct iso_usage_options *options = values;
    Google__Protobuf__Timestamp from, to;
    int kinds[8];

    (void)n;
    request.provider = operands[0];
    enum iso_exit_code code =
        iso_time_option_read(cli, "from", options->from, &from, &request.from);
    if (code == ISO_EXIT_OK)
        code = iso_time_option_read(cli, "to", options->to, &to, &request.to);
    if (code == ISO_EXIT_OK)
        code = read_words(cli, &options->kinds, &isocost__v1__record_kind__descriptor,
                          "RECORD_KIND_", "kind", kinds, &request.n_kinds);
    if (code != ISO_EXIT_OK)
        return code;
    request.kinds = (Isocost__V1__RecordKind *)kinds;
    return iso_remote_stream(cli, &CALL("RefreshUsage", refresh_usage), &request.base,
                             on_refresh_event, cli);
}

enum iso_exit_code iso_usage_refreshes_run(struct iso_cli *cli, const void *values, int n,
                                           char **operands)
{
    Isocost__V1__ListUsageRefreshesRequest request =
        ISOCOST__V1__LIST_USAGE_REFRESHES_REQUEST__INIT;
    const struct iso_usage_options *options = values;
    ProtobufCMessage *message;

    if (n > 0)
        request.provider = operands[0];
    request.page_size = (int32_t)options->limit;
    enum iso_exit_code code = iso_remote_call(
        cli, &CALL("ListUsageRefreshes", list_usage_refreshes), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    const Isocost__V1__ListUsageRefreshesResponse *response =
        (const Isocost__V1__ListUsageRefreshesResponse *)message;
    for (size_t i = 0; i < response->n_refreshes; i++)
        print_refresh(cli, response->refreshes[i]);
    if (response->n_refreshes == 0)
        fputs("Nothing was refreshed. `isocost usage refresh PROVIDER` does.\n", cli->err);
    return ISO_EXIT_OK;
}

/* --- lists --- */

/* As RFC 3339 has it, to the second, with a comma; NULL: empty. */
static void csv_time(const Google__Protobuf__Timestamp *time, FILE *stream)
{
    time_t seconds = time ? (time_t)time->seconds : 0;
    struct tm parts;
    char text[32] = "";

    if (time && gmtime_r(&seconds, &parts))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    iso_csv_text(text, ',', stream);
}

static enum iso_exit_code print_samples(struct iso_cli *cli,
                                        const Isocost__V1__QueryUsageResponse *response)
{
    static const struct iso_column columns[] = {
        {"START", false},  {"SECONDS", true},    {"PROVIDER", false}, {"RESOURCE", false},
        {"METRIC", false}, {"STATISTIC", false}, {"VALUE", true}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (cli->output == ISO_OUTPUT_CSV)
        fputs("start,seconds,provider,account,region,resource,metric,statistic,value\n", cli->out);
    for (size_t i = 0; table && i < response->n_samples; i++) {
        const Isocost__V1__UsageSample *s = response->samples[i];
        const char *start = iso_view_time(&view, s->start);
        const char *statistic =
            iso_view_enum(&view, &isocost__v1__usage_statistic__descriptor, (int)s->statistic);
        if (cli->output != ISO_OUTPUT_CSV) {
            iso_table_add(table,
                          (const char *[]){start, iso_view_number(&view, s->duration_seconds),
                                           s->provider, s->resource, s->metric, statistic,
                                           iso_arena_printf(cli->arena, "%.6g", s->value)});
            continue;
        }
        const char *texts[] = {s->provider, s->account, s->region,
                               s->resource, s->metric,  statistic};
        csv_time(s->start, cli->out);
        iso_csv_number(s->duration_seconds, ',', cli->out);
        for (size_t k = 0; k < ISO_ARRAY_LENGTH(texts); k++)
            iso_csv_text(texts[k], ',', cli->out);
        iso_csv_number(s->value, '\n', cli->out);
    }
    if (response->n_samples == 0)
        fputs("There are no samples.\n", cli->err);
    else if (cli->output != ISO_OUTPUT_CSV && (!table || !iso_table_print(table, cli->out)))
        return ISO_EXIT_OTHER;
    if (*response->next_page_token)
        fputs("There are more; --limit shows them.\n", cli->err);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_usage_query_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    Isocost__V1__QueryUsageRequest request = ISOCOST__V1__QUERY_USAGE_REQUEST__INIT;
    Isocost__V1__ResourceFilter filter = ISOCOST__V1__RESOURCE_FILTER__INIT;
    const struct iso_usage_options *options = values;
    Google__Protobuf__Timestamp from, to;
    ProtobufCMessage *message;

    (void)n, (void)operands;
    set_resources(options, &filter);
    request.filter = &filter;
    set_text(options->metric, &request.metric);
    request.page_size = (int32_t)options->limit;
    enum iso_exit_code code =
        iso_time_option_read(cli, "from", options->from, &from, &request.from);
    if (code == ISO_EXIT_OK)
        code = iso_time_option_read(cli, "to", options->to, &to, &request.to);
    if (code == ISO_EXIT_OK)
        code = iso_remote_call(cli, &CALL("QueryUsage", query_usage), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output == ISO_OUTPUT_JSON)
        return iso_cli_print_message(cli, message);
    return print_samples(cli, (const Isocost__V1__QueryUsageResponse *)message);
}

static enum iso_exit_code print_running(struct iso_cli *cli,
                                        const Isocost__V1__ListRunningResponse *response)
{
    static const struct iso_column columns[] = {
        {"PROVIDER", false}, {"ACCOUNT", false},  {"REGION", false}, {"RESOURCE", false},
        {"TYPE", false},     {"PURCHASE", false}, {"COUNT", true},   {"STATE", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (cli->output == ISO_OUTPUT_CSV)
        fputs("provider,account,region,resource,type,purchase,count,state\n", cli->out);
    for (size_t i = 0; table && i < response->n_resources; i++) {
        const Isocost__V1__RunningResource *r = response->resources[i];
        const char *cells[] = {
            r->provider,
            r->account,
            r->region,
            r->resource,
            r->type,
            r->purchase ? iso_view_enum(&view, &isocost__v1__purchase__descriptor, (int)r->purchase)
                        : "",
            iso_view_number(&view, r->count),
            r->state};
        if (cli->output != ISO_OUTPUT_CSV)
            iso_table_add(table, cells);
        for (size_t k = 0; k < ISO_ARRAY_LENGTH(cells) && cli->output == ISO_OUTPUT_CSV; k++)
            iso_csv_text(cells[k], k + 1 < ISO_ARRAY_LENGTH(cells) ? ',' : '\n', cli->out);
    }
    if (response->n_resources == 0)
        fputs("Nothing runs, as far as providers were asked.\n", cli->err);
    else if (cli->output != ISO_OUTPUT_CSV && (!table || !iso_table_print(table, cli->out)))
        return ISO_EXIT_OTHER;
    if (response->observed_at)
        fprintf(cli->err, "As of %s.%s\n", iso_view_time(&view, response->observed_at),
                *response->next_page_token ? " There are more; --limit shows them." : "");
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_usage_running_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands)
{
    Isocost__V1__ListRunningRequest request = ISOCOST__V1__LIST_RUNNING_REQUEST__INIT;
    Isocost__V1__ResourceFilter filter = ISOCOST__V1__RESOURCE_FILTER__INIT;
    const struct iso_usage_options *options = values;
    ProtobufCMessage *message;

    (void)n, (void)operands;
    set_resources(options, &filter);
    request.filter = &filter;
    request.page_size = (int32_t)options->limit;
    enum iso_exit_code code =
        iso_remote_call(cli, &CALL("ListRunning", list_running), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output == ISO_OUTPUT_JSON)
        return iso_cli_print_message(cli, message);
    return print_running(cli, (const Isocost__V1__ListRunningResponse *)message);
}

/* --- costs --- */

enum iso_exit_code iso_usage_costs_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    Isocost__V1__QueryCostsRequest request = ISOCOST__V1__QUERY_COSTS_REQUEST__INIT;
    Isocost__V1__CostFilter filter = ISOCOST__V1__COST_FILTER__INIT;
    const struct iso_usage_options *options = values;
    struct iso_texts category = {.n = options->category != NULL, .items = {options->category}};
    Google__Protobuf__Timestamp from, to;
    ProtobufCMessage *message;
    int by[8], categories[8];
    size_t n_categories = 0;

    (void)n, (void)operands;
    set_text(options->source, &filter.source);
    set_text(options->provider, &filter.provider);
    set_text(options->account, &filter.account);
    set_text(options->service, &filter.service);
    set_text(options->region, &filter.region);
    request.filter = &filter;
    request.page_size = (int32_t)options->limit;
    enum iso_exit_code code =
        iso_time_option_read(cli, "from", options->from, &from, &request.from);
    if (code == ISO_EXIT_OK)
        code = iso_time_option_read(cli, "to", options->to, &to, &request.to);
    if (code == ISO_EXIT_OK)
        code = read_words(cli, &options->by, &isocost__v1__cost_dimension__descriptor,
                          "COST_DIMENSION_", "by", by, &request.n_group_by);
    if (code == ISO_EXIT_OK)
        code = read_words(cli, &category, &isocost__v1__cost_category__descriptor, "COST_CATEGORY_",
                          "category", categories, &n_categories);
    if (code != ISO_EXIT_OK)
        return code;
    request.group_by = (Isocost__V1__CostDimension *)by;
    filter.category = n_categories > 0 ? (Isocost__V1__CostCategory)categories[0] : 0;
    code = iso_remote_call(cli, &CALL("QueryCosts", query_costs), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output == ISO_OUTPUT_JSON)
        return iso_cli_print_message(cli, message);
    return iso_cost_view_print(cli, &request, (const Isocost__V1__QueryCostsResponse *)message);
}
