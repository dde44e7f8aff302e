/* Reading records: those that a segment covers. */
#include "record_store.h"
#include "store_record.h"

struct query_call {
    const struct iso_principal *principal;
    const struct iso_record_filter *filter;
    const struct iso_cost_grouping *grouping;
    enum iso_record_kind kind;
    struct iso_record_place after;
    int64_t offset, n;
    const char *source;
    int limit, n_found;
    struct iso_arena *arena;
    struct iso_record_message *messages;
    struct iso_cost_sum *sums;
    struct iso_refresh_record *refreshes;
};

/* Conditions that all tables have, from $3 on. */
#define FILTER                                                         \
    " AND c.start_ns >= $3 AND c.start_ns < $4"                        \
    " AND ($5 = '' OR s.source = $5) AND ($6 = '' OR c.provider = $6)" \
    " AND ($7 = '' OR c.account = $7) AND ($8 = '' OR c.region = $8)"
#define FILTER_VALUES(call)                                                    \
    ISO_TEXT((call)->principal->tenant), ISO_TEXT((call)->principal->project), \
        ISO_INT((call)->filter->from_ns), ISO_INT((call)->filter->to_ns),      \
        ISO_TEXT((call)->filter->source), ISO_TEXT((call)->filter->provider),  \
        ISO_TEXT((call)->filter->account), ISO_TEXT((call)->filter->region)

/* --- lists --- */

static const char list_usage_text[] = "SELECT c.start_ns, c.set_id, c.number, c.record" VISIBLE(
    "usage_record") " AND s.kind = 1" FILTER
                    " AND ($9 = '' OR c.resource = $9) AND ($10 = '' OR c.metric = $10)"
                    " AND (c.start_ns, c.set_id, c.number) > ($11, $12, $13)"
                    " ORDER BY c.start_ns, c.set_id, c.number LIMIT $14";
static const char list_running_text[] = "SELECT c.start_ns, c.set_id, c.number, c.record" VISIBLE(
    "running_record") " AND s.kind = 3" FILTER " AND ($9 = '' OR c.resource = $9) AND $10 = ''"
                      " AND (c.start_ns, c.set_id, c.number) > ($11, $12, $13)"
                      " ORDER BY c.start_ns, c.set_id, c.number LIMIT $14";

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->messages = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->messages));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql, call->kind == ISO_RECORD_USAGE ? list_usage_text : list_running_text,
                      &statement, reterr, FILTER_VALUES(call), ISO_TEXT(call->filter->resource),
                      ISO_TEXT(call->filter->metric), ISO_INT(call->after.start_ns),
                      ISO_INT(call->after.set_id), ISO_INT(call->after.number),
                      ISO_INT(call->limit)));
    for (call->n_found = 0;; call->n_found++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->messages[call->n_found] = (struct iso_record_message){
            {iso_sql_int(statement, 0), iso_sql_int(statement, 1), iso_sql_int(statement, 2)},
            iso_sql_blob(statement, 3, call->arena)};
    }
}

enum iso_status
iso_store_list_records(struct iso_store *store, const struct iso_principal *principal,
                       enum iso_record_kind kind, const struct iso_record_filter *filter,
                       struct iso_record_place after, int limit, struct iso_arena *arena,
                       struct iso_record_message **ret_messages, int *ret_n_messages,
                       struct iso_error *reterr)
{
    struct query_call call = {.principal = principal,
                              .filter = filter,
                              .kind = kind,
                              .after = after,
                              .limit = limit > 0 ? limit : 0,
                              .arena = arena};

    if (after.start_ns == 0 && after.set_id == 0)
        call.after.number = -1;
    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_messages = call.messages;
    *ret_n_messages = call.n_found;
    return ISO_OK;
}

static enum iso_status running_since(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;

    return ISO_SCALAR(sql,
                      "SELECT min(r.create_ns) FROM record_segment s"
                      " JOIN record_set r ON r.sequence = s.set_id"
                      " WHERE s.tenant = $1 AND s.project = $2 AND s.kind = 3"
                      " AND ($3 = '' OR s.source = $3)",
                      0, &call->n, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->filter->source));
}

enum iso_status iso_store_running_since(struct iso_store *store,
                                        const struct iso_principal *principal,
                                        const struct iso_record_filter *filter, int64_t *ret_ns,
                                        struct iso_error *reterr)
{
    struct query_call call = {.principal = principal, .filter = filter};

    ISO_TRY(iso_store_read(store, running_since, &call, reterr));
    *ret_ns = call.n;
    return ISO_OK;
}

/* --- how many --- */

static const char *const count_texts[] = {
    [ISO_RECORD_USAGE] = "SELECT count(*)" VISIBLE(
        "usage_record") " AND s.kind = 1"
                        " AND s.source = $3 AND c.start_ns >= $4 AND c.start_ns < $5",
    [ISO_RECORD_COST] = "SELECT count(*)" VISIBLE(
        "cost_record") " AND s.kind = 2"
                       " AND s.source = $3 AND c.start_ns >= $4 AND c.start_ns < $5",
    [ISO_RECORD_RUNNING] =
        "SELECT count(*)" VISIBLE("running_record") " AND s.kind = 3"
                                                    " AND s.source = $3 AND $4 <= $5",
};

static enum iso_status count(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;

    return ISO_SCALAR(sql, count_texts[call->kind], 0, &call->n, reterr,
                      ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                      ISO_TEXT(call->source), ISO_INT(call->filter->from_ns),
                      ISO_INT(call->filter->to_ns));
}

enum iso_status iso_store_count_records(struct iso_store *store,
                                        const struct iso_principal *principal, const char *source,
                                        enum iso_record_kind kind, int64_t from_ns, int64_t to_ns,
                                        int64_t *ret_n_rows, struct iso_error *reterr)
{
    const struct iso_record_filter filter = {.from_ns = from_ns, .to_ns = to_ns};
    struct query_call call = {
        .principal = principal, .filter = &filter, .kind = kind, .source = source};

    ISO_TRY(iso_store_read(store, count, &call, reterr));
    *ret_n_rows = call.n;
    return ISO_OK;
}

/* --- until when --- */

static enum iso_status until(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT from_ns, to_ns FROM record_segment WHERE tenant = $1"
                      " AND project = $2 AND source = $3 AND kind = $4 AND to_ns > $5"
                      " ORDER BY from_ns",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->source),
                      ISO_INT(call->kind), ISO_INT(call->n)));
    for (;;) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return ISO_OK;
        if (iso_sql_int(statement, 0) <= call->n)
            call->n = iso_sql_int(statement, 1);
    }
}

enum iso_status iso_store_records_until(struct iso_store *store,
                                        const struct iso_principal *principal, const char *source,
                                        enum iso_record_kind kind, int64_t from_ns,
                                        int64_t *ret_until_ns, struct iso_error *reterr)
{
    struct query_call call = {.principal = principal, .source = source, .kind = kind, .n = from_ns};

    ISO_TRY(iso_store_read(store, until, &call, reterr));
    *ret_until_ns = call.n;
    return ISO_OK;
}

/* --- sums: whole units and billionths apart, so that neither runs over --- */

#define SUMMED(amount)                                                      \
    " count(c." amount "), CAST(sum(c." amount " / 1000000000) AS BIGINT)," \
    " CAST(sum(c." amount " % 1000000000) AS BIGINT)"

static const char sum_text[] =
    "SELECT CASE WHEN $11 = 1 THEN c.provider ELSE '' END,"
    " CASE WHEN $12 = 1 THEN c.account ELSE '' END,"
    " CASE WHEN $13 = 1 THEN c.service ELSE '' END,"
    " CASE WHEN $14 = 1 THEN c.region ELSE '' END,"
    " CASE WHEN $15 = 1 THEN c.category ELSE 0 END,"
    " CASE WHEN $16 = 1 THEN c.month ELSE 0 END, c.currency,"
    " count(*), CAST(sum(c.from_billed) AS BIGINT)," SUMMED("billed") "," SUMMED(
        "effective") "," SUMMED("list")
        VISIBLE("cost_record") " AND s.kind = 2" FILTER
                               " AND ($9 = '' OR c.service = $9) AND ($10 = 0 OR c.category = $10)"
                               " GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 6, 1, 2, 3, 4, 5, 7 LIMIT "
                               "$17 OFFSET $18";

static struct iso_exact_sum exact_sum(struct iso_statement *statement, int column)
{
    return (struct iso_exact_sum){iso_sql_int(statement, column),
                                  iso_sql_int(statement, column + 1),
                                  iso_sql_int(statement, column + 2)};
}

static struct iso_cost_sum read_sum(struct iso_statement *statement, struct iso_arena *arena)
{
    return (struct iso_cost_sum){.provider = iso_sql_text(statement, 0, arena),
                                 .account = iso_sql_text(statement, 1, arena),
                                 .service = iso_sql_text(statement, 2, arena),
                                 .region = iso_sql_text(statement, 3, arena),
                                 .category = (int)iso_sql_int(statement, 4),
                                 .month = (int)iso_sql_int(statement, 5),
                                 .currency = iso_sql_text(statement, 6, arena),
                                 .n_rows = iso_sql_int(statement, 7),
                                 .n_effective_from_billed = iso_sql_int(statement, 8),
                                 .billed = exact_sum(statement, 9),
                                 .effective = exact_sum(statement, 12),
                                 .list = exact_sum(statement, 15)};
}

static enum iso_status sum(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;
    const struct iso_cost_grouping *by = call->grouping;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->sums = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->sums));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql, sum_text, &statement, reterr, FILTER_VALUES(call),
                      ISO_TEXT(call->filter->service), ISO_INT(call->filter->category),
                      ISO_INT(by->provider), ISO_INT(by->account), ISO_INT(by->service),
                      ISO_INT(by->region), ISO_INT(by->category), ISO_INT(by->month),
                      ISO_INT(call->limit), ISO_INT(call->offset)));
    for (call->n_found = 0;; call->n_found++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->sums[call->n_found] = read_sum(statement, call->arena);
    }
}

enum iso_status iso_store_sum_costs(struct iso_store *store, const struct iso_principal *principal,
                                    const struct iso_record_filter *filter,
                                    const struct iso_cost_grouping *grouping, int64_t offset,
                                    int limit, struct iso_arena *arena,
                                    struct iso_cost_sum **ret_sums, int *ret_n_sums,
                                    struct iso_error *reterr)
{
    struct query_call call = {.principal = principal,
                              .filter = filter,
                              .grouping = grouping,
                              .offset = offset,
                              .limit = limit > 0 ? limit : 0,
                              .arena = arena};

    ISO_TRY(iso_store_read(store, sum, &call, reterr));
    *ret_sums = call.sums;
    *ret_n_sums = call.n_found;
    return ISO_OK;
}

/* --- refreshes --- */

static enum iso_status list_refreshes(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct query_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->refreshes = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->refreshes));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT sequence, refresh FROM record_set WHERE tenant = $1 AND project = $2"
                      " AND state = 1 AND length(refresh) > 0 AND ($3 = '' OR source = $3)"
                      " AND ($4 = 0 OR sequence < $4) ORDER BY sequence DESC LIMIT $5",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->source),
                      ISO_INT(call->offset), ISO_INT(call->limit)));
    for (call->n_found = 0;; call->n_found++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->refreshes[call->n_found] = (struct iso_refresh_record){
            iso_sql_int(statement, 0), iso_sql_blob(statement, 1, call->arena)};
    }
}

enum iso_status iso_store_list_refreshes(struct iso_store *store,
                                         const struct iso_principal *principal, const char *source,
                                         int64_t before_id, int limit, struct iso_arena *arena,
                                         struct iso_refresh_record **ret_refreshes,
                                         int *ret_n_refreshes, struct iso_error *reterr)
{
    struct query_call call = {.principal = principal,
                              .source = source,
                              .offset = before_id,
                              .limit = limit > 0 ? limit : 0,
                              .arena = arena};

    ISO_TRY(iso_store_read(store, list_refreshes, &call, reterr));
    *ret_refreshes = call.refreshes;
    *ret_n_refreshes = call.n_found;
    return ISO_OK;
}
