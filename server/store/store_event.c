#include "store_internal.h"

#define EVENTS_KEPT_NS (INT64_C(24) * 3600 * 1000000000)

struct event_call {
    const struct iso_principal *principal;
    const char *plan_id;
    struct iso_bytes event;
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

enum iso_status iso_store_insert_event(struct iso_sql *sql, const struct iso_principal *principal,
                                       const char *plan_id, struct iso_bytes event,
                                       int64_t *ret_sequence, struct iso_error *reterr)
{
    int64_t sequence = 0;

    ISO_TRY(iso_store_next_event(sql, principal, plan_id, &sequence, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "INSERT INTO event (tenant, project, plan_id, sequence, at_ns, event)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    reterr, ISO_TEXT(principal->tenant), ISO_TEXT(principal->project),
                    ISO_TEXT(plan_id), ISO_INT(sequence), ISO_INT(iso_store_now_ns()),
                    ISO_BLOB(event)));
    *ret_sequence = sequence;
    return ISO_OK;
}

enum iso_status iso_store_purge_events(struct iso_sql *sql, int64_t now_ns,
                                       struct iso_error *reterr)
{
    return ISO_RUN(sql,
                   "DELETE FROM event WHERE at_ns < $1 AND EXISTS (SELECT 1 FROM plan p WHERE"
                   " p.tenant = event.tenant AND p.project = event.project"
                   " AND p.id = event.plan_id AND p.end_ns > 0 AND p.end_ns < $1)",
                   reterr, ISO_INT(now_ns - EVENTS_KEPT_NS));
}

static enum iso_status append(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct event_call *call = context;
    int64_t plans = 0;

    ISO_TRY(ISO_SCALAR(sql,
                       "SELECT count(*) FROM plan WHERE tenant = $1 AND project = $2 AND id = $3",
                       0, &plans, reterr, ISO_TEXT(call->principal->tenant),
                       ISO_TEXT(call->principal->project), ISO_TEXT(call->plan_id)));
    if (!plans)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no plan has the id \"%.64s\"", call->plan_id);
    return iso_store_insert_event(sql, call->principal, call->plan_id, call->event, &call->sequence,
                                  reterr);
}

enum iso_status iso_store_append_event(struct iso_store *store,
                                       const struct iso_principal *principal, const char *plan_id,
                                       struct iso_bytes event, int64_t *ret_sequence,
                                       struct iso_error *reterr)
{
    struct event_call call = {.principal = principal, .plan_id = plan_id, .event = event};

    ISO_TRY(iso_store_write(store, append, &call, reterr));
    *ret_sequence = call.sequence;
    return ISO_OK;
}

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct event_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->events = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->events));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT sequence, event FROM event WHERE tenant = $1 AND project = $2"
                      " AND plan_id = $3 AND sequence > $4 ORDER BY sequence LIMIT $5",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->plan_id),
                      ISO_INT(call->sequence), ISO_INT(call->limit)));
    for (call->n_events = 0;; call->n_events++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->events[call->n_events].sequence = iso_sql_int(statement, 0);
        call->events[call->n_events].event = iso_sql_blob(statement, 1, call->arena);
    }
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
