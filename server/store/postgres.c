#include <endian.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

#include "sql_backend.h"

/* Types by their fixed numbers in pg_type. */
enum { TYPE_BOOL = 16, TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_INT4 = 23, TYPE_TEXT = 25 };

enum { MAX_PARAMETERS = 32, OLDEST_VERSION = 150000 };

#define CHANNEL "isocost"
/* The number of the lock that ISO_SQL_WRITE_IN_TURN holds: "ISOC". */
#define TURN_LOCK "1230196547"

struct statement {
    struct iso_statement base;
    const char *text;
    PGresult *result; /* NULL: not started */
    int row;          /* that is read; -1 before the first */
    bool prepared;    /* on this connection */
};

struct connection {
    struct iso_sql base;
    PGconn *db;
    int n_statements;
    struct statement statements[ISO_SQL_MAX_STATEMENTS];
    int64_t n_changes;
    int64_t now_ns; /* of this transaction; 0: not asked yet */
};

static struct connection *connection_of(struct iso_sql *sql)
{
    return (struct connection *)(void *)sql;
}

static struct statement *statement_of(struct iso_statement *statement)
{
    return (struct statement *)(void *)statement;
}

/* --- errors --- */

static bool is_lost(const struct connection *c)
{
    return PQstatus(c->db) != CONNECTION_OK;
}

/* libpq's messages have several lines; the first says it. */
static int first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

static enum iso_status fail(struct connection *c, const PGresult *result, const char *what,
                            struct iso_error *reterr)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorMessage(result) : PQerrorMessage(c->db);

    if (!state)
        state = "08006"; /* libpq itself: the connection */
    if (strcmp(state, "53100") == 0)
        return iso_fail(reterr, ISO_E_IO, "",
                        "the disk that holds the database is full; free some space and try again");
    if (is_lost(c) || strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the connection to PostgreSQL was lost: %.*s; try again", first_line(text),
                        text);
    if (strncmp(state, "53", 2) == 0 || strncmp(state, "40", 2) == 0 || strcmp(state, "57014") == 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "PostgreSQL is busy: %.*s; try again",
                        first_line(text), text);
    if (strcmp(state, "54000") == 0)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a value is too large for the database");
    if (strncmp(state, "23", 2) == 0 || strcmp(state, "P0001") == 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the database refused a row: %.*s (in: %s)",
                        first_line(text), text, what);
    return iso_fail(reterr, ISO_E_IO, "", "the database failed: %.*s (in: %s)", first_line(text),
                    text, what);
}

/* --- connecting --- */

static enum iso_status script(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);
    PGresult *result = PQexec(c->db, text);
    ExecStatusType found = PQresultStatus(result);
    enum iso_status status = found == PGRES_COMMAND_OK || found == PGRES_TUPLES_OK
                                 ? ISO_OK
                                 : fail(c, result, text, reterr);

    /* A COMMIT of a transaction that failed is answered with ROLLBACK. */
    if (status == ISO_OK && strcmp(text, "COMMIT") == 0 &&
        strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
        status = iso_fail(reterr, ISO_E_IO, "", "the database rolled the transaction back");
    PQclear(result);
    return status;
}

static enum iso_status read_back(struct connection *c, const char *setting, const char *expected,
                                 struct iso_error *reterr)
{
    char text[64], found[32] = "";
    PGresult *result;

    snprintf(text, sizeof(text), "SHOW %s", setting);
    result = PQexec(c->db, text);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        snprintf(found, sizeof(found), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    if (is_lost(c))
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot connect to PostgreSQL: %.*s",
                        first_line(PQerrorMessage(c->db)), PQerrorMessage(c->db));
    if (strcmp(found, expected) != 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the database has %s \"%s\"; it must be \"%s\"", setting, found, expected);
    return ISO_OK;
}

static enum iso_status configure(struct connection *c, struct iso_error *reterr)
{
    if (is_lost(c))
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot connect to PostgreSQL: %.*s",
                        first_line(PQerrorMessage(c->db)), PQerrorMessage(c->db));
    if (PQserverVersion(c->db) < OLDEST_VERSION)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the server is PostgreSQL %d.%d; Isocost needs 15 or newer",
                        PQserverVersion(c->db) / 10000, PQserverVersion(c->db) % 10000);
    ISO_TRY(script(&c->base,
                   "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '30s';"
                   "SET synchronous_commit = on; SET client_min_messages = warning",
                   reterr));
    ISO_TRY(read_back(c, "server_encoding", "UTF8", reterr));
    ISO_TRY(read_back(c, "fsync", "on", reterr));
    return read_back(c, "synchronous_commit", "on", reterr);
}

static PGconn *connect_to(const char *address)
{
    /* What the address says counts more. Keep-alives find a dead server within half a minute. */
    const char *const keys[] = {"connect_timeout",     "application_name", "keepalives_idle",
                                "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                                "client_encoding",     "dbname",           NULL};
    const char *const values[] = {"5", "isocost", "10", "5", "4", "30000", "UTF8", address, NULL};

    return PQconnectdbParams(keys, values, /* expand_dbname= */ 1);
}

static void forget_results(struct connection *c)
{
    for (int i = 0; i < c->n_statements; i++) {
        PQclear(c->statements[i].result);
        c->statements[i].result = NULL;
    }
}

static enum iso_status connect_again(struct connection *c, struct iso_error *reterr)
{
    forget_results(c);
    for (int i = 0; i < c->n_statements; i++)
        c->statements[i].prepared = false;
    PQreset(c->db);
    return configure(c, reterr);
}

static void close_connection(struct iso_sql *sql)
{
    struct connection *c = connection_of(sql);

    forget_results(c);
    PQfinish(c->db);
    free(c);
}

/* --- transactions --- */

static enum iso_status begin(struct iso_sql *sql, enum iso_sql_transaction kind,
                             struct iso_error *reterr)
{
    static const char *const texts[] = {
        [ISO_SQL_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [ISO_SQL_WRITE] = "BEGIN",
        [ISO_SQL_WRITE_IN_TURN] = "BEGIN; SELECT pg_advisory_xact_lock(" TURN_LOCK ")",
    };
    struct connection *c = connection_of(sql);
    struct iso_error error = {0};

    c->now_ns = 0;
    if (!is_lost(c)) {
        if (script(sql, texts[kind], &error) == ISO_OK)
            return ISO_OK;
        if (!is_lost(c)) {
            script(sql, "ROLLBACK", NULL);
            return iso_fail(reterr, error.status, error.field, "%s", error.text);
        }
    }
    ISO_TRY(connect_again(c, reterr)); /* it was lost since it was last used */
    return script(sql, texts[kind], reterr);
}

static bool in_transaction(struct iso_sql *sql)
{
    PGTransactionStatusType status = PQtransactionStatus(connection_of(sql)->db);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

static bool sync_failed(struct iso_sql *sql)
{
    (void)sql; /* PostgreSQL stops itself then, and recovers what was committed */
    return false;
}

/* --- statements --- */

static struct statement *find_statement(struct connection *c, const char *text)
{
    for (int i = 0; i < c->n_statements; i++)
        if (c->statements[i].text == text)
            return &c->statements[i];
    ISO_ASSERT(c->n_statements < ISO_SQL_MAX_STATEMENTS);
    c->statements[c->n_statements] = (struct statement){.base.sql = &c->base, .text = text};
    return &c->statements[c->n_statements++];
}

struct parameters {
    Oid types[MAX_PARAMETERS];
    int64_t integers[MAX_PARAMETERS];
    const char *values[MAX_PARAMETERS];
    int lengths[MAX_PARAMETERS], formats[MAX_PARAMETERS];
};

static void bind(struct parameters *p, int i, const struct iso_value *value)
{
    p->formats[i] = 1; /* binary */
    switch (value->kind) {
    case ISO_VALUE_NULL:
        p->types[i] = 0;
        p->values[i] = NULL;
        break;
    case ISO_VALUE_INT:
        p->types[i] = TYPE_INT8;
        p->integers[i] = (int64_t)htobe64((uint64_t)value->integer);
        p->values[i] = (const char *)&p->integers[i];
        p->lengths[i] = sizeof(p->integers[i]);
        break;
    case ISO_VALUE_TEXT:
        p->types[i] = TYPE_TEXT;
        p->values[i] = value->text ? value->text : "";
        p->lengths[i] = (int)strlen(p->values[i]);
        break;
    case ISO_VALUE_BLOB:
        p->types[i] = TYPE_BYTEA;
        p->values[i] = value->blob.n_bytes ? (const char *)value->blob.bytes : "";
        p->lengths[i] = (int)value->blob.n_bytes;
        break;
    }
}

static enum iso_status prepare(struct connection *c, struct statement *statement, const char *name,
                               const struct parameters *p, int n, struct iso_error *reterr)
{
    PGresult *result = PQprepare(c->db, name, statement->text, n, p->types);
    enum iso_status status = PQresultStatus(result) == PGRES_COMMAND_OK
                                 ? ISO_OK
                                 : fail(c, result, statement->text, reterr);

    PQclear(result);
    statement->prepared = status == ISO_OK;
    return status;
}

static enum iso_status start(struct iso_sql *sql, const char *text, const struct iso_value *values,
                             int n_values, struct iso_statement **ret_statement,
                             struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);
    struct statement *statement = find_statement(c, text);
    struct parameters p;
    char name[16];
    ExecStatusType found;

    ISO_ASSERT(n_values <= MAX_PARAMETERS);
    for (int i = 0; i < n_values; i++) {
        if (values[i].kind == ISO_VALUE_BLOB && values[i].blob.n_bytes > INT32_MAX)
            return iso_fail(reterr, ISO_E_LIMIT, "", "a value is too large for the database");
        bind(&p, i, &values[i]);
    }
    snprintf(name, sizeof(name), "s%d", (int)(statement - c->statements));
    if (!statement->prepared)
        ISO_TRY(prepare(c, statement, name, &p, n_values, reterr));
    PQclear(statement->result);
    statement->row = -1;
    statement->result = PQexecPrepared(c->db, name, n_values, p.values, p.lengths, p.formats,
                                       /* resultFormat= */ 1);
    found = PQresultStatus(statement->result);
    if (found != PGRES_COMMAND_OK && found != PGRES_TUPLES_OK) {
        enum iso_status status = fail(c, statement->result, text, reterr);
        iso_sql_reset(&statement->base);
        return status;
    }
    c->n_changes = strtoll(PQcmdTuples(statement->result), NULL, 10);
    *ret_statement = &statement->base;
    return ISO_OK;
}

static void reset(struct iso_statement *base)
{
    struct statement *statement = statement_of(base);

    PQclear(statement->result);
    statement->result = NULL;
}

static enum iso_status step(struct iso_statement *base, bool *ret_row, struct iso_error *reterr)
{
    struct statement *statement = statement_of(base);

    (void)reterr;
    *ret_row = statement->result && ++statement->row < PQntuples(statement->result);
    if (!*ret_row)
        reset(base);
    return ISO_OK;
}

static void reset_all(struct iso_sql *sql)
{
    forget_results(connection_of(sql));
}

static struct iso_value value(struct iso_statement *base, int column)
{
    const struct statement *statement = statement_of(base);
    const char *bytes = PQgetvalue(statement->result, statement->row, column);
    size_t n_bytes = (size_t)PQgetlength(statement->result, statement->row, column);
    uint64_t wide;
    uint32_t narrow;

    if (PQgetisnull(statement->result, statement->row, column))
        return (struct iso_value){.kind = ISO_VALUE_NULL};
    switch (PQftype(statement->result, column)) {
    case TYPE_INT8:
        memcpy(&wide, bytes, sizeof(wide));
        return (struct iso_value)ISO_INT((int64_t)be64toh(wide));
    case TYPE_INT4:
        memcpy(&narrow, bytes, sizeof(narrow));
        return (struct iso_value)ISO_INT((int32_t)be32toh(narrow));
    case TYPE_BOOL:
        return (struct iso_value)ISO_INT(bytes[0]);
    case TYPE_BYTEA: {
        struct iso_bytes blob = {(const unsigned char *)bytes, n_bytes};
        return (struct iso_value)ISO_BLOB(blob);
    }
    default:
        return (struct iso_value)ISO_TEXT(bytes);
    }
}

static int64_t changes(struct iso_sql *sql)
{
    return connection_of(sql)->n_changes;
}

static enum iso_status now_ns(struct iso_sql *sql, int64_t *ret_now_ns, struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);

    if (c->now_ns == 0 || !iso_sql_in_transaction(sql))
        ISO_TRY(iso_sql_scalar(
            sql, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint", NULL, 0, 0,
            &c->now_ns, reterr));
    *ret_now_ns = c->now_ns;
    return ISO_OK;
}

/* --- hints --- */

static enum iso_status notify(struct iso_sql *sql, const char *text, struct iso_error *reterr)
{
    return ISO_RUN(sql, "SELECT pg_notify('" CHANNEL "', $1)", reterr, ISO_TEXT(text));
}

static enum iso_status listen_to_all(struct iso_sql *sql, struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);

    if (is_lost(c))
        ISO_TRY(connect_again(c, reterr));
    return script(sql, "LISTEN " CHANNEL, reterr);
}

static bool take_hint(struct connection *c, char *ret_text, size_t size)
{
    PGnotify *hint = PQnotifies(c->db);

    if (!hint)
        return false;
    snprintf(ret_text, size, "%s", hint->extra);
    PQfreemem(hint);
    return true;
}

static enum iso_status wait_for_hint(struct iso_sql *sql, int wake_fd, int timeout_ms,
                                     char *ret_text, size_t size, struct iso_error *reterr)
{
    struct connection *c = connection_of(sql);
    struct pollfd entries[] = {{.fd = wake_fd, .events = POLLIN},
                               {.fd = PQsocket(c->db), .events = POLLIN}};

    ret_text[0] = '\0';
    if (take_hint(c, ret_text, size))
        return ISO_OK;
    if (poll(entries, 2, timeout_ms) > 0 && entries[1].revents && !PQconsumeInput(c->db))
        return fail(c, NULL, "LISTEN", reterr);
    take_hint(c, ret_text, size);
    return ISO_OK;
}

static const struct iso_sql_backend backend = {
    .dialect = ISO_SQL_POSTGRES,
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
    .notify = notify,
    .listen = listen_to_all,
    .wait = wait_for_hint,
};

enum iso_status iso_postgres_open(const char *address, struct iso_sql **ret_sql,
                                  struct iso_error *reterr)
{
    struct connection *c = iso_calloc(1, sizeof(*c));
    enum iso_status status;

    if (!c)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a database connection");
    c->base.backend = &backend;
    c->db = connect_to(address);
    status = configure(c, reterr);
    if (status != ISO_OK) {
        close_connection(&c->base);
        return status;
    }
    *ret_sql = &c->base;
    return ISO_OK;
}
