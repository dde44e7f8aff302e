/* Sessions: a model that is kept with all its revisions. A revision is the one before it and
 * changes, so the model at a revision is the first one with the changes on the way to it. */
#include <stdio.h>
#include <unistd.h>

#include "isocost/proto/digest.h"
#include "message_new.h"
#include "session.h"

typedef Isocost__V1__Session Session;
typedef Isocost__V1__SessionRevision Revision;

/* --- records and messages --- */

enum iso_status iso_session_from_record(const struct iso_session_record *record,
                                        struct iso_arena *arena, Session **ret_session,
                                        struct iso_error *reterr)
{
    Session *session = isocost__v1__session__unpack(iso_arena_allocator(arena),
                                                    record->session.n_bytes, record->session.bytes);

    if (!session)
        return iso_fail(reterr, iso_arena_full(arena) ? ISO_E_LIMIT : ISO_E_INTERNAL, "",
                        "session %.32s cannot be read", record->id);
    session->id = (char *)record->id;
    session->request_id = (char *)record->request_id;
    session->etag = iso_arena_printf(arena, "%lld", (long long)record->etag);
    if (!session->etag)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a session");
    *ret_session = session;
    return ISO_OK;
}

enum iso_status iso_session_load(struct iso_api *api, const struct iso_principal *principal,
                                 const char *id, const char *field, struct iso_arena *arena,
                                 struct iso_session_record *ret_record, Session **ret_session,
                                 struct iso_error *reterr)
{
    ISO_TRY(iso_ulid_check(id, field, reterr));
    ISO_TRY(iso_store_get_session(api->config.store, principal, id, arena, ret_record, reterr));
    return iso_session_from_record(ret_record, arena, ret_session, reterr);
}

static enum iso_status check_name(const char *name, struct iso_error *reterr)
{
    if (strlen(name) > 256)
        return iso_fail(reterr, ISO_E_INVALID, "display_name", "has %zu bytes; at most 256",
                        strlen(name));
    return ISO_OK;
}

/* Keeps a new session and answers with it. `parts`: what the request consists of. */
static enum iso_status create(struct iso_api *api, struct iso_call *call, Session *session,
                              const char *request_id, const char *parts, Session **ret_session,
                              struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_audit audit = {.action = "session.create", .request_id = iso_call_id(call)};
    struct iso_session_record record = {.request_id = request_id}, kept;
    char id[ISO_ULID_SIZE], body[ISO_DIGEST_TEXT_SIZE];
    unsigned char bytes[ISO_SHA256_BYTES];
    struct iso_sha256 sha;
    bool existing;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, parts, strlen(parts));
    iso_sha256_final(&sha, bytes);
    iso_digest_text(bytes, body);
    record.create_ns = iso_wall_ns();
    session->create_time = session->update_time = iso_timestamp(record.create_ns, arena);
    record.id = iso_ulid_new(id);
    record.body_digest = body;
    record.model_digest = session->base_model_digest;
    record.snapshot_digest = session->snapshot_digest;
    record.session = iso_message_pack(&session->base, arena);
    if (!record.session.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a session");
    ISO_TRY(iso_store_create_session(api->config.store, iso_call_principal(call), &record, &audit,
                                     arena, &existing, &kept, reterr));
    return iso_session_from_record(&kept, arena, ret_session, reterr);
}

/* --- the model of a session --- */

/* The changes on the way from the first revision to one, in their order. */
static enum iso_status changes_until(const Session *session, int32_t revision,
                                     struct iso_arena *arena, size_t *ret_n,
                                     Isocost__V1__Change ***ret_changes, struct iso_error *reterr)
{
    size_t n = 0, at;
    Isocost__V1__Change **changes;

    for (int32_t r = revision; r > 0; r = session->revisions[r - 1]->parent)
        n += session->revisions[r - 1]->n_changes;
    changes = iso_arena_calloc(arena, n + 1, sizeof(*changes));
    if (!changes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for changes");
    at = n;
    for (int32_t r = revision; r > 0; r = session->revisions[r - 1]->parent) {
        const Revision *step = session->revisions[r - 1];
        at -= step->n_changes;
        for (size_t i = 0; i < step->n_changes; i++)
            changes[at + i] = step->changes[i];
    }
    *ret_n = n;
    *ret_changes = changes;
    return ISO_OK;
}

enum iso_status iso_session_no_revision(const Session *session, const char *field, int32_t revision,
                                        struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOT_FOUND, field,
                    "session %.32s has no revision %d; its revisions are 0 to %zu", session->id,
                    revision, session->n_revisions);
}

bool iso_session_has_revision(const Session *session, int32_t revision)
{
    return revision >= 0 && (size_t)revision <= session->n_revisions;
}

enum iso_status iso_session_base(struct iso_api *api, const struct iso_principal *principal,
                                 const Isocost__V1__SessionRef *ref,
                                 struct iso_violations *violations, struct iso_model_base *ret_base,
                                 struct iso_error *reterr)
{
    struct iso_session_record record;
    Session *session;

    ISO_TRY(iso_session_load(api, principal, ref->id, "model.session.id", violations->arena,
                             &record, &session, reterr));
    int32_t revision = ref->opt_revision_case ? ref->revision : session->revision;
    if (!iso_session_has_revision(session, revision))
        return iso_session_no_revision(session, "model.session.revision", revision, reterr);
    ISO_TRY(iso_model_load(api->config.store, principal, session->base_model_digest, violations,
                           &ret_base->model, reterr));
    return changes_until(session, revision, violations->arena, &ret_base->n_changes,
                         &ret_base->changes, reterr);
}

/* The model as sessions begin with it: its snapshot is named, and the day of its prices where it
 * does not say when; nothing extra is asked for. */
static enum iso_status pin_model(struct iso_api *api, struct iso_call *call,
                                 const Isocost__V1__Model *model, Session *session,
                                 struct iso_error *reterr)
{
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_audit audit = {.action = "model.session", .request_id = iso_call_id(call)};
    Isocost__V1__Model pinned = *model;
    char digest[ISO_DIGEST_TEXT_SIZE];
    Isocost__V1__Catalog catalog;
    Isocost__V1__Options options;
    const char *snapshot_digest;
    char price_date[ISO_DAY_TEXT_SIZE];
    int fd;

    ISO_TRY(iso_snapshot_open(api->config.store, iso_call_principal(call), model, "", arena, &fd,
                              &snapshot_digest, reterr));
    if (fd >= 0)
        close(fd);
    session->snapshot_digest = iso_arena_strdup(arena, snapshot_digest);
    if (model->catalog && session->snapshot_digest && snapshot_digest[0]) {
        catalog = *model->catalog;
        catalog.snapshot_digest = session->snapshot_digest;
        if (!catalog.price_date[0] && !iso_model_says_when(model))
            catalog.price_date = (char *)iso_day_format(iso_day_of_ns(iso_wall_ns()), price_date);
        pinned.catalog = &catalog;
    }
    if (model->options) {
        options = *model->options;
        options.n_want = 0;
        pinned.options = &options;
    }
    ISO_TRY(iso_message_digest(&pinned.base, NULL, digest, reterr));
    session->base_model_digest = iso_arena_strdup(arena, digest);
    struct iso_bytes packed = iso_message_pack(&pinned.base, arena);
    if (iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the session's model");
    return iso_store_put_model(api->config.store, iso_call_principal(call), digest, packed, &audit,
                               reterr);
}

enum iso_status iso_session_make(struct iso_api *api, struct iso_call *call, const Session *session,
                                 size_t n_new, const Isocost__V1__Model **ret_model,
                                 struct iso_error *reterr)
{
    struct iso_violations *violations = iso_call_violations(call);
    struct iso_changes all = {.path = "changes"};
    const Isocost__V1__Model *base;
    Isocost__V1__Change **changes;

    ISO_TRY(iso_model_load(api->config.store, iso_call_principal(call), session->base_model_digest,
                           violations, &base, reterr));
    ISO_TRY(changes_until(session, session->revision, violations->arena, &all.n, &changes, reterr));
    all.items = changes;
    all.n_before = all.n - n_new;
    return iso_model_change(api, iso_call_principal(call), base, &all, violations, ret_model,
                            reterr);
}

/* --- handlers --- */

enum iso_status iso_create_session(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__CreateSessionRequest *request =
        (const Isocost__V1__CreateSessionRequest *)iso_call_request(call);
    Isocost__V1__CreateSessionResponse response = ISOCOST__V1__CREATE_SESSION_RESPONSE__INIT;
    Session session = ISOCOST__V1__SESSION__INIT;
    char digest[ISO_DIGEST_TEXT_SIZE];
    const Isocost__V1__Model *model;

    ISO_TRY(check_name(request->display_name, reterr));
    ISO_TRY(iso_request_id_check(request->request_id, reterr));
    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, digest, reterr));
    ISO_TRY(pin_model(api, call, model, &session, reterr));
    session.display_name = request->display_name;
    char *parts =
        iso_arena_printf(iso_call_arena(call), "create\n%s\n%s", digest, request->display_name);
    if (!parts)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a session");
    ISO_TRY(create(api, call, &session, request->request_id, parts, &response.session, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_fork_session(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__ForkSessionRequest *request =
        (const Isocost__V1__ForkSessionRequest *)iso_call_request(call);
    Isocost__V1__ForkSessionResponse response = ISOCOST__V1__FORK_SESSION_RESPONSE__INIT;
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_session_record record;
    Session *session;

    ISO_TRY(check_name(request->display_name, reterr));
    ISO_TRY(iso_request_id_check(request->request_id, reterr));
    ISO_TRY(iso_session_load(api, iso_call_principal(call), request->id, "id", arena, &record,
                             &session, reterr));
    session->forked_from = session->id;
    if (request->display_name[0])
        session->display_name = request->display_name;
    char *parts = iso_arena_printf(arena, "fork\n%s\n%s", request->id, request->display_name);
    if (!parts)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a session");
    ISO_TRY(create(api, call, session, request->request_id, parts, &response.session, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_get_session(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__GetSessionRequest *request =
        (const Isocost__V1__GetSessionRequest *)iso_call_request(call);
    Isocost__V1__GetSessionResponse response = ISOCOST__V1__GET_SESSION_RESPONSE__INIT;
    struct iso_session_record record;
    const Isocost__V1__Model *model;

    ISO_TRY(iso_session_load(service, iso_call_principal(call), request->id, "id",
                             iso_call_arena(call), &record, &response.session, reterr));
    if (request->with_targets) {
        ISO_TRY(iso_session_make(service, call, response.session, 0, &model, reterr));
        response.targets = iso_change_targets(model, iso_call_arena(call));
        if (!response.targets)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the targets");
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_delete_session(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__DeleteSessionRequest *request =
        (const Isocost__V1__DeleteSessionRequest *)iso_call_request(call);
    Isocost__V1__DeleteSessionResponse response = ISOCOST__V1__DELETE_SESSION_RESPONSE__INIT;
    struct iso_audit audit = {.action = "session.delete", .request_id = iso_call_id(call)};
    int64_t etag;

    ISO_TRY(iso_ulid_check(request->id, "id", reterr));
    ISO_TRY(iso_etag_read(request->etag, &etag, reterr));
    ISO_TRY(iso_store_delete_session(api->config.store, iso_call_principal(call), request->id, etag,
                                     &audit, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

enum iso_status iso_list_sessions(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__ListSessionsRequest *request =
        (const Isocost__V1__ListSessionsRequest *)iso_call_request(call);
    Isocost__V1__ListSessionsResponse response = ISOCOST__V1__LIST_SESSIONS_RESPONSE__INIT;
    const struct iso_principal *principal = iso_call_principal(call);
    struct iso_arena *arena = iso_call_arena(call);
    struct iso_session_record *records;
    long long before_ns = 0;
    const char *position;
    int32_t page_size;
    int n, n_read = 0;

    ISO_TRY(iso_page_size(request->page_size, 50, 1000, &page_size, reterr));
    ISO_TRY(iso_page_token_read(principal, "ListSessions", request->page_token, arena, &position,
                                reterr));
    if (position[0])
        sscanf(position, "%lld %n", &before_ns, &n_read);
    ISO_TRY(iso_store_list_sessions(api->config.store, principal, before_ns, position + n_read,
                                    page_size + 1, arena, &records, &n, reterr));
    response.sessions = iso_arena_calloc(arena, (size_t)n + 1, sizeof(*response.sessions));
    if (!response.sessions)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a list");
    for (int i = 0; i < n && i < page_size; i++) {
        ISO_TRY(iso_session_from_record(&records[i], arena, &response.sessions[i], reterr));
        response.sessions[i]->n_revisions = 0;
        response.n_sessions++;
    }
    if (n > page_size) {
        const struct iso_session_record *last = &records[page_size - 1];
        response.next_page_token = iso_page_token_make(
            principal, "ListSessions",
            iso_arena_printf(arena, "%lld %s", (long long)last->create_ns, last->id), arena);
        if (!response.next_page_token)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a page token");
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
