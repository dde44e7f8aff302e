/* Writing sets of records and making them visible. */
#include <time.h>

#include "record_store.h"
#include "store_record.h"

/* States of a set. */
enum { STAGED = 0, PUBLISHED = 1, GIVEN_UP = 2 };

/* What a call works on. */
struct record_call {
    const struct iso_principal *principal;
    const char *source;
    enum iso_record_kind kind;
    int64_t from_ns, to_ns, id;
    const struct iso_record_row *rows;
    int n_rows;
    int64_t n_before; /* rows of the set before these */
    const struct iso_record_set *sets;
    int n_sets;
    struct iso_bytes refresh;
    const struct iso_audit *audit;
};

static enum iso_status begin(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct record_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(
        sql,
        "INSERT INTO record_set (tenant, project, source, kind, from_ns, to_ns, state,"
        " dirty, create_ns, n_rows, refresh)"
        " VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, 0, $8) RETURNING sequence",
        &statement, reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
        ISO_TEXT(call->source), ISO_INT(call->kind), ISO_INT(call->from_ns), ISO_INT(call->to_ns),
        ISO_INT(iso_store_now_ns()), ISO_BLOB(call->refresh)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "a set of records got no number");
    call->id = iso_sql_int(statement, 0);
    iso_sql_reset(statement);
    return ISO_OK;
}

enum iso_status iso_store_begin_records(struct iso_store *store,
                                        const struct iso_principal *principal, const char *source,
                                        enum iso_record_kind kind, int64_t from_ns, int64_t to_ns,
                                        struct iso_record_set *ret_set, struct iso_error *reterr)
{
    bool of_now = kind == ISO_RECORD_RUNNING;
    struct record_call call = {.principal = principal,
                               .source = source,
                               .kind = kind,
                               .from_ns = of_now ? 0 : from_ns,
                               .to_ns = of_now ? INT64_MAX : to_ns};

    ISO_TRY(iso_store_write_beside(store, begin, &call, reterr));
    *ret_set = (struct iso_record_set){.kind = kind, .id = call.id};
    return ISO_OK;
}

/* --- rows --- */

static enum iso_status check_state(struct iso_sql *sql, int64_t id, struct iso_error *reterr)
{
    int64_t state = GIVEN_UP;

    ISO_TRY(ISO_SCALAR(sql, "SELECT state FROM record_set WHERE sequence = $1", GIVEN_UP, &state,
                       reterr, ISO_INT(id)));
    return state == STAGED ? ISO_OK
                           : iso_fail(reterr, ISO_E_CONFLICT, "",
                                      "set %lld of records is not written any more", (long long)id);
}

/* Year * 100 + month of a time, in UTC. */
static int64_t month_of(int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return (parts.tm_year + 1900) * 100 + parts.tm_mon + 1;
}

static struct iso_value amount_value(struct iso_record_amount amount)
{
    return (struct iso_value){.kind = amount.present ? ISO_VALUE_INT : ISO_VALUE_NULL,
                              .integer = amount.value};
}

static enum iso_status add_cost(struct iso_sql *sql, int64_t id, int64_t number,
                                const struct iso_record_row *row, struct iso_error *reterr)
{
    const struct iso_value values[] = {ISO_INT(id),
                                       ISO_INT(row->start_ns),
                                       ISO_INT(number),
                                       ISO_INT(month_of(row->start_ns)),
                                       ISO_TEXT(row->provider),
                                       ISO_TEXT(row->account),
                                       ISO_TEXT(row->service),
                                       ISO_TEXT(row->region),
                                       ISO_INT(row->category),
                                       ISO_TEXT(row->currency),
                                       amount_value(row->billed),
                                       amount_value(row->effective),
                                       amount_value(row->list),
                                       ISO_INT(row->effective_from_billed),
                                       ISO_BLOB(row->message)};

    return iso_sql_run(
        sql,
        "INSERT INTO cost_record (set_id, start_ns, number, month, provider, account,"
        " service, region, category, currency, billed, effective, list, from_billed,"
        " record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
        " $14, $15)",
        values, (int)ISO_ARRAY_LENGTH(values), reterr);
}

static enum iso_status add_usage(struct iso_sql *sql, int64_t id, int64_t number,
                                 const struct iso_record_row *row, struct iso_error *reterr)
{
    return ISO_RUN(sql,
                   "INSERT INTO usage_record (set_id, start_ns, number, provider, account, region,"
                   " resource, metric, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   reterr, ISO_INT(id), ISO_INT(row->start_ns), ISO_INT(number),
                   ISO_TEXT(row->provider), ISO_TEXT(row->account), ISO_TEXT(row->region),
                   ISO_TEXT(row->resource), ISO_TEXT(row->metric), ISO_BLOB(row->message));
}

static enum iso_status add_running(struct iso_sql *sql, int64_t id, int64_t number,
                                   const struct iso_record_row *row, struct iso_error *reterr)
{
    return ISO_RUN(
        sql,
        "INSERT INTO running_record (set_id, start_ns, number, provider, account, region,"
        " resource, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        reterr, ISO_INT(id), ISO_INT(row->start_ns), ISO_INT(number), ISO_TEXT(row->provider),
        ISO_TEXT(row->account), ISO_TEXT(row->region), ISO_TEXT(row->resource),
        ISO_BLOB(row->message));
}

static enum iso_status add(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct record_call *call = context;

    ISO_TRY(check_state(sql, call->id, reterr));
    for (int i = 0; i < call->n_rows; i++) {
        int64_t number = call->n_before + i;

        ISO_TRY(call->kind == ISO_RECORD_COST
                    ? add_cost(sql, call->id, number, &call->rows[i], reterr)
                : call->kind == ISO_RECORD_USAGE
                    ? add_usage(sql, call->id, number, &call->rows[i], reterr)
                    : add_running(sql, call->id, number, &call->rows[i], reterr));
    }
    return ISO_OK;
}

enum iso_status iso_store_add_records(struct iso_store *store, struct iso_record_set *set,
                                      const struct iso_record_row *rows, int n_rows,
                                      struct iso_error *reterr)
{
    struct record_call call = {
        .kind = set->kind, .id = set->id, .rows = rows, .n_rows = n_rows, .n_before = set->n_rows};

    if (n_rows == 0)
        return ISO_OK;
    ISO_TRY(iso_store_write_beside(store, add, &call, reterr));
    set->n_rows += n_rows;
    return ISO_OK;
}

/* --- publishing: a few rows, whatever the size of the set --- */

/* A segment of before, and what is left of it beside the new one. */
struct segment {
    int64_t sequence, from_ns, to_ns, set_id;
};

static enum iso_status next_overlap(struct iso_sql *sql, const struct record_call *call,
                                    struct segment *ret_segment, bool *ret_found,
                                    struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;

    ISO_TRY(
        ISO_START(sql,
                  "SELECT sequence, from_ns, to_ns, set_id FROM record_segment WHERE tenant = $1"
                  " AND project = $2 AND source = $3 AND kind = $4 AND set_id <> $5"
                  " AND from_ns < $6 AND to_ns > $7 ORDER BY from_ns LIMIT 1",
                  &statement, reterr, ISO_TEXT(call->principal->tenant),
                  ISO_TEXT(call->principal->project), ISO_TEXT(call->source), ISO_INT(call->kind),
                  ISO_INT(call->id), ISO_INT(call->to_ns), ISO_INT(call->from_ns)));
    ISO_TRY(iso_sql_step(statement, ret_found, reterr));
    if (*ret_found)
        *ret_segment = (struct segment){iso_sql_int(statement, 0), iso_sql_int(statement, 1),
                                        iso_sql_int(statement, 2), iso_sql_int(statement, 3)};
    iso_sql_reset(statement);
    return ISO_OK;
}

static enum iso_status add_segment(struct iso_sql *sql, const struct record_call *call,
                                   int64_t from_ns, int64_t to_ns, int64_t set_id,
                                   struct iso_error *reterr)
{
    if (from_ns >= to_ns)
        return ISO_OK;
    return ISO_RUN(sql,
                   "INSERT INTO record_segment (tenant, project, source, kind, from_ns, to_ns,"
                   " set_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                   ISO_TEXT(call->source), ISO_INT(call->kind), ISO_INT(from_ns), ISO_INT(to_ns),
                   ISO_INT(set_id));
}

/* Takes the new range out of the segments of before. */
static enum iso_status cut(struct iso_sql *sql, const struct record_call *call,
                           struct iso_error *reterr)
{
    struct segment old = {0};
    bool found = true;

    for (;;) {
        ISO_TRY(next_overlap(sql, call, &old, &found, reterr));
        if (!found)
            return ISO_OK;
        ISO_TRY(ISO_RUN(sql, "DELETE FROM record_segment WHERE sequence = $1", reterr,
                        ISO_INT(old.sequence)));
        ISO_TRY(add_segment(sql, call, old.from_ns, call->from_ns, old.set_id, reterr));
        ISO_TRY(add_segment(sql, call, call->to_ns, old.to_ns, old.set_id, reterr));
        ISO_TRY(ISO_RUN(sql, "UPDATE record_set SET dirty = 1 WHERE sequence = $1", reterr,
                        ISO_INT(old.set_id)));
    }
}

/* Reads whose set it is and of which range. */
static enum iso_status find_set(struct iso_sql *sql, struct record_call *call, char source[128],
                                struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool found = false;

    ISO_TRY(check_state(sql, call->id, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT source, kind, from_ns, to_ns FROM record_set WHERE sequence = $1"
                      " AND tenant = $2 AND project = $3",
                      &statement, reterr, ISO_INT(call->id), ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project)));
    ISO_TRY(iso_sql_step(statement, &found, reterr));
    if (!found)
        return iso_fail(reterr, ISO_E_CONFLICT, "", "set %lld of records is another project's",
                        (long long)call->id);
    snprintf(source, 128, "%s", iso_sql_value(statement, 0).text);
    call->source = source;
    call->kind = (enum iso_record_kind)iso_sql_int(statement, 1);
    call->from_ns = iso_sql_int(statement, 2);
    call->to_ns = iso_sql_int(statement, 3);
    iso_sql_reset(statement);
    return ISO_OK;
}

static enum iso_status publish(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct record_call *call = context;
    struct iso_bytes none = {0};
    char source[128] = "";

    for (int i = 0; i < call->n_sets; i++) {
        call->id = call->sets[i].id;
        ISO_TRY(find_set(sql, call, source, reterr));
        ISO_TRY(cut(sql, call, reterr));
        ISO_TRY(add_segment(sql, call, call->from_ns, call->to_ns, call->id, reterr));
        ISO_TRY(ISO_RUN(sql,
                        "UPDATE record_set SET state = 1, n_rows = $2, refresh = $3"
                        " WHERE sequence = $1",
                        reterr, ISO_INT(call->id), ISO_INT(call->sets[i].n_rows),
                        ISO_BLOB(i == 0 ? call->refresh : none)));
    }
    return iso_store_audit(sql, call->principal, call->audit, source, reterr);
}

enum iso_status iso_store_publish_records(struct iso_store *store,
                                          const struct iso_principal *principal,
                                          const struct iso_record_set *sets, int n_sets,
                                          struct iso_bytes refresh, const struct iso_audit *audit,
                                          struct iso_error *reterr)
{
    struct record_call call = {
        .principal = principal, .sets = sets, .n_sets = n_sets, .refresh = refresh, .audit = audit};

    return iso_store_write(store, publish, &call, reterr);
}

static enum iso_status drop(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct record_call *call = context;

    for (int i = 0; i < call->n_sets; i++)
        ISO_TRY(ISO_RUN(sql,
                        "UPDATE record_set SET state = 2, dirty = 1 WHERE sequence = $1"
                        " AND state = 0",
                        reterr, ISO_INT(call->sets[i].id)));
    return ISO_OK;
}

enum iso_status iso_store_drop_records(struct iso_store *store, const struct iso_record_set *sets,
                                       int n_sets, struct iso_error *reterr)
{
    struct record_call call = {.sets = sets, .n_sets = n_sets};

    return iso_store_write_beside(store, drop, &call, reterr);
}
