#include "catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "catalog_internal.h"
#include "provider_config.h"

enum { MAX_WAITING = 16 };
#define CONFIG_ARENA_BYTES ((size_t)32 << 20)
#define TASK_ARENA_BYTES ((size_t)4 << 20)

double iso_catalog_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int64_t iso_catalog_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void iso_catalog_log(struct iso_catalog *catalog, int level, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    if (!catalog->log)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    catalog->log(level, text);
}

bool iso_catalog_stopping(struct iso_catalog *catalog)
{
    bool stop;

    pthread_mutex_lock(&catalog->mutex);
    stop = catalog->stop;
    pthread_mutex_unlock(&catalog->mutex);
    return stop;
}

/* --- the thread --- */

static void free_node(struct catalog_task_node *node)
{
    iso_arena_free(node->arena);
    free(node);
}

static void finish_cancelled(struct catalog_task_node *node)
{
    struct iso_error error = {0};

    iso_fail(&error, ISO_E_UNAVAILABLE, "", "the server stops; try again");
    node->task.done(node->task.context, NULL, &error);
    free_node(node);
}

/* The instance that is to be refreshed by itself next; NULL when there is none. */
static struct iso_instance *next_due(struct iso_catalog *catalog)
{
    struct iso_instance *best = NULL;

    for (size_t i = 0; i < catalog->n_instances; i++)
        if (isfinite(catalog->instances[i].due_s) &&
            (!best || catalog->instances[i].due_s < best->due_s))
            best = &catalog->instances[i];
    return best;
}

static void ignore_done(void *context, const Isocost__V1__Snapshot *snapshot,
                        const struct iso_error *error)
{
    (void)context, (void)snapshot, (void)error; /* the task has logged it */
}

static void refresh_by_itself(struct iso_catalog *catalog, const char *name)
{
    const struct iso_catalog_task task = {
        .principal = {"*", "default", "isocostd", ISO_ROLE_ADMIN},
        .request_id = "",
        .provider = name,
        .done = ignore_done,
    };

    iso_catalog_run_task(catalog, &task);
}

static void wait_for_work(struct iso_catalog *catalog)
{
    const struct iso_instance *due = next_due(catalog);
    double until = due ? due->due_s : INFINITY;
    struct timespec at = {.tv_sec = (time_t)fmin(until, 1e15),
                          .tv_nsec = (long)(fmod(fmin(until, 1e15), 1) * 1e9)};

    if (due)
        pthread_cond_timedwait(&catalog->work, &catalog->mutex, &at);
    else
        pthread_cond_wait(&catalog->work, &catalog->mutex);
}

static void *thread_main(void *argument)
{
    struct iso_catalog *catalog = argument;

    for (size_t i = 0; i < catalog->n_instances && !iso_catalog_stopping(catalog); i++)
        iso_catalog_probe(catalog, &catalog->instances[i]);
    pthread_mutex_lock(&catalog->mutex);
    while (!catalog->stop) {
        struct catalog_task_node *node = catalog->first;
        struct iso_instance *due = next_due(catalog);

        if (node) {
            catalog->first = node->next;
            if (!catalog->first)
                catalog->last = &catalog->first;
            catalog->n_waiting--;
            pthread_mutex_unlock(&catalog->mutex);
            iso_catalog_run_task(catalog, &node->task);
            free_node(node);
            pthread_mutex_lock(&catalog->mutex);
        } else if (due && due->due_s <= iso_catalog_now_s()) {
            pthread_mutex_unlock(&catalog->mutex);
            refresh_by_itself(catalog, due->config->name);
            pthread_mutex_lock(&catalog->mutex);
        } else {
            wait_for_work(catalog);
        }
    }
    struct catalog_task_node *left = catalog->first;
    catalog->first = NULL;
    pthread_mutex_unlock(&catalog->mutex);
    while (left) {
        struct catalog_task_node *next = left->next;
        finish_cancelled(left);
        left = next;
    }
    return NULL;
}

/* --- submitting --- */

static enum iso_status copy_task(const struct iso_catalog_task *task,
                                 struct catalog_task_node **ret_node, struct iso_error *reterr)
{
    struct catalog_task_node *node = iso_calloc(1, sizeof(*node));
    const char **sources;

    if (!node || !(node->arena = iso_arena_new(TASK_ARENA_BYTES))) {
        free(node);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a task");
    }
    node->task = *task;
    node->task.request_id = iso_arena_strdup(node->arena, task->request_id);
    node->task.provider = iso_arena_strdup(node->arena, task->provider ? task->provider : "");
    node->task.import_folder = iso_arena_strdup(node->arena, task->import_folder);
    node->task.import_kinds = iso_arena_strdup(node->arena, task->import_kinds);
    sources = iso_arena_calloc(node->arena, task->n_sources, sizeof(*sources));
    for (size_t i = 0; sources && i < task->n_sources; i++)
        sources[i] = iso_arena_strdup(node->arena, task->sources[i]);
    node->task.sources = sources;
    if (iso_arena_full(node->arena)) {
        free_node(node);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a task");
    }
    *ret_node = node;
    return ISO_OK;
}

static enum iso_status check_provider(const struct iso_catalog *catalog, const char *provider,
                                      struct iso_error *reterr)
{
    if (catalog->n_instances == 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "no provider is configured; import files, or list providers in "
                        "providers.yaml");
    for (size_t i = 0; i < catalog->n_instances; i++)
        if (!provider[0] || strcmp(catalog->instances[i].config->name, provider) == 0)
            return ISO_OK;
    return iso_fail(reterr, ISO_E_NOT_FOUND, "provider", "no provider instance is named \"%.64s\"",
                    provider);
}

enum iso_status iso_catalog_submit(struct iso_catalog *catalog, const struct iso_catalog_task *task,
                                   struct iso_error *reterr)
{
    struct catalog_task_node *node = NULL;
    enum iso_status status = ISO_OK;

    if (!task->import_folder)
        ISO_TRY(check_provider(catalog, task->provider ? task->provider : "", reterr));
    ISO_TRY(copy_task(task, &node, reterr));
    pthread_mutex_lock(&catalog->mutex);
    if (catalog->stop)
        status = iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server stops; try again");
    else if (catalog->n_waiting >= MAX_WAITING)
        status = iso_fail(reterr, ISO_E_LIMIT, "",
                          "%d refreshes and imports wait already; try again later", MAX_WAITING);
    if (status == ISO_OK) {
        *catalog->last = node;
        catalog->last = &node->next;
        catalog->n_waiting++;
        pthread_cond_signal(&catalog->work);
    }
    pthread_mutex_unlock(&catalog->mutex);
    if (status != ISO_OK)
        free_node(node);
    return status;
}

enum iso_status iso_catalog_list_providers(struct iso_catalog *catalog, struct iso_arena *arena,
                                           Isocost__V1__Provider ***ret_providers,
                                           size_t *ret_n_providers, struct iso_error *reterr)
{
    Isocost__V1__Provider **providers =
        iso_arena_calloc(arena, catalog->n_instances, sizeof(*providers));
    bool complete = providers != NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (size_t i = 0; complete && i < catalog->n_instances; i++) {
        providers[i] = iso_instance_to_proto(&catalog->instances[i], arena);
        complete = providers[i] != NULL;
    }
    pthread_mutex_unlock(&catalog->mutex);
    if (!complete)
        return iso_fail(reterr, ISO_E_LIMIT, "", "the answer needs too much memory");
    *ret_providers = providers;
    *ret_n_providers = catalog->n_instances;
    return ISO_OK;
}

/* --- life --- */

static enum iso_status read_config(struct iso_catalog *catalog,
                                   const struct iso_catalog_config *config,
                                   struct iso_error *reterr)
{
    Isocost__Internal__V1__ProvidersConfig *providers = NULL;

    catalog->host_path = iso_arena_strdup(catalog->arena, config->host_path);
    catalog->plugin_folder = iso_arena_strdup(catalog->arena, config->plugin_folder);
    catalog->cache_folder = iso_arena_strdup(catalog->arena, config->cache_folder);
    catalog->temporary_folder = iso_arena_strdup(
        catalog->arena, config->temporary_folder ? config->temporary_folder : "/tmp");
    if (iso_arena_full(catalog->arena))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the catalogs");
    if (!config->providers_path)
        return ISO_OK;
    ISO_TRY(iso_provider_config_read(config->providers_path, catalog->arena, &providers, reterr));
    catalog->hygiene = providers->hygiene;
    catalog->instances =
        iso_arena_calloc(catalog->arena, providers->n_providers, sizeof(*catalog->instances));
    if (!catalog->instances)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the provider instances");
    catalog->n_instances = providers->n_providers;
    for (size_t i = 0; i < catalog->n_instances; i++) {
        struct iso_instance *instance = &catalog->instances[i];
        instance->config = providers->providers[i];
        instance->state = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY;
        instance->quarantine_s = config->quarantine_s;
        instance->due_s = instance->config->refresh_seconds > 0 ? iso_catalog_now_s() : INFINITY;
    }
    return ISO_OK;
}

static enum iso_status start_thread(struct iso_catalog *catalog, struct iso_error *reterr)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&catalog->thread, NULL, thread_main, catalog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot start the catalog thread: %s",
                        strerror(code));
    catalog->thread_runs = true;
    return ISO_OK;
}

enum iso_status iso_catalog_start(const struct iso_catalog_config *config,
                                  struct iso_catalog **ret_catalog, struct iso_error *reterr)
{
    struct iso_catalog *catalog = iso_calloc(1, sizeof(*catalog));
    pthread_condattr_t attributes;
    enum iso_status status;

    if (!catalog || !(catalog->arena = iso_arena_new(CONFIG_ARENA_BYTES))) {
        free(catalog);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the catalogs");
    }
    catalog->store = config->store;
    catalog->log = config->log;
    catalog->last = &catalog->first;
    pthread_mutex_init(&catalog->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&catalog->work, &attributes);
    pthread_condattr_destroy(&attributes);
    status = read_config(catalog, config, reterr);
    if (status == ISO_OK)
        status = start_thread(catalog, reterr);
    if (status != ISO_OK) {
        iso_catalog_stop(catalog);
        return status;
    }
    *ret_catalog = catalog;
    return ISO_OK;
}

void iso_catalog_stop(struct iso_catalog *catalog)
{
    if (!catalog)
        return;
    if (catalog->thread_runs) {
        pthread_mutex_lock(&catalog->mutex);
        catalog->stop = true;
        pthread_cond_signal(&catalog->work);
        pthread_mutex_unlock(&catalog->mutex);
        pthread_join(catalog->thread, NULL);
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(catalog->maps); i++)
        iso_snapshot_free((struct iso_snapshot *)catalog->maps[i].snapshot);
    pthread_cond_destroy(&catalog->work);
    pthread_mutex_destroy(&catalog->mutex);
    iso_arena_free(catalog->arena);
    free(catalog);
}
