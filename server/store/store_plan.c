#include "store_internal.h"

#include "isocost/v1/plan.pb-c.h"

#define PLAN_COLUMNS                                                                 \
    "id, state, create_ns, start_ns, end_ns, request_id, body_digest, model_digest," \
    " snapshot_digest, labels, etag, plan"
enum { LINES_COLUMN = 12 };

struct plan_call {
    struct iso_store *store;
    const struct iso_principal *principal;
    const struct iso_plan_record *record;
    struct iso_bytes model;
    const struct iso_audit *audit;
    const char *id;
    bool with_lines;
    int64_t attempt, etag;
    int priority;
    const struct iso_plan_query *query;
    struct iso_arena *arena;
    bool existing;
    struct iso_plan_record found;
    struct iso_plan_record *records;
    int n_records;
};

static struct iso_job_record job_of(const struct plan_call *call, const char *id)
{
    return (struct iso_job_record){
        .principal = *call->principal, .kind = ISO_JOB_KIND_PLAN, .object_id = id};
}

static bool has_ended(int64_t state)
{
    return state >= ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
}

static struct iso_plan_record read_plan(struct iso_statement *statement, bool with_lines,
                                        struct iso_arena *arena)
{
    struct iso_plan_record record = {
        .id = iso_sql_text(statement, 0, arena),
        .state = (int)iso_sql_int(statement, 1),
        .create_ns = iso_sql_int(statement, 2),
        .start_ns = iso_sql_int(statement, 3),
        .end_ns = iso_sql_int(statement, 4),
        .request_id = iso_sql_text(statement, 5, arena),
        .body_digest = iso_sql_text(statement, 6, arena),
        .model_digest = iso_sql_text(statement, 7, arena),
        .snapshot_digest = iso_sql_text(statement, 8, arena),
        .labels = iso_sql_text(statement, 9, arena),
        .etag = iso_sql_int(statement, 10),
        .plan = iso_sql_blob(statement, 11, arena),
    };

    if (with_lines)
        record.lines = iso_sql_blob(statement, LINES_COLUMN, arena);
    return record;
}

static enum iso_status find_plan(struct iso_sql *sql, struct plan_call *call, const char *id,
                                 struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT " PLAN_COLUMNS ", lines FROM plan"
                      " WHERE tenant = $1 AND project = $2 AND id = $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no plan has the id \"%.64s\"", id);
    call->found = read_plan(statement, call->with_lines, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

/* --- create --- */

static enum iso_status find_request(struct iso_sql *sql, struct plan_call *call,
                                    struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    call->existing = false;
    if (!call->record->request_id || !call->record->request_id[0])
        return ISO_OK;
    ISO_TRY(ISO_START(sql,
                      "SELECT " PLAN_COLUMNS " FROM plan"
                      " WHERE tenant = $1 AND project = $2 AND request_id = $3"
                      " AND request_id <> ''",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->record->request_id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return ISO_OK;
    call->found = read_plan(statement, false, call->arena);
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    if (strcmp(call->found.body_digest, call->record->body_digest) != 0)
        return iso_fail(reterr, ISO_E_EXISTS, "request_id",
                        "request_id \"%.64s\" was used for another request (plan %.32s); use a new "
                        "one",
                        call->record->request_id, call->found.id);
    call->existing = true;
    return ISO_OK;
}

static enum iso_status insert_plan(struct iso_sql *sql, const struct plan_call *call,
                                   struct iso_error *reterr)
{
    const struct iso_plan_record *r = call->record;

    return ISO_RUN(
        sql,
        "INSERT INTO plan (tenant, project, id, state, etag, create_ns, start_ns,"
        " end_ns, request_id, body_digest, model_digest, snapshot_digest, labels, plan,"
        " lines) VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
        ISO_TEXT(r->id), ISO_INT(r->state), ISO_INT(r->create_ns), ISO_INT(r->start_ns),
        ISO_INT(r->end_ns), ISO_TEXT(r->request_id), ISO_TEXT(r->body_digest),
        ISO_TEXT(r->model_digest), ISO_TEXT(r->snapshot_digest), ISO_TEXT(r->labels),
        ISO_BLOB(r->plan), ISO_BLOB(r->lines));
}

static enum iso_status create(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct plan_call *call = context;
    const struct iso_plan_record *record = call->record;

    ISO_TRY(find_request(sql, call, reterr));
    if (call->existing)
        return ISO_OK;
    if (call->model.n_bytes)
        ISO_TRY(iso_store_insert_model(sql, call->principal, record->model_digest, call->model,
                                       reterr));
    ISO_TRY(insert_plan(sql, call, reterr));
    if (record->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED) {
        struct iso_job_record job = job_of(call, record->id);

        job.priority = call->priority;
        job.incumbents = record->incumbents;
        ISO_TRY(iso_store_insert_job(call->store, sql, &job, reterr));
    }
    call->found = *record;
    call->found.etag = 1;
    return iso_store_audit(sql, call->principal, call->audit, record->id, reterr);
}

enum iso_status iso_store_create_plan(struct iso_store *store,
                                      const struct iso_principal *principal,
                                      const struct iso_plan_record *record, int priority,
                                      struct iso_bytes model, const struct iso_audit *audit,
                                      struct iso_arena *arena, bool *ret_existing,
                                      struct iso_plan_record *ret_record, struct iso_error *reterr)
{
    struct plan_call call = {.store = store,
                             .principal = principal,
                             .record = record,
                             .priority = priority,
                             .model = model,
                             .audit = audit,
                             .arena = arena};

    ISO_TRY(iso_store_write(store, create, &call, reterr));
    *ret_existing = call.existing;
    *ret_record = call.found;
    return ISO_OK;
}

/* --- update --- */

static size_t put_varint(unsigned char *out, uint64_t value)
{
    size_t n = 0;

    while (value >= 0x80) {
        out[n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (unsigned char)value;
    return n;
}

/* Packs isocost.v1.WatchPlanResponse {sequence = 1, state_changed = 2 | ended = 4} around a plan
 * that is packed already. */
static enum iso_status add_state_event(struct iso_sql *sql, const struct plan_call *call,
                                       struct iso_error *reterr)
{
    const struct iso_plan_record *record = call->record;
    ISO_AUTO_MEM unsigned char *event = iso_calloc(record->plan.n_bytes + 32, 1);
    int64_t sequence = 0;
    size_t n = 0;

    if (!event)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an event");
    ISO_TRY(iso_store_next_event(sql, call->principal, record->id, &sequence, reterr));
    event[n++] = 1 << 3;
    n += put_varint(event + n, (uint64_t)sequence);
    event[n++] = (unsigned char)((has_ended(record->state) ? 4 : 2) << 3 | 2);
    n += put_varint(event + n, record->plan.n_bytes);
    if (record->plan.n_bytes)
        memcpy(event + n, record->plan.bytes, record->plan.n_bytes);
    n += record->plan.n_bytes;
    return iso_store_insert_event(sql, call->principal, record->id, (struct iso_bytes){event, n},
                                  &sequence, reterr);
}

static enum iso_status check_fence(struct iso_sql *sql, const struct plan_call *call,
                                   const struct iso_job_record *job, bool *ret_has_job,
                                   struct iso_error *reterr)
{
    const char *id = call->record->id;
    int job_state = 0, attempt = 0;
    int64_t state = 0;

    /* The job first, as a claim does: what is read of the plan then stays so. */
    ISO_TRY(iso_store_lock_job(sql, job, ret_has_job, &job_state, &attempt, reterr));
    ISO_TRY(ISO_SCALAR(sql, "SELECT state FROM plan WHERE tenant = $1 AND project = $2 AND id = $3",
                       0, &state, reterr, ISO_TEXT(call->principal->tenant),
                       ISO_TEXT(call->principal->project), ISO_TEXT(id)));
    if (!state)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no plan has the id \"%.64s\"", id);
    if (has_ended(state))
        return iso_fail(reterr, ISO_E_CONFLICT, "", "plan %.64s has ended already", id);
    if (call->attempt == -1 && state != ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "plan %.64s does not wait any more", id);
    if (call->attempt != -1 && attempt != call->attempt)
        return iso_fail(reterr, ISO_E_CONFLICT, "",
                        "plan %.64s is at attempt %d; attempt %lld may not change it", id, attempt,
                        (long long)call->attempt);
    return ISO_OK;
}

static enum iso_status update(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct plan_call *call = context;
    const struct iso_plan_record *r = call->record;
    struct iso_job_record job = job_of(call, r->id);
    bool has_job = false;

    ISO_TRY(check_fence(sql, call, &job, &has_job, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE plan SET state = $4, etag = etag + 1,"
                    " start_ns = CASE $5 WHEN 0 THEN start_ns ELSE $5 END, end_ns = $6,"
                    " snapshot_digest = CASE $7 WHEN '' THEN snapshot_digest ELSE $7 END,"
                    " plan = $8, lines = $9 WHERE tenant = $1 AND project = $2 AND id = $3",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(r->id), ISO_INT(r->state), ISO_INT(r->start_ns), ISO_INT(r->end_ns),
                    ISO_TEXT(r->snapshot_digest), ISO_BLOB(r->plan), ISO_BLOB(r->lines)));
    if (has_job && has_ended(r->state))
        ISO_TRY(iso_store_end_job(
            sql, &job, r->dead ? ISO_JOB_STATE_DEAD : (enum iso_job_state)r->state, reterr));
    ISO_TRY(add_state_event(sql, call, reterr));
    return iso_store_audit(sql, call->principal, call->audit, r->id, reterr);
}

enum iso_status iso_store_update_plan(struct iso_store *store,
                                      const struct iso_principal *principal,
                                      const struct iso_plan_record *record, int attempt,
                                      const struct iso_audit *audit, struct iso_error *reterr)
{
    struct plan_call call = {
        .principal = principal, .record = record, .attempt = attempt, .audit = audit};

    return iso_store_write(store, update, &call, reterr);
}

/* --- read --- */

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct plan_call *call = context;

    return find_plan(sql, call, call->id, reterr);
}

enum iso_status iso_store_get_plan(struct iso_store *store, const struct iso_principal *principal,
                                   const char *id, bool with_lines, struct iso_arena *arena,
                                   struct iso_plan_record *ret_record, struct iso_error *reterr)
{
    struct plan_call call = {
        .principal = principal, .id = id, .with_lines = with_lines, .arena = arena};

    ISO_TRY(iso_store_read(store, get, &call, reterr));
    *ret_record = call.found;
    return ISO_OK;
}

#define LIST_PLANS(order, beyond)                                                         \
    "SELECT " PLAN_COLUMNS " FROM plan WHERE tenant = $1 AND project = $2"                \
    " AND ($3 = 0 OR state = $3)"                                                         \
    " AND ($4 = '' OR replace('\n' || labels, '\n' || $4 || '\n', '') <> '\n' || labels)" \
    " AND ($5 = 0 OR (create_ns, id) " beyond " ($5, $6))"                                \
    " ORDER BY create_ns " order ", id " order " LIMIT $7"

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    static const char newest_first[] = LIST_PLANS("DESC", "<");
    static const char oldest_first[] = LIST_PLANS("ASC", ">");
    struct plan_call *call = context;
    const struct iso_plan_query *q = call->query;
    int limit = q->limit > 0 ? q->limit : 0;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->records = iso_arena_calloc(call->arena, (size_t)limit, sizeof(*call->records));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql, q->oldest_first ? oldest_first : newest_first, &statement, reterr,
                      ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                      ISO_INT(q->state), ISO_TEXT(q->label), ISO_INT(q->after_create_ns),
                      ISO_TEXT(q->after_id), ISO_INT(limit)));
    for (call->n_records = 0;; call->n_records++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->records[call->n_records] = read_plan(statement, false, call->arena);
    }
}

enum iso_status iso_store_list_plans(struct iso_store *store, const struct iso_principal *principal,
                                     const struct iso_plan_query *query, struct iso_arena *arena,
                                     struct iso_plan_record **ret_records, int *ret_n_records,
                                     struct iso_error *reterr)
{
    struct plan_call call = {.principal = principal, .query = query, .arena = arena};

    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_records = call.records;
    *ret_n_records = call.n_records;
    return ISO_OK;
}

/* --- delete --- */

static enum iso_status delete_plan(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct plan_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;
    int64_t state, etag;

    ISO_TRY(ISO_START(sql,
                      "SELECT state, etag FROM plan WHERE tenant = $1 AND project = $2 AND id = $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->id)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no plan has the id \"%.64s\"", call->id);
    state = iso_sql_int(statement, 0);
    etag = iso_sql_int(statement, 1);
    iso_sql_reset(statement);
    if (call->etag && call->etag != etag)
        return iso_fail(reterr, ISO_E_CONFLICT, "etag",
                        "etag is %lld; the plan has been changed since and has %lld",
                        (long long)call->etag, (long long)etag);
    if (!has_ended(state))
        return iso_fail(reterr, ISO_E_PRECONDITION, "", "plan %.64s has not ended; cancel it first",
                        call->id);
    ISO_TRY(ISO_RUN(sql,
                    "DELETE FROM job WHERE tenant = $1 AND project = $2 AND kind = 1"
                    " AND object_id = $3",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(call->id)));
    ISO_TRY(ISO_RUN(sql, "DELETE FROM plan WHERE tenant = $1 AND project = $2 AND id = $3", reterr,
                    ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(call->id)));
    return iso_store_audit(sql, call->principal, call->audit, call->id, reterr);
}

enum iso_status iso_store_delete_plan(struct iso_store *store,
                                      const struct iso_principal *principal, const char *id,
                                      int64_t etag, const struct iso_audit *audit,
                                      struct iso_error *reterr)
{
    struct plan_call call = {.principal = principal, .id = id, .etag = etag, .audit = audit};

    return iso_store_write(store, delete_plan, &call, reterr);
}
