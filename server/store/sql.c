#include "sql.h"

#include "sql_backend.h"

bool iso_sql_is_postgres(const char *target)
{
    return strncmp(target, "postgres://", 11) == 0 || strncmp(target, "postgresql://", 13) == 0;
}

enum iso_status iso_sql_open(const char *target, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                             struct iso_error *reterr)
{
    return iso_sql_is_postgres(target) ? iso_postgres_open(target, ret_sql, reterr)
                                       : iso_sqlite_open(target, mode, ret_sql, reterr);
}

void iso_sql_close(struct iso_sql *sql)
{
    if (sql)
        sql->backend->close(sql);
}

enum iso_sql_dialect iso_sql_dialect(const struct iso_sql *sql)
{
    return sql->backend->dialect;
}

enum iso_status iso_sql_begin(struct iso_sql *sql, enum iso_sql_transaction kind,
                              struct iso_error *reterr)
{
    return sql->backend->begin(sql, kind, reterr);
}

enum iso_status iso_sql_commit(struct iso_sql *sql, struct iso_error *reterr)
{
    return iso_sql_script(sql, "COMMIT", reterr);
}

void iso_sql_rollback(struct iso_sql *sql)
{
    if (iso_sql_in_transaction(sql))
        iso_sql_script(sql, "ROLLBACK", NULL);
}

bool iso_sql_in_transaction(struct iso_sql *sql)
{
    return sql->backend->in_transaction(sql);
}

bool iso_sql_sync_failed(struct iso_sql *sql)
{
    return sql->backend->sync_failed(sql);
}

enum iso_status iso_sql_start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                              int n_values, struct iso_statement **ret_statement,
                              struct iso_error *reterr)
{
    return sql->backend->start(sql, text, values, n_values, ret_statement, reterr);
}

enum iso_status iso_sql_step(struct iso_statement *statement, bool *ret_row,
                             struct iso_error *reterr)
{
    return statement->sql->backend->step(statement, ret_row, reterr);
}

void iso_sql_reset(struct iso_statement *statement)
{
    statement->sql->backend->reset(statement);
}

void iso_sql_reset_all(struct iso_sql *sql)
{
    sql->backend->reset_all(sql);
}

struct iso_value iso_sql_value(struct iso_statement *statement, int column)
{
    return statement->sql->backend->value(statement, column);
}

int64_t iso_sql_int(struct iso_statement *statement, int column)
{
    return iso_sql_value(statement, column).integer;
}

const char *iso_sql_text(struct iso_statement *statement, int column, struct iso_arena *arena)
{
    const char *text = iso_sql_value(statement, column).text;

    return iso_arena_strdup(arena, text ? text : "");
}

struct iso_bytes iso_sql_blob(struct iso_statement *statement, int column, struct iso_arena *arena)
{
    struct iso_bytes found = iso_sql_value(statement, column).blob;
    unsigned char *copy = iso_arena_calloc(arena, found.n_bytes, 1);

    if (!copy)
        return (struct iso_bytes){NULL, 0};
    if (found.n_bytes)
        memcpy(copy, found.bytes, found.n_bytes);
    return (struct iso_bytes){copy, found.n_bytes};
}

enum iso_status iso_sql_run(struct iso_sql *sql, const char *text, const struct iso_value *values,
                            int n_values, struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool row = true;

    ISO_TRY(iso_sql_start(sql, text, values, n_values, &statement, reterr));
    while (row)
        ISO_TRY(iso_sql_step(statement, &row, reterr));
    return ISO_OK;
}

enum iso_status iso_sql_script(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    return sql->backend->script(sql, text, reterr);
}

enum iso_status iso_sql_scalar(struct iso_sql *sql, const char *text,
                               const struct iso_value *values, int n_values, int64_t absent,
                               int64_t *ret_value, struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    struct iso_value found;
    bool row = false;

    ISO_TRY(iso_sql_start(sql, text, values, n_values, &statement, reterr));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row) {
        *ret_value = absent;
        return ISO_OK;
    }
    found = iso_sql_value(statement, 0);
    *ret_value = found.kind == ISO_VALUE_INT ? found.integer : absent;
    iso_sql_reset(statement);
    return ISO_OK;
}

int64_t iso_sql_changes(struct iso_sql *sql)
{
    return sql->backend->changes(sql);
}

enum iso_status iso_sql_now_ns(struct iso_sql *sql, int64_t *ret_now_ns, struct iso_error *reterr)
{
    return sql->backend->now_ns(sql, ret_now_ns, reterr);
}

enum iso_status iso_sql_notify(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    return sql->backend->notify(sql, text, reterr);
}

enum iso_status iso_sql_listen(struct iso_sql *sql, struct iso_error *reterr)
{
    return sql->backend->listen(sql, reterr);
}

enum iso_status iso_sql_wait(struct iso_sql *sql, int wake_fd, int timeout_ms, char *ret_text,
                             size_t size, struct iso_error *reterr)
{
    return sql->backend->wait(sql, wake_fd, timeout_ms, ret_text, size, reterr);
}
