#include "instance.h"

#include <math.h>
#include <stdio.h>

#include "isocost/proto/timestamp.h"

double iso_instance_backoff_s(int n_failures, double random)
{
    double wait = n_failures >= 10 ? 300 : fmin(300, ldexp(1, n_failures - 1));

    return wait * (1 + random / 4);
}

double iso_instance_interval_s(double seconds, double random)
{
    return seconds * (1 + random / 10);
}

static bool crashed_too_often(const struct iso_instance *instance, double now_s)
{
    /* The slot that the next crash will take has the oldest one of the ring. */
    return instance->n_crashes >= ISO_INSTANCE_CRASHES &&
           now_s - instance->crashes[instance->n_crashes % ISO_INSTANCE_CRASHES] <=
               ISO_INSTANCE_CRASH_WINDOW_S;
}

static void quarantine(struct iso_instance *instance, double now_s)
{
    double first_s = instance->quarantine_s > 0 ? instance->quarantine_s : ISO_INSTANCE_PROBE_S;
    double wait_s =
        fmin(ldexp(first_s, instance->n_quarantines > 20 ? 20 : instance->n_quarantines),
             ISO_INSTANCE_MAX_PROBE_S);

    instance->n_quarantines++;
    instance->probe_s = now_s + wait_s;
    instance->state = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED;
}

bool iso_instance_left_alone(const struct iso_instance *instance, double now_s)
{
    return instance->state == ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED &&
           now_s < instance->probe_s;
}

static void note_failure(struct iso_instance *instance, bool refused,
                         const struct iso_host_report *report, double now_s, double random)
{
    bool was_quarantined =
        instance->state == ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED;
    double wait_s;

    instance->n_failures++;
    if (report->crashed)
        instance->crashes[instance->n_crashes++ % ISO_INSTANCE_CRASHES] = now_s;
    if (refused)
        instance->state = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_REFUSED;
    else if (report->crashed && (was_quarantined || crashed_too_often(instance, now_s)))
        quarantine(instance, now_s);
    else
        instance->state = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_DEGRADED;
    wait_s = fmax(iso_instance_backoff_s(instance->n_failures, random), report->retry_after_s);
    instance->retry_s = refused ? INFINITY
                        : instance->state == ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED
                            ? instance->probe_s
                            : now_s + fmin(wait_s, 86400);
    instance->due_s = instance->config->refresh_seconds > 0 ? instance->retry_s : INFINITY;
}

void iso_instance_note(struct iso_instance *instance, enum iso_status status, bool refused,
                       bool fetched, const struct iso_host_report *report, const char *error,
                       double now_s, int64_t now_ns, double random)
{
    if (report->loaded)
        instance->about = *report;
    if (status == ISO_E_CANCELLED)
        return; /* says nothing about the provider */
    if (status != ISO_OK) {
        snprintf(instance->last_error, sizeof(instance->last_error), "%s", error);
        note_failure(instance, refused, report, now_s, random);
        return;
    }
    instance->state = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY;
    instance->last_error[0] = '\0';
    instance->n_failures = 0;
    instance->retry_s = 0;
    if (!fetched)
        return;
    instance->n_crashes = 0;
    instance->n_quarantines = 0;
    instance->last_success_ns = now_ns;
    instance->due_s =
        instance->config->refresh_seconds > 0
            ? now_s + iso_instance_interval_s(instance->config->refresh_seconds, random)
            : INFINITY;
}

/* Bits of enum iso_cap in plugins/include/isocost/plugin.h, from the lowest. */
static const char *const capability_names[] = {"CATALOG", "PRICE", "CAPACITY",  "QUOTA",
                                               "USAGE",   "COST",  "INVENTORY", "APPLY"};

char **iso_capability_names(uint32_t bits, struct iso_arena *arena, size_t *ret_n)
{
    char **names = iso_arena_calloc(arena, ISO_ARRAY_LENGTH(capability_names), sizeof(char *));

    *ret_n = 0;
    for (size_t i = 0; names && i < ISO_ARRAY_LENGTH(capability_names); i++)
        if (bits & (1u << i))
            names[(*ret_n)++] = (char *)capability_names[i];
    return names;
}

static bool add_missing_protections(Isocost__V1__Provider *provider, const char *names,
                                    struct iso_arena *arena)
{
    char *copy = iso_arena_strdup(arena, names), *rest = NULL;

    provider->missing_protections = iso_arena_calloc(arena, strlen(names) + 1, sizeof(char *));
    if (!copy || !provider->missing_protections)
        return false;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        provider->missing_protections[provider->n_missing_protections++] = word;
    return true;
}

Isocost__V1__Provider *iso_instance_to_proto(const struct iso_instance *instance,
                                             struct iso_arena *arena)
{
    Isocost__V1__Provider *provider = iso_arena_calloc(arena, 1, sizeof(*provider));

    if (!provider)
        return NULL;
    isocost__v1__provider__init(provider);
    provider->name = instance->config->name;
    provider->plugin = instance->config->plugin;
    provider->plugin_version = iso_arena_strdup(arena, instance->about.version);
    provider->last_error = iso_arena_strdup(arena, instance->last_error);
    provider->state = instance->state;
    provider->last_success = iso_timestamp(instance->last_success_ns, arena);
    provider->capabilities =
        iso_capability_names(instance->about.capabilities, arena, &provider->n_capabilities);
    if (!provider->capabilities ||
        !add_missing_protections(provider, instance->about.missing_protections, arena) ||
        iso_arena_full(arena))
        return NULL;
    return provider;
}
