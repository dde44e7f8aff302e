/* `isocost catalog diff`: what became cheaper, dearer, new, gone. */
#include <stddef.h>
#include <string.h>

#include "catalog_commands.h"
#include "isocost/v1/catalog_service.pb-c.h"
#include "remote.h"
#include "table.h"

#define MEMBER(name) offsetof(struct iso_catalog_options, name)

const struct iso_option iso_catalog_diff_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"only", 0, ISO_OPTION_TEXT, MEMBER(only), "WORD", "new, gone, cheaper, dearer or other"},
    {"provider", 0, ISO_OPTION_TEXT, MEMBER(provider), "WORD", "only this provider"},
    {"region", 0, ISO_OPTION_TEXT, MEMBER(region), "WORD", "only this region"},
    {"type", 0, ISO_OPTION_TEXT, MEMBER(type), "WORD", "only this type; may end in *"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 100"},
    {0}};

static const char *const words[] = {"", "new", "gone", "cheaper", "dearer", "other"};

static bool read_difference(struct iso_cli *cli, const char *word,
                            Isocost__V1__OfferingDifference *ret_difference)
{
    for (size_t i = 1; i < ISO_ARRAY_LENGTH(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret_difference = (Isocost__V1__OfferingDifference)i;
            return true;
        }
    }
    fprintf(cli->err,
            "isocost: --only: \"%s\" is not allowed; new, gone, cheaper, dearer or other is\n",
            word);
    return false;
}

static const char *word_of(Isocost__V1__OfferingDifference difference)
{
    return (size_t)difference < ISO_ARRAY_LENGTH(words) ? words[difference] : "?";
}

static void add_change(struct iso_cli *cli, const struct iso_view *view, struct iso_table *table,
                       const Isocost__V1__SnapshotChange *change)
{
    iso_table_add(
        table,
        (const char *[]){
            change->offering, word_of(change->difference),
            change->price_before ? iso_view_exact(view, change->price_before) : "",
            change->price_after ? iso_view_exact(view, change->price_after) : "",
            change->ratio != 0 ? iso_arena_printf(cli->arena, "%+.2f %%", 100 * change->ratio) : "",
            iso_view_words(view, change->n_fields, change->fields)});
}

static enum iso_exit_code print_diff(struct iso_cli *cli,
                                     const Isocost__V1__DiffSnapshotsResponse *response)
{
    static const struct iso_column columns[] = {{"WHAT", false},  {"IS", false},
                                                {"BEFORE", true}, {"NOW", true},
                                                {"CHANGE", true}, {"DIFFERS IN", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    if (!table)
        return ISO_EXIT_OTHER;
    for (size_t i = 0; i < response->n_changes; i++)
        add_change(cli, &view, table, response->changes[i]);
    for (size_t i = 0; i < response->n_egress_rate_changes; i++)
        add_change(cli, &view, table, response->egress_rate_changes[i]);
    for (size_t i = 0; i < response->n_overlay_changes; i++)
        add_change(cli, &view, table, response->overlay_changes[i]);
    if (response->n_changes + response->n_egress_rate_changes + response->n_overlay_changes > 0 &&
        !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    if (response->overlays_reordered)
        fputs("The overlays are the same in another order.\n", cli->out);
    fprintf(cli->err, "From %s to %s:", response->from_digest, response->to_digest);
    for (size_t i = 0; i < response->n_counts; i++)
        fprintf(cli->err, " %lld %s,", (long long)response->counts[i]->count,
                word_of(response->counts[i]->difference));
    fprintf(cli->err, " %lld the same%s\n", (long long)response->same_count,
            *response->next_page_token ? "; --limit shows more" : "");
    return ISO_EXIT_OK;
}

static bool has_changes(const Isocost__V1__DiffSnapshotsResponse *response)
{
    for (size_t i = 0; i < response->n_counts; i++)
        if (response->counts[i]->count > 0)
            return true;
    return response->n_egress_rate_changes > 0 || response->n_overlay_changes > 0 ||
           response->overlays_reordered;
}

enum iso_exit_code iso_catalog_diff_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    Isocost__V1__DiffSnapshotsRequest request = ISOCOST__V1__DIFF_SNAPSHOTS_REQUEST__INIT;
    Isocost__V1__SelectorTerm term = ISOCOST__V1__SELECTOR_TERM__INIT;
    Isocost__V1__Selector selector = ISOCOST__V1__SELECTOR__INIT;
    const struct iso_catalog_options *options = values;
    ProtobufCMessage *message;

    if (options->only && !read_difference(cli, options->only, &request.difference))
        return ISO_EXIT_USAGE;
    iso_catalog_set_word(&options->provider, &term.provider, &term.n_provider);
    iso_catalog_set_word(&options->region, &term.region, &term.n_region);
    iso_catalog_set_word(&options->type, &term.type, &term.n_type);
    selector.n_include = 1;
    selector.include = (Isocost__V1__SelectorTerm *[]){&term};
    if (term.n_provider + term.n_region + term.n_type > 0)
        request.selector = &selector;
    request.page_size = (int32_t)options->limit;
    if (n > 0)
        request.from_digest = operands[0];
    if (n > 1)
        request.to_digest = operands[1];
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_CATALOG("DiffSnapshots", diff_snapshots), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__DiffSnapshotsResponse *response =
        (const Isocost__V1__DiffSnapshotsResponse *)message;
    code = cli->output == ISO_OUTPUT_TABLE ? print_diff(cli, response)
                                           : iso_cli_print_message(cli, message);
    return code == ISO_EXIT_OK && has_changes(response) ? ISO_EXIT_DIFFERENT : code;
}
