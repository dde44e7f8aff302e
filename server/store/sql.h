/* SQL on either back-end: connections, cached statements, values.
 *
 * Domain calls (store_*.c) are written once, in the SQL that both understand: parameters $1, $2,
 * ..., ON CONFLICT, RETURNING, row values. Where the dialects differ they ask iso_sql_dialect().
 * SQLite is in sqlite.c, PostgreSQL in postgres.c; nobody else includes their headers. A connection
 * is used by one thread at a time. */
#ifndef ISOCOST_SERVER_SQL_H
#define ISOCOST_SERVER_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct iso_sql;

enum iso_sql_dialect { ISO_SQL_SQLITE, ISO_SQL_POSTGRES };
enum iso_sql_mode { ISO_SQL_WRITER, ISO_SQL_READER };

/* True for postgres:// and postgresql:// addresses; anything else is a path. */
bool iso_sql_is_postgres(const char *target);

/* Opens the database file or the address `target`. SQLite: a writer makes the file when absent and
 * sets WAL, synchronous=FULL, foreign keys and trusted_schema=OFF; PostgreSQL: version 15 or newer,
 * UTF-8, fsync and synchronous_commit on. Each setting is read back. Errors: ISO_E_IO,
 * ISO_E_UNAVAILABLE (no connection), ISO_E_PRECONDITION (a setting did not take). */
enum iso_status iso_sql_open(const char *target, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                             struct iso_error *reterr);
void iso_sql_close(struct iso_sql *sql); /* accepts NULL */
enum iso_sql_dialect iso_sql_dialect(const struct iso_sql *sql);

/* A value: a parameter, or a column of a row. `text` and `blob` are borrowed. */
struct iso_value {
    enum { ISO_VALUE_NULL, ISO_VALUE_INT, ISO_VALUE_TEXT, ISO_VALUE_BLOB } kind;
    int64_t integer;
    const char *text;
    struct iso_bytes blob;
};
#define ISO_INT(x)                             \
    {                                          \
        .kind = ISO_VALUE_INT, .integer = (x), \
    }
#define ISO_TEXT(x)                          \
    {                                        \
        .kind = ISO_VALUE_TEXT, .text = (x), \
    }
#define ISO_BLOB(x)                          \
    {                                        \
        .kind = ISO_VALUE_BLOB, .blob = (x), \
    }

/* --- transactions --- */

enum iso_sql_transaction {
    ISO_SQL_READ,  /* sees one state of the database */
    ISO_SQL_WRITE, /* SQLite: the one writer. PostgreSQL: beside others, READ COMMITTED */
    /* One at a time, whatever the process: what appends to the chain of audit rows, or counts rows
     * before it adds some. */
    ISO_SQL_WRITE_IN_TURN,
};
/* Begins a transaction; a connection that was lost is opened anew first. */
enum iso_status iso_sql_begin(struct iso_sql *sql, enum iso_sql_transaction kind,
                              struct iso_error *reterr);
/* Errors: ISO_E_UNAVAILABLE: the connection was lost, and whether the transaction is in the
 * database is not known. */
enum iso_status iso_sql_commit(struct iso_sql *sql, struct iso_error *reterr);
void iso_sql_rollback(struct iso_sql *sql); /* does nothing outside a transaction */
bool iso_sql_in_transaction(struct iso_sql *sql);
/* True once a sync to disk has failed: what was written since may be lost, so nothing more may be
 * acknowledged. */
bool iso_sql_sync_failed(struct iso_sql *sql);

/* --- statements --- */

/* Starts a statement of the connection: prepared once for each `text` (which must be a constant),
 * parameters bound. The statement is borrowed until the next start of the same text. */
struct iso_statement;
enum iso_status iso_sql_start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                              int n_values, struct iso_statement **ret_statement,
                              struct iso_error *reterr);
/* Gives the next row; at the end *ret_row is false and the statement is reset. */
enum iso_status iso_sql_step(struct iso_statement *statement, bool *ret_row,
                             struct iso_error *reterr);
/* Ends a statement before its last row; the second ends all of the connection. */
void iso_sql_reset(struct iso_statement *statement);
void iso_sql_reset_all(struct iso_sql *sql);

/* A column of the row; borrowed until the next step or reset. */
struct iso_value iso_sql_value(struct iso_statement *statement, int column);
int64_t iso_sql_int(struct iso_statement *statement, int column);
/* Copies into the arena; NULL when the arena is full. */
const char *iso_sql_text(struct iso_statement *statement, int column, struct iso_arena *arena);
struct iso_bytes iso_sql_blob(struct iso_statement *statement, int column, struct iso_arena *arena);

/* Starts a statement and runs it to its end; rows are dropped. */
enum iso_status iso_sql_run(struct iso_sql *sql, const char *text, const struct iso_value *values,
                            int n_values, struct iso_error *reterr);
/* Runs statements that need no parameters, e.g. a migration. */
enum iso_status iso_sql_script(struct iso_sql *sql, const char *text, struct iso_error *reterr);
/* The first column of the first row; `absent` when there is no row or it is NULL. */
enum iso_status iso_sql_scalar(struct iso_sql *sql, const char *text,
                               const struct iso_value *values, int n_values, int64_t absent,
                               int64_t *ret_value, struct iso_error *reterr);

/* Both with the values written in place: ISO_RUN(sql, "...", reterr, ISO_INT(1), ISO_TEXT("a")). */
#define ISO_VALUES(...) ((const struct iso_value[]){__VA_ARGS__})
#define ISO_N_VALUES(...) ((int)ISO_ARRAY_LENGTH(ISO_VALUES(__VA_ARGS__)))
#define ISO_RUN(sql, text, reterr, ...) \
    iso_sql_run(sql, text, ISO_VALUES(__VA_ARGS__), ISO_N_VALUES(__VA_ARGS__), reterr)
#define ISO_START(sql, text, ret_statement, reterr, ...)                                        \
    iso_sql_start(sql, text, ISO_VALUES(__VA_ARGS__), ISO_N_VALUES(__VA_ARGS__), ret_statement, \
                  reterr)
#define ISO_SCALAR(sql, text, absent, ret_value, reterr, ...)                             \
    iso_sql_scalar(sql, text, ISO_VALUES(__VA_ARGS__), ISO_N_VALUES(__VA_ARGS__), absent, \
                   ret_value, reterr)

int64_t iso_sql_changes(struct iso_sql *sql); /* rows changed by the last statement */

/* UTC by the clock of the database, once for each transaction: all leases of jobs are told by it.
 */
enum iso_status iso_sql_now_ns(struct iso_sql *sql, int64_t *ret_now_ns, struct iso_error *reterr);

/* --- hints between processes: PostgreSQL alone --- */

/* Tells listeners `text` (below 8,000 bytes) once the transaction is committed. */
enum iso_status iso_sql_notify(struct iso_sql *sql, const char *text, struct iso_error *reterr);
/* Makes the connection a listener (again, if it was lost). */
enum iso_status iso_sql_listen(struct iso_sql *sql, struct iso_error *reterr);
/* Waits for a hint, a byte on `wake_fd` or the end of `timeout_ms`; "" when there is no hint.
 * Errors: ISO_E_UNAVAILABLE (the connection was lost; listen again). */
enum iso_status iso_sql_wait(struct iso_sql *sql, int wake_fd, int timeout_ms, char *ret_text,
                             size_t size, struct iso_error *reterr);

#endif
