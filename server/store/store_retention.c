/* What goes with time: events of plans that ended, evaluations that ended, plans, models and
 * snapshots that nothing needs, and records that are old or were replaced.
 *
 * Triggers refuse to delete history; they look away while there is a row in retention_run, which
 * each batch adds first and removes last, in its own transaction. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_record.h"

enum { BATCH_ROWS = 500 };
#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

/* A statement deletes at most $2 rows that are older than $1. Whatever else may refer to a model or
 * a snapshot is named here. */
static const char events_text[] =
    "DELETE FROM event WHERE (tenant, project, plan_id, sequence) IN ("
    " SELECT e.tenant, e.project, e.plan_id, e.sequence FROM event e JOIN plan p"
    "   ON p.tenant = e.tenant AND p.project = e.project AND p.id = e.plan_id"
    " WHERE e.at_ns < $1 AND p.end_ns > 0 AND p.end_ns < $1 LIMIT $2)";
static const char runs_text[] =
    "DELETE FROM job WHERE sequence IN ("
    " SELECT j.sequence FROM job j JOIN evaluation v"
    "   ON v.tenant = j.tenant AND v.project = j.project AND v.id = j.object_id"
    " WHERE j.kind = 2 AND v.end_ns > 0 AND v.end_ns < $1 LIMIT $2)";
static const char evaluations_text[] =
    "DELETE FROM evaluation WHERE (tenant, project, id) IN ("
    " SELECT tenant, project, id FROM evaluation WHERE end_ns > 0 AND end_ns < $1 LIMIT $2)";
static const char jobs_text[] =
    "DELETE FROM job WHERE sequence IN ("
    " SELECT j.sequence FROM job j JOIN plan p"
    "   ON p.tenant = j.tenant AND p.project = j.project AND p.id = j.object_id"
    " WHERE j.kind = 1 AND p.end_ns > 0 AND p.end_ns < $1 LIMIT $2)";
static const char plans_text[] =
    "DELETE FROM plan WHERE (tenant, project, id) IN ("
    " SELECT tenant, project, id FROM plan WHERE end_ns > 0 AND end_ns < $1 LIMIT $2)";
static const char models_text[] =
    "DELETE FROM model WHERE (tenant, project, digest) IN ("
    " SELECT m.tenant, m.project, m.digest FROM model m WHERE m.create_ns < $1"
    "   AND NOT EXISTS (SELECT 1 FROM plan p WHERE p.tenant = m.tenant AND p.project = m.project"
    "     AND p.model_digest = m.digest)"
    "   AND NOT EXISTS (SELECT 1 FROM session s WHERE s.tenant = m.tenant"
    "     AND s.project = m.project AND s.model_digest = m.digest)"
    "   AND NOT EXISTS (SELECT 1 FROM evaluation v WHERE v.tenant = m.tenant"
    "     AND v.project = m.project AND v.model_digest = m.digest) LIMIT $2)";
static const char snapshots_text[] =
    "DELETE FROM snapshot WHERE sequence IN ("
    " SELECT s.sequence FROM snapshot s WHERE s.create_ns < $1"
    "   AND s.sequence NOT IN (SELECT max(n.sequence) FROM snapshot n GROUP BY n.tenant)"
    "   AND NOT EXISTS (SELECT 1 FROM plan p WHERE p.snapshot_digest = s.digest)"
    "   AND NOT EXISTS (SELECT 1 FROM session w WHERE w.snapshot_digest = s.digest)"
    "   AND NOT EXISTS (SELECT 1 FROM evaluation v WHERE v.snapshot_digest = s.digest) LIMIT $2)";
static const char chunks_text[] =
    "DELETE FROM snapshot_chunk WHERE (file, number) IN ("
    " SELECT c.file, c.number FROM snapshot_chunk c WHERE c.create_ns < $1"
    "   AND NOT EXISTS (SELECT 1 FROM snapshot_file f WHERE f.file = c.file) LIMIT $2)";
static const char file_names_text[] =
    "DELETE FROM snapshot_file WHERE digest IN ("
    " SELECT f.digest FROM snapshot_file f WHERE f.create_ns < $1"
    "   AND NOT EXISTS (SELECT 1 FROM snapshot s WHERE s.digest = f.digest) LIMIT $2)";

struct batch {
    const char *text;
    int64_t before_ns, n_deleted;
};

static enum iso_status delete_batch(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct batch *batch = context;

    ISO_TRY(ISO_RUN(sql, "INSERT INTO retention_run (begin_ns) VALUES ($1)", reterr,
                    ISO_INT(iso_store_now_ns())));
    ISO_TRY(ISO_RUN(sql, batch->text, reterr, ISO_INT(batch->before_ns), ISO_INT(BATCH_ROWS)));
    batch->n_deleted = iso_sql_changes(sql);
    return iso_sql_run(sql, "DELETE FROM retention_run", NULL, 0, reterr);
}

/* Others write between two batches. */
static enum iso_status delete_all(struct iso_store *store, const char *text, int64_t before_ns,
                                  int64_t *n_deleted, struct iso_error *reterr)
{
    struct batch batch = {.text = text, .before_ns = before_ns, .n_deleted = BATCH_ROWS};

    while (batch.n_deleted == BATCH_ROWS) {
        ISO_TRY(iso_store_write(store, delete_batch, &batch, reterr));
        *n_deleted += batch.n_deleted;
    }
    return ISO_OK;
}

/* --- files on SQLite: those of snapshots that are gone --- */

struct file_call {
    const char *digest;
    int64_t n_rows;
};

static enum iso_status count_rows(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct file_call *call = context;

    return ISO_SCALAR(sql, "SELECT count(*) FROM snapshot WHERE digest = $1", 0, &call->n_rows,
                      reterr, ISO_TEXT(call->digest));
}

/* A file that is young may be one whose row is on its way. */
static bool is_old(int folder, const char *name, int64_t now_ns)
{
    struct stat found;

    return fstatat(folder, name, &found, 0) == 0 && S_ISREG(found.st_mode) &&
           found.st_mtime < (now_ns - DAY_NS) / SECOND_NS;
}

static enum iso_status remove_files(struct iso_store *store, int64_t now_ns, int64_t *n_removed,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    const char *folder = arena ? iso_store_snapshot_folder(store, arena) : NULL;
    DIR *entries = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    enum iso_status status = ISO_OK;

    while (entries && status == ISO_OK && (entry = readdir(entries))) {
        char digest[ISO_DIGEST_TEXT_SIZE];
        struct file_call call = {.digest = digest};

        if (!is_old(dirfd(entries), entry->d_name, now_ns))
            continue;
        snprintf(digest, sizeof(digest), "%.71s", entry->d_name);
        status = iso_store_read(store, count_rows, &call, reterr);
        if (status == ISO_OK && call.n_rows == 0 && unlinkat(dirfd(entries), entry->d_name, 0) == 0)
            ++*n_removed;
    }
    if (entries)
        closedir(entries);
    return status;
}

static int64_t before(int64_t now_ns, double age_s)
{
    return now_ns - (int64_t)(age_s * 1e9);
}

enum iso_status iso_store_prune(struct iso_store *store, const struct iso_retention *retention,
                                struct iso_pruned *ret_pruned, struct iso_error *reterr)
{
    int64_t now_ns = iso_store_now_ns(), n_jobs = 0;
    struct iso_pruned n = {0};

    ISO_TRY(delete_all(store, events_text, before(now_ns, retention->events_s), &n.events, reterr));
    ISO_TRY(delete_all(store, runs_text, before(now_ns, retention->events_s), &n_jobs, reterr));
    ISO_TRY(delete_all(store, evaluations_text, before(now_ns, retention->events_s), &n.events,
                       reterr));
    if (retention->plans_s > 0) {
        int64_t plans_ns = before(now_ns, retention->plans_s);

        ISO_TRY(delete_all(store, jobs_text, plans_ns, &n_jobs, reterr));
        ISO_TRY(delete_all(store, plans_text, plans_ns, &n.plans, reterr));
    }
    if (retention->unused_s > 0) {
        int64_t unused_ns = before(now_ns, retention->unused_s);

        ISO_TRY(delete_all(store, models_text, unused_ns, &n.models, reterr));
        ISO_TRY(delete_all(store, snapshots_text, unused_ns, &n.snapshots, reterr));
    }
    ISO_TRY(iso_store_prune_records(
        store, retention->records_s > 0 ? before(now_ns, retention->records_s) : 0, &n.records,
        reterr));
    ISO_TRY(delete_all(store, file_names_text, now_ns - DAY_NS, &n.files, reterr));
    ISO_TRY(delete_all(store, chunks_text, now_ns - DAY_NS, &n.chunks, reterr));
    if (!store->address)
        ISO_TRY(remove_files(store, now_ns, &n.files, reterr));
    *ret_pruned = n;
    return ISO_OK;
}
