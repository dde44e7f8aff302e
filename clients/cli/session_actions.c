#include "session_actions.h"

#include <stdlib.h>
#include <string.h>

#include "change_complain.h"
#include "remote.h"
#include "solve.h"

typedef Isocost__V1__Session Session;

static enum iso_exit_code out_of_memory(struct iso_cli *cli)
{
    fputs("isocost: out of memory\n", cli->err);
    return ISO_EXIT_OTHER;
}

enum iso_exit_code iso_session_find(struct iso_cli *cli, const char *given, char **ret_id)
{
    Isocost__V1__ListSessionsRequest request = ISOCOST__V1__LIST_SESSIONS_REQUEST__INIT;
    const char *chosen = given ? given : getenv("ISOCOST_SESSION");
    ProtobufCMessage *message;

    if (chosen && *chosen) {
        *ret_id = (char *)chosen;
        return iso_remote_open(cli);
    }
    request.page_size = 1;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_SESSION("ListSessions", list_sessions), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__ListSessionsResponse *response =
        (const Isocost__V1__ListSessionsResponse *)message;
    if (response->n_sessions == 0) {
        fputs("isocost: there is no session; `isocost session start -f MODEL` begins one\n",
              cli->err);
        return ISO_EXIT_INVALID;
    }
    *ret_id = response->sessions[0]->id;
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_get(struct iso_cli *cli, const char *id, bool with_targets,
                                   Isocost__V1__GetSessionResponse **ret_response)
{
    Isocost__V1__GetSessionRequest request = ISOCOST__V1__GET_SESSION_REQUEST__INIT;
    ProtobufCMessage *message = NULL;

    request.id = (char *)id;
    request.with_targets = with_targets;
    enum iso_exit_code code = iso_remote_call(cli, &ISO_CLIENT_SESSION("GetSession", get_session),
                                              &request.base, &message);
    *ret_response = (Isocost__V1__GetSessionResponse *)message;
    return code;
}

enum iso_exit_code iso_session_start(struct iso_cli *cli, Isocost__V1__ModelRef *model,
                                     const char *name, Session **ret_session)
{
    Isocost__V1__CreateSessionRequest request = ISOCOST__V1__CREATE_SESSION_REQUEST__INIT;
    ProtobufCMessage *message = NULL;

    request.model = model;
    if (name)
        request.display_name = (char *)name;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_SESSION("CreateSession", create_session), &request.base, &message);
    if (code == ISO_EXIT_OK && ret_session)
        *ret_session = ((Isocost__V1__CreateSessionResponse *)message)->session;
    return code;
}

/* --- changing --- */

static enum iso_exit_code apply(struct iso_cli *cli,
                                const Isocost__V1__ApplyChangesRequest *request, bool solve)
{
    struct iso_client_options call = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    Isocost__V1__GetSessionResponse *old;
    struct iso_error error = {0};
    ProtobufCMessage *message;
    bool told = false;

    enum iso_exit_code code = iso_session_get(cli, request->id, /* with_targets= */ false, &old);
    if (code != ISO_EXIT_OK)
        return code;
    if (iso_client_call(cli->client, &ISO_CLIENT_SESSION("ApplyChanges", apply_changes), &call,
                        &request->base, cli->arena, &message, &failure, &error) == ISO_OK)
        return iso_session_tell(cli, ((Isocost__V1__ApplyChangesResponse *)message)->session,
                                old->session->revision, solve);
    for (int i = 0; i < failure.n_fields; i++)
        told |= iso_change_complain_field(cli, failure.fields[i].field, failure.fields[i].text,
                                          NULL, request->changes, request->n_changes, NULL, 0);
    return told ? iso_exit_code_of_status(error.status)
                : iso_remote_complain(cli, &failure, &error, NULL);
}

enum iso_exit_code iso_session_set(struct iso_cli *cli, const char *id, char *const *texts,
                                   size_t n_texts, bool solve)
{
    Isocost__V1__ApplyChangesRequest request = ISOCOST__V1__APPLY_CHANGES_REQUEST__INIT;

    request.id = (char *)id;
    request.changes = iso_changes_from_texts(cli, "", texts, n_texts);
    request.n_changes = n_texts;
    return request.changes ? apply(cli, &request, solve) : ISO_EXIT_INVALID;
}

enum iso_exit_code iso_session_go(struct iso_cli *cli, const char *id,
                                  const struct iso_session_move *move, bool solve)
{
    Isocost__V1__ApplyChangesRequest request = ISOCOST__V1__APPLY_CHANGES_REQUEST__INIT;

    request.id = (char *)id;
    if (move->goes) {
        request.move_case = ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE_REVISION;
        request.revision = move->revision;
    } else if (move->undo > 0) {
        request.move_case = ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE_UNDO;
        request.undo = move->undo;
    } else {
        request.move_case = ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE_REDO;
        request.redo = move->redo;
    }
    return apply(cli, &request, solve);
}

/* --- the rest --- */

static Isocost__V1__ModelRef *reference_to(struct iso_cli *cli, const char *id)
{
    Isocost__V1__ModelRef *model = iso_arena_calloc(cli->arena, 1, sizeof(*model));
    Isocost__V1__SessionRef *session = iso_arena_calloc(cli->arena, 1, sizeof(*session));

    if (!model || !session)
        return NULL;
    isocost__v1__model_ref__init(model);
    isocost__v1__session_ref__init(session);
    session->id = (char *)id;
    model->ref_case = ISOCOST__V1__MODEL_REF__REF_SESSION;
    model->session = session;
    return model;
}

enum iso_exit_code iso_session_plan(struct iso_cli *cli, const char *id, bool why)
{
    Isocost__V1__SolvePlanRequest request = ISOCOST__V1__SOLVE_PLAN_REQUEST__INIT;
    ProtobufCMessage *message;

    request.model = reference_to(cli, id);
    if (!request.model)
        return out_of_memory(cli);
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("SolvePlan", solve_plan), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    return iso_solve_print(cli, ((Isocost__V1__SolvePlanResponse *)message)->plan, why);
}

enum iso_exit_code iso_session_fork(struct iso_cli *cli, const char *id, const char *name,
                                    char **ret_id)
{
    Isocost__V1__ForkSessionRequest request = ISOCOST__V1__FORK_SESSION_REQUEST__INIT;
    ProtobufCMessage *message;

    request.id = (char *)id;
    if (name)
        request.display_name = (char *)name;
    enum iso_exit_code code = iso_remote_call(cli, &ISO_CLIENT_SESSION("ForkSession", fork_session),
                                              &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    const Session *session = ((Isocost__V1__ForkSessionResponse *)message)->session;
    *ret_id = session->id;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &session->base);
    fprintf(cli->out, "%s\n", session->id);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_save(struct iso_cli *cli, const char *id, const char *note)
{
    Isocost__V1__CreatePlanRequest request = ISOCOST__V1__CREATE_PLAN_REQUEST__INIT;
    ProtobufCMessage *message;

    request.model = reference_to(cli, id);
    if (!request.model)
        return out_of_memory(cli);
    if (note)
        request.note = (char *)note;
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("CreatePlan", create_plan), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__Plan *plan = ((Isocost__V1__CreatePlanResponse *)message)->plan;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &plan->base);
    fprintf(cli->out, "%s\n", plan->id);
    fprintf(cli->err, "`isocost plan watch %s` follows it.\n", plan->id);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_end(struct iso_cli *cli, const char *id)
{
    Isocost__V1__DeleteSessionRequest request = ISOCOST__V1__DELETE_SESSION_REQUEST__INIT;
    ProtobufCMessage *message;

    request.id = (char *)id;
    return iso_remote_call(cli, &ISO_CLIENT_SESSION("DeleteSession", delete_session), &request.base,
                           &message);
}
