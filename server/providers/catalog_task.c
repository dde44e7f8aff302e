/* One task of the catalog: fetch from one or more plugins, judge the rows, add what stays of the
 * snapshot before, publish. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "catalog_internal.h"
#include "draft.h"
#include "provider_config.h"
#include "spool.h"

#define LOAD_ARENA_BYTES ((size_t)8 << 20)
#define IMPORT_DEADLINE_S 600
#define IMPORT_MEMORY_BYTES (INT64_C(1) << 30)
#define PROBE_DEADLINE_S 10

/* One fetch under way. */
struct fetch {
    struct iso_catalog *catalog;
    const struct iso_catalog_task *task; /* NULL: a probe */
    const char *name;                    /* of the instance; "import" */
    struct iso_spool *spool;
    int64_t n_pages, n_rows, n_quarantined;
    int64_t n_rows_before; /* that the last good fetch had; 0: unknown */
    double begin_s;
};

/* --- what the host calls back --- */

static bool fetch_cancelled(void *context)
{
    const struct fetch *fetch = context;

    return iso_catalog_stopping(fetch->catalog) ||
           (fetch->task && fetch->task->cancelled && fetch->task->cancelled(fetch->task->context));
}

/* Rows still to come, at the speed so far. */
static double seconds_left(const struct fetch *fetch)
{
    double spent_s = iso_catalog_now_s() - fetch->begin_s;

    if (fetch->n_rows == 0 || fetch->n_rows_before <= fetch->n_rows)
        return 0;
    return spent_s * (double)(fetch->n_rows_before - fetch->n_rows) / (double)fetch->n_rows;
}

static void report_progress(const struct fetch *fetch, int64_t n_quarantined)
{
    const struct iso_refresh_progress now = {
        .provider = fetch->name,
        .pages = fetch->n_pages,
        .rows = fetch->n_rows,
        .quarantined = n_quarantined,
        .seconds_left = seconds_left(fetch),
    };

    if (fetch->task && fetch->task->progress)
        fetch->task->progress(fetch->task->context, &now);
}

static enum iso_status fetch_page(void *context, Isocost__Internal__V1__Page *page,
                                  struct iso_arena *page_arena, struct iso_error *reterr)
{
    struct fetch *fetch = context;

    (void)page_arena;
    fetch->n_pages++;
    fetch->n_rows +=
        (int64_t)(page->n_offerings + page->n_products + page->n_quotas + page->n_overlays);
    for (size_t i = 0; i < page->n_diagnostics; i++) {
        fetch->n_rows += page->diagnostics[i]->quarantined;
        fetch->n_quarantined += page->diagnostics[i]->quarantined;
    }
    report_progress(fetch, fetch->n_quarantined);
    return iso_spool_add(fetch->spool, page, reterr);
}

static void fetch_log(void *context, int level, const char *text)
{
    const struct fetch *fetch = context;

    iso_catalog_log(fetch->catalog, level, "provider %s: %.400s", fetch->name, text);
}

/* --- loading --- */

static enum iso_status add_values(Isocost__Internal__V1__ConfigValue ***list, size_t *n,
                                  const char *name, const char *value, struct iso_arena *arena,
                                  struct iso_error *reterr)
{
    Isocost__Internal__V1__ConfigValue *entry = iso_arena_calloc(arena, 1, sizeof(*entry));

    if (!entry)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin's configuration");
    isocost__internal__v1__config_value__init(entry);
    entry->name = (char *)name;
    entry->value = (char *)value;
    (*list)[(*n)++] = entry;
    return ISO_OK;
}

static enum iso_status add_secrets(const Isocost__Internal__V1__ProviderInstance *config,
                                   Isocost__Internal__V1__LoadRequest *load,
                                   struct iso_arena *arena, struct iso_error *reterr)
{
    load->secrets = iso_arena_calloc(arena, config->n_secret_files + 1, sizeof(*load->secrets));
    for (size_t i = 0; load->secrets && i < config->n_secret_files; i++) {
        char *secret = NULL;
        ISO_TRY(iso_secret_read(config->secret_files[i]->value, arena, &secret, reterr));
        ISO_TRY(add_values(&load->secrets, &load->n_secrets, config->secret_files[i]->key, secret,
                           arena, reterr));
    }
    return ISO_OK;
}

static enum iso_status add_cache(const struct iso_catalog *catalog, const char *name,
                                 Isocost__Internal__V1__LoadRequest *load, struct iso_arena *arena,
                                 struct iso_error *reterr)
{
    if (!catalog->cache_folder)
        return ISO_OK;
    load->cache_directory = iso_arena_printf(arena, "%s/%s", catalog->cache_folder, name);
    if (!load->cache_directory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin's configuration");
    if (mkdir(load->cache_directory, 0700) != 0 && errno != EEXIST)
        return iso_fail(reterr, ISO_E_IO, "", "cannot make the cache folder %.200s: %s",
                        load->cache_directory, strerror(errno));
    return ISO_OK;
}

static enum iso_status make_load(const struct iso_catalog *catalog,
                                 const Isocost__Internal__V1__ProviderInstance *config,
                                 Isocost__Internal__V1__LoadRequest *load, struct iso_arena *arena,
                                 struct iso_error *reterr)
{
    isocost__internal__v1__load_request__init(load);
    load->path = iso_plugin_path(catalog->plugin_folder, config->plugin, arena);
    load->instance = config->name;
    load->readable_paths = config->readable_paths;
    load->n_readable_paths = config->n_readable_paths;
    load->memory_bytes = config->memory_mib << 20;
    load->digest = config->digest;
    load->http = config->http;
    load->clock_ns = config->clock_seconds * INT64_C(1000000000);
    load->config = iso_arena_calloc(arena, config->n_parameters + 1, sizeof(*load->config));
    for (size_t i = 0; load->config && i < config->n_parameters; i++)
        ISO_TRY(add_values(&load->config, &load->n_config, config->parameters[i]->key,
                           config->parameters[i]->value, arena, reterr));
    ISO_TRY(add_secrets(config, load, arena, reterr));
    ISO_TRY(add_cache(catalog, config->name, load, arena, reterr));
    return iso_arena_full(arena)
               ? iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin's configuration")
               : ISO_OK;
}

static enum iso_status run_host(struct fetch *fetch, const Isocost__Internal__V1__LoadRequest *load,
                                double deadline_s, struct iso_host_report *report,
                                struct iso_error *reterr)
{
    const struct iso_host_request request = {
        .host_path = fetch->catalog->host_path,
        .load = load,
        .fetch = fetch->spool != NULL,
        .deadline_s = deadline_s,
        .context = fetch,
        .cancelled = fetch_cancelled,
        .page = fetch_page,
        .log = fetch_log,
    };

    return iso_host_run(&request, report, reterr);
}

static void wipe_secrets(Isocost__Internal__V1__LoadRequest *load)
{
    for (size_t i = 0; i < load->n_secrets; i++)
        explicit_bzero(load->secrets[i]->value, strlen(load->secrets[i]->value));
}

/* Runs an instance's plugin and notes how it went. */
static enum iso_status run_instance(struct fetch *fetch, struct iso_instance *instance,
                                    struct iso_error *reterr)
{
    struct iso_catalog *catalog = fetch->catalog;
    ISO_AUTO(iso_arena) arena = iso_arena_new(LOAD_ARENA_BYTES);
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    struct iso_host_report report = {0};
    struct iso_error error = {0};
    bool refused = false, fetched = fetch->spool != NULL;
    enum iso_status status;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin's configuration");
    status = make_load(catalog, instance->config, &load, arena, &error);
    if (status == ISO_OK)
        status = iso_plugin_check_access(load.path, &error);
    refused = status != ISO_OK;
    if (status == ISO_OK)
        status =
            run_host(fetch, &load, fetched ? instance->config->deadline_seconds : PROBE_DEADLINE_S,
                     &report, &error);
    wipe_secrets(&load);
    pthread_mutex_lock(&catalog->mutex);
    iso_instance_note(instance, status, refused || report.refused, fetched, &report, error.text,
                      iso_catalog_now_s(), iso_catalog_now_ns(),
                      (double)(iso_catalog_now_ns() % 1000000) * 1e-6);
    pthread_mutex_unlock(&catalog->mutex);
    if (status == ISO_OK)
        return ISO_OK;
    iso_catalog_log(catalog, 2, "provider %s: %s", fetch->name, error.text);
    return iso_fail(reterr, status, error.field, "provider %.64s: %.260s", fetch->name, error.text);
}

void iso_catalog_probe(struct iso_catalog *catalog, struct iso_instance *instance)
{
    struct fetch fetch = {.catalog = catalog, .name = instance->config->name};

    run_instance(&fetch, instance, NULL);
}

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

static enum iso_status add_spool(struct fetch *fetch, struct iso_draft *draft, const char *source,
                                 struct iso_error *reterr)
{
    int64_t before = iso_draft_counts(draft).quarantined;
    struct replay replay = {draft, source};

    ISO_TRY(iso_spool_replay(fetch->spool, &replay, replay_page, reterr));
    report_progress(fetch, iso_draft_counts(draft).quarantined - before);
    return ISO_OK;
}

static enum iso_status refresh_instance(struct iso_catalog *catalog,
                                        const struct iso_catalog_task *task,
                                        struct iso_instance *instance, struct iso_draft *draft,
                                        struct iso_error *reterr)
{
    struct fetch fetch = {.catalog = catalog,
                          .task = task,
                          .name = instance->config->name,
                          .n_rows_before = instance->n_rows,
                          .begin_s = iso_catalog_now_s()};
    ISO_AUTO(iso_spool) spool = NULL;

    ISO_TRY(iso_spool_new(catalog->temporary_folder, &spool, reterr));
    fetch.spool = spool;
    ISO_TRY(run_instance(&fetch, instance, reterr));
    instance->n_rows = fetch.n_rows;
    ISO_TRY(add_spool(&fetch, draft, fetch.name, reterr));
    return iso_draft_add_source(draft, fetch.name, reterr);
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
        if (!task->provider[0] && iso_instance_left_alone(instance, iso_catalog_now_s()))
            iso_fail(&error, ISO_E_UNAVAILABLE, "",
                     "provider %.64s crashed too often and is left alone for another %.0f s; "
                     "refresh it by name to try again",
                     instance->config->name, instance->probe_s - iso_catalog_now_s());
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
    struct fetch fetch = {.catalog = catalog, .task = task, .name = "import"};
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
    status = run_host(&fetch, &load, IMPORT_DEADLINE_S, &report, &error);
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
        return iso_fail(reterr, task->import_folder ? ISO_E_INVALID : ISO_E_UNAVAILABLE, "",
                        "no usable row: %lld were read and %lld of them left out%s%s",
                        (long long)counts.rows, (long long)counts.quarantined,
                        counts.quarantined ? "; the first: " : "", iso_draft_first_fault(draft));
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
