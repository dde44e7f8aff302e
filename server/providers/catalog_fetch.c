#include "catalog_fetch.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "provider_config.h"

#define LOAD_ARENA_BYTES ((size_t)8 << 20)
#define PROBE_DEADLINE_S 10

/* --- what the host calls back --- */

static bool fetch_cancelled(void *context)
{
    const struct iso_catalog_fetch *fetch = context;

    if (fetch->records && fetch->records->cancelled(fetch->records->context))
        return true;
    return iso_catalog_stopping(fetch->catalog) ||
           (fetch->task && fetch->task->cancelled && fetch->task->cancelled(fetch->task->context));
}

/* Rows still to come, at the speed so far. */
static double seconds_left(const struct iso_catalog_fetch *fetch)
{
    double spent_s = iso_catalog_now_s() - fetch->begin_s;

    if (fetch->n_rows == 0 || fetch->n_rows_before <= fetch->n_rows)
        return 0;
    return spent_s * (double)(fetch->n_rows_before - fetch->n_rows) / (double)fetch->n_rows;
}

void iso_catalog_report_progress(const struct iso_catalog_fetch *fetch, int64_t n_quarantined)
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
    struct iso_catalog_fetch *fetch = context;

    if (fetch->records)
        return fetch->records->page(fetch->records->context, page, page_arena, reterr);
    fetch->n_pages++;
    fetch->n_rows += (int64_t)(page->n_offerings + page->n_products + page->n_quotas +
                               page->n_overlays + page->n_egress_rates);
    for (size_t i = 0; i < page->n_diagnostics; i++) {
        fetch->n_rows += page->diagnostics[i]->quarantined;
        fetch->n_quarantined += page->diagnostics[i]->quarantined;
    }
    iso_catalog_report_progress(fetch, fetch->n_quarantined);
    return iso_spool_add(fetch->spool, page, reterr);
}

static void fetch_log(void *context, int level, const char *text)
{
    const struct iso_catalog_fetch *fetch = context;

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

static void ask_for_records(const struct iso_record_fetch *records,
                            Isocost__Internal__V1__FetchRequest *what,
                            Google__Protobuf__Timestamp *from, Google__Protobuf__Timestamp *to)
{
    what->no_offerings = true;
    what->usage = records->usage;
    what->costs = records->costs;
    what->inventory = records->inventory;
    from->seconds = records->from_ns / 1000000000;
    from->nanos = (int32_t)(records->from_ns % 1000000000);
    to->seconds = records->to_ns / 1000000000;
    to->nanos = (int32_t)(records->to_ns % 1000000000);
    what->from = from;
    what->to = to;
}

enum iso_status iso_catalog_run_host(struct iso_catalog_fetch *fetch,
                                     const Isocost__Internal__V1__LoadRequest *load,
                                     double deadline_s, struct iso_host_report *report,
                                     struct iso_error *reterr)
{
    Isocost__Internal__V1__FetchRequest what = ISOCOST__INTERNAL__V1__FETCH_REQUEST__INIT;
    Google__Protobuf__Timestamp from = GOOGLE__PROTOBUF__TIMESTAMP__INIT,
                                to = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    const struct iso_host_request request = {
        .host_path = fetch->catalog->host_path,
        .load = load,
        .fetch = fetch->spool || fetch->records,
        .what = fetch->records ? &what : NULL,
        .deadline_s = deadline_s,
        .context = fetch,
        .cancelled = fetch_cancelled,
        .page = fetch_page,
        .log = fetch_log,
    };

    if (fetch->records)
        ask_for_records(fetch->records, &what, &from, &to);
    return iso_host_run(&request, report, reterr);
}

static void wipe_secrets(Isocost__Internal__V1__LoadRequest *load)
{
    for (size_t i = 0; i < load->n_secrets; i++)
        explicit_bzero(load->secrets[i]->value, strlen(load->secrets[i]->value));
}

enum iso_status iso_catalog_ask_instance(struct iso_catalog_fetch *fetch,
                                         const struct iso_instance *instance,
                                         struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(LOAD_ARENA_BYTES);
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    bool fetched = fetch->spool || fetch->records;
    enum iso_status status;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin's configuration");
    status = make_load(fetch->catalog, instance->config, &load, arena, reterr);
    if (status == ISO_OK)
        status = iso_plugin_check_access(load.path, reterr);
    fetch->refused = status != ISO_OK;
    if (status == ISO_OK)
        status = iso_catalog_run_host(
            fetch, &load, fetched ? instance->config->deadline_seconds : PROBE_DEADLINE_S,
            &fetch->report, reterr);
    wipe_secrets(&load);
    return status;
}

enum iso_status iso_catalog_note_instance(const struct iso_catalog_fetch *fetch,
                                          struct iso_instance *instance,
                                          const struct iso_error *outcome, struct iso_error *reterr)
{
    struct iso_catalog *catalog = fetch->catalog;
    int64_t now_ns = iso_catalog_now_ns();

    pthread_mutex_lock(&catalog->mutex);
    double due_s = instance->due_s;
    iso_instance_note(instance, outcome->status, fetch->refused || fetch->report.refused,
                      fetch->spool != NULL, &fetch->report, outcome->text, iso_catalog_now_s(),
                      now_ns, (double)(now_ns % 1000000) * 1e-6);
    if (fetch->records && isfinite(instance->due_s)) /* catalogs keep their own times */
        instance->due_s = due_s;
    pthread_mutex_unlock(&catalog->mutex);
    if (outcome->status == ISO_OK)
        return ISO_OK;
    iso_catalog_log(catalog, 2, "provider %s: %s", fetch->name, outcome->text);
    return iso_fail(reterr, outcome->status, outcome->field, "provider %.64s: %.260s", fetch->name,
                    outcome->text);
}

enum iso_status iso_catalog_run_instance(struct iso_catalog_fetch *fetch,
                                         struct iso_instance *instance, struct iso_error *reterr)
{
    struct iso_error outcome = {0};

    iso_catalog_ask_instance(fetch, instance, &outcome);
    return iso_catalog_note_instance(fetch, instance, &outcome, reterr);
}

void iso_catalog_probe(struct iso_catalog *catalog, struct iso_instance *instance)
{
    struct iso_catalog_fetch fetch = {.catalog = catalog, .name = instance->config->name};

    iso_catalog_run_instance(&fetch, instance, NULL);
}

/* --- records --- */

static enum iso_status find_instance(struct iso_catalog *catalog, const char *name,
                                     struct iso_instance **ret_instance, struct iso_error *reterr)
{
    if (catalog->n_instances == 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "no provider is configured; list providers in providers.yaml");
    for (size_t i = 0; i < catalog->n_instances; i++)
        if (strcmp(catalog->instances[i].config->name, name) == 0) {
            *ret_instance = &catalog->instances[i];
            return ISO_OK;
        }
    return iso_fail(reterr, ISO_E_NOT_FOUND, "provider", "no provider instance is named \"%.64s\"",
                    name);
}

enum iso_status iso_catalog_fetch_records(struct iso_catalog *catalog,
                                          const struct iso_record_fetch *records,
                                          struct iso_error *reterr)
{
    struct iso_catalog_fetch fetch = {
        .catalog = catalog, .name = records->provider, .records = records};
    struct iso_instance *instance = NULL;

    ISO_TRY(find_instance(catalog, records->provider, &instance, reterr));
    return iso_catalog_run_instance(&fetch, instance, reterr);
}

const Isocost__Internal__V1__ProviderInstance *
iso_catalog_instance_config(const struct iso_catalog *catalog, size_t i)
{
    return i < catalog->n_instances ? catalog->instances[i].config : NULL;
}

double iso_catalog_wait_s(struct iso_catalog *catalog, const char *provider)
{
    struct iso_instance *instance = NULL;
    double retry_s;

    if (find_instance(catalog, provider, &instance, NULL) != ISO_OK)
        return INFINITY;
    pthread_mutex_lock(&catalog->mutex);
    retry_s = instance->retry_s;
    pthread_mutex_unlock(&catalog->mutex);
    return fmax(0, retry_s - iso_catalog_now_s());
}

enum iso_status iso_catalog_capabilities(struct iso_catalog *catalog, const char *provider,
                                         uint32_t *ret_bits, struct iso_error *reterr)
{
    struct iso_catalog_fetch fetch = {.catalog = catalog, .name = provider};
    struct iso_instance *instance = NULL;
    bool known;

    ISO_TRY(find_instance(catalog, provider, &instance, reterr));
    pthread_mutex_lock(&catalog->mutex);
    known = instance->about.loaded;
    pthread_mutex_unlock(&catalog->mutex);
    if (!known)
        ISO_TRY(iso_catalog_run_instance(&fetch, instance, reterr));
    pthread_mutex_lock(&catalog->mutex);
    *ret_bits = instance->about.capabilities;
    pthread_mutex_unlock(&catalog->mutex);
    return ISO_OK;
}
