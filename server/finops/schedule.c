#include "schedule.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "instance.h"
#include "schedule_range.h"
#include "usage_internal.h"

static const struct {
    const char *word;
    enum iso_record_kind kind;
    uint32_t bit;
} kinds[] = {
    {"usage", ISO_RECORD_USAGE, ISO_INSTANCE_USAGE},
    {"costs", ISO_RECORD_COST, ISO_INSTANCE_COST},
    {"inventory", ISO_RECORD_RUNNING, ISO_INSTANCE_INVENTORY},
};

/* One kind of one provider. */
struct schedule {
    const Isocost__Internal__V1__ProviderInstance *instance;
    size_t kind; /* in `kinds` */
    bool named;  /* by the operator; else it is one of all that the plugin can */
    double due_s;
    int n_failures;    /* in a row */
    int64_t resume_ns; /* where the range before ended that was not all; 0: it was */
};

struct iso_usage_schedules {
    struct iso_usage *usage;
    size_t n;
    struct schedule *items;
};

/* --- which --- */

static bool is_named(const Isocost__Internal__V1__RecordSchedule *config, const char *kind)
{
    for (size_t i = 0; i < config->n_kinds; i++)
        if (strcmp(config->kinds[i], kind) == 0)
            return true;
    return false;
}

static void add_instance(struct iso_usage_schedules *schedules,
                         const Isocost__Internal__V1__ProviderInstance *instance)
{
    const Isocost__Internal__V1__RecordSchedule *config = instance->records;

    for (size_t k = 0; config && k < ISO_ARRAY_LENGTH(kinds); k++)
        if (config->n_kinds == 0 || is_named(config, kinds[k].word))
            schedules->items[schedules->n++] = (struct schedule){
                .instance = instance,
                .kind = k,
                .named = config->n_kinds > 0,
            };
}

struct iso_usage_schedules *iso_usage_schedules_new(struct iso_usage *usage)
{
    struct iso_usage_schedules *schedules = iso_calloc(1, sizeof(*schedules));
    size_t n = 0;

    if (!schedules)
        return NULL;
    while (usage->catalog && iso_catalog_instance_config(usage->catalog, n))
        n++;
    schedules->usage = usage;
    schedules->items = iso_calloc(n * ISO_ARRAY_LENGTH(kinds), sizeof(*schedules->items));
    if (!schedules->items) {
        free(schedules);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        add_instance(schedules, iso_catalog_instance_config(usage->catalog, i));
    return schedules;
}

void iso_usage_schedules_free(struct iso_usage_schedules *schedules)
{
    if (schedules)
        free(schedules->items);
    free(schedules);
}

static struct schedule *next_due(const struct iso_usage_schedules *schedules)
{
    struct schedule *best = NULL;

    for (size_t i = 0; i < schedules->n; i++)
        if (!best || schedules->items[i].due_s < best->due_s)
            best = &schedules->items[i];
    return best;
}

double iso_usage_schedules_due_s(const struct iso_usage_schedules *schedules)
{
    const struct schedule *next = next_due(schedules);

    return next ? next->due_s : INFINITY;
}

/* --- doing it --- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct iso_principal principal_of(const struct schedule *schedule)
{
    struct iso_principal principal = {"", "", "isocostd", ISO_ROLE_ADMIN};

    snprintf(principal.tenant, sizeof(principal.tenant), "%s", schedule->instance->records->tenant);
    snprintf(principal.project, sizeof(principal.project), "%s",
             schedule->instance->records->project);
    return principal;
}

static void note_done(void *context, const Isocost__V1__UsageRefresh *refresh,
                      const struct iso_error *error)
{
    enum iso_status *status = context;

    (void)refresh;
    *status = error ? error->status : ISO_OK;
}

/* *ret_any is false when there is nothing to ask for. */
static enum iso_status choose_range(const struct iso_usage *usage, struct schedule *schedule,
                                    struct iso_usage_task *task, bool *ret_any,
                                    struct iso_error *reterr)
{
    const Isocost__Internal__V1__RecordSchedule *config = schedule->instance->records;
    enum iso_record_kind kind = kinds[schedule->kind].kind;
    int64_t at_ns = now_ns(), held_ns = 0;
    struct iso_usage_range range;

    *ret_any = true;
    if (kind == ISO_RECORD_RUNNING)
        return ISO_OK;
    ISO_TRY(iso_store_records_until(usage->store, &task->principal, task->provider, kind,
                                    iso_usage_window_begin(config, kind, at_ns), &held_ns, reterr));
    *ret_any = iso_usage_next_range(config, kind, at_ns, held_ns, &schedule->resume_ns, &range);
    task->from_ns = range.from_ns;
    task->to_ns = range.to_ns;
    return ISO_OK;
}

static enum iso_status refresh(struct iso_usage *usage, struct schedule *schedule,
                               struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;
    int64_t resume_ns = schedule->resume_ns;
    struct iso_usage_task task = {
        .principal = principal_of(schedule),
        .request_id = "",
        .provider = schedule->instance->name,
        .context = &status,
        .done = note_done,
    };
    bool any = false;

    task.kinds[kinds[schedule->kind].kind] = true;
    ISO_TRY(choose_range(usage, schedule, &task, &any, reterr));
    if (any)
        iso_usage_run_task(usage, &task); /* logs what went wrong */
    if (status != ISO_OK)
        schedule->resume_ns = resume_ns;
    return status;
}

/* Whether the plugin can tell the kind; if it cannot, it is not asked again. */
static bool may_ask(struct iso_usage *usage, struct schedule *schedule, enum iso_status *ret_status)
{
    const char *provider = schedule->instance->name;
    char text[256];
    uint32_t can = 0;

    *ret_status = iso_catalog_capabilities(usage->catalog, provider, &can, NULL);
    if (*ret_status != ISO_OK || (can & kinds[schedule->kind].bit))
        return *ret_status == ISO_OK;
    schedule->due_s = INFINITY;
    snprintf(text, sizeof(text), "provider %.64s cannot tell %s, which its records.kinds names",
             provider, kinds[schedule->kind].word);
    if (schedule->named && usage->log)
        usage->log(3, text);
    return false;
}

/* How long to wait for a provider that is to be left alone. One that is never to be asked by itself
 * may be asked by name meanwhile, so that is looked at again. */
static double provider_wait_s(struct iso_usage *usage, const struct schedule *schedule)
{
    return fmin(iso_catalog_wait_s(usage->catalog, schedule->instance->name),
                schedule->instance->records->refresh_seconds);
}

/* When it is to be done again after it ended so. */
static double next_s(struct iso_usage *usage, struct schedule *schedule, enum iso_status status)
{
    double random = (double)(now_ns() % 1000000) * 1e-6;

    if (status == ISO_OK) {
        schedule->n_failures = 0;
        return schedule->resume_ns
                   ? 0
                   : iso_instance_interval_s(schedule->instance->records->refresh_seconds, random);
    }
    schedule->n_failures++;
    return fmax(provider_wait_s(usage, schedule),
                iso_instance_backoff_s(schedule->n_failures, random));
}

void iso_usage_schedules_run(struct iso_usage_schedules *schedules)
{
    struct schedule *schedule = next_due(schedules);
    struct iso_usage *usage = schedules->usage;
    enum iso_status status = ISO_OK;
    struct iso_error error = {0};
    double wait_s = provider_wait_s(usage, schedule);

    if (wait_s > 0) { /* another fetch of it failed */
        schedule->due_s = iso_usage_now_s() + wait_s;
        return;
    }
    if (may_ask(usage, schedule, &status))
        status = refresh(usage, schedule, &error);
    if (error.status != ISO_OK && usage->log)
        usage->log(3, error.text);
    if (isfinite(schedule->due_s))
        schedule->due_s = iso_usage_now_s() + next_s(usage, schedule, status);
}
