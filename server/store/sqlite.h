/* A thin layer over SQLite: connections, cached statements, values. The only file that includes
 * sqlite3.h is sqlite.c. A connection is used by one thread at a time. */
#ifndef ISOCOST_SERVER_SQLITE_H
#define ISOCOST_SERVER_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct iso_sql;

enum iso_sql_mode { ISO_SQL_WRITER, ISO_SQL_READER };

/* Opens a database. A writer makes it when absent, sets WAL, synchronous=FULL, foreign keys and
 * trusted_schema=OFF and reads each back. Errors: ISO_E_IO, ISO_E_PRECONDITION (a setting did not
 * take). */
enum iso_status iso_sql_open(const char *path, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                             struct iso_error *reterr);
void iso_sql_close(struct iso_sql *sql); /* accepts NULL */

/* A parameter: exactly what is bound to ?1, ?2, ... */
struct iso_value {
    enum { ISO_VALUE_INT, ISO_VALUE_TEXT, ISO_VALUE_BLOB } kind;
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

/* Starts a statement of the connection: prepared once for each `text` (which must be a constant),
 * parameters bound. The statement is borrowed until the next start of the same text. */
struct iso_statement;
enum iso_status iso_sql_start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                              int n_values, struct iso_statement **ret_statement,
                              struct iso_error *reterr);
/* Gives the next row; at the end *ret_row is false and the statement is reset. */
enum iso_status iso_sql_step(struct iso_sql *sql, struct iso_statement *statement, bool *ret_row,
                             struct iso_error *reterr);
/* Ends a statement before its last row; the second ends all of the connection. */
void iso_sql_reset(struct iso_statement *statement);
void iso_sql_reset_all(struct iso_sql *sql);

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
bool iso_sql_in_transaction(struct iso_sql *sql);
/* True once a sync to disk has failed: what was written since may be lost, so nothing more may be
 * acknowledged. */
bool iso_sql_sync_failed(struct iso_sql *sql);

#endif
