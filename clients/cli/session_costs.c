/* What a session and its revisions are, and what they cost. */
#include <stdlib.h>
#include <string.h>

#include "evaluation_view.h"
#include "remote.h"
#include "session_actions.h"
#include "table.h"

#define TEXT_BYTES_MAX 60 /* of a revision's changes in a table */

typedef Isocost__V1__Session Session;

static enum iso_exit_code out_of_memory(struct iso_cli *cli)
{
    fputs("isocost: out of memory\n", cli->err);
    return ISO_EXIT_OTHER;
}

/* --- what a revision costs --- */

/* The changes on the way to a revision. NULL: memory is short. */
static Isocost__V1__Scenario *scenario_of(struct iso_cli *cli, const Session *session,
                                          int32_t revision)
{
    Isocost__V1__Scenario *scenario = iso_arena_calloc(cli->arena, 1, sizeof(*scenario));
    size_t n = 0, at;

    if (!scenario)
        return NULL;
    isocost__v1__scenario__init(scenario);
    for (int32_t r = revision; r > 0; r = session->revisions[r - 1]->parent)
        n += session->revisions[r - 1]->n_changes;
    scenario->name = iso_arena_printf(cli->arena, "revision %d", revision);
    scenario->changes = iso_arena_calloc(cli->arena, n + 1, sizeof(*scenario->changes));
    if (!scenario->name || !scenario->changes)
        return NULL;
    scenario->n_changes = at = n;
    for (int32_t r = revision; r > 0; r = session->revisions[r - 1]->parent) {
        const Isocost__V1__SessionRevision *step = session->revisions[r - 1];
        at -= step->n_changes;
        for (size_t i = 0; i < step->n_changes; i++) {
            /* a change is given once: as a text */
            Isocost__V1__Change *change = iso_arena_calloc(cli->arena, 1, sizeof(*change));
            if (!change)
                return NULL;
            isocost__v1__change__init(change);
            change->text = step->changes[i]->text;
            scenario->changes[at + i] = change;
        }
    }
    return scenario;
}

/* Solves revisions of a session in one call. */
static enum iso_exit_code solve_revisions(struct iso_cli *cli, const Session *session,
                                          const int32_t *revisions, size_t n,
                                          struct iso_evaluation_results *ret_results)
{
    Isocost__V1__EvaluateScenariosRequest request = ISOCOST__V1__EVALUATE_SCENARIOS_REQUEST__INIT;
    Isocost__V1__ModelRef model = ISOCOST__V1__MODEL_REF__INIT;
    Isocost__V1__SessionRef reference = ISOCOST__V1__SESSION_REF__INIT;
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};

    reference.id = session->id;
    reference.opt_revision_case = ISOCOST__V1__SESSION_REF__OPT_REVISION_REVISION;
    model.ref_case = ISOCOST__V1__MODEL_REF__REF_SESSION;
    model.session = &reference;
    request.model = &model;
    request.scenarios = iso_arena_calloc(cli->arena, n, sizeof(*request.scenarios));
    for (size_t i = 0; request.scenarios && i < n; i++) {
        request.scenarios[i] = scenario_of(cli, session, revisions[i]);
        if (!request.scenarios[i])
            return out_of_memory(cli);
        request.n_scenarios++;
    }
    enum iso_exit_code code = iso_remote_open(cli);
    if (code != ISO_EXIT_OK)
        return code;
    if (iso_evaluation_run(cli, &ISO_CLIENT_SESSION("EvaluateScenarios", evaluate_scenarios),
                           &request.base, ret_results, &failure, &error) != ISO_OK)
        return iso_remote_complain(cli, &failure, &error, NULL);
    return ISO_EXIT_OK;
}

/* "revision 2: 1,050.00 USD, +200.00 against revision 1". */
static void tell_cost(struct iso_cli *cli, const struct iso_evaluation_results *results)
{
    struct iso_view view = iso_cli_view(cli);
    const Isocost__V1__ScenarioResult *now = results->items[0];
    const Isocost__V1__ScenarioResult *before = results->n > 1 ? results->items[1] : NULL;

    fprintf(cli->out, "%s: ", now->name);
    if (now->error)
        fprintf(cli->out, "%s\n", now->error->message);
    else if (!iso_evaluation_has_cost(now))
        fprintf(cli->out, "%s\n", iso_evaluation_ended(&view, now));
    else if (before && iso_evaluation_has_cost(before))
        fprintf(cli->out, "%s, %s against %s\n", iso_view_money(&view, now->plan->cost),
                iso_evaluation_difference(&view, now->plan, before->plan), before->name);
    else
        fprintf(cli->out, "%s\n", iso_view_money(&view, now->plan->cost));
}

enum iso_exit_code iso_session_tell(struct iso_cli *cli, const Session *session, int32_t before,
                                    bool solve)
{
    const int32_t revisions[] = {session->revision, before};
    struct iso_evaluation_results results;

    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &session->base);
    if (!solve) {
        fprintf(cli->out, "revision %d\n", session->revision);
        return ISO_EXIT_OK;
    }
    enum iso_exit_code code =
        solve_revisions(cli, session, revisions, before == session->revision ? 1 : 2, &results);
    if (code != ISO_EXIT_OK)
        return code;
    if (results.n == 0)
        return ISO_EXIT_STOPPED_WITHOUT_PLAN;
    tell_cost(cli, &results);
    return results.items[0]->plan ? iso_exit_code_of_plan(results.items[0]->plan)
                                  : ISO_EXIT_INVALID;
}

/* --- looking --- */

/* The changes of a revision in one cell, cut at a character. */
static const char *changes_cell(struct iso_cli *cli, const Isocost__V1__SessionRevision *revision)
{
    const char *text = "";

    for (size_t i = 0; text && i < revision->n_changes; i++)
        text =
            iso_arena_printf(cli->arena, "%s%s%s", text, i ? ", " : "", revision->changes[i]->text);
    if (!text || strlen(text) <= TEXT_BYTES_MAX)
        return text ? text : "";
    size_t n = TEXT_BYTES_MAX;
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    text = iso_arena_printf(cli->arena, "%.*s...", (int)n, text);
    return text ? text : "";
}

enum iso_exit_code iso_session_show(struct iso_cli *cli, const char *id)
{
    static const struct iso_column columns[] = {
        {"", false}, {"REVISION", true}, {"AFTER", true}, {"MADE", false}, {"CHANGES", false}};
    struct iso_view view = iso_cli_view(cli);
    Isocost__V1__GetSessionResponse *response;
    enum iso_exit_code code = iso_session_get(cli, id, /* with_targets= */ false, &response);

    if (code != ISO_EXIT_OK)
        return code;
    const Session *session = response->session;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &session->base);
    fprintf(cli->out, "%s%s%s, begun %s, at revision %d of %zu\n", session->id,
            *session->display_name ? " " : "", session->display_name,
            iso_view_time(&view, session->create_time), session->revision, session->n_revisions);
    if (*session->forked_from)
        fprintf(cli->out, "forked from %s\n", session->forked_from);
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    for (size_t i = 0; table && i < session->n_revisions; i++) {
        const Isocost__V1__SessionRevision *r = session->revisions[i];
        iso_table_add(table,
                      (const char *[]){r->number == session->revision ? "*" : "",
                                       iso_view_number(&view, r->number),
                                       iso_view_number(&view, r->parent),
                                       iso_view_time(&view, r->create_time), changes_cell(cli, r)});
    }
    if (session->n_revisions > 0 && (!table || !iso_table_print(table, cli->out)))
        return out_of_memory(cli);
    return ISO_EXIT_OK;
}

static bool read_revision(struct iso_cli *cli, const Session *session, const char *text,
                          int32_t *ret_revision)
{
    char *end = NULL;
    long revision = strtol(text, &end, 10);

    if (*text && !*end && revision >= 0 && (size_t)revision <= session->n_revisions) {
        *ret_revision = (int32_t)revision;
        return true;
    }
    fprintf(cli->err, "isocost: \"%.40s\" is not a revision of the session; they are 0 to %zu\n",
            text, session->n_revisions);
    return false;
}

enum iso_exit_code iso_session_compare(struct iso_cli *cli, const char *id, char *const *texts,
                                       size_t n)
{
    Isocost__V1__GetSessionResponse *response;
    struct iso_evaluation_results results;
    struct iso_view view = iso_cli_view(cli);
    struct iso_error error = {0};
    enum iso_exit_code code = iso_session_get(cli, id, /* with_targets= */ false, &response);

    if (code != ISO_EXIT_OK)
        return code;
    const Session *session = response->session;
    int32_t *revisions = iso_arena_calloc(cli->arena, n + 2, sizeof(*revisions));
    if (!revisions)
        return out_of_memory(cli);
    for (size_t i = 0; i < n; i++)
        if (!read_revision(cli, session, texts[i], &revisions[i]))
            return ISO_EXIT_INVALID;
    if (n == 0) {
        revisions[1] = session->revision;
        n = session->revision > 0 ? 2 : 1;
    }
    code = solve_revisions(cli, session, revisions, n, &results);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output == ISO_OUTPUT_CSV)
        iso_evaluation_view_csv(&results, cli->out);
    else if (cli->output == ISO_OUTPUT_JSON
                 ? iso_evaluation_view_json(&results, cli->out, &error) != ISO_OK
                 : !iso_evaluation_view_table(&view, &results,
                                              results.n ? results.items[0]->name : NULL))
        return out_of_memory(cli);
    return ISO_EXIT_OK;
}
