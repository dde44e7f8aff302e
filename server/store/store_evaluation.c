/* Evaluations that go on without their caller, and their events.
 *
 * One process solves an evaluation, as long as it renews its lease; another one may take it over
 * when the lease has ended. A result is of one scenario, whose place is a key: a scenario has one
 * result, whoever solves it and however often. Times of leases are the database's. */
#include <stdio.h>

#include "store_internal.h"

struct evaluation_call {
    const struct iso_store *store;
    const struct iso_principal *principal;
    const struct iso_evaluation_record *record;
    const struct iso_evaluation_event *event;
    const struct iso_audit *audit;
    const char *id;
    int64_t after;
    int limit;
    struct iso_arena *arena;
    bool found;
    struct iso_evaluation_record evaluation;
    struct iso_event_record *events;
    int n_events;
};

static int64_t lease_ns(const struct iso_store *store)
{
    return (int64_t)(store->limits.lease_s * 1e9);
}

static enum iso_status not_found(const char *id, struct iso_error *reterr)
{
    return iso_fail(
        reterr, ISO_E_NOT_FOUND, "",
        "no evaluation has the id \"%.64s\"; one that goes on without its caller is kept "
        "for a day after its end",
        id);
}

/* --- writing --- */

static enum iso_status insert_event(struct iso_sql *sql, const struct evaluation_call *call,
                                    const char *id, struct iso_error *reterr)
{
    return ISO_RUN(sql,
                   "INSERT INTO evaluation_event (tenant, project, evaluation_id, sequence, place,"
                   " event) VALUES ($1, $2, $3, $4, $5, $6)",
                   reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                   ISO_TEXT(id), ISO_INT(call->event->sequence), ISO_INT(call->event->place),
                   ISO_BLOB(call->event->event));
}

static enum iso_status create(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct evaluation_call *call = context;
    const struct iso_evaluation_record *r = call->record;
    int64_t now_ns = 0;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    ISO_TRY(ISO_RUN(
        sql,
        "INSERT INTO evaluation (tenant, project, id, create_ns, end_ns, owner, lease_ns, subject,"
        " roles, kind, model_digest, snapshot_digest, request)"
        " VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12)",
        reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
        ISO_TEXT(r->id), ISO_INT(r->create_ns), ISO_INT(call->store->incarnation),
        ISO_INT(now_ns + lease_ns(call->store)), ISO_TEXT(call->principal->subject),
        ISO_INT((int64_t)call->principal->roles), ISO_INT(r->kind), ISO_TEXT(r->model_digest),
        ISO_TEXT(r->snapshot_digest), ISO_BLOB(r->request)));
    ISO_TRY(insert_event(sql, call, r->id, reterr));
    return iso_store_audit(sql, call->principal, call->audit, r->id, reterr);
}

enum iso_status iso_store_create_evaluation(struct iso_store *store,
                                            const struct iso_principal *principal,
                                            const struct iso_evaluation_record *record,
                                            const struct iso_evaluation_event *first,
                                            const struct iso_audit *audit, struct iso_error *reterr)
{
    struct evaluation_call call = {
        .store = store, .principal = principal, .record = record, .event = first, .audit = audit};

    return iso_store_write(store, create, &call, reterr);
}

static enum iso_status append(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct evaluation_call *call = context;
    int64_t now_ns = 0;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE evaluation SET lease_ns = $5, end_ns = $6"
                    " WHERE tenant = $1 AND project = $2 AND id = $3 AND owner = $4"
                    " AND end_ns = 0",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(call->id), ISO_INT(call->store->incarnation),
                    ISO_INT(now_ns + lease_ns(call->store)),
                    ISO_INT(call->event->last ? iso_store_now_ns() : 0)));
    if (iso_sql_changes(sql) != 1)
        return iso_fail(reterr, ISO_E_CONFLICT, "",
                        "evaluation %.32s has ended, or another process has it", call->id);
    return insert_event(sql, call, call->id, reterr);
}

enum iso_status iso_store_append_evaluation(struct iso_store *store,
                                            const struct iso_principal *principal, const char *id,
                                            const struct iso_evaluation_event *event,
                                            struct iso_error *reterr)
{
    struct evaluation_call call = {
        .store = store, .principal = principal, .id = id, .event = event};

    return iso_store_write_beside(store, append, &call, reterr);
}

/* --- leases --- */

static enum iso_status renew(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct evaluation_call *call = context;
    int64_t now_ns = 0;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    return ISO_RUN(sql, "UPDATE evaluation SET lease_ns = $2 WHERE owner = $1 AND end_ns = 0",
                   reterr, ISO_INT(call->store->incarnation),
                   ISO_INT(now_ns + lease_ns(call->store)));
}

enum iso_status iso_store_renew_evaluations(struct iso_store *store, struct iso_error *reterr)
{
    struct evaluation_call call = {.store = store};

    return iso_store_write_beside(store, renew, &call, reterr);
}

#define COLUMNS                                                                                    \
    "tenant, project, subject, roles, id, create_ns, end_ns, kind, model_digest, snapshot_digest," \
    " request"

static enum iso_status read_evaluation(struct iso_statement *statement, struct iso_arena *arena,
                                       struct iso_evaluation_record *record,
                                       struct iso_error *reterr)
{
    const char *tenant = iso_sql_text(statement, 0, arena);
    const char *project = iso_sql_text(statement, 1, arena);
    const char *subject = iso_sql_text(statement, 2, arena);

    ISO_TRY(iso_store_check_arena(arena, reterr));
    *record = (struct iso_evaluation_record){
        .id = iso_sql_text(statement, 4, arena),
        .create_ns = iso_sql_int(statement, 5),
        .end_ns = iso_sql_int(statement, 6),
        .kind = (int)iso_sql_int(statement, 7),
        .model_digest = iso_sql_text(statement, 8, arena),
        .snapshot_digest = iso_sql_text(statement, 9, arena),
        .request = iso_sql_blob(statement, 10, arena),
    };
    snprintf(record->principal.tenant, sizeof(record->principal.tenant), "%s", tenant);
    snprintf(record->principal.project, sizeof(record->principal.project), "%s", project);
    snprintf(record->principal.subject, sizeof(record->principal.subject), "%s", subject);
    record->principal.roles = (unsigned)iso_sql_int(statement, 3);
    return iso_store_check_arena(arena, reterr);
}

/* On SQLite there is one process, so what another one had is free. */
static enum iso_status claim(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct evaluation_call *call = context;
    int64_t me = call->store->incarnation, now_ns = 0;
    struct iso_statement *statement = NULL;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    int64_t free_ns = call->store->address ? now_ns : INT64_MAX;
    call->found = false;
    ISO_TRY(ISO_START(sql,
                      "UPDATE evaluation SET owner = $1, lease_ns = $2"
                      " WHERE (tenant, project, id) IN (SELECT tenant, project, id FROM evaluation"
                      "   WHERE end_ns = 0 AND owner <> $1 AND lease_ns < $3"
                      "   ORDER BY create_ns, id LIMIT 1)"
                      " RETURNING " COLUMNS,
                      &statement, reterr, ISO_INT(me), ISO_INT(now_ns + lease_ns(call->store)),
                      ISO_INT(free_ns)));
    ISO_TRY(iso_sql_step(statement, &call->found, reterr));
    if (!call->found)
        return ISO_OK;
    enum iso_status status = read_evaluation(statement, call->arena, &call->evaluation, reterr);
    iso_sql_reset(statement);
    return status;
}

enum iso_status iso_store_claim_evaluation(struct iso_store *store, struct iso_arena *arena,
                                           bool *ret_found,
                                           struct iso_evaluation_record *ret_record,
                                           struct iso_error *reterr)
{
    struct evaluation_call call = {.store = store, .arena = arena};

    ISO_TRY(iso_store_write(store, claim, &call, reterr));
    *ret_found = call.found;
    *ret_record = call.evaluation;
    return ISO_OK;
}

/* --- reading --- */

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct evaluation_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT " COLUMNS " FROM evaluation"
                      " WHERE tenant = $1 AND project = $2 AND id = $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return not_found(call->id, reterr);
    enum iso_status status = read_evaluation(statement, call->arena, &call->evaluation, reterr);
    iso_sql_reset(statement);
    return status;
}

enum iso_status iso_store_get_evaluation(struct iso_store *store,
                                         const struct iso_principal *principal, const char *id,
                                         struct iso_arena *arena,
                                         struct iso_evaluation_record *ret_record,
                                         struct iso_error *reterr)
{
    struct evaluation_call call = {.principal = principal, .id = id, .arena = arena};

    ISO_TRY(iso_store_read(store, get, &call, reterr));
    *ret_record = call.evaluation;
    return ISO_OK;
}

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct evaluation_call *call = context;
    struct iso_statement *statement = NULL;

    call->events = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->events));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT sequence, event FROM evaluation_event WHERE tenant = $1"
                      " AND project = $2 AND evaluation_id = $3 AND sequence > $4"
                      " ORDER BY sequence LIMIT $5",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->id), ISO_INT(call->after),
                      ISO_INT(call->limit)));
    return iso_store_read_events(statement, call->arena, call->events, &call->n_events, reterr);
}

enum iso_status iso_store_list_evaluation_events(struct iso_store *store,
                                                 const struct iso_principal *principal,
                                                 const char *id, int64_t after_sequence, int limit,
                                                 struct iso_arena *arena,
                                                 struct iso_event_record **ret_events,
                                                 int *ret_n_events, struct iso_error *reterr)
{
    struct evaluation_call call = {.principal = principal,
                                   .id = id,
                                   .after = after_sequence,
                                   .limit = limit > 0 ? limit : 0,
                                   .arena = arena};

    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_events = call.events;
    *ret_n_events = call.n_events;
    return ISO_OK;
}
