#include "catalog_commands.h"

#include <stddef.h>
#include <string.h>

#include "catalog_import.h"
#include "remote.h"
#include "table.h"

#define MEMBER(name) offsetof(struct iso_catalog_options, name)

const struct iso_option iso_catalog_import_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"replace-all", 0, ISO_OPTION_FLAG, MEMBER(replace_all), NULL,
     "the new snapshot has only these files; else other providers stay"},
    {"sample", 0, ISO_OPTION_FLAG, MEMBER(sample), NULL,
     "import the sample catalog (dated, illustrative) instead of files"},
    {0}};
const struct iso_option iso_catalog_list_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"provider", 0, ISO_OPTION_TEXT, MEMBER(provider), "WORD", "only this provider"},
    {"region", 0, ISO_OPTION_TEXT, MEMBER(region), "WORD", "only this region"},
    {"family", 0, ISO_OPTION_TEXT, MEMBER(family), "WORD", "only this family"},
    {"type", 0, ISO_OPTION_TEXT, MEMBER(type), "WORD", "only this type; may end in *"},
    {"purchase", 0, ISO_OPTION_TEXT, MEMBER(purchase), "WORD", "on-demand or spot"},
    {"snapshot", 0, ISO_OPTION_TEXT, MEMBER(snapshot), "DIGEST", "default: the newest"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 100"},
    {0}};
const struct iso_option iso_catalog_diagnostics_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"code", 0, ISO_OPTION_TEXT, MEMBER(code), "CODE", "only this code, e.g. zero_price"},
    {"snapshot", 0, ISO_OPTION_TEXT, MEMBER(snapshot), "DIGEST", "default: the newest"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 100"},
    {0}};

static enum iso_exit_code print_snapshot(struct iso_cli *cli, const Isocost__V1__Snapshot *snapshot)
{
    struct iso_view view = iso_cli_view(cli);

    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &snapshot->base);
    fprintf(cli->out,
            "Snapshot %s\n%lld offerings, %lld products, %lld quotas, %lld overlays, %lld rates of "
            "egress of %lld rows; oldest price %s\n",
            snapshot->digest, (long long)snapshot->offering_count,
            (long long)snapshot->product_count, (long long)snapshot->quota_count,
            (long long)snapshot->overlay_count, (long long)snapshot->egress_rate_count,
            (long long)snapshot->row_count, iso_view_time(&view, snapshot->oldest_observation));
    for (size_t i = 0; i < snapshot->n_diagnostics; i++)
        fprintf(cli->out, "%s: %lld rows%s\n", snapshot->diagnostics[i]->code,
                (long long)snapshot->diagnostics[i]->count,
                snapshot->diagnostics[i]->quarantined ? " left out" : "");
    if (snapshot->n_diagnostics > 0)
        fputs("`isocost catalog diagnostics` tells the rows.\n", cli->err);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_import_run(struct iso_cli *cli, const void *values, int n,
                                          char **operands)
{
    const struct iso_catalog_options *options = values;
    Isocost__V1__Snapshot *snapshot;

    if ((n > 0) == options->sample) {
        fputs("isocost: catalog import: name files, or --sample for the sample catalog\n",
              cli->err);
        return ISO_EXIT_USAGE;
    }
    enum iso_exit_code code =
        options->sample ? iso_catalog_import_sample(cli, &snapshot)
                        : iso_catalog_import(cli, n, operands, options->replace_all, &snapshot);
    return code == ISO_EXIT_OK ? print_snapshot(cli, snapshot) : code;
}

static enum iso_exit_code set_purchase(struct iso_cli *cli, const char *word,
                                       Isocost__V1__Purchase *value,
                                       Isocost__V1__SelectorTerm *term)
{
    if (!word)
        return ISO_EXIT_OK;
    if (strcmp(word, "on-demand") == 0) {
        *value = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND;
    } else if (strcmp(word, "spot") == 0) {
        *value = ISOCOST__V1__PURCHASE__PURCHASE_SPOT;
    } else {
        fprintf(cli->err, "isocost: --purchase: \"%s\" is neither on-demand nor spot\n", word);
        return ISO_EXIT_USAGE;
    }
    term->purchase = value;
    term->n_purchase = 1;
    return ISO_EXIT_OK;
}

static void add_offering(const struct iso_view *view, struct iso_table *table,
                         const Isocost__V1__Offering *offering)
{
    const Isocost__V1__Resources *has = offering->resources;
    const char *id = iso_arena_printf(
        view->arena, "%s/%s/%s/%s/%s/%s", offering->provider, offering->region, offering->zone,
        offering->type, offering->os,
        iso_view_enum(view, &isocost__v1__purchase__descriptor, (int)offering->purchase));

    iso_table_add(
        table,
        (const char *[]){
            id,
            has && has->opt_vcpu_case == ISOCOST__V1__RESOURCES__OPT_VCPU_VCPU
                ? iso_view_number(view, has->vcpu)
                : "",
            has && has->opt_memory_gib_case == ISOCOST__V1__RESOURCES__OPT_MEMORY_GIB_MEMORY_GIB
                ? iso_view_number(view, has->memory_gib)
                : "",
            has && has->opt_gpu_case == ISOCOST__V1__RESOURCES__OPT_GPU_GPU && has->gpu > 0
                ? iso_view_number(view, has->gpu)
                : "",
            iso_view_exact(view, offering->price), iso_view_time(view, offering->observed_at),
            offering->source});
}

static enum iso_exit_code print_offerings(struct iso_cli *cli,
                                          const Isocost__V1__ListOfferingsResponse *response)
{
    static const struct iso_column columns[] = {
        {"OFFERING", false}, {"VCPU", true},      {"MEMORY GIB", true}, {"GPU", true},
        {"PRICE", true},     {"OBSERVED", false}, {"SOURCE", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (!table)
        return ISO_EXIT_OTHER;
    for (size_t i = 0; i < response->n_offerings; i++)
        add_offering(&view, table, response->offerings[i]);
    if (response->n_offerings > 0 && !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    fprintf(cli->err, "%zu of %lld offerings%s\n", response->n_offerings,
            (long long)response->total_count,
            *response->next_page_token ? "; --limit shows more" : "");
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_list_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    Isocost__V1__ListOfferingsRequest request = ISOCOST__V1__LIST_OFFERINGS_REQUEST__INIT;
    Isocost__V1__SelectorTerm term = ISOCOST__V1__SELECTOR_TERM__INIT;
    Isocost__V1__Selector selector = ISOCOST__V1__SELECTOR__INIT;
    const struct iso_catalog_options *options = values;
    Isocost__V1__Purchase purchase;
    ProtobufCMessage *response;

    (void)n, (void)operands;
    iso_catalog_set_word(&options->provider, &term.provider, &term.n_provider);
    iso_catalog_set_word(&options->region, &term.region, &term.n_region);
    iso_catalog_set_word(&options->family, &term.family, &term.n_family);
    iso_catalog_set_word(&options->type, &term.type, &term.n_type);
    enum iso_exit_code code = set_purchase(cli, options->purchase, &purchase, &term);
    if (code != ISO_EXIT_OK)
        return code;
    selector.n_include = 1;
    selector.include = (Isocost__V1__SelectorTerm *[]){&term};
    request.selector = &selector;
    request.page_size = (int32_t)options->limit;
    if (options->snapshot)
        request.snapshot_digest = (char *)options->snapshot;
    code = iso_remote_call(cli, &ISO_CLIENT_CATALOG("ListOfferings", list_offerings), &request.base,
                           &response);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, response);
    return print_offerings(cli, (const Isocost__V1__ListOfferingsResponse *)response);
}

enum iso_exit_code iso_catalog_snapshots_run(struct iso_cli *cli, const void *values, int n,
                                             char **operands)
{
    static const struct iso_column columns[] = {{"SNAPSHOT", false}, {"MADE", false},
                                                {"OFFERINGS", true}, {"PRODUCTS", true},
                                                {"QUOTAS", true},    {"OLDEST PRICE", false}};
    Isocost__V1__ListSnapshotsRequest request = ISOCOST__V1__LIST_SNAPSHOTS_REQUEST__INIT;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);
    ProtobufCMessage *message;

    (void)values, (void)n, (void)operands;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("ListSnapshots", list_snapshots), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    const Isocost__V1__ListSnapshotsResponse *response =
        (const Isocost__V1__ListSnapshotsResponse *)message;
    for (size_t i = 0; table && i < response->n_snapshots; i++) {
        const Isocost__V1__Snapshot *row = response->snapshots[i];
        iso_table_add(table, (const char *[]){row->digest, iso_view_time(&view, row->create_time),
                                              iso_view_number(&view, (double)row->offering_count),
                                              iso_view_number(&view, (double)row->product_count),
                                              iso_view_number(&view, (double)row->quota_count),
                                              iso_view_time(&view, row->oldest_observation)});
    }
    if (response->n_snapshots == 0)
        fputs("There are no snapshots. `isocost catalog import FILES` makes one.\n", cli->err);
    else if (!table || !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_diagnostics_run(struct iso_cli *cli, const void *values, int n,
                                               char **operands)
{
    static const struct iso_column columns[] = {
        {"PLACE", false}, {"CODE", false}, {"ROW", false}, {"FOUND", false}};
    Isocost__V1__ListDiagnosticsRequest request = ISOCOST__V1__LIST_DIAGNOSTICS_REQUEST__INIT;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    const struct iso_catalog_options *options = values;
    ProtobufCMessage *message;

    (void)n, (void)operands;
    request.page_size = (int32_t)options->limit;
    if (options->code)
        request.code = (char *)options->code;
    if (options->snapshot)
        request.snapshot_digest = (char *)options->snapshot;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("ListDiagnostics", list_diagnostics), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    const Isocost__V1__ListDiagnosticsResponse *response =
        (const Isocost__V1__ListDiagnosticsResponse *)message;
    for (size_t i = 0; table && i < response->n_diagnostics; i++) {
        const Isocost__V1__Diagnostic *row = response->diagnostics[i];
        iso_table_add(table, (const char *[]){row->place, row->code,
                                              row->quarantined ? "left out" : "kept", row->text});
    }
    if (response->n_diagnostics == 0)
        fputs("Nothing was wrong.\n", cli->err);
    else if (!table || !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_providers_run(struct iso_cli *cli, const void *values, int n,
                                             char **operands)
{
    static const struct iso_column columns[] = {{"PROVIDER", false},  {"PLUGIN", false},
                                                {"STATE", false},     {"CAN", false},
                                                {"LAST GOOD", false}, {"LAST ERROR", false}};
    Isocost__V1__ListProvidersRequest request = ISOCOST__V1__LIST_PROVIDERS_REQUEST__INIT;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);
    ProtobufCMessage *message;

    (void)values, (void)n, (void)operands;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("ListProviders", list_providers), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    const Isocost__V1__ListProvidersResponse *response =
        (const Isocost__V1__ListProvidersResponse *)message;
    for (size_t i = 0; table && i < response->n_providers; i++) {
        const Isocost__V1__Provider *row = response->providers[i];
        iso_table_add(
            table,
            (const char *[]){
                row->name, iso_arena_printf(cli->arena, "%s %s", row->plugin, row->plugin_version),
                iso_view_enum(&view, &isocost__v1__provider_state__descriptor, (int)row->state),
                iso_view_words(&view, row->n_capabilities, row->capabilities),
                iso_view_time(&view, row->last_success), row->last_error});
    }
    if (response->n_providers == 0)
        fputs("No provider is configured.\n", cli->err);
    else if (!table || !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    return ISO_EXIT_OK;
}

static void print_progress(struct iso_cli *cli, const Isocost__V1__RefreshProgress *progress)
{
    fprintf(cli->err, "%s: %lld pages, %lld rows, %lld left out", progress->provider,
            (long long)progress->pages, (long long)progress->rows,
            (long long)progress->quarantined);
    if (progress->seconds_left > 0)
        fprintf(cli->err, ", about %.0f s left", progress->seconds_left);
    fputc('\n', cli->err);
}

static bool on_refresh_event(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__RefreshCatalogResponse *event =
        (const Isocost__V1__RefreshCatalogResponse *)message;
    struct iso_cli *cli = context;

    if (event->event_case == ISOCOST__V1__REFRESH_CATALOG_RESPONSE__EVENT_PROGRESS)
        print_progress(cli, event->progress);
    if (event->event_case == ISOCOST__V1__REFRESH_CATALOG_RESPONSE__EVENT_SNAPSHOT)
        print_snapshot(cli, event->snapshot);
    return true;
}

enum iso_exit_code iso_catalog_refresh_run(struct iso_cli *cli, const void *values, int n,
                                           char **operands)
{
    Isocost__V1__RefreshCatalogRequest request = ISOCOST__V1__REFRESH_CATALOG_REQUEST__INIT;

    (void)values;
    if (n > 0)
        request.provider = operands[0];
    return iso_remote_stream(cli, &ISO_CLIENT_CATALOG("RefreshCatalog", refresh_catalog),
                             &request.base, on_refresh_event, cli);
}
