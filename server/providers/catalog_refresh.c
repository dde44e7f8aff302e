/* Asking provider instances for their catalogs, several at once.
 *
 * What takes long is waiting for clouds, so each instance has a thread of its own while it is
 * asked; its pages wait in a file. Rows are judged afterwards, by one thread and in the order of
 * the configuration, so a snapshot does not depend on who answered first. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "catalog_fetch.h"
#include "draft.h"

enum { MAX_AT_ONCE = 8 };

/* An instance that is asked. */
struct job {
    struct iso_instance *instance;
    struct iso_spool *spool;
    struct iso_catalog_fetch fetch;
    struct iso_error outcome;
};

struct refresh {
    struct iso_catalog *catalog;
    const struct iso_catalog_task *task;
    size_t n_jobs;
    struct job *jobs;
    atomic_size_t next; /* the first job that nobody has taken */
};

static void refresh_free_jobs(struct refresh *refresh)
{
    for (size_t i = 0; i < refresh->n_jobs; i++)
        iso_spool_free(refresh->jobs[i].spool);
    free(refresh->jobs);
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

enum iso_status iso_catalog_add_spool(const struct iso_catalog_fetch *fetch,
                                      struct iso_draft *draft, struct iso_error *reterr)
{
    int64_t before = iso_draft_counts(draft).quarantined;
    struct replay replay = {draft, fetch->name};

    ISO_TRY(iso_spool_replay(fetch->spool, &replay, replay_page, reterr));
    iso_catalog_report_progress(fetch, iso_draft_counts(draft).quarantined - before);
    return ISO_OK;
}

enum iso_status iso_catalog_refuse_useless(const struct iso_draft *draft,
                                           const struct iso_draft_counts *before,
                                           enum iso_status status, struct iso_error *reterr)
{
    struct iso_draft_counts now = iso_draft_counts(draft);
    const char *fault = before->quarantined == 0 ? iso_draft_first_fault(draft) : "";

    return iso_fail(
        reterr, status, "", "no usable row: %lld were read and %lld of them left out%s%s",
        (long long)(now.rows - before->rows), (long long)(now.quarantined - before->quarantined),
        fault[0] ? "; the first: " : "", fault);
}

/* Adds a provider's rows. A fetch of which no row can be used did not go well, whatever the plugin
 * says: the provider's last good rows stay, and it is told. */
static enum iso_status add_rows(const struct iso_catalog_fetch *fetch, struct iso_draft *draft,
                                struct iso_error *reterr)
{
    struct iso_draft_counts before = iso_draft_counts(draft), after;

    ISO_TRY(iso_catalog_add_spool(fetch, draft, reterr));
    after = iso_draft_counts(draft);
    if (after.good == before.good)
        return iso_catalog_refuse_useless(draft, &before, ISO_E_UNAVAILABLE, reterr);
    return iso_draft_add_source(draft, fetch->name, reterr);
}

/* --- which instances --- */

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

static enum iso_status add_job(struct refresh *refresh, struct iso_instance *instance,
                               struct iso_error *reterr)
{
    struct job *job = &refresh->jobs[refresh->n_jobs];

    *job = (struct job){.instance = instance};
    job->fetch = (struct iso_catalog_fetch){.catalog = refresh->catalog,
                                            .task = refresh->task,
                                            .name = instance->config->name,
                                            .n_rows_before = instance->n_rows};
    ISO_TRY(iso_spool_new(refresh->catalog->temporary_folder, &job->spool, reterr));
    job->fetch.spool = job->spool;
    refresh->n_jobs++;
    return ISO_OK;
}

/* Instances that are left alone get no job; they are told of at once. `first` is why the first one
 * that was named or meant is not asked. */
static enum iso_status choose(struct refresh *refresh, struct iso_draft *draft,
                              struct iso_error *first, struct iso_error *reterr)
{
    struct iso_catalog *catalog = refresh->catalog;
    const char *wanted = refresh->task->provider;

    for (size_t i = 0; i < catalog->n_instances; i++) {
        struct iso_instance *instance = &catalog->instances[i];
        struct iso_error error = {0};

        if (wanted[0] && strcmp(wanted, instance->config->name) != 0)
            continue;
        if (!has_catalog(catalog, instance)) {
            if (first->status == ISO_OK)
                iso_fail(first, ISO_E_PRECONDITION, "provider",
                         "provider %.64s has no catalog, only usage, costs or what runs",
                         instance->config->name);
            continue;
        }
        double left_s = wanted[0] ? 0 : left_alone_s(catalog, instance);
        if (left_s == 0) {
            ISO_TRY(add_job(refresh, instance, reterr));
            continue;
        }
        iso_fail(&error, ISO_E_UNAVAILABLE, "",
                 "provider %.64s crashed too often and is left alone for another %.0f s; refresh "
                 "it by name to try again",
                 instance->config->name, left_s);
        if (first->status == ISO_OK)
            *first = error;
        ISO_TRY(iso_draft_add_diagnostic(draft, "refresh_failed", false, instance->config->name,
                                         error.text, reterr));
    }
    return ISO_OK;
}

/* --- asking --- */

static void *ask(void *argument)
{
    struct refresh *refresh = argument;

    for (;;) {
        size_t i = atomic_fetch_add(&refresh->next, 1);
        if (i >= refresh->n_jobs)
            return NULL;
        struct job *job = &refresh->jobs[i];
        job->fetch.begin_s = iso_catalog_now_s();
        iso_catalog_ask_instance(&job->fetch, job->instance, &job->outcome);
    }
}

/* Does all jobs. A thread that cannot be started is no failure: the others do its work. */
static void ask_all(struct refresh *refresh)
{
    pthread_t threads[MAX_AT_ONCE];
    size_t n = 0;

    while (n + 1 < MAX_AT_ONCE && n + 1 < refresh->n_jobs &&
           pthread_create(&threads[n], NULL, ask, refresh) == 0)
        n++;
    ask(refresh);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}

/* --- all together --- */

static enum iso_status take(struct refresh *refresh, struct iso_draft *draft,
                            struct iso_error *first, struct iso_error *reterr)
{
    int n_good = 0;

    for (size_t i = 0; i < refresh->n_jobs; i++) {
        struct job *job = &refresh->jobs[i];
        struct iso_error error = {0};

        if (job->outcome.status == ISO_OK && add_rows(&job->fetch, draft, &job->outcome) == ISO_OK)
            job->instance->n_rows = job->fetch.n_rows;
        if (iso_catalog_note_instance(&job->fetch, job->instance, &job->outcome, &error) ==
            ISO_OK) {
            n_good++;
            continue;
        }
        if (error.status == ISO_E_CANCELLED || error.status == ISO_E_NOMEM)
            return iso_fail(reterr, error.status, error.field, "%s", error.text);
        if (first->status == ISO_OK)
            *first = error;
        ISO_TRY(iso_draft_add_diagnostic(draft, "refresh_failed", false, job->fetch.name,
                                         error.text, reterr));
    }
    return n_good > 0 ? ISO_OK : iso_fail(reterr, first->status, first->field, "%s", first->text);
}

enum iso_status iso_catalog_refresh(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    struct iso_error *reterr)
{
    struct refresh refresh = {.catalog = catalog, .task = task};
    struct iso_error first = {0};
    enum iso_status status;

    refresh.jobs = iso_calloc(catalog->n_instances, sizeof(*refresh.jobs));
    if (!refresh.jobs)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a refresh");
    status = choose(&refresh, draft, &first, reterr);
    if (status == ISO_OK) {
        ask_all(&refresh);
        status = take(&refresh, draft, &first, reterr);
    }
    refresh_free_jobs(&refresh);
    return status;
}
