/* The schema, as the migrations that lead to it.
 *
 * Tables are written once, in SQLite's words; store_migrate.c puts PostgreSQL's in their place.
 * What only one of them has (triggers) is written for each. A migration is never edited once
 * released: its checksum is in every database. */
#include "store_internal.h"

static const char tables_1[] =
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
    "  at_ns INTEGER NOT NULL, previous_hash BLOB NOT NULL, hash BLOB NOT NULL) STRICT;";

static const char sqlite_1[] = "CREATE TRIGGER snapshot_no_update BEFORE UPDATE ON snapshot BEGIN"
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

static const char postgres_1[] =
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    "  'BEGIN RAISE EXCEPTION ''rows of % are never changed'', TG_TABLE_NAME; END';"
    "CREATE TRIGGER snapshot_no_change BEFORE UPDATE OR DELETE ON snapshot"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER model_no_change BEFORE UPDATE OR DELETE ON model"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();";

const struct iso_migration iso_store_migrations[] = {
    {1, tables_1, sqlite_1, postgres_1},
};
const int iso_store_n_migrations = (int)ISO_ARRAY_LENGTH(iso_store_migrations);
