#include <stdio.h>

#include "store_internal.h"

struct job_call {
    int64_t incarnation;
    struct iso_arena *arena;
    bool found;
    struct iso_job_record job;
    int64_t n_jobs;
};

/* Fills the principal of a claimed row: tenant, project, subject, roles from column 0 on. */
static enum iso_status read_principal(struct iso_statement *statement, struct iso_arena *arena,
                                      struct iso_principal *principal, struct iso_error *reterr)
{
    const char *tenant = iso_sql_text(statement, 0, arena);
    const char *project = iso_sql_text(statement, 1, arena);
    const char *subject = iso_sql_text(statement, 2, arena);

    ISO_TRY(iso_store_check_arena(arena, reterr));
    snprintf(principal->tenant, sizeof(principal->tenant), "%s", tenant);
    snprintf(principal->project, sizeof(principal->project), "%s", project);
    snprintf(principal->subject, sizeof(principal->subject), "%s", subject);
    principal->roles = (unsigned)iso_sql_int(statement, 3);
    return ISO_OK;
}

static enum iso_status mark_plan_running(struct iso_sql *sql, struct job_call *call,
                                         struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "UPDATE plan SET state = 2, start_ns = $4, etag = etag + 1"
                      " WHERE tenant = $1 AND project = $2 AND id = $3 RETURNING model_digest",
                      &statement, reterr, ISO_TEXT(call->job.principal.tenant),
                      ISO_TEXT(call->job.principal.project), ISO_TEXT(call->job.plan_id),
                      ISO_INT(iso_store_now_ns())));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "job %.64s has no plan", call->job.plan_id);
    call->job.model_digest = iso_sql_text(statement, 0, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

static enum iso_status claim(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct job_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->found = false;
    ISO_TRY(ISO_START(sql,
                      "UPDATE job SET state = 2, attempt = attempt + 1, owner = $1"
                      " WHERE sequence = (SELECT sequence FROM job"
                      "   WHERE state < 3 AND (state = 1 OR owner <> $1)"
                      "   ORDER BY sequence LIMIT 1)"
                      " RETURNING tenant, project, subject, roles, plan_id, attempt",
                      &statement, reterr, ISO_INT(call->incarnation)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return ISO_OK;
    ISO_TRY(read_principal(statement, call->arena, &call->job.principal, reterr));
    call->job.plan_id = iso_sql_text(statement, 4, call->arena);
    call->job.attempt = (int)iso_sql_int(statement, 5);
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    while (row)
        ISO_TRY(iso_sql_step(statement, &row, reterr));
    ISO_TRY(mark_plan_running(sql, call, reterr));
    call->found = true;
    return ISO_OK;
}

enum iso_status iso_store_claim_job(struct iso_store *store, struct iso_arena *arena,
                                    bool *ret_found, struct iso_job_record *ret_job,
                                    struct iso_error *reterr)
{
    struct job_call call = {.incarnation = iso_store_incarnation(store), .arena = arena};

    ISO_TRY(iso_store_write(store, claim, &call, reterr));
    *ret_found = call.found;
    if (call.found)
        *ret_job = call.job;
    return ISO_OK;
}

static enum iso_status recover(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct job_call *call = context;

    ISO_TRY(ISO_RUN(sql,
                    "UPDATE plan SET state = 1, start_ns = 0, etag = etag + 1"
                    " WHERE (tenant, project, id) IN (SELECT tenant, project, plan_id FROM job"
                    "   WHERE state = 2 AND owner <> $1)",
                    reterr, ISO_INT(call->incarnation)));
    ISO_TRY(ISO_RUN(sql, "UPDATE job SET state = 1 WHERE state = 2 AND owner <> $1", reterr,
                    ISO_INT(call->incarnation)));
    call->n_jobs = iso_sql_changes(sql);
    return ISO_OK;
}

enum iso_status iso_store_recover_jobs(struct iso_store *store, int *ret_n_jobs,
                                       struct iso_error *reterr)
{
    struct job_call call = {.incarnation = iso_store_incarnation(store)};

    ISO_TRY(iso_store_write(store, recover, &call, reterr));
    *ret_n_jobs = (int)call.n_jobs;
    return ISO_OK;
}
