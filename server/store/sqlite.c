#include "sqlite.h"

#include <sqlite3.h>
#include <stdio.h>

enum { MAX_STATEMENTS = 64, BUSY_TIMEOUT_MS = 5000 };

struct iso_sql {
    sqlite3 *db;
    int n_statements;
    struct {
        const char *text;
        sqlite3_stmt *statement;
    } statements[MAX_STATEMENTS];
    bool sync_failed;
};

static sqlite3_stmt *handle(struct iso_statement *statement)
{
    return (sqlite3_stmt *)(void *)statement;
}

static enum iso_status fail(struct iso_sql *sql, int code, const char *what,
                            struct iso_error *reterr)
{
    int extended = sqlite3_extended_errcode(sql->db);

    if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC ||
        extended == SQLITE_IOERR_TRUNCATE)
        sql->sync_failed = true;
    if ((code & 0xff) == SQLITE_FULL)
        return iso_fail(reterr, ISO_E_IO, "",
                        "the disk that holds the database is full; free some space and try again");
    if ((code & 0xff) == SQLITE_NOMEM)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the database");
    if ((code & 0xff) == SQLITE_TOOBIG)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a value is too large for the database");
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the database refused a row: %s (in: %s)",
                        sqlite3_errmsg(sql->db), what);
    return iso_fail(reterr, ISO_E_IO, "", "the database failed: %s (in: %s)",
                    sqlite3_errmsg(sql->db), what);
}

static enum iso_status set_and_read_back(struct iso_sql *sql, const char *pragma,
                                         const char *assignment, const char *expected,
                                         struct iso_error *reterr)
{
    sqlite3_stmt *statement = NULL;
    char found[32] = "";

    ISO_TRY(iso_sql_script(sql, assignment, reterr));
    if (sqlite3_prepare_v2(sql->db, pragma, -1, &statement, NULL) != SQLITE_OK)
        return fail(sql, sqlite3_errcode(sql->db), pragma, reterr);
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
        snprintf(found, sizeof(found), "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    if (strcmp(found, expected) != 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the database did not take `%s`: it is \"%s\", it must be \"%s\"",
                        assignment, found, expected);
    return ISO_OK;
}

static enum iso_status configure(struct iso_sql *sql, enum iso_sql_mode mode,
                                 struct iso_error *reterr)
{
    sqlite3_extended_result_codes(sql->db, 1);
    sqlite3_busy_timeout(sql->db, BUSY_TIMEOUT_MS);
    if (mode == ISO_SQL_WRITER) {
        ISO_TRY(set_and_read_back(sql, "PRAGMA journal_mode", "PRAGMA journal_mode=WAL", "wal",
                                  reterr));
        ISO_TRY(
            set_and_read_back(sql, "PRAGMA synchronous", "PRAGMA synchronous=FULL", "2", reterr));
    } else {
        ISO_TRY(iso_sql_script(sql, "PRAGMA query_only=ON", reterr));
    }
    ISO_TRY(set_and_read_back(sql, "PRAGMA foreign_keys", "PRAGMA foreign_keys=ON", "1", reterr));
    return set_and_read_back(sql, "PRAGMA trusted_schema", "PRAGMA trusted_schema=OFF", "0",
                             reterr);
}

enum iso_status iso_sql_open(const char *path, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                             struct iso_error *reterr)
{
    struct iso_sql *sql = iso_calloc(1, sizeof(*sql));
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE |
                (mode == ISO_SQL_WRITER ? SQLITE_OPEN_CREATE : 0);
    enum iso_status status;

    if (!sql)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a database connection");
    if (sqlite3_open_v2(path, &sql->db, flags, NULL) != SQLITE_OK)
        status = iso_fail(reterr, ISO_E_IO, "", "cannot open the database %s: %s", path,
                          sql->db ? sqlite3_errmsg(sql->db) : "no memory");
    else
        status = configure(sql, mode, reterr);
    if (status != ISO_OK) {
        iso_sql_close(sql);
        return status;
    }
    *ret_sql = sql;
    return ISO_OK;
}

void iso_sql_close(struct iso_sql *sql)
{
    if (!sql)
        return;
    for (int i = 0; i < sql->n_statements; i++)
        sqlite3_finalize(sql->statements[i].statement);
    sqlite3_close_v2(sql->db);
    free(sql);
}

static enum iso_status find_statement(struct iso_sql *sql, const char *text,
                                      sqlite3_stmt **ret_statement, struct iso_error *reterr)
{
    sqlite3_stmt *statement = NULL;
    int code;

    for (int i = 0; i < sql->n_statements; i++) {
        if (sql->statements[i].text == text) {
            *ret_statement = sql->statements[i].statement;
            return ISO_OK;
        }
    }
    ISO_ASSERT(sql->n_statements < MAX_STATEMENTS);
    code = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK)
        return fail(sql, code, text, reterr);
    sql->statements[sql->n_statements].text = text;
    sql->statements[sql->n_statements].statement = statement;
    sql->n_statements++;
    *ret_statement = statement;
    return ISO_OK;
}

static int bind(sqlite3_stmt *statement, int place, const struct iso_value *value)
{
    switch (value->kind) {
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

enum iso_status iso_sql_start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                              int n_values, struct iso_statement **ret_statement,
                              struct iso_error *reterr)
{
    sqlite3_stmt *statement = NULL;

    ISO_TRY(find_statement(sql, text, &statement, reterr));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    ISO_ASSERT(sqlite3_bind_parameter_count(statement) == n_values);
    for (int i = 0; i < n_values; i++) {
        int code = bind(statement, i + 1, &values[i]);
        if (code != SQLITE_OK)
            return fail(sql, code, text, reterr);
    }
    *ret_statement = (struct iso_statement *)(void *)statement;
    return ISO_OK;
}

enum iso_status iso_sql_step(struct iso_sql *sql, struct iso_statement *statement, bool *ret_row,
                             struct iso_error *reterr)
{
    int code = sqlite3_step(handle(statement));

    if (code == SQLITE_ROW) {
        *ret_row = true;
        return ISO_OK;
    }
    if (code != SQLITE_DONE) {
        enum iso_status status = fail(sql, code, sqlite3_sql(handle(statement)), reterr);
        iso_sql_reset(statement);
        return status;
    }
    iso_sql_reset(statement);
    *ret_row = false;
    return ISO_OK;
}

void iso_sql_reset(struct iso_statement *statement)
{
    sqlite3_reset(handle(statement));
    sqlite3_clear_bindings(handle(statement));
}

void iso_sql_reset_all(struct iso_sql *sql)
{
    for (int i = 0; i < sql->n_statements; i++)
        sqlite3_reset(sql->statements[i].statement);
}

int64_t iso_sql_int(struct iso_statement *statement, int column)
{
    return sqlite3_column_int64(handle(statement), column);
}

const char *iso_sql_text(struct iso_statement *statement, int column, struct iso_arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(handle(statement), column);

    return iso_arena_strdup(arena, text ? text : "");
}

struct iso_bytes iso_sql_blob(struct iso_statement *statement, int column, struct iso_arena *arena)
{
    const void *bytes = sqlite3_column_blob(handle(statement), column);
    size_t n_bytes = (size_t)sqlite3_column_bytes(handle(statement), column);
    unsigned char *copy = iso_arena_calloc(arena, n_bytes, 1);

    if (!copy)
        return (struct iso_bytes){NULL, 0};
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    return (struct iso_bytes){copy, n_bytes};
}

enum iso_status iso_sql_run(struct iso_sql *sql, const char *text, const struct iso_value *values,
                            int n_values, struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = true;

    ISO_TRY(iso_sql_start(sql, text, values, n_values, &statement, reterr));
    while (row)
        ISO_TRY(iso_sql_step(sql, statement, &row, reterr));
    return ISO_OK;
}

enum iso_status iso_sql_script(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? ISO_OK : fail(sql, code, text, reterr);
}

enum iso_status iso_sql_scalar(struct iso_sql *sql, const char *text,
                               const struct iso_value *values, int n_values, int64_t absent,
                               int64_t *ret_value, struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(iso_sql_start(sql, text, values, n_values, &statement, reterr));
    ISO_TRY(iso_sql_step(sql, statement, &row, reterr));
    if (!row) {
        *ret_value = absent;
        return ISO_OK;
    }
    *ret_value = sqlite3_column_type(handle(statement), 0) == SQLITE_NULL
                     ? absent
                     : sqlite3_column_int64(handle(statement), 0);
    iso_sql_reset(statement);
    return ISO_OK;
}

int64_t iso_sql_changes(struct iso_sql *sql)
{
    return sqlite3_changes64(sql->db);
}

bool iso_sql_in_transaction(struct iso_sql *sql)
{
    return sqlite3_get_autocommit(sql->db) == 0;
}

bool iso_sql_sync_failed(struct iso_sql *sql)
{
    return sql->sync_failed;
}
