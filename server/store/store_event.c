#include "store_internal.h"

enum { MOST_TRIES = 16 };

struct event_call {
    const struct iso_principal *principal;
    const char *plan_id;
    struct iso_bytes event;
    int64_t attempt;  /* that may add it; -1: any */
    int64_t sequence; /* given back by append; list continues after it */
    int limit;
    struct iso_arena *arena;
    struct iso_event_record *events;
    int n_events;
};

enum iso_status iso_store_next_event(struct iso_sql *sql, const struct iso_principal *principal,
                                     const char *plan_id, int64_t *ret_sequence,
                                     struct iso_error *reterr)
{
    return ISO_SCALAR(sql,
                      "SELECT max(sequence) + 1 FROM event"
                      " WHERE tenant = $1 AND project = $2 AND plan_id = $3",
                      1, ret_sequence, reterr, ISO_TEXT(principal->tenant),
                      ISO_TEXT(principal->project), ISO_TEXT(plan_id));
}

/* Another process may take the same sequence at the same time: then there is no row, and the next
 * one is tried. */
enum iso_status iso_store_insert_event(struct iso_sql *sql, const struct iso_principal *principal,
                                       const char *plan_id, struct iso_bytes event,
                                       int64_t *ret_sequence, struct iso_error *reterr)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        int64_t sequence = 0;

        ISO_TRY(iso_store_next_event(sql, principal, plan_id, &sequence, reterr));
        ISO_TRY(ISO_RUN(sql,
                        "INSERT INTO event (tenant, project, plan_id, sequence, at_ns, event)"
                        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                        reterr, ISO_TEXT(principal->tenant), ISO_TEXT(principal->project),
                        ISO_TEXT(plan_id), ISO_INT(sequence), ISO_INT(iso_store_now_ns()),
                        ISO_BLOB(event)));
        if (iso_sql_changes(sql) > 0) {
            *ret_sequence = sequence;
            return iso_store_tell(sql, "plan", principal, plan_id, reterr);
        }
    }
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "plan %.64s changes too fast; try again",
                    plan_id);
}

static enum iso_status append(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct event_call *call = context;
    int64_t found = 0;

    ISO_TRY(ISO_SCALAR(sql,
                       "SELECT count(*) FROM plan WHERE tenant = $1 AND project = $2 AND id = $3",
                       0, &found, reterr, ISO_TEXT(call->principal->tenant),
                       ISO_TEXT(call->principal->project), ISO_TEXT(call->plan_id)));
    if (!found)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no plan has the id \"%.64s\"", call->plan_id);
    if (call->attempt >= 0)
        ISO_TRY(ISO_SCALAR(sql,
                           "SELECT count(*) FROM job WHERE tenant = $1 AND project = $2"
                           " AND kind = 1 AND object_id = $3 AND attempt = $4 AND state = 2",
                           0, &found, reterr, ISO_TEXT(call->principal->tenant),
                           ISO_TEXT(call->principal->project), ISO_TEXT(call->plan_id),
                           ISO_INT(call->attempt)));
    if (!found)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "plan %.64s is not at attempt %lld any more",
                        call->plan_id, (long long)call->attempt);
    return iso_store_insert_event(sql, call->principal, call->plan_id, call->event, &call->sequence,
                                  reterr);
}

enum iso_status iso_store_append_event(struct iso_store *store,
                                       const struct iso_principal *principal, const char *plan_id,
                                       int attempt, struct iso_bytes event, int64_t *ret_sequence,
                                       struct iso_error *reterr)
{
    struct event_call call = {
        .principal = principal, .plan_id = plan_id, .attempt = attempt, .event = event};

    ISO_TRY(iso_store_write_beside(store, append, &call, reterr));
    *ret_sequence = call.sequence;
    return ISO_OK;
}

enum iso_status iso_store_read_events(struct iso_statement *statement, struct iso_arena *arena,
                                      struct iso_event_record *events, int *ret_n_events,
                                      struct iso_error *reterr)
{
    bool row = false;

    for (*ret_n_events = 0;; ++*ret_n_events) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(arena, reterr);
        events[*ret_n_events].sequence = iso_sql_int(statement, 0);
        events[*ret_n_events].event = iso_sql_blob(statement, 1, arena);
    }
}

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct event_call *call = context;
    struct iso_statement *statement = NULL;

    call->events = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->events));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT sequence, event FROM event WHERE tenant = $1 AND project = $2"
                      " AND plan_id = $3 AND sequence > $4 ORDER BY sequence LIMIT $5",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->plan_id),
                      ISO_INT(call->sequence), ISO_INT(call->limit)));
    return iso_store_read_events(statement, call->arena, call->events, &call->n_events, reterr);
}

enum iso_status iso_store_list_events(struct iso_store *store,
                                      const struct iso_principal *principal, const char *plan_id,
                                      int64_t after_sequence, int limit, struct iso_arena *arena,
                                      struct iso_event_record **ret_events, int *ret_n_events,
                                      struct iso_error *reterr)
{
    struct event_call call = {.principal = principal,
                              .plan_id = plan_id,
                              .sequence = after_sequence,
                              .limit = limit > 0 ? limit : 0,
                              .arena = arena};

    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_events = call.events;
    *ret_n_events = call.n_events;
    return ISO_OK;
}
