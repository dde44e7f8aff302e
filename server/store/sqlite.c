#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "sql_backend.h"

enum { BUSY_TIMEOUT_MS = 5000 };

struct statement {
    struct iso_statement base;
    const char *text;
    sqlite3_stmt *handle;
};

struct connection {
    struct iso_sql base;
    sqlite3 *db;
    int n_statements;
    struct statement statements[ISO_SQL_MAX_STATEMENTS];
    bool sync_failed;
};

static struct connection *connection_of(struct iso_sql *sql)
{
    return (struct connection *)(void *)sql;
}

static sqlite3_stmt *handle(struct iso_statement *statement)
{
    return ((struct statement *)(void *)statement)->handle;
}

static enum iso_status fail(struct connection *c, int code, const char *what,
                            struct iso_error *reterr)
{
    int extended = sqlite3_extended_errcode(c->db);

    if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC ||
        extended == SQLITE_IOERR_TRUNCATE)
        c->sync_failed = true;
    if ((code & 0xff) == SQLITE_FULL)
        return iso_fail(reterr, ISO_E_IO, "",
                        "the disk that holds the database is full; free some space and try again");
    if ((code & 0xff) == SQLITE_NOMEM)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the database");
    if ((code & 0xff) == SQLITE_TOOBIG)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a value is too large for the database");
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the database refused a row: %s (in: %s)",
                        sqlite3_errmsg(c->db), what);
    return iso_fail(reterr, ISO_E_IO, "", "the database failed: %s (in: %s)", sqlite3_errmsg(c->db),
                    what);
}

static enum iso_status script(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);
    int code = sqlite3_exec(c->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? ISO_OK : fail(c, code, text, reterr);
}

/* --- opening --- */

static enum iso_status set_and_read_back(struct connection *c, const char *pragma,
                                         const char *assignment, const char *expected,
                                         struct iso_error *reterr)
{
    sqlite3_stmt *statement = NULL;
    char found[32] = "";

    ISO_TRY(script(&c->base, assignment, reterr));
    if (sqlite3_prepare_v2(c->db, pragma, -1, &statement, NULL) != SQLITE_OK)
        return fail(c, sqlite3_errcode(c->db), pragma, reterr);
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
        snprintf(found, sizeof(found), "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    if (strcmp(found, expected) != 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the database did not take `%s`: it is \"%s\", it must be \"%s\"",
                        assignment, found, expected);
    return ISO_OK;
}

static enum iso_status configure(struct connection *c, enum iso_sql_mode mode,
                                 struct iso_error *reterr)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
    if (mode == ISO_SQL_WRITER) {
        ISO_TRY(
            set_and_read_back(c, "PRAGMA journal_mode", "PRAGMA journal_mode=WAL", "wal", reterr));
        ISO_TRY(set_and_read_back(c, "PRAGMA synchronous", "PRAGMA synchronous=FULL", "2", reterr));
    } else {
        ISO_TRY(script(&c->base, "PRAGMA query_only=ON", reterr));
    }
    ISO_TRY(set_and_read_back(c, "PRAGMA foreign_keys", "PRAGMA foreign_keys=ON", "1", reterr));
    return set_and_read_back(c, "PRAGMA trusted_schema", "PRAGMA trusted_schema=OFF", "0", reterr);
}

static void close_connection(struct iso_sql *sql)
{
    struct connection *c = connection_of(sql);

    for (int i = 0; i < c->n_statements; i++)
        sqlite3_finalize(c->statements[i].handle);
    sqlite3_close_v2(c->db);
    free(c);
}

/* --- transactions --- */

static enum iso_status begin(struct iso_sql *sql, enum iso_sql_transaction kind,
                             struct iso_error *reterr)
{
    return script(sql, kind == ISO_SQL_READ ? "BEGIN" : "BEGIN IMMEDIATE", reterr);
}

static bool in_transaction(struct iso_sql *sql)
{
    return sqlite3_get_autocommit(connection_of(sql)->db) == 0;
}

static bool sync_failed(struct iso_sql *sql)
{
    return connection_of(sql)->sync_failed;
}

/* --- statements --- */

static enum iso_status find_statement(struct connection *c, const char *text,
                                      struct statement **ret_statement, struct iso_error *reterr)
{
    struct statement *statement;
    int code;

    for (int i = 0; i < c->n_statements; i++) {
        if (c->statements[i].text == text) {
            *ret_statement = &c->statements[i];
            return ISO_OK;
        }
    }
    ISO_ASSERT(c->n_statements < ISO_SQL_MAX_STATEMENTS);
    statement = &c->statements[c->n_statements];
    *statement = (struct statement){.base.sql = &c->base, .text = text};
    code = sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
    if (code != SQLITE_OK)
        return fail(c, code, text, reterr);
    c->n_statements++;
    *ret_statement = statement;
    return ISO_OK;
}

static int bind(sqlite3_stmt *statement, int place, const struct iso_value *value)
{
    switch (value->kind) {
    case ISO_VALUE_NULL:
        return sqlite3_bind_null(statement, place);
    case ISO_VALUE_INT:
        return sqlite3_bind_int64(statement, place, value->integer);
    case ISO_VALUE_TEXT:
        return sqlite3_bind_text(statement, place, value->text ? value->text : "", -1,
                                 SQLITE_STATIC);
    case ISO_VALUE_BLOB:
        if (!value->blob.n_bytes)
            return sqlite3_bind_zeroblob(statement, place, 0);
        return sqlite3_bind_blob64(statement, place, value->blob.bytes, value->blob.n_bytes,
                                   SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static enum iso_status start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                             int n_values, struct iso_statement **ret_statement,
                             struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);
    struct statement *statement = NULL;

    ISO_TRY(find_statement(c, text, &statement, reterr));
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
    ISO_ASSERT(sqlite3_bind_parameter_count(statement->handle) == n_values);
    for (int i = 0; i < n_values; i++) {
        char name[16]; /* SQLite numbers $1, $2, ... as it meets them */
        int code;

        snprintf(name, sizeof(name), "$%d", i + 1);
        code = bind(statement->handle, sqlite3_bind_parameter_index(statement->handle, name),
                    &values[i]);
        if (code != SQLITE_OK)
            return fail(c, code, text, reterr);
    }
    *ret_statement = &statement->base;
    return ISO_OK;
}

static void reset(struct iso_statement *statement)
{
    sqlite3_reset(handle(statement));
    sqlite3_clear_bindings(handle(statement));
}

static enum iso_status step(struct iso_statement *statement, bool *ret_row,
                            struct iso_error *reterr)
{
    int code = sqlite3_step(handle(statement));
    enum iso_status status = ISO_OK;

    if (code == SQLITE_ROW) {
        *ret_row = true;
        return ISO_OK;
    }
    if (code != SQLITE_DONE)
        status = fail(connection_of(statement->sql), code, sqlite3_sql(handle(statement)), reterr);
    else
        *ret_row = false;
    reset(statement);
    return status;
}

static void reset_all(struct iso_sql *sql)
{
    struct connection *c = connection_of(sql);

    for (int i = 0; i < c->n_statements; i++)
        sqlite3_reset(c->statements[i].handle);
}

static struct iso_value value(struct iso_statement *statement, int column)
{
    sqlite3_stmt *s = handle(statement);

    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER:
        return (struct iso_value)ISO_INT(sqlite3_column_int64(s, column));
    case SQLITE_TEXT:
        return (struct iso_value)ISO_TEXT((const char *)sqlite3_column_text(s, column));
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(s, column); /* before its size is asked */
        struct iso_bytes blob = {bytes, (size_t)sqlite3_column_bytes(s, column)};
        return (struct iso_value)ISO_BLOB(blob);
    }
    default:
        return (struct iso_value){.kind = ISO_VALUE_NULL};
    }
}

static int64_t changes(struct iso_sql *sql)
{
    return sqlite3_changes64(connection_of(sql)->db);
}

/* There is but one process: its clock is the database's. */

static enum iso_status now_ns(struct iso_sql *sql, int64_t *ret_now_ns, struct iso_error *reterr)
{
    struct timespec now;

    (void)sql, (void)reterr;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret_now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return ISO_OK;
}

static const struct iso_sql_backend backend = {
    .dialect = ISO_SQL_SQLITE,
    .close = close_connection,
    .begin = begin,
    .in_transaction = in_transaction,
    .sync_failed = sync_failed,
    .start = start,
    .step = step,
    .reset = reset,
    .reset_all = reset_all,
    .value = value,
    .script = script,
    .changes = changes,
    .now_ns = now_ns,
};

enum iso_status iso_sqlite_open(const char *path, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                                struct iso_error *reterr)
{
    struct connection *c = iso_calloc(1, sizeof(*c));
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE |
                (mode == ISO_SQL_WRITER ? SQLITE_OPEN_CREATE : 0);
    enum iso_status status;

    if (!c)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a database connection");
    c->base.backend = &backend;
    if (sqlite3_open_v2(path, &c->db, flags, NULL) != SQLITE_OK)
        status = iso_fail(reterr, ISO_E_IO, "", "cannot open the database %s: %s", path,
                          c->db ? sqlite3_errmsg(c->db) : "no memory");
    else
        status = configure(c, mode, reterr);
    if (status != ISO_OK) {
        close_connection(&c->base);
        return status;
    }
    *ret_sql = &c->base;
    return ISO_OK;
}
