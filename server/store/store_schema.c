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

/* Jobs of several kinds, with leases and priorities; retention; files of snapshots. */
static const char tables_2[] =
    "ALTER TABLE job RENAME TO job_1;"
    "CREATE TABLE job ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, kind INTEGER NOT NULL,"
    "  object_id TEXT NOT NULL, part INTEGER NOT NULL,"
    "  subject TEXT NOT NULL, roles INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, priority INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    "  deaths INTEGER NOT NULL, owner INTEGER NOT NULL,"
    "  queue_ns INTEGER NOT NULL, claim_ns INTEGER NOT NULL, lease_ns INTEGER NOT NULL,"
    "  cancel INTEGER NOT NULL, error TEXT NOT NULL,"
    "  UNIQUE (tenant, project, kind, object_id, part)) STRICT;"
    "INSERT INTO job (sequence, tenant, project, kind, object_id, part, subject, roles, state,"
    "  priority, attempt, deaths, owner, queue_ns, claim_ns, lease_ns, cancel, error)"
    "  SELECT j.sequence, j.tenant, j.project, 1, j.plan_id, 0, j.subject, j.roles, p.state, 0,"
    "    j.attempt, 0, j.owner, p.create_ns, p.start_ns, 0, 0, ''"
    "  FROM job_1 j JOIN plan p ON p.tenant = j.tenant AND p.project = j.project"
    "    AND p.id = j.plan_id;"
    "DROP TABLE job_1;"
    "CREATE INDEX job_open ON job (state, tenant, sequence) WHERE state < 3;"
    "CREATE INDEX job_turn ON job (tenant, claim_ns);"

    /* Rows that history needs go only while a row is here: see store_retention.c. */
    "CREATE TABLE retention_run (begin_ns INTEGER NOT NULL) STRICT;"

    "CREATE TABLE snapshot_file ("
    "  digest TEXT PRIMARY KEY, file TEXT NOT NULL, n_chunks INTEGER NOT NULL,"
    "  create_ns INTEGER NOT NULL) STRICT;"
    "CREATE INDEX snapshot_file_by_file ON snapshot_file (file);"
    "CREATE TABLE snapshot_chunk ("
    "  file TEXT NOT NULL, number INTEGER NOT NULL, create_ns INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL, PRIMARY KEY (file, number)) STRICT;";

#define RETAINED(table)                                          \
    "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table \
    "  WHEN NOT EXISTS (SELECT 1 FROM retention_run) BEGIN"      \
    "  SELECT RAISE(ABORT, 'rows of " table " are deleted by retention only'); END;"
#define UNCHANGED(table)                                                  \
    "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table " BEGIN" \
    "  SELECT RAISE(ABORT, 'rows of " table " are never changed'); END;"

static const char sqlite_2[] =
    "DROP TRIGGER snapshot_no_delete; DROP TRIGGER model_no_delete;" RETAINED("snapshot")
        RETAINED("model") RETAINED("snapshot_chunk") UNCHANGED("snapshot_chunk") UNCHANGED(
            "event") "CREATE TRIGGER event_no_delete BEFORE DELETE ON event"
                     "  WHEN NOT EXISTS (SELECT 1 FROM retention_run) AND EXISTS (SELECT 1 FROM "
                     "plan p"
                     "    WHERE p.tenant = OLD.tenant AND p.project = OLD.project AND p.id = "
                     "OLD.plan_id) BEGIN"
                     "  SELECT RAISE(ABORT, 'rows of event go with their plan, or by retention'); "
                     "END;"
                     "CREATE TRIGGER plan_no_update BEFORE UPDATE ON plan WHEN OLD.state >= 3 BEGIN"
                     "  SELECT RAISE(ABORT, 'a plan that has ended is never changed'); END;";

static const char postgres_2[] =
    "CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS"
    "  'BEGIN IF NOT EXISTS (SELECT 1 FROM retention_run) THEN"
    "   RAISE EXCEPTION ''rows of % are deleted by retention only'', TG_TABLE_NAME; END IF;"
    "   RETURN OLD; END';"
    "CREATE FUNCTION refuse_event_delete() RETURNS trigger LANGUAGE plpgsql AS"
    "  'BEGIN IF NOT EXISTS (SELECT 1 FROM retention_run) AND EXISTS (SELECT 1 FROM plan p"
    "    WHERE p.tenant = OLD.tenant AND p.project = OLD.project AND p.id = OLD.plan_id) THEN"
    "   RAISE EXCEPTION ''rows of event go with their plan, or by retention''; END IF;"
    "   RETURN OLD; END';"
    "DROP TRIGGER snapshot_no_change ON snapshot; DROP TRIGGER model_no_change ON model;"
    "CREATE TRIGGER snapshot_no_update BEFORE UPDATE ON snapshot"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER snapshot_no_delete BEFORE DELETE ON snapshot"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_delete();"
    "CREATE TRIGGER model_no_update BEFORE UPDATE ON model"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER model_no_delete BEFORE DELETE ON model"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_delete();"
    "CREATE TRIGGER snapshot_chunk_no_update BEFORE UPDATE ON snapshot_chunk"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER snapshot_chunk_no_delete BEFORE DELETE ON snapshot_chunk"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_delete();"
    "CREATE TRIGGER event_no_update BEFORE UPDATE ON event"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER event_no_delete BEFORE DELETE ON event"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_event_delete();"
    "CREATE TRIGGER plan_no_update BEFORE UPDATE ON plan"
    "  FOR EACH ROW WHEN (OLD.state >= 3) EXECUTE FUNCTION refuse_change();"
    /* The queue changes all the time: room on its pages, and dead rows cleared soon. */
    "ALTER TABLE job SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);";

static const char tables_3[] =
    "CREATE TABLE session ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL,"
    "  etag INTEGER NOT NULL, create_ns INTEGER NOT NULL,"
    "  request_id TEXT NOT NULL, body_digest TEXT NOT NULL,"
    "  model_digest TEXT NOT NULL, snapshot_digest TEXT NOT NULL, session BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, id)) STRICT;"
    "CREATE UNIQUE INDEX session_by_request ON session (tenant, project, request_id)"
    "  WHERE request_id <> '';"
    "CREATE INDEX session_by_time ON session (tenant, project, create_ns, id);";

static const char tables_4[] =
    "CREATE TABLE evaluation ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL,"
    "  create_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
    "  owner INTEGER NOT NULL, lease_ns INTEGER NOT NULL,"
    "  subject TEXT NOT NULL, roles INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  model_digest TEXT NOT NULL, snapshot_digest TEXT NOT NULL, request BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, id)) STRICT;"
    "CREATE INDEX evaluation_open ON evaluation (lease_ns) WHERE end_ns = 0;"
    "CREATE TABLE evaluation_event ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, evaluation_id TEXT NOT NULL,"
    "  sequence INTEGER NOT NULL, place INTEGER NOT NULL, event BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, evaluation_id, sequence),"
    "  UNIQUE (tenant, project, evaluation_id, place),"
    "  FOREIGN KEY (tenant, project, evaluation_id) REFERENCES evaluation (tenant, project, id)"
    "    ON DELETE CASCADE) STRICT;";

/* Evaluations as runs of scenarios in the queue. Those that had not ended have none, and go. */
static const char tables_5[] =
    "DELETE FROM evaluation WHERE end_ns = 0;"
    "DROP INDEX evaluation_open;"
    "ALTER TABLE evaluation DROP COLUMN owner;"
    "ALTER TABLE evaluation DROP COLUMN lease_ns;"
    "ALTER TABLE evaluation DROP COLUMN kind;"
    "ALTER TABLE evaluation DROP COLUMN request;"
    "ALTER TABLE evaluation ADD COLUMN n_scenarios INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE evaluation ADD COLUMN n_done INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE evaluation ADD COLUMN n_same INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE evaluation ADD COLUMN cpu_us INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX evaluation_open ON evaluation (tenant) WHERE end_ns = 0;"
    "ALTER TABLE evaluation_event ADD COLUMN digest TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX evaluation_answer ON evaluation_event (tenant, project, evaluation_id, digest)"
    "  WHERE digest <> '';"
    "CREATE TABLE evaluation_run ("
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, evaluation_id TEXT NOT NULL,"
    "  part INTEGER NOT NULL, run BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, project, evaluation_id, part),"
    "  FOREIGN KEY (tenant, project, evaluation_id) REFERENCES evaluation (tenant, project, id)"
    "    ON DELETE CASCADE) STRICT;";

static const char sqlite_5[] = UNCHANGED("evaluation_event") UNCHANGED("evaluation_run");
static const char postgres_5[] =
    "CREATE TRIGGER evaluation_event_no_update BEFORE UPDATE ON evaluation_event"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER evaluation_run_no_update BEFORE UPDATE ON evaluation_run"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();";

/* Claims find the next jobs of a tenant without reading the others; who waits for a plan that
 * another process runs is shown incumbents. */
static const char tables_6[] =
    "ALTER TABLE job ADD COLUMN incumbents INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX job_open;"
    "CREATE INDEX job_open ON job (state, tenant, priority DESC, sequence) WHERE state < 3;";

/* Sets of records, which of them serves which range of time, and their rows: see record_store.h. */
static const char tables_7[] =
    "CREATE TABLE record_set ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, source TEXT NOT NULL, kind INTEGER NOT NULL,"
    "  from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, state INTEGER NOT NULL,"
    "  dirty INTEGER NOT NULL, create_ns INTEGER NOT NULL, n_rows INTEGER NOT NULL,"
    "  refresh BLOB NOT NULL) STRICT;"
    "CREATE INDEX record_set_by_source ON record_set (tenant, project, sequence);"
    "CREATE INDEX record_set_dirty ON record_set (dirty) WHERE dirty > 0;"
    "CREATE TABLE record_segment ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  tenant TEXT NOT NULL, project TEXT NOT NULL, source TEXT NOT NULL, kind INTEGER NOT NULL,"
    "  from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, set_id INTEGER NOT NULL,"
    "  UNIQUE (tenant, project, source, kind, from_ns)) STRICT;"
    "CREATE INDEX record_segment_by_set ON record_segment (set_id);"
    "CREATE TABLE usage_record ("
    "  set_id INTEGER NOT NULL, start_ns INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  provider TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,"
    "  resource TEXT NOT NULL, metric TEXT NOT NULL, record BLOB NOT NULL,"
    "  PRIMARY KEY (set_id, start_ns, number)) STRICT;"
    "CREATE INDEX usage_record_by_resource ON usage_record (set_id, resource, start_ns);"
    "CREATE TABLE cost_record ("
    "  set_id INTEGER NOT NULL, start_ns INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  month INTEGER NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL,"
    "  service TEXT NOT NULL, region TEXT NOT NULL, category INTEGER NOT NULL,"
    "  currency TEXT NOT NULL, billed INTEGER, effective INTEGER, list INTEGER,"
    "  from_billed INTEGER NOT NULL, record BLOB NOT NULL,"
    "  PRIMARY KEY (set_id, start_ns, number)) STRICT;"
    "CREATE TABLE running_record ("
    "  set_id INTEGER NOT NULL, start_ns INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  provider TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,"
    "  resource TEXT NOT NULL, record BLOB NOT NULL,"
    "  PRIMARY KEY (set_id, start_ns, number)) STRICT;";

static const char sqlite_7[] =
    UNCHANGED("usage_record") UNCHANGED("cost_record") UNCHANGED("running_record");
static const char postgres_7[] =
    "CREATE TRIGGER usage_record_no_update BEFORE UPDATE ON usage_record"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER cost_record_no_update BEFORE UPDATE ON cost_record"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();"
    "CREATE TRIGGER running_record_no_update BEFORE UPDATE ON running_record"
    "  FOR EACH ROW EXECUTE FUNCTION refuse_change();";

static const char tables_8[] =
    "ALTER TABLE evaluation ADD COLUMN request_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE evaluation ADD COLUMN body_digest TEXT NOT NULL DEFAULT '';"
    "CREATE UNIQUE INDEX evaluation_by_request ON evaluation (tenant, project, request_id)"
    "  WHERE request_id <> '';";

const struct iso_migration iso_store_migrations[] = {
    {1, tables_1, sqlite_1, postgres_1},
    {2, tables_2, sqlite_2, postgres_2},
    {3, tables_3, "", ""},
    {4, tables_4, "", ""},
    {5, tables_5, sqlite_5, postgres_5},
    {6, tables_6, "", ""},
    {7, tables_7, sqlite_7, postgres_7},
    {8, tables_8, "", ""},
};
const int iso_store_n_migrations = (int)ISO_ARRAY_LENGTH(iso_store_migrations);
