/* Runs of scenarios, and the answers that come of them.
 *
 * Whoever has a run adds the answers of its scenarios, as long as the run is at its attempt. A
 * place has one answer, whoever solves it and however often. The row of the evaluation counts the
 * answers and is locked while one is added: so sequences rise by 1, and who sees one sees all
 * before it. */
#include "store_evaluation.h"

/* --- writing --- */

struct answer_call {
    const struct iso_job_record *job;
    const struct iso_scenario_answer *answer;
};

/* The job first, as a claim does: so two processes never wait for each other. */
static enum iso_status check_attempt(struct iso_sql *sql, const struct iso_job_record *job,
                                     struct iso_error *reterr)
{
    int state = 0, attempt = 0;
    bool found = false;

    ISO_TRY(iso_store_lock_job(sql, job, &found, &state, &attempt, reterr));
    if (!found || state != ISO_JOB_STATE_RUNNING || attempt != job->attempt)
        return iso_fail(reterr, ISO_E_CONFLICT, "",
                        "run %lld of evaluation %.64s is not at attempt %d any more",
                        (long long)job->part, job->object_id, job->attempt);
    return ISO_OK;
}

static enum iso_status add_answer(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct answer_call *call = context;
    const struct iso_job_record *job = call->job;
    const struct iso_scenario_answer *answer = call->answer;
    int64_t n_done = -1;

    ISO_TRY(check_attempt(sql, job, reterr));
    ISO_TRY(ISO_SCALAR(sql,
                       "UPDATE evaluation SET n_done = n_done + 1, n_same = n_same + $4,"
                       " cpu_us = cpu_us + $5 WHERE " EVALUATION_KEY " AND end_ns = 0"
                       " RETURNING n_done",
                       -1, &n_done, reterr, KEY_VALUES(&job->principal, job->object_id),
                       ISO_INT(answer->same), ISO_INT(answer->cpu_us)));
    if (n_done < 0)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "evaluation %.64s has ended", job->object_id);
    ISO_TRY(iso_store_insert_result(sql, &job->principal, job->object_id, n_done + 1, answer->place,
                                    answer->digest, answer->event, reterr));
    if (iso_sql_changes(sql) == 0)
        return iso_fail(reterr, ISO_E_EXISTS, "", "scenario %lld of evaluation %.64s has a result",
                        (long long)answer->place, job->object_id);
    return iso_store_tell(sql, "evaluation", &job->principal, job->object_id, reterr);
}

enum iso_status iso_store_add_answer(struct iso_store *store, const struct iso_job_record *job,
                                     const struct iso_scenario_answer *answer,
                                     struct iso_error *reterr)
{
    struct answer_call call = {.job = job, .answer = answer};

    return iso_store_write_beside(store, add_answer, &call, reterr);
}

struct end_call {
    const struct iso_job_record *job;
    enum iso_job_state state;
};

static enum iso_status end_run(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct end_call *call = context;
    struct iso_error lost = {0};
    enum iso_status status = check_attempt(sql, call->job, &lost);

    if (status == ISO_E_CONFLICT)
        return ISO_OK;
    if (status != ISO_OK)
        return iso_fail(reterr, status, lost.field, "%s", lost.text);
    return iso_store_end_job(sql, call->job, call->state, reterr);
}

enum iso_status iso_store_end_run(struct iso_store *store, const struct iso_job_record *job,
                                  enum iso_job_state state, struct iso_error *reterr)
{
    struct end_call call = {.job = job, .state = state};

    return iso_store_write_beside(store, end_run, &call, reterr);
}

/* --- reading --- */

struct read_call {
    const struct iso_principal *principal;
    const char *id, *digest;
    int64_t part;
    struct iso_arena *arena;
    bool found;
    struct iso_bytes bytes;
    int64_t *places;
    int n_places;
};

static enum iso_status read_bytes(struct iso_statement *statement, struct read_call *call,
                                  struct iso_error *reterr)
{
    ISO_TRY(iso_sql_step(statement, &call->found, reterr));
    if (!call->found)
        return ISO_OK;
    call->bytes = iso_sql_blob(statement, 0, call->arena);
    iso_sql_reset(statement);
    return iso_store_check_arena(call->arena, reterr);
}

static enum iso_status get_run(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct read_call *call = context;
    struct iso_statement *statement = NULL;

    ISO_TRY(ISO_START(sql, "SELECT run FROM evaluation_run WHERE " EVENT_KEY " AND part = $4",
                      &statement, reterr, KEY_VALUES(call->principal, call->id),
                      ISO_INT(call->part)));
    return read_bytes(statement, call, reterr);
}

enum iso_status iso_store_get_run(struct iso_store *store, const struct iso_job_record *job,
                                  struct iso_arena *arena, struct iso_bytes *ret_run,
                                  struct iso_error *reterr)
{
    struct read_call call = {
        .principal = &job->principal, .id = job->object_id, .part = job->part, .arena = arena};

    ISO_TRY(iso_store_read(store, get_run, &call, reterr));
    if (!call.found)
        return iso_store_no_evaluation(job->object_id, reterr);
    *ret_run = call.bytes;
    return ISO_OK;
}

static enum iso_status find_answer(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct read_call *call = context;
    struct iso_statement *statement = NULL;

    ISO_TRY(ISO_START(sql,
                      "SELECT event FROM evaluation_event WHERE " EVENT_KEY
                      " AND digest = $4 AND digest <> '' ORDER BY sequence LIMIT 1",
                      &statement, reterr, KEY_VALUES(call->principal, call->id),
                      ISO_TEXT(call->digest)));
    return read_bytes(statement, call, reterr);
}

enum iso_status iso_store_find_answer(struct iso_store *store,
                                      const struct iso_principal *principal, const char *id,
                                      const char *digest, struct iso_arena *arena,
                                      struct iso_bytes *ret_event, struct iso_error *reterr)
{
    struct read_call call = {.principal = principal, .id = id, .digest = digest, .arena = arena};

    ISO_TRY(iso_store_read(store, find_answer, &call, reterr));
    *ret_event = call.found ? call.bytes : (struct iso_bytes){0};
    return ISO_OK;
}

static enum iso_status list_answered(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct read_call *call = context;
    struct iso_statement *statement = NULL;
    int64_t n = 0;
    bool row = false;

    ISO_TRY(ISO_SCALAR(sql, "SELECT n_done FROM evaluation WHERE " EVALUATION_KEY, 0, &n, reterr,
                       KEY_VALUES(call->principal, call->id)));
    call->places = iso_arena_calloc(call->arena, (size_t)n + 1, sizeof(*call->places));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT place FROM evaluation_event WHERE " EVENT_KEY
                      " AND place >= 0 ORDER BY place LIMIT $4",
                      &statement, reterr, KEY_VALUES(call->principal, call->id), ISO_INT(n)));
    for (call->n_places = 0;; call->n_places++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return ISO_OK;
        call->places[call->n_places] = iso_sql_int(statement, 0);
    }
}

enum iso_status iso_store_list_answered(struct iso_store *store,
                                        const struct iso_principal *principal, const char *id,
                                        struct iso_arena *arena, int64_t **ret_places,
                                        int *ret_n_places, struct iso_error *reterr)
{
    struct read_call call = {.principal = principal, .id = id, .arena = arena};

    ISO_TRY(iso_store_read(store, list_answered, &call, reterr));
    *ret_places = call.places;
    *ret_n_places = call.n_places;
    return ISO_OK;
}
