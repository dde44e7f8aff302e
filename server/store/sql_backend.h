/* What a back-end provides behind sql.h. Its connection begins with a struct iso_sql, its statement
 * with a struct iso_statement. Contracts are those of the calls in sql.h of the same name. */
#ifndef ISOCOST_SERVER_SQL_BACKEND_H
#define ISOCOST_SERVER_SQL_BACKEND_H

#include "sql.h"

enum { ISO_SQL_MAX_STATEMENTS = 256 }; /* different texts of one connection */

struct iso_sql_backend {
    enum iso_sql_dialect dialect;
    void (*close)(struct iso_sql *sql);
    enum iso_status (*begin)(struct iso_sql *sql, enum iso_sql_transaction kind,
                             struct iso_error *reterr);
    bool (*in_transaction)(struct iso_sql *sql);
    bool (*sync_failed)(struct iso_sql *sql);
    enum iso_status (*start)(struct iso_sql *sql, const char *text, const struct iso_value *values,
                             int n_values, struct iso_statement **ret_statement,
                             struct iso_error *reterr);
    enum iso_status (*step)(struct iso_statement *statement, bool *ret_row,
                            struct iso_error *reterr);
    void (*reset)(struct iso_statement *statement);
    void (*reset_all)(struct iso_sql *sql);
    struct iso_value (*value)(struct iso_statement *statement, int column);
    enum iso_status (*script)(struct iso_sql *sql, const char *text, struct iso_error *reterr);
    int64_t (*changes)(struct iso_sql *sql);
    enum iso_status (*now_ns)(struct iso_sql *sql, int64_t *ret_now_ns, struct iso_error *reterr);
    /* PostgreSQL alone */
    enum iso_status (*notify)(struct iso_sql *sql, const char *text, struct iso_error *reterr);
    enum iso_status (*listen)(struct iso_sql *sql, struct iso_error *reterr);
    enum iso_status (*wait)(struct iso_sql *sql, int wake_fd, int timeout_ms, char *ret_text,
                            size_t size, struct iso_error *reterr);
};

struct iso_sql {
    const struct iso_sql_backend *backend;
};

struct iso_statement {
    struct iso_sql *sql;
};

enum iso_status iso_sqlite_open(const char *path, enum iso_sql_mode mode, struct iso_sql **ret_sql,
                                struct iso_error *reterr);
enum iso_status iso_postgres_open(const char *address, struct iso_sql **ret_sql,
                                  struct iso_error *reterr);

#endif
