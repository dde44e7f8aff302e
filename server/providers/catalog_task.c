/* One task of the catalog: fetch from one or more plugins, judge the rows, add what stays of the
 * snapshot before, publish. */
#include <stdio.h>

#include "catalog_fetch.h"
#include "draft.h"
#include "provider_config.h"

#define LOAD_ARENA_BYTES ((size_t)8 << 20)
#define IMPORT_DEADLINE_S 600
#define IMPORT_MEMORY_BYTES (INT64_C(1) << 30)

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
    ISO_TRY(iso_catalog_add_spool(&fetch, draft, reterr));
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
                                : iso_catalog_refresh(catalog, task, draft, reterr));
    ISO_TRY(iso_draft_compare(draft, reterr));
    counts = iso_draft_counts(draft);
    if (counts.good == 0)
        return iso_catalog_refuse_useless(draft, &(struct iso_draft_counts){0},
                                          task->import_folder ? ISO_E_INVALID : ISO_E_UNAVAILABLE,
                                          reterr);
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
