/* One task of the catalog: fetch from one or more plugins, judge the rows, add what stays of the
 * snapshot before, publish. */
#include <math.h>
#include <stdio.h>

#include "catalog_fetch.h"
#include "draft.h"
#include "provider_config.h"

#define LOAD_ARENA_BYTES ((size_t)8 << 20)
#define IMPORT_DEADLINE_S 600
#define IMPORT_MEMORY_BYTES (INT64_C(1) << 30)

/* --- filling the draft --- */

struct replay {
    struct iso_draft *draft;
    const char *source;
};

static enum iso_status replay_page(void *context, Isocost__Internal__V1__Page *page,
                                   struct iso_arena *page_arena, struct iso_error *reterr)
{
    const struct replay *replay = context;

    return iso_draft_add_page(replay->draft, replay->source, page, page_arena, reterr);
}

/* No row since `before` can be used. The first fault is that of the rows since if there was none.
 */
static enum iso_status refuse_useless(const struct iso_draft *draft,
                                      const struct iso_draft_counts *before, enum iso_status status,
                                      struct iso_error *reterr)
{
    struct iso_draft_counts now = iso_draft_counts(draft);
    const char *fault = before->quarantined == 0 ? iso_draft_first_fault(draft) : "";

    return iso_fail(
        reterr, status, "", "no usable row: %lld were read and %lld of them left out%s%s",
        (long long)(now.rows - before->rows), (long long)(now.quarantined - before->quarantined),
        fault[0] ? "; the first: " : "", fault);
}

static enum iso_status add_spool(struct iso_catalog_fetch *fetch, struct iso_draft *draft,
                                 const char *source, struct iso_error *reterr)
{
    int64_t before = iso_draft_counts(draft).quarantined;
    struct replay replay = {draft, source};

    ISO_TRY(iso_spool_replay(fetch->spool, &replay, replay_page, reterr));
    iso_catalog_report_progress(fetch, iso_draft_counts(draft).quarantined - before);
    return ISO_OK;
}

/* Adds a provider's rows. A fetch of which no row can be used did not go well, whatever the plugin
 * says: the provider's last good rows stay, and it is told. */
static enum iso_status add_rows(struct iso_catalog_fetch *fetch, struct iso_draft *draft,
                                struct iso_error *reterr)
{
    struct iso_draft_counts before = iso_draft_counts(draft), after;

    ISO_TRY(add_spool(fetch, draft, fetch->name, reterr));
    after = iso_draft_counts(draft);
    if (after.good == before.good)
        return refuse_useless(draft, &before, ISO_E_UNAVAILABLE, reterr);
    return iso_draft_add_source(draft, fetch->name, reterr);
}

static enum iso_status refresh_instance(struct iso_catalog *catalog,
                                        const struct iso_catalog_task *task,
                                        struct iso_instance *instance, struct iso_draft *draft,
                                        struct iso_error *reterr)
{
    struct iso_catalog_fetch fetch = {.catalog = catalog,
                                      .task = task,
                                      .name = instance->config->name,
                                      .n_rows_before = instance->n_rows,
                                      .begin_s = iso_catalog_now_s()};
    ISO_AUTO(iso_spool) spool = NULL;
    struct iso_error outcome = {0};

    ISO_TRY(iso_spool_new(catalog->temporary_folder, &spool, reterr));
    fetch.spool = spool;
    if (iso_catalog_ask_instance(&fetch, instance, &outcome) == ISO_OK &&
        add_rows(&fetch, draft, &outcome) == ISO_OK)
        instance->n_rows = fetch.n_rows;
    return iso_catalog_note_instance(&fetch, instance, &outcome, reterr);
}

/* Whether an instance has a catalog at all, as far as its plugin has said; one that has none is not
 * asked by itself any more. */
static bool has_catalog(struct iso_catalog *catalog, struct iso_instance *instance)
{
    bool has;

    pthread_mutex_lock(&catalog->mutex);
    has = !instance->about.loaded || (instance->about.capabilities & ISO_INSTANCE_CATALOG);
    if (!has)
        instance->due_s = INFINITY;
    pthread_mutex_unlock(&catalog->mutex);
    return has;
}

/* Seconds for which an instance is left alone; 0: it is not. Refreshes of usage, on their own
 * thread, note crashes too. */
static double left_alone_s(struct iso_catalog *catalog, const struct iso_instance *instance)
{
    double now_s = iso_catalog_now_s(), left_s;

    pthread_mutex_lock(&catalog->mutex);
    left_s = iso_instance_left_alone(instance, now_s) ? fmax(instance->probe_s - now_s, 1) : 0;
    pthread_mutex_unlock(&catalog->mutex);
    return left_s;
}

/* All that are not left alone; those that fail become diagnostics as long as one succeeds. */
static enum iso_status refresh(struct iso_catalog *catalog, const struct iso_catalog_task *task,
                               struct iso_draft *draft, struct iso_error *reterr)
{
    struct iso_error first = {0};
    int n_good = 0;

    for (size_t i = 0; i < catalog->n_instances; i++) {
        struct iso_instance *instance = &catalog->instances[i];
        struct iso_error error = {0};

        if (task->provider[0] && strcmp(task->provider, instance->config->name) != 0)
            continue;
        if (!has_catalog(catalog, instance)) {
            if (first.status == ISO_OK)
                iso_fail(&first, ISO_E_PRECONDITION, "provider",
                         "provider %.64s has no catalog, only usage, costs or what runs",
                         instance->config->name);
            continue;
        }
        double left_s = task->provider[0] ? 0 : left_alone_s(catalog, instance);
        if (left_s > 0)
            iso_fail(&error, ISO_E_UNAVAILABLE, "",
                     "provider %.64s crashed too often and is left alone for another %.0f s; "
                     "refresh it by name to try again",
                     instance->config->name, left_s);
        else
            refresh_instance(catalog, task, instance, draft, &error);
        if (error.status == ISO_OK) {
            n_good++;
            continue;
        }
        if (error.status == ISO_E_CANCELLED || error.status == ISO_E_NOMEM)
            return iso_fail(reterr, error.status, error.field, "%s", error.text);
        if (first.status == ISO_OK)
            first = error;
        ISO_TRY(iso_draft_add_diagnostic(draft, "refresh_failed", false, instance->config->name,
                                         error.text, reterr));
    }
    return n_good > 0 ? ISO_OK : iso_fail(reterr, first.status, first.field, "%s", first.text);
}

static enum iso_status import(struct iso_catalog *catalog, const struct iso_catalog_task *task,
                              struct iso_draft *draft, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(LOAD_ARENA_BYTES);
    ISO_AUTO(iso_spool) spool = NULL;
    struct iso_catalog_fetch fetch = {.catalog = catalog, .task = task, .name = "import"};
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    Isocost__Internal__V1__ConfigValue path = ISOCOST__INTERNAL__V1__CONFIG_VALUE__INIT;
    Isocost__Internal__V1__ConfigValue kinds = ISOCOST__INTERNAL__V1__CONFIG_VALUE__INIT;
    Isocost__Internal__V1__ConfigValue *values[] = {&path, &kinds};
    char *readable[] = {(char *)task->import_folder};
    struct iso_host_report report = {0};
    struct iso_error error = {0};
    enum iso_status status;

    if (!arena || !(load.path = iso_plugin_path(catalog->plugin_folder, "static", arena)))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an import");
    path.name = (char *)"path";
    path.value = (char *)task->import_folder;
    kinds.name = (char *)"kinds";
    kinds.value = (char *)(task->import_kinds ? task->import_kinds : "");
    load.instance = (char *)"import";
    load.config = values;
    load.n_config = ISO_ARRAY_LENGTH(values);
    load.readable_paths = readable;
    load.n_readable_paths = ISO_ARRAY_LENGTH(readable);
    load.memory_bytes = IMPORT_MEMORY_BYTES;
    ISO_TRY(iso_plugin_check_access(load.path, reterr));
    ISO_TRY(iso_spool_new(catalog->temporary_folder, &spool, reterr));
    fetch.spool = spool;
    status = iso_catalog_run_host(&fetch, &load, IMPORT_DEADLINE_S, &report, &error);
    if (status == ISO_E_PRECONDITION) /* what it would not read are the caller's files */
        status = ISO_E_INVALID;
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "the files cannot be imported: %.300s",
                        error.text);
    ISO_TRY(add_spool(&fetch, draft, "import", reterr));
    for (size_t i = 0; i < task->n_sources; i++)
        ISO_TRY(iso_draft_add_source(draft, task->sources[i], reterr));
    return ISO_OK;
}

static enum iso_status build(struct iso_catalog *catalog, const struct iso_catalog_task *task,
                             struct iso_draft *draft, struct iso_arena *arena,
                             Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr)
{
    struct iso_draft_counts counts;
    struct catalog_base base = {0};
    enum iso_status status;

    ISO_TRY(task->import_folder ? import(catalog, task, draft, reterr)
                                : refresh(catalog, task, draft, reterr));
    ISO_TRY(iso_draft_compare(draft, reterr));
    counts = iso_draft_counts(draft);
    if (counts.good == 0)
        return refuse_useless(draft, &(struct iso_draft_counts){0},
                              task->import_folder ? ISO_E_INVALID : ISO_E_UNAVAILABLE, reterr);
    status = iso_catalog_find_base(catalog, task, arena, &base, reterr);
    if (status == ISO_OK)
        status = iso_draft_add_base(draft, base.all, base.own, reterr);
    if (status == ISO_OK)
        status = iso_catalog_publish(catalog, task, draft, &base, arena, ret_snapshot, reterr);
    iso_catalog_unmap(catalog, base.all);
    iso_catalog_unmap(catalog, base.own);
    return status;
}

void iso_catalog_run_task(struct iso_catalog *catalog, const struct iso_catalog_task *task)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_CATALOG_PUBLISH_BYTES);
    ISO_AUTO(iso_draft) draft = iso_draft_new(catalog->hygiene);
    Isocost__V1__Snapshot *snapshot = NULL;
    struct iso_error error = {0}, told = {0};
    int64_t create_ns;

    if (!arena || !draft)
        iso_fail(&error, ISO_E_NOMEM, "", "no memory for a catalog");
    else
        build(catalog, task, draft, arena, &snapshot, &error);
    if (error.status == ISO_OK) {
        snapshot->current = true;
        iso_catalog_log(catalog, 1, "new snapshot %s with %lld offerings", snapshot->digest,
                        (long long)snapshot->offering_count);
        create_ns = snapshot->create_time->seconds * 1000000000 + snapshot->create_time->nanos;
        task->done(task->context, snapshot, NULL);
        iso_catalog_publish_for_others(catalog, task, draft, create_ns + 1);
        return;
    }
    iso_catalog_log(catalog, 2, "%s failed, the last good snapshot goes on serving: %s",
                    task->import_folder ? "import" : "refresh", error.text);
    iso_fail(&told, error.status, error.field, "%.300s; the last good snapshot goes on serving",
             error.text);
    task->done(task->context, NULL, &told);
}
