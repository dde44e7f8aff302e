#include <stdio.h>
#include <unistd.h>

#include "store_internal.h"

#define APPLICATION_ID 0x49534f43 /* "ISOC" */

/* A migration is never edited once released: its checksum is in every database. */
static const char migration_1[] =
    "CREATE TABLE snapshot ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, digest TEXT NOT NULL,"
    "  create_ns INTEGER NOT NULL, snapshot BLOB NOT NULL, diagnostics BLOB NOT NULL) STRICT;"
    "CREATE INDEX snapshot_by_digest ON snapshot (digest, tenant, sequence);"
    "CREATE INDEX snapshot_by_time ON snapshot (tenant, create_ns);"

    "CREATE TABLE model ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, digest TEXT NOT NULL,"
    "  create_ns INTEGER NOT NULL, model BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, digest)) STRICT;"

    "CREATE TABLE plan ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL,"
    "  state INTEGER NOT NULL, etag INTEGER NOT NULL,"
    "  create_ns INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
    "  request_id TEXT NOT NULL, body_digest TEXT NOT NULL,"
    "  model_digest TEXT NOT NULL, snapshot_digest TEXT NOT NULL, labels TEXT NOT NULL,"
    "  plan BLOB NOT NULL, lines BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, id)) STRICT;"
    "CREATE UNIQUE INDEX plan_by_request ON plan (tenant, project, request_id)"
    "  WHERE request_id <> '';"
    "CREATE INDEX plan_by_time ON plan (tenant, project, create_ns, id);"

    "CREATE TABLE job ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, plan_id TEXT NOT NULL,"
    "  subject TEXT NOT NULL, roles INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, attempt INTEGER NOT NULL, owner INTEGER NOT NULL,"
    "  UNIQUE (tenant, project, plan_id),"
    "  FOREIGN KEY (tenant, project, plan_id) REFERENCES plan (tenant, project, id)"
    "    ON DELETE CASCADE) STRICT;"
    "CREATE INDEX job_open ON job (state, sequence) WHERE state < 3;"

    "CREATE TABLE event ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, plan_id TEXT NOT NULL,"
    "  sequence INTEGER NOT NULL, at_ns INTEGER NOT NULL, event BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, plan_id, sequence),"
    "  FOREIGN KEY (tenant, project, plan_id) REFERENCES plan (tenant, project, id)"
    "    ON DELETE CASCADE) STRICT;"
    "CREATE INDEX event_by_time ON event (at_ns);"

    "CREATE TABLE audit ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, subject TEXT NOT NULL,"
    "  action TEXT NOT NULL, object TEXT NOT NULL, request_id TEXT NOT NULL,"
    "  at_ns INTEGER NOT NULL, previous_hash BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"

    "CREATE TRIGGER snapshot_no_update BEFORE UPDATE ON snapshot BEGIN"
    "  SELECT RAISE(ABORT, 'rows of snapshot are never changed'); END;"
    "CREATE TRIGGER snapshot_no_delete BEFORE DELETE ON snapshot BEGIN"
    "  SELECT RAISE(ABORT, 'rows of snapshot are never deleted'); END;"
    "CREATE TRIGGER model_no_update BEFORE UPDATE ON model BEGIN"
    "  SELECT RAISE(ABORT, 'rows of model are never changed'); END;"
    "CREATE TRIGGER model_no_delete BEFORE DELETE ON model BEGIN"
    "  SELECT RAISE(ABORT, 'rows of model are never deleted'); END;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'rows of audit are never changed'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'rows of audit are never deleted'); END;";

const struct iso_migration iso_store_migrations[] = {{1, migration_1}};
const int iso_store_n_migrations = (int)ISO_ARRAY_LENGTH(iso_store_migrations);

static void checksum(const char *sql, char text[ISO_DIGEST_TEXT_SIZE])
{
    unsigned char digest[ISO_SHA256_BYTES];
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, sql, strlen(sql));
    iso_sha256_final(&sha, digest);
    iso_digest_text(digest, text);
}

/* Makes sure that the file is empty or ours, and that it has the table of migrations. */
static enum iso_status check_owner(struct iso_sql *sql, struct iso_error *reterr)
{
    int64_t application_id = 0, tables = 0;

    ISO_TRY(iso_sql_scalar(sql, "PRAGMA application_id", NULL, 0, 0, &application_id, reterr));
    ISO_TRY(iso_sql_scalar(sql, "SELECT count(*) FROM sqlite_schema", NULL, 0, 0, &tables, reterr));
    if (application_id != APPLICATION_ID && (tables > 0 || application_id != 0))
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the database belongs to another program (application id %lld); give a "
                        "folder of its own to Isocost",
                        (long long)application_id);
    if (tables > 0)
        return ISO_OK;
    return iso_sql_script(sql,
                          "BEGIN EXCLUSIVE; PRAGMA application_id = 1230196547;"
                          "CREATE TABLE schema_migration ("
                          "  version INTEGER PRIMARY KEY, sha256 TEXT NOT NULL,"
                          "  applied_at INTEGER NOT NULL, binary_version TEXT NOT NULL) STRICT;"
                          "COMMIT;",
                          reterr);
}
_Static_assert(APPLICATION_ID == 1230196547, "the pragma takes no expressions");

static enum iso_status check_applied(struct iso_sql *sql, const struct iso_migration *migrations,
                                     int n_applied, struct iso_error *reterr)
{
    for (int i = 0; i < n_applied; i++) {
        char text[ISO_DIGEST_TEXT_SIZE];
        int64_t same = 0;

        checksum(migrations[i].sql, text);
        ISO_TRY(ISO_SCALAR(sql,
                           "SELECT count(*) FROM schema_migration WHERE version = ?1 AND "
                           "sha256 = ?2",
                           0, &same, reterr, ISO_INT(migrations[i].version), ISO_TEXT(text)));
        if (!same)
            return iso_fail(reterr, ISO_E_PRECONDITION, "",
                            "migration %d of the database is not the one that this isocostd "
                            "knows (checksum %s); use the isocostd that made the database",
                            migrations[i].version, text);
    }
    return ISO_OK;
}

static enum iso_status backup(struct iso_sql *sql, const char *prefix, int version,
                              struct iso_error *reterr)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s.before-v%d", prefix, version) >= (int)sizeof(path))
        return iso_fail(reterr, ISO_E_IO, "", "the path of the database is too long");
    if (access(path, F_OK) == 0 && unlink(path) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot replace the old backup %s", path);
    return ISO_RUN(sql, "VACUUM INTO ?1", reterr, ISO_TEXT(path));
}

static enum iso_status apply(struct iso_sql *sql, const struct iso_migration *migration,
                             struct iso_error *reterr)
{
    char text[ISO_DIGEST_TEXT_SIZE];
    enum iso_status status;

    checksum(migration->sql, text);
    ISO_TRY(iso_sql_script(sql, "BEGIN EXCLUSIVE", reterr));
    status = iso_sql_script(sql, migration->sql, reterr);
    if (status == ISO_OK)
        status = ISO_RUN(sql, "INSERT INTO schema_migration VALUES (?1, ?2, ?3, ?4)", reterr,
                         ISO_INT(migration->version), ISO_TEXT(text), ISO_INT(iso_store_now_ns()),
                         ISO_TEXT(ISO_VERSION));
    if (status == ISO_OK)
        status = iso_sql_script(sql, "COMMIT", reterr);
    if (status != ISO_OK && iso_sql_in_transaction(sql))
        iso_sql_script(sql, "ROLLBACK", NULL);
    return status;
}

enum iso_status iso_store_migrate(struct iso_sql *sql, const struct iso_migration *migrations,
                                  int n_migrations, const char *backup_prefix,
                                  struct iso_error *reterr)
{
    int64_t applied = 0;

    ISO_TRY(check_owner(sql, reterr));
    ISO_TRY(iso_sql_scalar(sql, "SELECT max(version) FROM schema_migration", NULL, 0, 0, &applied,
                           reterr));
    if (applied > n_migrations)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the database has schema version %lld; this isocostd knows versions up to "
                        "%d: use a newer isocostd, or restore the backup made before the upgrade",
                        (long long)applied, n_migrations);
    ISO_TRY(check_applied(sql, migrations, (int)applied, reterr));
    if (applied > 0 && applied < n_migrations)
        ISO_TRY(backup(sql, backup_prefix, n_migrations, reterr));
    for (int i = (int)applied; i < n_migrations; i++)
        ISO_TRY(apply(sql, &migrations[i], reterr));
    return ISO_OK;
}
