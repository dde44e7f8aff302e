/* ApplyChanges: further revisions of a session, and the way back and forth between them. */
#include "isocost/proto/change.h"
#include "isocost/proto/digest.h"
#include "message_new.h"
#include "session.h"

#define REVISIONS_MAX 10000

typedef Isocost__V1__Session Session;
typedef Isocost__V1__SessionRevision Revision;

static enum iso_status undo(const Session *session, int32_t steps, int32_t *at,
                            struct iso_error *reterr)
{
    for (int32_t i = 0; i < steps; i++) {
        if (*at == 0)
            return iso_fail(reterr, ISO_E_PRECONDITION, "undo",
                            "%d steps; from revision %d there %s %d to undo", steps,
                            session->revision, i == 1 ? "is" : "are", i);
        *at = session->revisions[*at - 1]->parent;
    }
    return ISO_OK;
}

static enum iso_status redo(const Session *session, int32_t steps, int32_t *at,
                            struct iso_error *reterr)
{
    for (int32_t i = 0; i < steps; i++) {
        size_t next = session->n_revisions;
        while (next > (size_t)*at && session->revisions[next - 1]->parent != *at)
            next--;
        if (next <= (size_t)*at)
            return iso_fail(reterr, ISO_E_PRECONDITION, "redo",
                            "%d steps; from revision %d there %s %d to redo", steps,
                            session->revision, i == 1 ? "is" : "are", i);
        *at = (int32_t)next;
    }
    return ISO_OK;
}

static enum iso_status move(Session *session, const Isocost__V1__ApplyChangesRequest *request,
                            struct iso_error *reterr)
{
    bool undoes = request->move_case == ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE_UNDO;
    int32_t at = session->revision, steps = undoes ? request->undo : request->redo;

    if (request->move_case == ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE_REVISION) {
        if (!iso_session_has_revision(session, request->revision))
            return iso_session_no_revision(session, "revision", request->revision, reterr);
        session->revision = request->revision;
        return ISO_OK;
    }
    if (steps < 1 || steps > REVISIONS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, undoes ? "undo" : "redo",
                        "%d; it must be in [1, %d]", steps, REVISIONS_MAX);
    ISO_TRY(undoes ? undo(session, steps, &at, reterr) : redo(session, steps, &at, reterr));
    session->revision = at;
    return ISO_OK;
}

static enum iso_status add_revision(Session *session, Isocost__V1__Change **changes, size_t n,
                                    struct iso_arena *arena, struct iso_error *reterr)
{
    Revision **all = iso_arena_calloc(arena, session->n_revisions + 1, sizeof(*all));
    Revision *added = iso_message_new(arena, &isocost__v1__session_revision__descriptor);

    if (session->n_revisions >= REVISIONS_MAX)
        return iso_fail(reterr, ISO_E_LIMIT, "changes",
                        "the session has %d revisions, the most there may be; fork it",
                        REVISIONS_MAX);
    if (!all || !added)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a revision");
    for (size_t i = 0; i < session->n_revisions; i++)
        all[i] = session->revisions[i];
    added->number = (int32_t)session->n_revisions + 1;
    added->parent = session->revision;
    added->changes = changes;
    added->n_changes = n;
    added->create_time = session->update_time;
    all[session->n_revisions++] = added;
    session->revisions = all;
    session->revision = added->number;
    return ISO_OK;
}

static enum iso_status change(struct iso_call *call, Session *session,
                              const Isocost__V1__ApplyChangesRequest *request,
                              struct iso_error *reterr)
{
    struct iso_violations *violations = iso_call_violations(call);
    Isocost__V1__Change **given;

    ISO_TRY(iso_changes_read(request->changes, request->n_changes, "changes", violations, &given,
                             reterr));
    for (size_t i = 0; i < request->n_changes; i++) {
        given[i]->text = iso_change_write(given[i], violations->arena);
        if (!given[i]->text)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a change");
    }
    return add_revision(session, given, request->n_changes, violations->arena, reterr);
}

enum iso_status iso_apply_changes(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__ApplyChangesRequest *request =
        (const Isocost__V1__ApplyChangesRequest *)iso_call_request(call);
    Isocost__V1__ApplyChangesResponse response = ISOCOST__V1__APPLY_CHANGES_RESPONSE__INIT;
    struct iso_audit audit = {.action = "session.change", .request_id = iso_call_id(call)};
    struct iso_arena *arena = iso_call_arena(call);
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_session_record record;
    const Isocost__V1__Model *model;
    Session *session;
    int64_t etag;
    bool moves = request->move_case != ISOCOST__V1__APPLY_CHANGES_REQUEST__MOVE__NOT_SET;

    ISO_TRY(iso_etag_read(request->etag, &etag, reterr));
    if (moves == (request->n_changes > 0))
        return iso_fail(reterr, ISO_E_INVALID, "changes",
                        moves ? "give either changes or where to go, not both"
                              : "are missing; give changes, undo, redo or revision");
    ISO_TRY(iso_session_load(api, iso_call_principal(call), request->id, "id", arena, &record,
                             &session, reterr));
    if (etag && etag != record.etag)
        return iso_fail(reterr, ISO_E_CONFLICT, "etag",
                        "etag is %lld; the session has been changed since and has %lld",
                        (long long)etag, (long long)record.etag);
    session->update_time = iso_timestamp(iso_wall_ns(), arena);
    ISO_TRY(moves ? move(session, request, reterr) : change(call, session, request, reterr));
    /* made now, so that a change that it does not allow is found before it is solved */
    ISO_TRY(iso_session_make(api, call, session, request->n_changes, &model, reterr));
    ISO_TRY(iso_message_digest(&model->base, NULL, digest, reterr));
    record.session = iso_message_pack(&session->base, arena);
    if (!record.session.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a session");
    ISO_TRY(iso_store_update_session(api->config.store, iso_call_principal(call), &record, &audit,
                                     reterr));
    record.etag++;
    ISO_TRY(iso_session_from_record(&record, arena, &response.session, reterr));
    response.model_digest = digest;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
