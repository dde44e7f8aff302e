/* All of a store into an empty one: the backup, the restore, and the way from one back-end to the
 * other.
 *
 * The source is read in one transaction, while others go on using it; the copy is written in one
 * transaction, so it is there as a whole or not at all. Both are read through SHA-256 in the order
 * of their keys, and the copy stays only if the digests agree. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

enum { MOST_COLUMNS = 24, MOST_KEYS = 4, KEY_BYTES = 256 };

/* Columns begin with those of the key. Few rows at once where they are large. */
static const struct table {
    const char *name, *columns;
    int n_columns, n_keys, rows_at_once;
} tables[] = {
    {"snapshot", "sequence, tenant, project, digest, create_ns, snapshot, diagnostics", 7, 1, 50},
    {"model", "tenant, project, digest, create_ns, model", 5, 3, 8},
    {"plan",
     "tenant, project, id, state, etag, create_ns, start_ns, end_ns, request_id, body_digest,"
     " model_digest, snapshot_digest, labels, plan, lines",
     15, 3, 8},
    {"session",
     "tenant, project, id, etag, create_ns, request_id, body_digest, model_digest,"
     " snapshot_digest, session",
     10, 3, 50},
    {"evaluation",
     "tenant, project, id, create_ns, end_ns, subject, roles, model_digest, snapshot_digest,"
     " n_scenarios, n_done, n_same, cpu_us, request_id, body_digest",
     15, 3, 500},
    {"evaluation_event", "tenant, project, evaluation_id, sequence, place, event, digest", 7, 4,
     200},
    {"evaluation_run", "tenant, project, evaluation_id, part, run", 5, 4, 8},
    {"record_set",
     "sequence, tenant, project, source, kind, from_ns, to_ns, state, dirty, create_ns, n_rows,"
     " refresh",
     12, 1, 500},
    {"record_segment", "sequence, tenant, project, source, kind, from_ns, to_ns, set_id", 8, 1,
     500},
    {"usage_record",
     "set_id, start_ns, number, provider, account, region, resource, metric, record", 9, 3, 500},
    {"cost_record",
     "set_id, start_ns, number, month, provider, account, service, region, category, currency,"
     " billed, effective, list, from_billed, record",
     15, 3, 500},
    {"running_record", "set_id, start_ns, number, provider, account, region, resource, record", 8,
     3, 500},
    {"event", "tenant, project, plan_id, sequence, at_ns, event", 6, 4, 200},
    {"job",
     "sequence, tenant, project, kind, object_id, part, subject, roles, state, priority, attempt,"
     " deaths, owner, queue_ns, claim_ns, lease_ns, cancel, error, incumbents",
     19, 1, 500},
    {"audit",
     "sequence, tenant, project, subject, action, object, request_id, at_ns, previous_hash, hash",
     10, 1, 500},
};

struct copy {
    struct iso_sql *source;
    const char *source_folder; /* of SQLite's files; NULL: they are in the database */
    struct iso_store *target;
    struct iso_copied copied;
};

/* --- rows through a digest --- */

static void digest_value(struct iso_sha256 *sha, const struct iso_value *value)
{
    uint64_t n = value->kind == ISO_VALUE_TEXT   ? strlen(value->text)
                 : value->kind == ISO_VALUE_BLOB ? value->blob.n_bytes
                                                 : (uint64_t)value->integer;
    unsigned char kind = (unsigned char)value->kind;

    iso_sha256_update(sha, &kind, 1);
    iso_sha256_update(sha, &n, sizeof(n));
    if (value->kind == ISO_VALUE_TEXT)
        iso_sha256_update(sha, value->text, n);
    else if (value->kind == ISO_VALUE_BLOB && n > 0)
        iso_sha256_update(sha, value->blob.bytes, n);
}

/* Of the row that a batch begins after. */
struct key {
    struct iso_value values[MOST_KEYS];
    char texts[MOST_KEYS][KEY_BYTES];
};

static void keep_key(struct key *key, int n_keys, const struct iso_value *row)
{
    for (int i = 0; i < n_keys; i++) {
        key->values[i] = row[i];
        if (row[i].kind != ISO_VALUE_TEXT)
            continue;
        snprintf(key->texts[i], sizeof(key->texts[i]), "%s", row[i].text);
        key->values[i].text = key->texts[i];
    }
}

/* "$1, $2, ..." */
static void write_places(char *out, size_t size, int n)
{
    size_t at = 0;

    for (int i = 1; i <= n; i++)
        at += (size_t)snprintf(out + at, size - at, "%s$%d", i > 1 ? ", " : "", i);
}

/* The names of the key: the first columns. */
static void write_key(char *out, size_t size, const struct table *table)
{
    const char *end = table->columns;

    for (int i = 0; i < table->n_keys; i++)
        end = strchr(end + (i > 0), ',');
    snprintf(out, size, "%.*s", (int)(end - table->columns), table->columns);
}

/* Texts of statements must outlive their connection, so they are made once. */
struct texts {
    char count[64], first[512], next[512], insert[512];
};

static struct texts *texts_of(const struct table *table)
{
    static struct texts made[ISO_ARRAY_LENGTH(tables)];
    struct texts *t = &made[table - tables];
    char key[128], places[160];

    if (t->first[0])
        return t;
    write_key(key, sizeof(key), table);
    snprintf(t->count, sizeof(t->count), "SELECT count(*) FROM %s", table->name);
    snprintf(t->first, sizeof(t->first), "SELECT %s FROM %s ORDER BY %s LIMIT %d", table->columns,
             table->name, key, table->rows_at_once);
    write_places(places, sizeof(places), table->n_keys);
    snprintf(t->next, sizeof(t->next), "SELECT %s FROM %s WHERE (%s) > (%s) ORDER BY %s LIMIT %d",
             table->columns, table->name, key, places, key, table->rows_at_once);
    write_places(places, sizeof(places), table->n_columns);
    snprintf(t->insert, sizeof(t->insert), "INSERT INTO %s (%s) VALUES (%s)", table->name,
             table->columns, places);
    return t;
}

/* Reads the rows after a key (NULL: from the first); each goes to `target` (NULL: only the digest
 * counts). */
static enum iso_status pass_batch(struct iso_sql *from, struct iso_sql *target,
                                  const struct table *table, const struct key *after,
                                  struct key *last, struct iso_sha256 *sha, int *ret_n_rows,
                                  struct iso_error *reterr)
{
    const struct texts *texts = texts_of(table);
    struct iso_statement *statement = NULL;
    bool more = false;

    ISO_TRY(iso_sql_start(from, after ? texts->next : texts->first, after ? after->values : NULL,
                          after ? table->n_keys : 0, &statement, reterr));
    for (*ret_n_rows = 0;; ++*ret_n_rows) {
        struct iso_value row[MOST_COLUMNS];

        ISO_TRY(iso_sql_step(statement, &more, reterr));
        if (!more)
            return ISO_OK;
        for (int i = 0; i < table->n_columns; i++) {
            row[i] = iso_sql_value(statement, i);
            digest_value(sha, &row[i]);
        }
        if (target)
            ISO_TRY(iso_sql_run(target, texts->insert, row, table->n_columns, reterr));
        keep_key(last, table->n_keys, row);
    }
}

static enum iso_status pass_table(struct iso_sql *from, struct iso_sql *target,
                                  const struct table *table, struct iso_sha256 *sha,
                                  int64_t *n_rows, struct iso_error *reterr)
{
    struct key keys[2];
    int n = 1;

    for (int i = 0; n > 0; i++) {
        ISO_TRY(pass_batch(from, target, table, i > 0 ? &keys[(i + 1) % 2] : NULL, &keys[i % 2],
                           sha, &n, reterr));
        *n_rows += n;
    }
    return ISO_OK;
}

static void begin_digest(struct iso_sha256 *sha, const struct table *table)
{
    iso_sha256_init(sha);
    iso_sha256_update(sha, table->name, strlen(table->name) + 1);
}

/* Copies a table and reads the copy back. */
static enum iso_status copy_table(struct copy *copy, struct iso_sql *target,
                                  const struct table *table, struct iso_error *reterr)
{
    unsigned char source_digest[ISO_SHA256_BYTES], target_digest[ISO_SHA256_BYTES];
    struct iso_sha256 sha;
    int64_t n_copied = 0, n_read = 0;

    begin_digest(&sha, table);
    ISO_TRY(pass_table(copy->source, target, table, &sha, &n_copied, reterr));
    iso_sha256_final(&sha, source_digest);
    begin_digest(&sha, table);
    ISO_TRY(pass_table(target, NULL, table, &sha, &n_read, reterr));
    iso_sha256_final(&sha, target_digest);
    if (n_copied != n_read || memcmp(source_digest, target_digest, sizeof(source_digest)) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "",
                        "table %s has %lld rows and its copy %lld, or they differ", table->name,
                        (long long)n_copied, (long long)n_read);
    copy->copied.rows += n_copied;
    return ISO_OK;
}

/* --- the sequences that new rows go on with (SQLite's follow by themselves) --- */

static enum iso_status set_sequences(struct iso_sql *target, struct iso_error *reterr)
{
    return iso_sql_script(
        target,
        "SELECT setval(pg_get_serial_sequence(t, 'sequence'), n) FROM"
        " (SELECT 'snapshot' AS t, max(sequence) AS n FROM snapshot"
        "  UNION ALL SELECT 'job', max(sequence) FROM job"
        "  UNION ALL SELECT 'record_set', max(sequence) FROM record_set"
        "  UNION ALL SELECT 'record_segment', max(sequence) FROM record_segment"
        "  UNION ALL SELECT 'audit', max(sequence) FROM audit) s WHERE n IS NOT NULL",
        reterr);
}

/* --- files of snapshots --- */

/* The bytes of a snapshot's file in the source's database. */
static enum iso_status read_chunks(struct copy *copy, const char *digest, int fd,
                                   struct iso_error *reterr)
{
    struct iso_statement *statement = NULL;
    bool more = true;

    for (int64_t number = 0; more; number++) {
        struct iso_bytes bytes;

        ISO_TRY(ISO_START(copy->source,
                          "SELECT bytes FROM snapshot_chunk WHERE number = $2 AND file ="
                          " (SELECT file FROM snapshot_file WHERE digest = $1)",
                          &statement, reterr, ISO_TEXT(digest), ISO_INT(number)));
        ISO_TRY(iso_sql_step(statement, &more, reterr));
        if (!more && number == 0)
            return iso_fail(reterr, ISO_E_IO, "", "the file of snapshot %.80s is gone", digest);
        if (!more)
            break;
        bytes = iso_sql_value(statement, 0).blob;
        if (write(fd, bytes.bytes, bytes.n_bytes) != (ssize_t)bytes.n_bytes)
            return iso_fail(reterr, ISO_E_IO, "", "a snapshot cannot be written: %s",
                            strerror(errno));
    }
    return ISO_OK;
}

static enum iso_status read_bytes(const char *from, int fd, struct iso_error *reterr)
{
    unsigned char buffer[1 << 16];
    ssize_t n = 1;
    int in = open(from, O_RDONLY | O_CLOEXEC);

    if (in < 0)
        return iso_fail(reterr, ISO_E_IO, "", "%s cannot be read: %s", from, strerror(errno));
    while (n > 0 && (n = read(in, buffer, sizeof(buffer))) > 0)
        if (write(fd, buffer, (size_t)n) != n)
            n = -1;
    close(in);
    return n == 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_IO, "", "%s cannot be copied: %s", from, strerror(errno));
}

static enum iso_status copy_file(struct copy *copy, const char *digest, const char *path,
                                 struct iso_error *reterr)
{
    char from[PATH_MAX];
    enum iso_status status;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "%s cannot be written: %s", path, strerror(errno));
    if (copy->source_folder) {
        snprintf(from, sizeof(from), "%.3000s/snapshots/%s.snap", copy->source_folder, digest);
        status = read_bytes(from, fd, reterr);
    } else {
        status = read_chunks(copy, digest, fd, reterr);
    }
    if (status == ISO_OK && fsync(fd) != 0)
        status = iso_fail(reterr, ISO_E_IO, "", "%s cannot be written: %s", path, strerror(errno));
    close(fd);
    copy->copied.files += status == ISO_OK;
    return status;
}

struct name_call {
    const char *digest, *file;
    int64_t n_chunks;
};

static enum iso_status name_file(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct name_call *call = context;

    return iso_store_insert_file(sql, call->digest, call->file, call->n_chunks, reterr);
}

/* Copies the file of each digest; on PostgreSQL it goes into the database. */
static enum iso_status copy_files(struct copy *copy, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 30);
    struct iso_statement *statement = NULL;
    bool more = false;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to copy a store");
    ISO_TRY(iso_sql_start(copy->source, "SELECT DISTINCT digest FROM snapshot ORDER BY digest",
                          NULL, 0, &statement, reterr));
    for (;;) {
        char file[ISO_DIGEST_TEXT_SIZE];
        const char *digest, *path;

        ISO_TRY(iso_sql_step(statement, &more, reterr));
        if (!more)
            return ISO_OK;
        digest = iso_sql_text(statement, 0, arena);
        path = iso_store_snapshot_path(copy->target, digest, arena);
        if (!path)
            return iso_fail(reterr, ISO_E_IO, "", "snapshot %.80s has no path", digest);
        ISO_TRY(copy_file(copy, digest, path, reterr));
        if (copy->target->address) {
            struct name_call call = {.digest = digest, .file = file};

            ISO_TRY(iso_store_share_file(copy->target, path, file, &call.n_chunks, reterr));
            ISO_TRY(iso_store_write(copy->target, name_file, &call, reterr));
        }
    }
}

/* --- all of it --- */

static enum iso_status check_empty(struct iso_sql *target, void *context, struct iso_error *reterr)
{
    (void)context;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(tables); i++) {
        int64_t n = 0;

        ISO_TRY(iso_sql_scalar(target, texts_of(&tables[i])->count, NULL, 0, 0, &n, reterr));
        if (n > 0)
            return iso_fail(reterr, ISO_E_PRECONDITION, "",
                            "the target is not empty: it has %lld rows in table %s; a copy goes "
                            "into an empty store",
                            (long long)n, tables[i].name);
    }
    return ISO_OK;
}

static enum iso_status copy_rows(struct iso_sql *target, void *context, struct iso_error *reterr)
{
    struct copy *copy = context;

    copy->copied.rows = 0;
    ISO_TRY(check_empty(target, context, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(tables); i++)
        ISO_TRY(copy_table(copy, target, &tables[i], reterr));
    return iso_sql_dialect(target) == ISO_SQL_POSTGRES ? set_sequences(target, reterr) : ISO_OK;
}
static enum iso_status open_source(struct copy *copy, const char *from, struct iso_error *reterr)
{
    char path[PATH_MAX];

    if (iso_sql_is_postgres(from)) {
        ISO_TRY(iso_sql_open(from, ISO_SQL_READER, &copy->source, reterr));
    } else {
        copy->source_folder = from;
        snprintf(path, sizeof(path), "%.3000s/isocost.db", from);
        if (access(path, R_OK) != 0)
            return iso_fail(reterr, ISO_E_IO, "", "there is no store in %s: %s", from,
                            strerror(errno));
        ISO_TRY(iso_sql_open(path, ISO_SQL_READER, &copy->source, reterr));
    }
    ISO_TRY(iso_sql_begin(copy->source, ISO_SQL_READ, reterr));
    return iso_store_check_version(copy->source, reterr);
}

static int remove_entry(const char *path, const struct stat *found, int kind, struct FTW *walk)
{
    (void)found, (void)kind, (void)walk;
    return remove(path);
}

/* PostgreSQL needs a folder too, for the files on their way; it is removed. */
static enum iso_status copy_to(struct copy *copy, const char *to, struct iso_error *reterr)
{
    char folder[] = "/tmp/isocost-copy-XXXXXX";
    bool postgres = iso_sql_is_postgres(to);
    enum iso_status status;

    if (postgres && !mkdtemp(folder))
        return iso_fail(reterr, ISO_E_IO, "", "cannot make a folder in /tmp: %s", strerror(errno));
    status = iso_store_open(postgres ? folder : to, postgres ? to : NULL, &copy->target, reterr);
    if (status == ISO_OK)
        status = iso_store_read(copy->target, check_empty, NULL, reterr);
    if (status == ISO_OK)
        status = copy_files(copy, reterr);
    if (status == ISO_OK)
        status = iso_store_write(copy->target, copy_rows, copy, reterr);
    iso_store_close(copy->target);
    if (postgres)
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

enum iso_status iso_store_copy(const char *from, const char *to, struct iso_copied *ret_copied,
                               struct iso_error *reterr)
{
    struct copy copy = {0};
    enum iso_status status = open_source(&copy, from, reterr);

    if (status == ISO_OK)
        status = copy_to(&copy, to, reterr);
    iso_sql_close(copy.source);
    if (status == ISO_OK)
        *ret_copied = copy.copied;
    return status;
}
