/* Limits, what is forbidden or required, and rules that are switched. */
#include <stdio.h>
#include <string.h>

#include "changes_internal.h"
#include "message_new.h"

enum iso_status iso_apply_limit(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__LimitChange *change = run->change->limit;
    Isocost__V1__Model *model = run->model;
    size_t i = 0;

    if (change->change_case == ISOCOST__V1__LIMIT_CHANGE__CHANGE__NOT_SET ||
        !(change->factor >= 0)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "a factor or value of at least 0 is required");
        return ISO_OK;
    }
    while (i < model->n_limits && strcmp(model->limits[i]->id, change->limit) != 0)
        i++;
    if (i == model->n_limits) {
        iso_change_unknown(run, "limit", change->limit, &model->limits, model->n_limits,
                           offsetof(Isocost__V1__Limit, id));
        return ISO_OK;
    }
    Isocost__V1__Limit *limit = iso_change_own(run, &model->limits, model->n_limits, i);
    if (!limit)
        return iso_change_no_memory(reterr);
    /* maximum and minimum are members of one union */
    if (change->change_case == ISOCOST__V1__LIMIT_CHANGE__CHANGE_VALUE)
        limit->maximum = change->value;
    else
        iso_change_multiply(run, limit->maximum, change->factor, ISO_ROUND_HALF_EVEN,
                            &limit->maximum);
    return ISO_OK;
}

static bool names(char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return n == 0;
}

/* An exclusion from what is allowed: whatever else the workload says, it holds. */
static bool forbid(struct iso_change_run *run, size_t i, Isocost__V1__SelectorTerm *term)
{
    Isocost__V1__Model *model = run->model;
    Isocost__V1__Workload *workload = iso_change_own(run, &model->workloads, model->n_workloads, i);

    if (!workload)
        return false;
    workload->allowed = workload->allowed
                            ? iso_change_copy(run, workload->allowed, sizeof(*workload->allowed))
                            : iso_message_new(run->arena, &isocost__v1__selector__descriptor);
    return workload->allowed &&
           iso_change_append(run, &workload->allowed->exclude, &workload->allowed->n_exclude, term);
}

enum iso_status iso_apply_forbid(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__ForbidChange *change = run->change->forbid;
    Isocost__V1__Model *model = run->model;
    Isocost__V1__SelectorTerm *term = change->offerings;

    if (!term)
        term = iso_message_new(run->arena, &isocost__v1__selector_term__descriptor);
    for (size_t k = 0; k < change->n_workloads; k++) {
        size_t i = 0;
        while (i < model->n_workloads && strcmp(model->workloads[i]->id, change->workloads[k]) != 0)
            i++;
        if (i == model->n_workloads)
            iso_change_unknown(run, "workload", change->workloads[k], &model->workloads,
                               model->n_workloads, offsetof(Isocost__V1__Workload, id));
    }
    for (size_t i = 0; term && i < model->n_workloads; i++)
        if (names(change->workloads, change->n_workloads, model->workloads[i]->id) &&
            !forbid(run, i, term))
            return iso_change_no_memory(reterr);
    return term ? ISO_OK : iso_change_no_memory(reterr);
}

static bool has_limit(const Isocost__V1__Model *model, const char *id)
{
    for (size_t i = 0; i < model->n_limits; i++)
        if (strcmp(model->limits[i]->id, id) == 0)
            return true;
    return false;
}

/* A limit with an id that no other has: required-1, required-2, ... */
enum iso_status iso_apply_require(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__RequireChange *change = run->change->require;
    Isocost__V1__Model *model = run->model;
    Isocost__V1__Limit *limit = iso_message_new(run->arena, &isocost__v1__limit__descriptor);
    char id[32];

    if (!limit)
        return iso_change_no_memory(reterr);
    for (size_t k = 1;; k++) {
        snprintf(id, sizeof(id), "required-%zu", k);
        if (!has_limit(model, id))
            break;
    }
    limit->id = iso_arena_strdup(run->arena, id);
    limit->scope = iso_change_selector_of(run, change->offerings);
    limit->metric = ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_INSTANCES;
    limit->bound_case = ISOCOST__V1__LIMIT__BOUND_MINIMUM;
    limit->minimum = change->minimum;
    limit->periods = change->periods;
    limit->n_periods = change->n_periods;
    if (!limit->id || !limit->scope ||
        !iso_change_append(run, &model->limits, &model->n_limits, limit))
        return iso_change_no_memory(reterr);
    return ISO_OK;
}

/* --- rules on and off --- */

/* Whether a list of a workload's rules has the id; `off`: the list is copied without it. */
static bool find_rule(struct iso_change_run *run, void *list, size_t *n, size_t id_offset, bool off,
                      bool *enough)
{
    const char *id = run->change->rule->rule;
    char **messages, **kept;
    size_t n_kept = 0;

    memcpy(&messages, list, sizeof(messages));
    for (size_t i = 0; i < *n; i++)
        n_kept += strcmp(*(char **)(void *)(messages[i] + id_offset), id) != 0;
    if (n_kept == *n)
        return false;
    if (!off)
        return true;
    kept = iso_arena_calloc(run->arena, n_kept + 1, sizeof(*kept));
    *enough = *enough && kept;
    n_kept = 0;
    for (size_t i = 0; kept && i < *n; i++)
        if (strcmp(*(char **)(void *)(messages[i] + id_offset), id) != 0)
            kept[n_kept++] = messages[i];
    memcpy(list, &kept, sizeof(kept));
    *n = n_kept;
    return true;
}

/* Rules of one workload; `w` is a copy. */
static bool switch_in_workload(struct iso_change_run *run, Isocost__V1__Workload *w, bool off,
                               bool *enough)
{
    const char *id = run->change->rule->rule;
    bool found = false;

    found |=
        find_rule(run, &w->shares, &w->n_shares, offsetof(Isocost__V1__ShareRule, id), off, enough);
    found |= find_rule(run, &w->survive, &w->n_survive, offsetof(Isocost__V1__SurviveRule, id), off,
                       enough);
    found |= find_rule(run, &w->spread, &w->n_spread, offsetof(Isocost__V1__SpreadRule, id), off,
                       enough);
    found |= find_rule(run, &w->together, &w->n_together, offsetof(Isocost__V1__AffinityRule, id),
                       off, enough);
    found |= find_rule(run, &w->apart, &w->n_apart, offsetof(Isocost__V1__AffinityRule, id), off,
                       enough);
    found |= find_rule(run, &w->dependencies, &w->n_dependencies,
                       offsetof(Isocost__V1__Dependency, id), off, enough);
    if (w->ramp && strcmp(w->ramp->id, id) == 0) {
        w->ramp = off ? NULL : w->ramp;
        found = true;
    }
    if (w->traffic && strcmp(w->traffic->id, id) == 0) {
        w->traffic = off ? NULL : w->traffic;
        found = true;
    }
    return found;
}

static bool switch_in_workloads(struct iso_change_run *run, bool off, bool *enough)
{
    Isocost__V1__Model *model = run->model;
    bool found = false;

    for (size_t i = 0; i < model->n_workloads; i++) {
        Isocost__V1__Workload workload = *model->workloads[i];
        if (!switch_in_workload(run, &workload, off, enough))
            continue;
        found = true;
        Isocost__V1__Workload *own = iso_change_own(run, &model->workloads, model->n_workloads, i);
        *enough = *enough && own;
        if (own)
            *own = workload;
    }
    return found;
}

/* Rules that know for themselves whether they count, found by the offsets of their members. */
static bool switch_in(struct iso_change_run *run, void *list, size_t n, size_t id_offset,
                      size_t disabled_offset, bool *enough)
{
    const Isocost__V1__RuleChange *change = run->change->rule;
    char **messages;
    bool found = false;

    memcpy(&messages, list, sizeof(messages));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(*(char **)(void *)(messages[i] + id_offset), change->rule) != 0)
            continue;
        found = true;
        char *own = iso_change_own(run, list, n, i);
        *enough = *enough && own;
        if (own)
            *(protobuf_c_boolean *)(own + disabled_offset) = !change->on;
        memcpy(&messages, list, sizeof(messages));
    }
    return found;
}

enum iso_status iso_apply_rule(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__RuleChange *change = run->change->rule;
    Isocost__V1__Model *model = run->model;
    bool found = false, enough = true;

    found |= switch_in(run, &model->limits, model->n_limits, offsetof(Isocost__V1__Limit, id),
                       offsetof(Isocost__V1__Limit, disabled), &enough);
    found |= switch_in(run, &model->budgets, model->n_budgets, offsetof(Isocost__V1__Budget, id),
                       offsetof(Isocost__V1__Budget, disabled), &enough);
    found |= switch_in(run, &model->volume_prices, model->n_volume_prices,
                       offsetof(Isocost__V1__VolumePrice, id),
                       offsetof(Isocost__V1__VolumePrice, disabled), &enough);
    found |= switch_in_workloads(run, /* off= */ !change->on, &enough);
    if (!found)
        iso_change_wrong(run, ISO_CHANGE_TARGET,
                         "no limit, budget, volume price or rule of a workload has the id "
                         "\"%.64s\"",
                         change->rule);
    return enough ? ISO_OK : iso_change_no_memory(reterr);
}
