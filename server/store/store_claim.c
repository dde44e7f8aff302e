/* Whose job is next. */
#include "store_job.h"

/* Highest priority first; among equals the tenant with the fewest jobs running, then the one whose
 * turn is longest ago, then the oldest job. A lease that ends before `ended` is over. Only the
 * next few jobs of each tenant are looked at, by index: what a claim costs does not grow with what
 * has ended, and hardly with what waits. A few, since on PostgreSQL other processes may be claiming
 * the first ones now. `next` joins tenants t with their next jobs q. */
#define CLAIM(ended, next, lock)                                                                \
    "UPDATE job SET state = 2, attempt = attempt + 1, owner = $1, claim_ns = $2, lease_ns = $3" \
    " WHERE sequence = ("                                                                       \
    "  WITH e AS MATERIALIZED (SELECT " ended " AS ns), t AS MATERIALIZED ("                    \
    "    SELECT w.tenant,"                                                                      \
    "      (SELECT count(*) FROM job r WHERE r.tenant = w.tenant AND r.state = 2"               \
    "         AND r.state < 3 AND r.lease_ns >= (SELECT ns FROM e)) AS running,"                \
    "      (SELECT max(d.claim_ns) FROM job d WHERE d.tenant = w.tenant) AS turn_ns"            \
    "    FROM (SELECT tenant FROM job WHERE state = 1 AND state < 3"                            \
    "          UNION SELECT tenant FROM job WHERE state = 2 AND state < 3"                      \
    "            AND lease_ns < (SELECT ns FROM e) AND owner <> $1) w),"                        \
    "  c AS MATERIALIZED ("                                                                     \
    "    SELECT q.sequence, t.running, t.turn_ns FROM t " next "    UNION ALL"                  \
    "    SELECT x.sequence, t.running, t.turn_ns FROM t JOIN job x ON x.tenant = t.tenant"      \
    "    WHERE x.state = 2 AND x.state < 3 AND x.lease_ns < (SELECT ns FROM e)"                 \
    "      AND x.owner <> $1)"                                                                  \
    "  SELECT j.sequence FROM c JOIN job j ON j.sequence = c.sequence"                          \
    "  WHERE (j.state = 1 OR (j.state = 2 AND j.lease_ns < (SELECT ns FROM e)"                  \
    "                         AND j.owner <> $1)) AND ($4 = 0 OR c.running < $4)"               \
    "  ORDER BY j.priority DESC, c.running, c.turn_ns, j.sequence LIMIT 1" lock ")"             \
    " RETURNING " JOB_COLUMNS

#define NEXT_FEW                                                                              \
    "(SELECT n.sequence FROM job n WHERE n.state = 1 AND n.state < 3 AND n.tenant = t.tenant" \
    " ORDER BY n.priority DESC, n.sequence LIMIT 64)"

/* While PostgreSQL was away nobody could renew a lease: none is over until it was there for as long
 * as one takes. */
#define ENDED_ON_POSTGRES                                                                  \
    "CASE WHEN $2 - (extract(epoch FROM pg_postmaster_start_time()) * 1000000000)::bigint" \
    " < $3 - $2 THEN 0 ELSE $2 END"

static enum iso_status mark_plan_running(struct iso_sql *sql, struct job_call *call, int64_t now_ns,
                                         struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "UPDATE plan SET state = 2, start_ns = $4, etag = etag + 1"
                      " WHERE tenant = $1 AND project = $2 AND id = $3 RETURNING model_digest",
                      &statement, reterr, ISO_TEXT(call->job.principal.tenant),
                      ISO_TEXT(call->job.principal.project), ISO_TEXT(call->job.object_id),
                      ISO_INT(now_ns)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "job %.64s has no plan", call->job.object_id);
    call->job.model_digest = iso_sql_text(statement, 0, call->arena);
    while (row)
        ISO_TRY(iso_sql_step(statement, &row, reterr));
    return iso_store_check_arena(call->arena, reterr);
}

static enum iso_status claim(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    static const char on_sqlite[] = CLAIM("$2", "JOIN job q ON q.sequence IN " NEXT_FEW, "");
    static const char on_postgres[] = CLAIM(ENDED_ON_POSTGRES, "CROSS JOIN LATERAL " NEXT_FEW " q",
                                            " FOR UPDATE OF j SKIP LOCKED");
    struct job_call *call = context;
    const char *text = iso_sql_dialect(sql) == ISO_SQL_SQLITE ? on_sqlite : on_postgres;
    struct iso_statement *statement = NULL;
    int64_t now_ns = 0;
    bool row = false;

    call->found = false;
    ISO_TRY(iso_sql_now_ns(sql, &now_ns, reterr));
    ISO_TRY(ISO_START(sql, text, &statement, reterr, ISO_INT(call->store->incarnation),
                      ISO_INT(now_ns), ISO_INT(now_ns + iso_store_lease_ns(call->store)),
                      ISO_INT(call->store->limits.running_of_tenant)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return ISO_OK;
    ISO_TRY(iso_store_read_job(statement, call->arena, &call->job, reterr));
    while (row)
        ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (call->job.kind == ISO_JOB_KIND_PLAN)
        ISO_TRY(mark_plan_running(sql, call, now_ns, reterr));
    call->found = true;
    return ISO_OK;
}

enum iso_status iso_store_claim_job(struct iso_store *store, struct iso_arena *arena,
                                    bool *ret_found, struct iso_job_record *ret_job,
                                    struct iso_error *reterr)
{
    struct job_call call = {.store = store, .arena = arena};

    /* A limit for a tenant is counted; then claims must not overtake each other. */
    ISO_TRY((store->limits.running_of_tenant > 0 ? iso_store_write : iso_store_write_beside)(
        store, claim, &call, reterr));
    *ret_found = call.found;
    if (call.found)
        *ret_job = call.job;
    return ISO_OK;
}
