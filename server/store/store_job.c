/* Jobs: what waits for a solver or is in the hands of one.
 *
 *     QUEUED -- claimed --> RUNNING -- ended --> DONE, FAILED, CANCELLED
 *        ^                     |
 *        +---- released -------+   the process stops: nothing is held against the job
 *        +---- solver died ----+   a strike; the third, or the 20th attempt, makes it DEAD
 *        +---- lease ended ----+   and claimed by another process straight away
 *
 * A job ends in the transaction that has its result. Each claim is the next attempt, and only the
 * newest attempt may end a job: a process that lost its lease and does not know it yet changes
 * nothing any more. Times are the database's. */
#include <stdio.h>

#include "store_job.h"

enum { MOST_DEATHS = 3 };

enum iso_status iso_store_read_job(struct iso_statement *statement, struct iso_arena *arena,
                                   struct iso_job_record *job, struct iso_error *reterr)
{
    const char *tenant = iso_sql_text(statement, 0, arena);
    const char *project = iso_sql_text(statement, 1, arena);
    const char *subject = iso_sql_text(statement, 2, arena);

    ISO_TRY(iso_store_check_arena(arena, reterr));
    *job = (struct iso_job_record){.kind = (enum iso_job_kind)iso_sql_int(statement, 4),
                                   .object_id = iso_sql_text(statement, 5, arena),
                                   .part = iso_sql_int(statement, 6),
                                   .attempt = (int)iso_sql_int(statement, 7),
                                   .priority = (int)iso_sql_int(statement, 8),
                                   .cancelled = iso_sql_int(statement, 9) != 0,
                                   .incumbents = iso_sql_int(statement, 10) != 0,
                                   .model_digest = ""};
    snprintf(job->principal.tenant, sizeof(job->principal.tenant), "%s", tenant);
    snprintf(job->principal.project, sizeof(job->principal.project), "%s", project);
    snprintf(job->principal.subject, sizeof(job->principal.subject), "%s", subject);
    job->principal.roles = (unsigned)iso_sql_int(statement, 3);
    return iso_store_check_arena(arena, reterr);
}

int64_t iso_store_lease_ns(const struct iso_store *store)
{
    return (int64_t)(store->limits.lease_s * 1e9);
}

/* --- into the queue --- */

/* Runs of evaluations are not counted: each tenant has few evaluations at once. */
static enum iso_status check_depth(struct iso_sql *sql, const struct iso_job_limits *limits,
                                   const char *tenant, struct iso_error *reterr)
{
    int64_t of_tenant = 0, in_all = 0;

    if (limits->queued_of_tenant > 0)
        ISO_TRY(ISO_SCALAR(sql,
                           "SELECT count(*) FROM job WHERE state = 1 AND kind = 1 AND tenant = $1",
                           0, &of_tenant, reterr, ISO_TEXT(tenant)));
    if (limits->queued_of_tenant > 0 && of_tenant >= limits->queued_of_tenant)
        return iso_fail(
            reterr, ISO_E_LIMIT, "",
            "%lld plans of tenant %.64s wait already, as many as it may have; try again "
            "when some have run",
            (long long)of_tenant, tenant);
    if (limits->queued > 0)
        ISO_TRY(iso_sql_scalar(sql, "SELECT count(*) FROM job WHERE state = 1 AND kind = 1", NULL,
                               0, 0, &in_all, reterr));
    if (limits->queued > 0 && in_all >= limits->queued)
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "%lld plans wait already, as many as the queue holds; try again when some "
                        "have run",
                        (long long)in_all);
    return ISO_OK;
}

enum iso_status iso_store_queue_job(struct iso_sql *sql, const struct iso_job_record *job,
                                    struct iso_error *reterr)
{
    int64_t now_ns = 0;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    return ISO_RUN(sql,
                   "INSERT INTO job (tenant, project, kind, object_id, part, subject, roles,"
                   " state, priority, attempt, deaths, owner, queue_ns, claim_ns, lease_ns, cancel,"
                   " error, incumbents)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, 0, 0, 0, $9, 0, 0, 0, '', $10)",
                   reterr, ISO_TEXT(job->principal.tenant), ISO_TEXT(job->principal.project),
                   ISO_INT(job->kind), ISO_TEXT(job->object_id), ISO_INT(job->part),
                   ISO_TEXT(job->principal.subject), ISO_INT((int64_t)job->principal.roles),
                   ISO_INT(job->priority), ISO_INT(now_ns), ISO_INT(job->incumbents));
}

enum iso_status iso_store_insert_job(struct iso_store *store, struct iso_sql *sql,
                                     const struct iso_job_record *job, struct iso_error *reterr)
{
    ISO_TRY(check_depth(sql, &store->limits, job->principal.tenant, reterr));
    ISO_TRY(iso_store_queue_job(sql, job, reterr));
    return iso_store_tell(sql, "job", &job->principal, job->object_id, reterr);
}

/* --- while it runs --- */

static enum iso_status heartbeat(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct job_call *call = context;
    struct iso_statement *statement = NULL;
    int64_t now_ns = 0, n_running = 0;
    bool row = false;

    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    ISO_TRY(ISO_SCALAR(sql, "SELECT count(*) FROM job WHERE owner = $1 AND state = 2", 0,
                       &n_running, reterr, ISO_INT(call->store->incarnation)));
    call->jobs = iso_arena_calloc(call->arena, (size_t)n_running + 1, sizeof(*call->jobs));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "UPDATE job SET lease_ns = $2 WHERE owner = $1 AND state = 2"
                      " RETURNING " JOB_COLUMNS,
                      &statement, reterr, ISO_INT(call->store->incarnation),
                      ISO_INT(now_ns + iso_store_lease_ns(call->store))));
    for (call->n_jobs = 0;;) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return ISO_OK;
        if (call->n_jobs < n_running)
            ISO_TRY(
                iso_store_read_job(statement, call->arena, &call->jobs[call->n_jobs++], reterr));
    }
}

enum iso_status iso_store_heartbeat(struct iso_store *store, struct iso_arena *arena,
                                    struct iso_job_record **ret_jobs, int *ret_n_jobs,
                                    struct iso_error *reterr)
{
    struct job_call call = {.store = store, .arena = arena};

    ISO_TRY(iso_store_write_beside(store, heartbeat, &call, reterr));
    *ret_jobs = call.jobs;
    *ret_n_jobs = call.n_jobs;
    return ISO_OK;
}

#define JOB_KEY "tenant = $1 AND project = $2 AND kind = $3 AND object_id = $4 AND part = $5"
#define JOB_KEY_VALUES(job)                                                                      \
    ISO_TEXT((job)->principal.tenant), ISO_TEXT((job)->principal.project), ISO_INT((job)->kind), \
        ISO_TEXT((job)->object_id), ISO_INT((job)->part)

enum iso_status iso_store_lock_job(struct iso_sql *sql, const struct iso_job_record *job,
                                   bool *ret_found, int *ret_state, int *ret_attempt,
                                   struct iso_error *reterr)
{
    static const char on_sqlite[] = "SELECT state, attempt FROM job WHERE " JOB_KEY;
    static const char on_postgres[] = "SELECT state, attempt FROM job WHERE " JOB_KEY " FOR UPDATE";
    struct iso_statement *statement = NULL;

    ISO_TRY(ISO_START(sql, iso_sql_dialect(sql) == ISO_SQL_SQLITE ? on_sqlite : on_postgres,
                      &statement, reterr, JOB_KEY_VALUES(job)));
    ISO_TRY(iso_sql_step(statement, ret_found, reterr));
    if (!*ret_found)
        return ISO_OK;
    *ret_state = (int)iso_sql_int(statement, 0);
    *ret_attempt = (int)iso_sql_int(statement, 1);
    iso_sql_reset(statement);
    return ISO_OK;
}

enum iso_status iso_store_end_job(struct iso_sql *sql, const struct iso_job_record *job,
                                  enum iso_job_state state, struct iso_error *reterr)
{
    return ISO_RUN(sql, "UPDATE job SET state = $6, lease_ns = 0 WHERE " JOB_KEY, reterr,
                   JOB_KEY_VALUES(job), ISO_INT(state));
}

/* Puts a job that this process runs back in the queue. */
static enum iso_status requeue(struct iso_sql *sql, const struct job_call *call,
                               struct iso_error *reterr)
{
    const struct iso_job_record *job = &call->job;

    ISO_TRY(ISO_RUN(sql,
                    "UPDATE job SET state = 1, owner = 0, lease_ns = 0 WHERE " JOB_KEY
                    " AND state = 2 AND attempt = $6 AND owner = $7",
                    reterr, JOB_KEY_VALUES(job), ISO_INT(job->attempt),
                    ISO_INT(call->store->incarnation)));
    if (iso_sql_changes(sql) == 0)
        return ISO_OK; /* it is not this process's any more */
    if (job->kind == ISO_JOB_KIND_PLAN)
        ISO_TRY(ISO_RUN(sql,
                        "UPDATE plan SET state = 1, start_ns = 0, etag = etag + 1"
                        " WHERE tenant = $1 AND project = $2 AND id = $3",
                        reterr, ISO_TEXT(job->principal.tenant), ISO_TEXT(job->principal.project),
                        ISO_TEXT(job->object_id)));
    return iso_store_tell(sql, "job", &job->principal, job->object_id, reterr);
}

static enum iso_status release(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    return requeue(sql, context, reterr);
}

enum iso_status iso_store_release_job(struct iso_store *store, const struct iso_job_record *job,
                                      struct iso_error *reterr)
{
    struct job_call call = {.store = store, .job = *job};

    return iso_store_write_beside(store, release, &call, reterr);
}

struct failure {
    struct job_call call; /* first: requeue() takes it */
    bool died;
    const char *error;
    bool dead;
};

static enum iso_status count_failure(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct failure *failure = context;
    const struct iso_job_record *job = &failure->call.job;
    int64_t deaths = 0;

    ISO_TRY(ISO_SCALAR(sql,
                       "UPDATE job SET deaths = deaths + $6, error = $7 WHERE " JOB_KEY
                       " AND state = 2 AND attempt = $8 RETURNING deaths",
                       -1, &deaths, reterr, JOB_KEY_VALUES(job), ISO_INT(failure->died),
                       ISO_TEXT(failure->error), ISO_INT(job->attempt)));
    if (deaths < 0)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "job %.64s is not at attempt %d any more",
                        job->object_id, job->attempt);
    failure->dead = deaths >= MOST_DEATHS || job->attempt >= ISO_JOB_MOST_ATTEMPTS;
    return failure->dead ? ISO_OK : requeue(sql, &failure->call, reterr);
}

enum iso_status iso_store_fail_attempt(struct iso_store *store, const struct iso_job_record *job,
                                       bool died, const char *error, bool *ret_dead,
                                       struct iso_error *reterr)
{
    struct failure failure = {.call = {.store = store, .job = *job}, .died = died, .error = error};

    ISO_TRY(iso_store_write_beside(store, count_failure, &failure, reterr));
    *ret_dead = failure.dead;
    return ISO_OK;
}

static enum iso_status ask_to_cancel(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct job_call *call = context;

    ISO_TRY(ISO_RUN(sql, "UPDATE job SET cancel = 1 WHERE " JOB_KEY " AND state = 2", reterr,
                    JOB_KEY_VALUES(&call->job)));
    if (iso_sql_changes(sql) == 0)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "job %.64s does not run", call->job.object_id);
    return iso_store_tell(sql, "cancel", &call->job.principal, call->job.object_id, reterr);
}

enum iso_status iso_store_cancel_job(struct iso_store *store, const struct iso_job_record *job,
                                     struct iso_error *reterr)
{
    struct job_call call = {.store = store, .job = *job};

    return iso_store_write_beside(store, ask_to_cancel, &call, reterr);
}

/* --- at start --- */

static enum iso_status recover(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct job_call *call = context;

    call->n_jobs = 0;
    if (iso_sql_dialect(sql) != ISO_SQL_SQLITE)
        return ISO_OK; /* another process may be alive: its lease tells */
    ISO_TRY(ISO_RUN(sql,
                    "UPDATE plan SET state = 1, start_ns = 0, etag = etag + 1"
                    " WHERE (tenant, project, id) IN (SELECT tenant, project, object_id FROM job"
                    "   WHERE kind = 1 AND state = 2 AND owner <> $1)",
                    reterr, ISO_INT(call->store->incarnation)));
    ISO_TRY(ISO_RUN(sql, "UPDATE job SET state = 1, lease_ns = 0 WHERE state = 2 AND owner <> $1",
                    reterr, ISO_INT(call->store->incarnation)));
    call->n_jobs = (int)iso_sql_changes(sql);
    return ISO_OK;
}

enum iso_status iso_store_recover_jobs(struct iso_store *store, int *ret_n_jobs,
                                       struct iso_error *reterr)
{
    struct job_call call = {.store = store};

    ISO_TRY(iso_store_write_beside(store, recover, &call, reterr));
    *ret_n_jobs = call.n_jobs;
    return ISO_OK;
}

/* --- figures --- */

static enum iso_status count_jobs(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct job_call *call = context;
    int64_t now_ns = 0, oldest_ns = 0;

    ISO_TRY(iso_sql_scalar(sql, "SELECT count(*) FROM job WHERE state = 1", NULL, 0, 0,
                           &call->counts.queued, reterr));
    ISO_TRY(iso_sql_scalar(sql, "SELECT count(*) FROM job WHERE state = 2", NULL, 0, 0,
                           &call->counts.running, reterr));
    ISO_TRY(iso_sql_scalar(sql, "SELECT count(*) FROM job WHERE state = 6", NULL, 0, 0,
                           &call->counts.dead, reterr));
    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    ISO_TRY(iso_sql_scalar(sql, "SELECT min(queue_ns) FROM job WHERE state = 1", NULL, 0, now_ns,
                           &oldest_ns, reterr));
    call->counts.oldest_s = (double)(now_ns - oldest_ns) / 1e9;
    return ISO_OK;
}

enum iso_status iso_store_count_jobs(struct iso_store *store, struct iso_job_counts *ret_counts,
                                     struct iso_error *reterr)
{
    struct job_call call = {.store = store};

    ISO_TRY(iso_store_read(store, count_jobs, &call, reterr));
    *ret_counts = call.counts;
    return ISO_OK;
}
