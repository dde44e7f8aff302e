/* Sessions: one row each, with all revisions in it. */
#include "store_internal.h"

#define SESSION_COLUMNS \
    "id, create_ns, etag, request_id, body_digest, model_digest, snapshot_digest, session"

struct session_call {
    const struct iso_principal *principal;
    const struct iso_session_record *record;
    const struct iso_audit *audit;
    const char *id;
    int64_t etag, before_create_ns;
    int limit;
    struct iso_arena *arena;
    bool existing;
    struct iso_session_record found;
    struct iso_session_record *records;
    int n_records;
};

static struct iso_session_record read_session(struct iso_statement *statement,
                                              struct iso_arena *arena)
{
    return (struct iso_session_record){
        .id = iso_sql_text(statement, 0, arena),
        .create_ns = iso_sql_int(statement, 1),
        .etag = iso_sql_int(statement, 2),
        .request_id = iso_sql_text(statement, 3, arena),
        .body_digest = iso_sql_text(statement, 4, arena),
        .model_digest = iso_sql_text(statement, 5, arena),
        .snapshot_digest = iso_sql_text(statement, 6, arena),
        .session = iso_sql_blob(statement, 7, arena),
    };
}

static enum iso_status not_found(const char *id, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no session has the id \"%.64s\"", id);
}

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct session_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT " SESSION_COLUMNS " FROM session"
                      " WHERE tenant = $1 AND project = $2 AND id = $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return not_found(call->id, reterr);
    call->found = read_session(statement, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

enum iso_status iso_store_get_session(struct iso_store *store,
                                      const struct iso_principal *principal, const char *id,
                                      struct iso_arena *arena,
                                      struct iso_session_record *ret_record,
                                      struct iso_error *reterr)
{
    struct session_call call = {.principal = principal, .id = id, .arena = arena};

    ISO_TRY(iso_store_read(store, get, &call, reterr));
    *ret_record = call.found;
    return ISO_OK;
}

/* --- create --- */

static enum iso_status find_request(struct iso_sql *sql, struct session_call *call,
                                    struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    call->existing = false;
    if (!call->record->request_id[0])
        return ISO_OK;
    ISO_TRY(ISO_START(sql,
                      "SELECT " SESSION_COLUMNS " FROM session"
                      " WHERE tenant = $1 AND project = $2 AND request_id = $3"
                      " AND request_id <> ''",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->record->request_id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return ISO_OK;
    call->found = read_session(statement, call->arena);
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    if (strcmp(call->found.body_digest, call->record->body_digest) != 0)
        return iso_fail(reterr, ISO_E_EXISTS, "request_id",
                        "request_id \"%.64s\" was used for another request (session %.32s); use a "
                        "new one",
                        call->record->request_id, call->found.id);
    call->existing = true;
    return ISO_OK;
}

static enum iso_status create(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct session_call *call = context;
    const struct iso_session_record *r = call->record;

    ISO_TRY(find_request(sql, call, reterr));
    if (call->existing)
        return ISO_OK;
    ISO_TRY(ISO_RUN(sql,
                    "INSERT INTO session (tenant, project, id, etag, create_ns, request_id,"
                    " body_digest, model_digest, snapshot_digest, session)"
                    " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9)",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(r->id), ISO_INT(r->create_ns), ISO_TEXT(r->request_id),
                    ISO_TEXT(r->body_digest), ISO_TEXT(r->model_digest),
                    ISO_TEXT(r->snapshot_digest), ISO_BLOB(r->session)));
    ISO_TRY(iso_store_audit(sql, call->principal, call->audit, r->id, reterr));
    call->id = r->id;
    return get(sql, call, reterr);
}

enum iso_status iso_store_create_session(struct iso_store *store,
                                         const struct iso_principal *principal,
                                         const struct iso_session_record *record,
                                         const struct iso_audit *audit, struct iso_arena *arena,
                                         bool *ret_existing, struct iso_session_record *ret_record,
                                         struct iso_error *reterr)
{
    struct session_call call = {
        .principal = principal, .record = record, .audit = audit, .arena = arena};

    ISO_TRY(iso_store_write(store, create, &call, reterr));
    *ret_existing = call.existing;
    *ret_record = call.found;
    return ISO_OK;
}

/* --- change, delete --- */

/* The etag must be `etag`, unless that is 0. */
static enum iso_status check_etag(struct iso_sql *sql, const struct session_call *call,
                                  const char *id, int64_t etag, struct iso_error *reterr)
{
    int64_t current = 0;

    ISO_TRY(ISO_SCALAR(sql,
                       "SELECT etag FROM session WHERE tenant = $1 AND project = $2 AND id = $3", 0,
                       &current, reterr, ISO_TEXT(call->principal->tenant),
                       ISO_TEXT(call->principal->project), ISO_TEXT(id)));
    if (current == 0)
        return not_found(id, reterr);
    if (etag && etag != current)
        return iso_fail(reterr, ISO_E_CONFLICT, "etag",
                        "etag is %lld; the session has been changed since and has %lld",
                        (long long)etag, (long long)current);
    return ISO_OK;
}

static enum iso_status update(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct session_call *call = context;
    const struct iso_session_record *r = call->record;

    ISO_TRY(check_etag(sql, call, r->id, r->etag, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE session SET etag = etag + 1, session = $4"
                    " WHERE tenant = $1 AND project = $2 AND id = $3",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(r->id), ISO_BLOB(r->session)));
    return iso_store_audit(sql, call->principal, call->audit, r->id, reterr);
}

enum iso_status iso_store_update_session(struct iso_store *store,
                                         const struct iso_principal *principal,
                                         const struct iso_session_record *record,
                                         const struct iso_audit *audit, struct iso_error *reterr)
{
    struct session_call call = {.principal = principal, .record = record, .audit = audit};

    return iso_store_write(store, update, &call, reterr);
}

static enum iso_status delete_session(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct session_call *call = context;

    ISO_TRY(check_etag(sql, call, call->id, call->etag, reterr));
    ISO_TRY(ISO_RUN(sql, "DELETE FROM session WHERE tenant = $1 AND project = $2 AND id = $3",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(call->id)));
    return iso_store_audit(sql, call->principal, call->audit, call->id, reterr);
}

enum iso_status iso_store_delete_session(struct iso_store *store,
                                         const struct iso_principal *principal, const char *id,
                                         int64_t etag, const struct iso_audit *audit,
                                         struct iso_error *reterr)
{
    struct session_call call = {.principal = principal, .id = id, .etag = etag, .audit = audit};

    return iso_store_write(store, delete_session, &call, reterr);
}

/* --- list --- */

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct session_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->records = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->records));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT " SESSION_COLUMNS " FROM session WHERE tenant = $1 AND project = $2"
                      " AND ($3 = 0 OR (create_ns, id) < ($3, $4))"
                      " ORDER BY create_ns DESC, id DESC LIMIT $5",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_INT(call->before_create_ns),
                      ISO_TEXT(call->id), ISO_INT(call->limit)));
    for (call->n_records = 0;; call->n_records++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->records[call->n_records] = read_session(statement, call->arena);
    }
}

enum iso_status iso_store_list_sessions(struct iso_store *store,
                                        const struct iso_principal *principal,
                                        int64_t before_create_ns, const char *before_id, int limit,
                                        struct iso_arena *arena,
                                        struct iso_session_record **ret_records, int *ret_n_records,
                                        struct iso_error *reterr)
{
    struct session_call call = {.principal = principal,
                                .before_create_ns = before_create_ns,
                                .id = before_id,
                                .limit = limit > 0 ? limit : 0,
                                .arena = arena};

    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_records = call.records;
    *ret_n_records = call.n_records;
    return ISO_OK;
}
