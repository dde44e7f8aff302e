/* Evaluations: scenarios in runs, which are jobs of the queue, and their events.
 *
 *     create: accepted, runs QUEUED --> answers, one a place --> the last event, when all are there
 *
 * Whoever has a run adds the answers of its scenarios, as long as the run is at its attempt. A
 * place has one answer, whoever solves it and however often. The row of the evaluation counts the
 * answers and is locked while one is added: so sequences rise by 1, and who sees one sees all
 * before it. */
#include <stdio.h>

#include "store_evaluation.h"

struct evaluation_call {
    struct iso_store *store;
    const struct iso_principal *principal;
    const struct iso_evaluation_record *record;
    const struct iso_audit *audit;
    const char *id;
    struct iso_bytes event;
    const struct iso_bytes *runs;
    int n_runs, priority, most_open, n_done;
    char existing[ISO_EVALUATION_ID_SIZE];
    int64_t after;
    int limit;
    struct iso_arena *arena;
    struct iso_evaluation_record evaluation;
    struct iso_event_record *events;
    int n_events;
};

/* Of the events that are no results. */
enum { FIRST_PLACE = -1, LAST_PLACE = -2 };

enum iso_status iso_store_no_evaluation(const char *id, struct iso_error *reterr)
{
    return iso_fail(
        reterr, ISO_E_NOT_FOUND, "",
        "no evaluation has the id \"%.64s\"; one that goes on without its caller is kept "
        "for a day after its end",
        id);
}

enum iso_status iso_store_insert_result(struct iso_sql *sql, const struct iso_principal *principal,
                                        const char *id, int64_t sequence, int64_t place,
                                        const char *digest, struct iso_bytes event,
                                        struct iso_error *reterr)
{
    return ISO_RUN(sql,
                   "INSERT INTO evaluation_event (tenant, project, evaluation_id, sequence, place,"
                   " digest, event) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT (tenant, project, evaluation_id, place) DO NOTHING",
                   reterr, KEY_VALUES(principal, id), ISO_INT(sequence), ISO_INT(place),
                   ISO_TEXT(digest), ISO_BLOB(event));
}

/* --- create --- */

static enum iso_status insert_runs(struct iso_sql *sql, const struct evaluation_call *call,
                                   struct iso_error *reterr)
{
    struct iso_job_record job = {.principal = *call->principal,
                                 .kind = ISO_JOB_KIND_RUN,
                                 .object_id = call->record->id,
                                 .priority = call->priority};

    for (int i = 0; i < call->n_runs; i++) {
        ISO_TRY(ISO_RUN(sql,
                        "INSERT INTO evaluation_run (tenant, project, evaluation_id, part, run)"
                        " VALUES ($1, $2, $3, $4, $5)",
                        reterr, KEY_VALUES(call->principal, call->record->id), ISO_INT(i),
                        ISO_BLOB(call->runs[i])));
        job.part = i;
        ISO_TRY(iso_store_queue_job(sql, &job, reterr));
    }
    return iso_store_tell(sql, "job", call->principal, call->record->id, reterr);
}

/* Gives the id of the evaluation that was asked for with the same request_id, if there is one. */
static enum iso_status find_request(struct iso_sql *sql, struct evaluation_call *call,
                                    struct iso_error *reterr)
{
    const struct iso_evaluation_record *r = call->record;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->existing[0] = '\0';
    if (!r->request_id[0])
        return ISO_OK;
    ISO_TRY(ISO_START(sql,
                      "SELECT id, body_digest FROM evaluation WHERE tenant = $1 AND project = $2"
                      " AND request_id = $3 AND request_id <> ''",
                      &statement, reterr, KEY_VALUES(call->principal, r->request_id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return ISO_OK;
    snprintf(call->existing, sizeof(call->existing), "%s", iso_sql_value(statement, 0).text);
    bool same = strcmp(iso_sql_value(statement, 1).text, r->body_digest) == 0;
    iso_sql_reset(statement);
    return same ? ISO_OK
                : iso_fail(reterr, ISO_E_EXISTS, "request_id",
                           "request_id \"%.64s\" was used for another request (evaluation %.32s); "
                           "use a new one",
                           r->request_id, call->existing);
}

static enum iso_status create(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct evaluation_call *call = context;
    const struct iso_evaluation_record *r = call->record;
    int64_t n_open = 0;

    ISO_TRY(find_request(sql, call, reterr));
    if (call->existing[0])
        return ISO_OK;
    ISO_TRY(ISO_SCALAR(sql, "SELECT count(*) FROM evaluation WHERE tenant = $1 AND end_ns = 0", 0,
                       &n_open, reterr, ISO_TEXT(call->principal->tenant)));
    if (n_open >= call->most_open)
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "%lld evaluations of tenant %.64s run already, as many as it may have; try "
                        "again when one has ended",
                        (long long)n_open, call->principal->tenant);
    ISO_TRY(
        ISO_RUN(sql,
                "INSERT INTO evaluation (tenant, project, id, create_ns, end_ns, subject, roles,"
                " model_digest, snapshot_digest, n_scenarios, request_id, body_digest)"
                " VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11)",
                reterr, KEY_VALUES(call->principal, r->id), ISO_INT(r->create_ns),
                ISO_TEXT(call->principal->subject), ISO_INT((int64_t)call->principal->roles),
                ISO_TEXT(r->model_digest), ISO_TEXT(r->snapshot_digest), ISO_INT(r->n_scenarios),
                ISO_TEXT(r->request_id), ISO_TEXT(r->body_digest)));
    ISO_TRY(iso_store_insert_result(sql, call->principal, r->id, 1, FIRST_PLACE, "", call->event,
                                    reterr));
    ISO_TRY(insert_runs(sql, call, reterr));
    return iso_store_audit(sql, call->principal, call->audit, r->id, reterr);
}

enum iso_status
iso_store_create_evaluation(struct iso_store *store, const struct iso_principal *principal,
                            const struct iso_evaluation_record *record, struct iso_bytes accepted,
                            const struct iso_bytes *runs, int n_runs, int priority, int most_open,
                            const struct iso_audit *audit,
                            char ret_existing[ISO_EVALUATION_ID_SIZE], struct iso_error *reterr)
{
    struct evaluation_call call = {.store = store,
                                   .principal = principal,
                                   .record = record,
                                   .event = accepted,
                                   .runs = runs,
                                   .n_runs = n_runs,
                                   .priority = priority,
                                   .most_open = most_open,
                                   .audit = audit};

    ISO_TRY(iso_store_write(store, create, &call, reterr));
    memcpy(ret_existing, call.existing, sizeof(call.existing));
    return ISO_OK;
}

/* --- end --- */

static enum iso_status end(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct evaluation_call *call = context;
    int64_t end_ns = 0;

    ISO_TRY(ISO_RUN(sql,
                    "UPDATE evaluation SET end_ns = $4 WHERE " EVALUATION_KEY
                    " AND end_ns = 0 AND n_done = $5",
                    reterr, KEY_VALUES(call->principal, call->id), ISO_INT(iso_store_now_ns()),
                    ISO_INT(call->n_done)));
    if (iso_sql_changes(sql) == 0) {
        ISO_TRY(ISO_SCALAR(sql, "SELECT end_ns FROM evaluation WHERE " EVALUATION_KEY, 1, &end_ns,
                           reterr, KEY_VALUES(call->principal, call->id)));
        return end_ns != 0 ? ISO_OK
                           : iso_fail(reterr, ISO_E_CONFLICT, "",
                                      "evaluation %.64s has another number of results", call->id);
    }
    ISO_TRY(iso_store_insert_result(sql, call->principal, call->id, call->n_done + 2, LAST_PLACE,
                                    "", call->event, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE job SET state = 5, lease_ns = 0 WHERE tenant = $1 AND project = $2"
                    " AND kind = 2 AND object_id = $3 AND state = 1",
                    reterr, KEY_VALUES(call->principal, call->id)));
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE job SET cancel = 1 WHERE tenant = $1 AND project = $2"
                    " AND kind = 2 AND object_id = $3 AND state = 2",
                    reterr, KEY_VALUES(call->principal, call->id)));
    ISO_TRY(iso_store_tell(sql, "cancel", call->principal, call->id, reterr));
    ISO_TRY(iso_store_tell(sql, "evaluation", call->principal, call->id, reterr));
    return iso_store_audit(sql, call->principal, call->audit, call->id, reterr);
}

enum iso_status iso_store_end_evaluation(struct iso_store *store,
                                         const struct iso_principal *principal, const char *id,
                                         int n_done, struct iso_bytes event,
                                         const struct iso_audit *audit, struct iso_error *reterr)
{
    struct evaluation_call call = {
        .principal = principal, .id = id, .n_done = n_done, .event = event, .audit = audit};

    return iso_store_write(store, end, &call, reterr);
}

/* --- reading --- */

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct evaluation_call *call = context;
    struct iso_evaluation_record *r = &call->evaluation;
    struct iso_statement *statement = NULL;
    int64_t n_running = 0;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT id, create_ns, end_ns, model_digest, snapshot_digest, n_scenarios,"
                      " n_done, n_same, cpu_us, subject, roles FROM evaluation"
                      " WHERE " EVALUATION_KEY,
                      &statement, reterr, KEY_VALUES(call->principal, call->id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_store_no_evaluation(call->id, reterr);
    *r = (struct iso_evaluation_record){.id = iso_sql_text(statement, 0, call->arena),
                                        .create_ns = iso_sql_int(statement, 1),
                                        .end_ns = iso_sql_int(statement, 2),
                                        .model_digest = iso_sql_text(statement, 3, call->arena),
                                        .snapshot_digest = iso_sql_text(statement, 4, call->arena),
                                        .n_scenarios = (int)iso_sql_int(statement, 5),
                                        .n_done = (int)iso_sql_int(statement, 6),
                                        .n_same = (int)iso_sql_int(statement, 7),
                                        .cpu_us = iso_sql_int(statement, 8),
                                        .principal = *call->principal};
    const char *subject = iso_sql_text(statement, 9, call->arena);
    r->principal.roles = (unsigned)iso_sql_int(statement, 10);
    iso_sql_reset(statement);
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    snprintf(r->principal.subject, sizeof(r->principal.subject), "%s", subject);
    if (r->end_ns == 0)
        ISO_TRY(ISO_SCALAR(sql,
                           "SELECT count(*) FROM job WHERE tenant = $1 AND project = $2"
                           " AND kind = 2 AND object_id = $3 AND state = 2",
                           0, &n_running, reterr, KEY_VALUES(call->principal, call->id)));
    r->n_running = (int)n_running;
    return ISO_OK;
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
                      "SELECT sequence, event FROM evaluation_event WHERE " EVENT_KEY
                      " AND sequence > $4 ORDER BY sequence LIMIT $5",
                      &statement, reterr, KEY_VALUES(call->principal, call->id),
                      ISO_INT(call->after), ISO_INT(call->limit)));
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
