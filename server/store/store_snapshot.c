#include <errno.h>
#include <stdio.h>

#include "store_internal.h"

struct snapshot_call {
    char file[ISO_DIGEST_TEXT_SIZE]; /* "" on SQLite */
    int64_t n_chunks;
    const struct iso_principal *principal;
    const struct iso_snapshot_record *record;
    const struct iso_audit *audit;
    const char *digest;
    int64_t before_create_ns;
    int limit;
    struct iso_arena *arena;
    struct iso_snapshot_record *records;
    int n_records;
    const char **tenants;
    int n_tenants;
};

static enum iso_status put(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct snapshot_call *call = context;
    const struct iso_snapshot_record *record = call->record;

    if (call->file[0])
        ISO_TRY(iso_store_insert_file(sql, record->digest, call->file, call->n_chunks, reterr));
    ISO_TRY(ISO_RUN(sql,
                    "INSERT INTO snapshot (tenant, project, digest, create_ns, snapshot,"
                    " diagnostics) VALUES ($1, $2, $3, $4, $5, $6)",
                    reterr, ISO_TEXT(call->principal->tenant), ISO_TEXT(call->principal->project),
                    ISO_TEXT(record->digest), ISO_INT(record->create_ns),
                    ISO_BLOB(record->snapshot), ISO_BLOB(record->diagnostics)));
    return iso_store_audit(sql, call->principal, call->audit, record->digest, reterr);
}

/* The file goes into the database, and stays on this machine under the name of its bytes. */
static enum iso_status share(struct iso_store *store, const char *digest,
                             struct snapshot_call *call, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    const char *path = arena ? iso_store_snapshot_path(store, digest, arena) : NULL, *cached;

    if (!path)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "snapshot %.80s has no path", digest);
    ISO_TRY(iso_store_share_file(store, path, call->file, &call->n_chunks, reterr));
    cached = iso_store_snapshot_path(store, call->file, arena);
    if (!cached || rename(path, cached) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot rename %s: %s", path, strerror(errno));
    return ISO_OK;
}

enum iso_status iso_store_put_snapshot(struct iso_store *store,
                                       const struct iso_principal *principal,
                                       const struct iso_snapshot_record *record,
                                       const struct iso_audit *audit, struct iso_error *reterr)
{
    struct snapshot_call call = {.principal = principal, .record = record, .audit = audit};

    if (store->address)
        ISO_TRY(share(store, record->digest, &call, reterr));
    return iso_store_write(store, put, &call, reterr);
}

/* The newest row of the tenant, unless there is none or it is a public snapshot too; then the
 * newest public row. */
static enum iso_status current_sequence(struct iso_sql *sql, const char *tenant,
                                        int64_t *ret_sequence, struct iso_error *reterr)
{
    return ISO_SCALAR(
        sql,
        "WITH own AS (SELECT sequence, digest FROM snapshot WHERE tenant = $1"
        "             ORDER BY sequence DESC LIMIT 1)"
        " SELECT coalesce("
        "   (SELECT sequence FROM own WHERE NOT EXISTS ("
        "      SELECT 1 FROM snapshot p WHERE p.digest = own.digest AND p.tenant = '*')),"
        "   (SELECT max(sequence) FROM snapshot WHERE tenant = '*'))",
        0, ret_sequence, reterr, ISO_TEXT(tenant));
}

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct snapshot_call *call = context;
    struct iso_statement *statement = NULL;
    int64_t sequence = 0;
    bool row = false;

    if (call->digest[0])
        ISO_TRY(ISO_SCALAR(sql,
                           "SELECT max(sequence) FROM snapshot"
                           " WHERE digest = $1 AND tenant IN ($2, '*')",
                           0, &sequence, reterr, ISO_TEXT(call->digest),
                           ISO_TEXT(call->principal->tenant)));
    else
        ISO_TRY(current_sequence(sql, call->principal->tenant, &sequence, reterr));
    ISO_TRY(
        ISO_START(sql,
                  "SELECT s.digest, s.create_ns, s.snapshot, s.diagnostics, f.file FROM snapshot s"
                  " LEFT JOIN snapshot_file f ON f.digest = s.digest WHERE s.sequence = $1",
                  &statement, reterr, ISO_INT(sequence)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row && call->digest[0])
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no snapshot has the digest \"%.80s\"",
                        call->digest);
    if (!row)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "",
                        "there is no catalog yet; import one or refresh a provider");
    call->records->digest = iso_sql_text(statement, 0, call->arena);
    call->records->create_ns = iso_sql_int(statement, 1);
    call->records->snapshot = iso_sql_blob(statement, 2, call->arena);
    call->records->diagnostics = iso_sql_blob(statement, 3, call->arena);
    call->records->file = iso_sql_text(statement, 4, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

enum iso_status iso_store_get_snapshot(struct iso_store *store,
                                       const struct iso_principal *principal, const char *digest,
                                       struct iso_arena *arena,
                                       struct iso_snapshot_record *ret_record,
                                       struct iso_error *reterr)
{
    struct iso_snapshot_record record = {0};
    struct snapshot_call call = {
        .principal = principal, .digest = digest, .arena = arena, .records = &record};

    ISO_TRY(iso_store_read(store, get, &call, reterr));
    *ret_record = record;
    return ISO_OK;
}

static enum iso_status list(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct snapshot_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    call->records = iso_arena_calloc(call->arena, (size_t)call->limit, sizeof(*call->records));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(ISO_START(sql,
                      "SELECT digest, create_ns, snapshot FROM snapshot s"
                      " WHERE tenant IN ($1, '*') AND ($2 = 0 OR create_ns < $2)"
                      " AND NOT EXISTS (SELECT 1 FROM snapshot n WHERE n.digest = s.digest"
                      "   AND n.tenant IN ($1, '*') AND n.sequence > s.sequence)"
                      " ORDER BY create_ns DESC, sequence DESC LIMIT $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_INT(call->before_create_ns), ISO_INT(call->limit)));
    for (call->n_records = 0;; call->n_records++) {
        struct iso_snapshot_record *record = &call->records[call->n_records];

        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        record->digest = iso_sql_text(statement, 0, call->arena);
        record->create_ns = iso_sql_int(statement, 1);
        record->snapshot = iso_sql_blob(statement, 2, call->arena);
    }
}

enum iso_status iso_store_list_snapshots(struct iso_store *store,
                                         const struct iso_principal *principal,
                                         int64_t before_create_ns, int limit,
                                         struct iso_arena *arena,
                                         struct iso_snapshot_record **ret_records,
                                         int *ret_n_records, struct iso_error *reterr)
{
    struct snapshot_call call = {.principal = principal,
                                 .before_create_ns = before_create_ns,
                                 .limit = limit > 0 ? limit : 0,
                                 .arena = arena};

    ISO_TRY(iso_store_read(store, list, &call, reterr));
    *ret_records = call.records;
    *ret_n_records = call.n_records;
    return ISO_OK;
}

static enum iso_status list_tenants(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct snapshot_call *call = context;
    struct iso_statement *statement = NULL;
    int64_t n = 0;
    bool row = false;

    ISO_TRY(iso_sql_scalar(sql, "SELECT count(DISTINCT tenant) FROM snapshot WHERE tenant <> '*'",
                           NULL, 0, 0, &n, reterr));
    call->tenants = iso_arena_calloc(call->arena, (size_t)n, sizeof(*call->tenants));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(iso_sql_start(sql,
                          "SELECT DISTINCT tenant FROM snapshot WHERE tenant <> '*' ORDER BY 1",
                          NULL, 0, &statement, reterr));
    for (call->n_tenants = 0;; call->n_tenants++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->tenants[call->n_tenants] = iso_sql_text(statement, 0, call->arena);
    }
}

enum iso_status iso_store_list_snapshot_tenants(struct iso_store *store, struct iso_arena *arena,
                                                const char ***ret_tenants, int *ret_n_tenants,
                                                struct iso_error *reterr)
{
    struct snapshot_call call = {.arena = arena};

    ISO_TRY(iso_store_read(store, list_tenants, &call, reterr));
    *ret_tenants = call.tenants;
    *ret_n_tenants = call.n_tenants;
    return ISO_OK;
}

static enum iso_status list_all(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct snapshot_call *call = context;
    struct iso_statement *statement = NULL;
    int64_t n = 0;
    bool row = false;

    ISO_TRY(
        iso_sql_scalar(sql, "SELECT count(DISTINCT digest) FROM snapshot", NULL, 0, 0, &n, reterr));
    call->records = iso_arena_calloc(call->arena, (size_t)n + 1, sizeof(*call->records));
    ISO_TRY(iso_store_check_arena(call->arena, reterr));
    ISO_TRY(iso_sql_start(sql,
                          "SELECT DISTINCT s.digest, f.file FROM snapshot s"
                          " LEFT JOIN snapshot_file f ON f.digest = s.digest ORDER BY s.digest",
                          NULL, 0, &statement, reterr));
    for (call->n_records = 0;; call->n_records++) {
        ISO_TRY(iso_sql_step(statement, &row, reterr));
        if (!row)
            return iso_store_check_arena(call->arena, reterr);
        call->records[call->n_records].digest = iso_sql_text(statement, 0, call->arena);
        call->records[call->n_records].file = iso_sql_text(statement, 1, call->arena);
    }
}

enum iso_status iso_store_list_all_snapshots(struct iso_store *store, struct iso_arena *arena,
                                             struct iso_snapshot_record **ret_records,
                                             int *ret_n_records, struct iso_error *reterr)
{
    struct snapshot_call call = {.arena = arena};

    ISO_TRY(iso_store_read(store, list_all, &call, reterr));
    *ret_records = call.records;
    *ret_n_records = call.n_records;
    return ISO_OK;
}
