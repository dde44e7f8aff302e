/* Looks whether a store is whole: pages, audit chain, plans and their jobs, files of snapshots. */
#include <stdio.h>
#include <unistd.h>

#include "snapshot_file.h"
#include "store_internal.h"

enum { AUDIT_ROWS = 500 };

/* Each counts rows that must not be there. */
static const struct {
    const char *what, *text;
} rules[] = {
    {"jobs of plans that are not there",
     "SELECT count(*) FROM job j WHERE j.kind = 1 AND NOT EXISTS (SELECT 1 FROM plan p"
     " WHERE p.tenant = j.tenant AND p.project = j.project AND p.id = j.object_id)"},
    {"plans that wait or run without a job",
     "SELECT count(*) FROM plan p WHERE p.state = 1 AND NOT EXISTS (SELECT 1 FROM job j"
     " WHERE j.tenant = p.tenant AND j.project = p.project AND j.kind = 1"
     " AND j.object_id = p.id)"},
    {"plans whose job has another state",
     "SELECT count(*) FROM plan p JOIN job j ON j.tenant = p.tenant AND j.project = p.project"
     " AND j.kind = 1 AND j.object_id = p.id"
     " WHERE p.state <> CASE j.state WHEN 6 THEN 4 ELSE j.state END"},
    {"plans without their model",
     "SELECT count(*) FROM plan p WHERE p.state < 3 AND NOT EXISTS (SELECT 1 FROM model m"
     " WHERE m.tenant = p.tenant AND m.project = p.project AND m.digest = p.model_digest)"},
    {"evaluations that have not ended and have no run left",
     "SELECT count(*) FROM evaluation v WHERE v.end_ns = 0 AND NOT EXISTS (SELECT 1 FROM job j"
     " WHERE j.tenant = v.tenant AND j.project = v.project AND j.kind = 2 AND j.object_id = v.id"
     " AND j.state < 3)"},
    {"evaluations with another number of results than they count",
     "SELECT count(*) FROM evaluation v WHERE v.n_done <> (SELECT count(*) FROM evaluation_event e"
     " WHERE e.tenant = v.tenant AND e.project = v.project AND e.evaluation_id = v.id"
     " AND e.place >= 0)"},
    {"ranges of records whose set is not there or was not published",
     "SELECT count(*) FROM record_segment s WHERE NOT EXISTS (SELECT 1 FROM record_set r"
     " WHERE r.sequence = s.set_id AND r.state = 1)"},
    {"ranges of records that overlap",
     "SELECT count(*) FROM record_segment a JOIN record_segment b ON b.tenant = a.tenant"
     " AND b.project = a.project AND b.source = a.source AND b.kind = a.kind"
     " AND b.from_ns > a.from_ns AND b.from_ns < a.to_ns"},
    {"sessions without their model",
     "SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM model m"
     " WHERE m.tenant = s.tenant AND m.project = s.project AND m.digest = s.model_digest)"},
};

struct check_call {
    struct iso_store *store;
    struct iso_check *check;
};

static void add_problem(struct iso_check *check, int64_t n, const char *what)
{
    if (n <= 0)
        return;
    if (check->n_problems++ == 0)
        snprintf(check->first, sizeof(check->first), "%lld %s", (long long)n, what);
}

static enum iso_status check_rules(struct iso_sql *sql, struct iso_check *check,
                                   struct iso_error *reterr)
{
    int64_t n = 0;

    if (iso_sql_dialect(sql) == ISO_SQL_SQLITE) {
        ISO_TRY(iso_sql_scalar(sql,
                               "SELECT count(*) FROM pragma_integrity_check"
                               " WHERE integrity_check <> 'ok'",
                               NULL, 0, 0, &n, reterr));
        add_problem(check, n, "damaged pages or indexes");
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rules); i++) {
        ISO_TRY(iso_sql_scalar(sql, rules[i].text, NULL, 0, 0, &n, reterr));
        add_problem(check, n, rules[i].what);
    }
    return ISO_OK;
}

static bool is_hash(struct iso_bytes found, const unsigned char expected[ISO_SHA256_BYTES])
{
    return found.n_bytes == ISO_SHA256_BYTES &&
           memcmp(found.bytes, expected, ISO_SHA256_BYTES) == 0;
}

/* Whether a row has the hash of its fields and names the row before; `last` is that row's hash, and
 * then its own. */
static bool check_link(struct iso_statement *statement, unsigned char last[ISO_SHA256_BYTES])
{
    struct iso_bytes hash = iso_sql_value(statement, 9).blob;
    unsigned char computed[ISO_SHA256_BYTES];
    const char *fields[ISO_AUDIT_FIELDS];
    bool whole = is_hash(iso_sql_value(statement, 8).blob, last);

    for (int i = 0; i < ISO_AUDIT_FIELDS; i++)
        fields[i] = iso_sql_value(statement, 1 + i).text;
    iso_store_audit_hash(last, fields, iso_sql_int(statement, 7), computed);
    whole = whole && is_hash(hash, computed);
    if (hash.n_bytes == ISO_SHA256_BYTES)
        memcpy(last, hash.bytes, ISO_SHA256_BYTES);
    return whole;
}

/* Follows the chain from its first row. */
static enum iso_status check_audit(struct iso_sql *sql, struct iso_check *check,
                                   struct iso_error *reterr)
{
    unsigned char last[ISO_SHA256_BYTES] = {0};
    int64_t after = -1, n_wrong = 0;
    int n = AUDIT_ROWS;

    while (n == AUDIT_ROWS) {
        struct iso_statement *statement = NULL;
        bool more = true;

        ISO_TRY(ISO_START(sql,
                          "SELECT sequence, tenant, project, subject, action, object, request_id,"
                          " at_ns, previous_hash, hash FROM audit WHERE sequence > $1"
                          " ORDER BY sequence LIMIT $2",
                          &statement, reterr, ISO_INT(after), ISO_INT(AUDIT_ROWS)));
        for (n = 0;; n++) {
            ISO_TRY(iso_sql_step(statement, &more, reterr));
            if (!more)
                break;
            after = iso_sql_int(statement, 0);
            n_wrong += !check_link(statement, last);
            check->audit_rows++;
        }
    }
    add_problem(check, n_wrong, "audit rows that were changed or follow one that was taken out");
    return ISO_OK;
}

static enum iso_status check_database(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct check_call *call = context;

    *call->check = (struct iso_check){0};
    ISO_TRY(check_rules(sql, call->check, reterr));
    return check_audit(sql, call->check, reterr);
}

/* Opens and maps every snapshot, which reads its file through. */
static enum iso_status check_files(struct iso_store *store, struct iso_arena *arena,
                                   struct iso_check *check, struct iso_error *reterr)
{
    struct iso_snapshot_record *records;
    int n_records = 0, n_wrong = 0;

    ISO_TRY(iso_store_list_all_snapshots(store, arena, &records, &n_records, reterr));
    for (int i = 0; i < n_records; i++) {
        struct iso_snapshot *snapshot = NULL;
        int fd = -1;

        if (iso_store_open_snapshot(store, &records[i], &fd, NULL) != ISO_OK ||
            iso_snapshot_map(fd, &snapshot, NULL) != ISO_OK)
            n_wrong++;
        iso_snapshot_free(snapshot);
        if (fd >= 0)
            close(fd);
        check->snapshots++;
    }
    add_problem(check, n_wrong, "snapshots whose file is damaged or not there");
    return ISO_OK;
}

enum iso_status iso_store_check(struct iso_store *store, struct iso_check *ret_check,
                                struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 30);
    struct iso_check check = {0};
    struct check_call call = {.store = store, .check = &check};

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to check a store");
    ISO_TRY(iso_store_read(store, check_database, &call, reterr));
    ISO_TRY(check_files(store, arena, &check, reterr));
    *ret_check = check;
    return ISO_OK;
}
