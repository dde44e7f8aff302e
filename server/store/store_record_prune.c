/* Records that go: of sets that were published over, given up or left behind, and those that are
 * old. */
#include "store_record.h"

enum { BATCH_ROWS = 2000 };
/* `dirty` of a set: 1: it lost some of its range; 2: its rows are being removed. Who takes more of
 * its range meanwhile makes it 1 again, so that the sweep at the end leaves it for the next time.
 */
#define ABANDONED_NS (INT64_C(86400) * 1000000000) /* a set that is written for so long is not */

/* Rows that no segment covers of sets that lost some, at most $1. */
#define UNCOVERED(table)                                                        \
    "DELETE FROM " table " WHERE (set_id, start_ns, number) IN ("               \
    " SELECT c.set_id, c.start_ns, c.number FROM record_set r"                  \
    " JOIN " table " c ON c.set_id = r.sequence WHERE r.dirty = 2"              \
    " AND NOT EXISTS (SELECT 1 FROM record_segment s WHERE s.set_id = c.set_id" \
    "   AND s.from_ns <= c.start_ns AND c.start_ns < s.to_ns) LIMIT $1)"

static const char *const uncovered_texts[] = {UNCOVERED("usage_record"), UNCOVERED("cost_record"),
                                              UNCOVERED("running_record")};

struct prune_call {
    const char *text;
    int64_t before_ns, n_deleted;
};

static enum iso_status delete_rows(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct prune_call *call = context;

    ISO_TRY(ISO_RUN(sql, call->text, reterr, ISO_INT(BATCH_ROWS)));
    call->n_deleted = iso_sql_changes(sql);
    return ISO_OK;
}

/* Ends segments at `before_ns`, and gives up what a process that ended left behind. */
static enum iso_status mark(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct prune_call *call = context;

    ISO_TRY(ISO_RUN(sql,
                    "UPDATE record_set SET state = 2, dirty = 1 WHERE state = 0 AND create_ns < $1",
                    reterr, ISO_INT(iso_store_now_ns() - ABANDONED_NS)));
    if (call->before_ns > 0) {
        ISO_TRY(ISO_RUN(sql,
                        "UPDATE record_set SET dirty = 1 WHERE sequence IN (SELECT set_id"
                        " FROM record_segment WHERE kind < 3 AND from_ns < $1)",
                        reterr, ISO_INT(call->before_ns)));
        ISO_TRY(ISO_RUN(sql, "DELETE FROM record_segment WHERE kind < 3 AND to_ns <= $1", reterr,
                        ISO_INT(call->before_ns)));
        ISO_TRY(ISO_RUN(sql,
                        "UPDATE record_segment SET from_ns = $1 WHERE kind < 3 AND from_ns < $1",
                        reterr, ISO_INT(call->before_ns)));
    }
    return iso_sql_run(sql, "UPDATE record_set SET dirty = 2 WHERE dirty = 1", NULL, 0, reterr);
}

/* Sets without rows and segments; the others have lost what they had to lose. */
static enum iso_status sweep(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    (void)context;
    ISO_TRY(iso_sql_run(sql,
                        "DELETE FROM record_set WHERE dirty = 2 AND NOT EXISTS"
                        " (SELECT 1 FROM record_segment s WHERE s.set_id = record_set.sequence)",
                        NULL, 0, reterr));
    return iso_sql_run(sql, "UPDATE record_set SET dirty = 0 WHERE dirty = 2", NULL, 0, reterr);
}

enum iso_status iso_store_prune_records(struct iso_store *store, int64_t before_ns, int64_t *n_rows,
                                        struct iso_error *reterr)
{
    struct prune_call call = {.before_ns = before_ns};

    ISO_TRY(iso_store_write_beside(store, mark, &call, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(uncovered_texts); i++) {
        call.text = uncovered_texts[i];
        do {
            ISO_TRY(iso_store_write_beside(store, delete_rows, &call, reterr));
            *n_rows += call.n_deleted;
        } while (call.n_deleted == BATCH_ROWS);
    }
    return iso_store_write_beside(store, sweep, &call, reterr);
}
