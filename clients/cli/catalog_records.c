/* `isocost catalog overlays` and `isocost catalog egress`. */
#include <stddef.h>
#include <string.h>

#include "catalog_commands.h"
#include "isocost/proto/json.h"
#include "isocost/v1/catalog_service.pb-c.h"
#include "remote.h"
#include "table.h"

#define MEMBER(name) offsetof(struct iso_catalog_options, name)

const struct iso_option iso_catalog_overlays_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"snapshot", 0, ISO_OPTION_TEXT, MEMBER(snapshot), "DIGEST", "default: the newest"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 100"},
    {0}};
const struct iso_option iso_catalog_egress_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"provider", 0, ISO_OPTION_TEXT, MEMBER(provider), "WORD", "only this provider's"},
    {"snapshot", 0, ISO_OPTION_TEXT, MEMBER(snapshot), "DIGEST", "default: the newest"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 100"},
    {0}};

static void say_shown(struct iso_cli *cli, size_t n, int64_t n_all, const char *what, bool more)
{
    fprintf(cli->err, "%zu of %lld %s%s\n", n, (long long)n_all, what,
            more ? "; --limit shows more" : "");
}

/* What an overlay makes of an offering. */
static const char *change_of(const struct iso_view *view, const Isocost__V1__Overlay *overlay)
{
    if (overlay->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE)
        return iso_view_exact(view, overlay->price);
    if (overlay->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR)
        return iso_arena_printf(view->arena, "x %.9g", overlay->price_factor);
    if (overlay->status)
        return iso_view_enum(view, &isocost__v1__offering_status__descriptor, (int)overlay->status);
    return overlay->opt_availability_case ? "availability" : overlay->carbon_case ? "carbon" : "";
}

/* The selector as JSON; the caller frees it. */
static char *selector_text(const Isocost__V1__Overlay *overlay)
{
    char *text = NULL;

    if (overlay->offerings && overlay->offerings->n_include + overlay->offerings->n_exclude > 0)
        iso_json_write(&overlay->offerings->base, 0, &text, NULL);
    return text;
}

static enum iso_exit_code print_overlays(struct iso_cli *cli,
                                         const Isocost__V1__ListOverlaysResponse *response)
{
    static const struct iso_column columns[] = {{"#", true},      {"NOTE", false},
                                                {"CHANGE", true}, {"FROM", false},
                                                {"UNTIL", false}, {"OFFERINGS", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (!table)
        return ISO_EXIT_OTHER;
    for (size_t i = 0; i < response->n_overlays; i++) {
        const Isocost__V1__Overlay *overlay = response->overlays[i];
        ISO_AUTO_MEM char *selector = selector_text(overlay);
        iso_table_add(table,
                      (const char *[]){iso_view_number(&view, (double)(i + 1)), overlay->note,
                                       change_of(&view, overlay), overlay->valid_from,
                                       overlay->valid_until, selector ? selector : "all"});
    }
    if (response->n_overlays > 0 && !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    say_shown(cli, response->n_overlays, response->total_count, "overlays",
              *response->next_page_token != '\0');
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_overlays_run(struct iso_cli *cli, const void *values, int n,
                                            char **operands)
{
    Isocost__V1__ListOverlaysRequest request = ISOCOST__V1__LIST_OVERLAYS_REQUEST__INIT;
    const struct iso_catalog_options *options = values;
    ProtobufCMessage *message;

    (void)n, (void)operands;
    request.page_size = (int32_t)options->limit;
    if (options->snapshot)
        request.snapshot_digest = (char *)options->snapshot;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("ListOverlays", list_overlays), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    return print_overlays(cli, (const Isocost__V1__ListOverlaysResponse *)message);
}

static enum iso_exit_code print_rates(struct iso_cli *cli,
                                      const Isocost__V1__ListEgressRatesResponse *response)
{
    static const struct iso_column columns[] = {
        {"SENDS", false}, {"TO", false},    {"FROM GB", true},   {"PRICE/GB", true},
        {"FROM", false},  {"UNTIL", false}, {"OBSERVED", false}, {"SOURCE", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (!table)
        return ISO_EXIT_OTHER;
    for (size_t i = 0; i < response->n_rates; i++) {
        const Isocost__V1__EgressRate *rate = response->rates[i];
        iso_table_add(
            table, (const char *[]){
                       iso_arena_printf(cli->arena, "%s/%s", rate->provider, rate->region),
                       rate->to, iso_view_number(&view, rate->from_gb),
                       iso_view_exact(&view, rate->price_per_gb), rate->valid_from,
                       rate->valid_until, iso_view_time(&view, rate->observed_at), rate->source});
    }
    if (response->n_rates > 0 && !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    say_shown(cli, response->n_rates, response->total_count, "rates of egress",
              *response->next_page_token != '\0');
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_egress_run(struct iso_cli *cli, const void *values, int n,
                                          char **operands)
{
    Isocost__V1__ListEgressRatesRequest request = ISOCOST__V1__LIST_EGRESS_RATES_REQUEST__INIT;
    const struct iso_catalog_options *options = values;
    ProtobufCMessage *message;

    (void)n, (void)operands;
    request.page_size = (int32_t)options->limit;
    if (options->provider)
        request.provider = (char *)options->provider;
    if (options->snapshot)
        request.snapshot_digest = (char *)options->snapshot;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("ListEgressRates", list_egress_rates), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    return print_rates(cli, (const Isocost__V1__ListEgressRatesResponse *)message);
}
