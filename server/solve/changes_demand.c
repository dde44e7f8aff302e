/* What is asked, and who asks. */
#include <math.h>
#include <string.h>

#include "changes_internal.h"
#include "message_new.h"

/* Marks the periods that are named; all when none is. NULL: a violation was added, or no memory. */
static bool *mark_periods(struct iso_change_run *run, char *const *ids, size_t n_ids)
{
    const Isocost__V1__Model *model = run->model;
    bool *marked = iso_arena_calloc(run->arena, model->n_periods + 1, sizeof(*marked));

    for (size_t k = 0; marked && k < n_ids; k++) {
        size_t t = 0;
        while (t < model->n_periods && strcmp(model->periods[t]->id, ids[k]) != 0)
            t++;
        if (t == model->n_periods) {
            if (model->load_levels)
                iso_change_wrong(run, ISO_CHANGE_TARGET,
                                 "\"%.64s\": with load_levels there are no periods to name",
                                 ids[k]);
            else
                iso_change_unknown(run, "period", ids[k], &model->periods, model->n_periods,
                                   offsetof(Isocost__V1__Period, id));
            return NULL;
        }
        marked[t] = true;
    }
    return marked;
}

/* New value of one number; rounded up, for copies to whole ones. */
static bool change_number(struct iso_change_run *run, bool whole, double *number)
{
    const Isocost__V1__DemandChange *change = run->change->demand;

    if (change->change_case != ISOCOST__V1__DEMAND_CHANGE__CHANGE_FACTOR) {
        *number = change->value;
        return true;
    }
    if (!iso_change_multiply(run, *number, change->factor, ISO_ROUND_UP, number))
        return false;
    if (whole)
        *number = ceil(*number);
    return true;
}

static bool change_series(struct iso_change_run *run, bool whole, size_t *n, double **series)
{
    const Isocost__V1__DemandChange *change = run->change->demand;
    size_t n_periods = run->model->n_periods;
    bool some = change->n_periods > 0;
    bool *marked = some ? mark_periods(run, change->periods, change->n_periods) : NULL;

    if (some && !marked)
        return true; /* told already, or the arena is full, which is looked at later */
    size_t n_new = some && *n == 1 ? n_periods : *n;
    double *values = iso_arena_calloc(run->arena, n_new + 1, sizeof(*values));
    if (!values)
        return false;
    for (size_t t = 0; t < n_new; t++) {
        values[t] = (*series)[*n == 1 ? 0 : t];
        if ((!some || (t < n_periods && marked[t])) && !change_number(run, whole, &values[t]))
            return true;
    }
    *series = values;
    *n = n_new;
    return true;
}

static bool change_demand_of(struct iso_change_run *run, size_t i)
{
    Isocost__V1__Model *model = run->model;
    Isocost__V1__Workload *workload = iso_change_own(run, &model->workloads, model->n_workloads, i);

    if (!workload)
        return false;
    if (workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT) {
        workload->throughput =
            iso_change_copy(run, workload->throughput, sizeof(*workload->throughput));
        return workload->throughput &&
               change_series(run, /* whole= */ false, &workload->throughput->n_rate,
                             &workload->throughput->rate);
    }
    if (workload->demand_case != ISOCOST__V1__WORKLOAD__DEMAND_REPLICAS)
        return true;
    workload->replicas = iso_change_copy(run, workload->replicas, sizeof(*workload->replicas));
    return workload->replicas && change_series(run, /* whole= */ true, &workload->replicas->n_count,
                                               &workload->replicas->count);
}

enum iso_status iso_apply_demand(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__DemandChange *change = run->change->demand;
    Isocost__V1__Model *model = run->model;
    bool all = strcmp(change->workload, "*") == 0, found = false;

    if (change->change_case == ISOCOST__V1__DEMAND_CHANGE__CHANGE__NOT_SET ||
        !(change->factor >= 0)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "a factor or value of at least 0 is required");
        return ISO_OK;
    }
    for (size_t i = 0; i < model->n_workloads; i++) {
        if (!all && strcmp(model->workloads[i]->id, change->workload) != 0)
            continue;
        found = true;
        if (!change_demand_of(run, i))
            return iso_change_no_memory(reterr);
    }
    if (!found)
        iso_change_unknown(run, "workload", change->workload, &model->workloads, model->n_workloads,
                           offsetof(Isocost__V1__Workload, id));
    return ISO_OK;
}

/* --- workloads that come and go --- */

/* Copies a list without the messages that name the workload, by the offset of the id. */
static bool drop_naming(struct iso_change_run *run, void *list, size_t *n, size_t id_offset,
                        const char *id)
{
    char **messages, **kept = iso_arena_calloc(run->arena, *n + 1, sizeof(*kept));
    size_t n_kept = 0;

    if (!kept)
        return false;
    memcpy(&messages, list, sizeof(messages));
    for (size_t i = 0; i < *n; i++)
        if (strcmp(*(char **)(void *)(messages[i] + id_offset), id) != 0)
            kept[n_kept++] = messages[i];
    memcpy(list, &kept, sizeof(kept));
    *n = n_kept;
    return true;
}

/* The rules of other workloads that name the one that goes. */
static bool forget_in_workloads(struct iso_change_run *run, const char *id)
{
    Isocost__V1__Model *model = run->model;

    for (size_t i = 0; i < model->n_workloads; i++) {
        Isocost__V1__Workload *w = model->workloads[i];
        if (w->n_together + w->n_apart + w->n_dependencies == 0)
            continue;
        w = iso_change_own(run, &model->workloads, model->n_workloads, i);
        if (!w ||
            !drop_naming(run, &w->together, &w->n_together,
                         offsetof(Isocost__V1__AffinityRule, workload), id) ||
            !drop_naming(run, &w->apart, &w->n_apart, offsetof(Isocost__V1__AffinityRule, workload),
                         id) ||
            !drop_naming(run, &w->dependencies, &w->n_dependencies,
                         offsetof(Isocost__V1__Dependency, workload), id))
            return false;
    }
    return true;
}

/* What runs for it today. */
static bool forget_current(struct iso_change_run *run, const char *id)
{
    Isocost__V1__CurrentPlacement *current = run->model->current;
    size_t n_kept = 0;

    if (!current)
        return true;
    current = iso_change_copy(run, current, sizeof(*current));
    Isocost__V1__CurrentInstances **kept =
        iso_arena_calloc(run->arena, run->model->current->n_instances + 1, sizeof(*kept));
    if (!current || !kept)
        return false;
    for (size_t i = 0; i < current->n_instances; i++) {
        const Isocost__V1__CurrentInstances *instances = current->instances[i];
        if (instances->user_case != ISOCOST__V1__CURRENT_INSTANCES__USER_WORKLOAD ||
            strcmp(instances->workload, id) != 0)
            kept[n_kept++] = current->instances[i];
    }
    current->instances = kept;
    current->n_instances = n_kept;
    run->model->current = current;
    return true;
}

/* Scopes of products that name it. One that is for it alone would become one for all. */
static bool forget_in_scopes(struct iso_change_run *run, const char *id)
{
    for (size_t i = 0; run->model->catalog && i < run->model->catalog->n_products; i++) {
        const Isocost__V1__CommitmentProduct *product = run->model->catalog->products[i];
        Isocost__V1__CommitmentScope *scope = product->scope;
        size_t n_kept = 0;

        for (size_t k = 0; scope && k < scope->n_workloads; k++)
            n_kept += strcmp(scope->workloads[k], id) != 0;
        if (!scope || n_kept == scope->n_workloads)
            continue;
        if (n_kept == 0) {
            iso_change_wrong(run, ISO_CHANGE_TARGET,
                             "the commitment %.64s is for this workload alone; take it away first "
                             "(commitment.%.64s=off)",
                             product->id, product->id);
            continue;
        }
        Isocost__V1__Catalog *catalog = iso_change_catalog(run);
        Isocost__V1__CommitmentProduct *own =
            catalog ? iso_change_own(run, &catalog->products, catalog->n_products, i) : NULL;
        char **kept = iso_arena_calloc(run->arena, n_kept, sizeof(*kept));
        scope = iso_change_copy(run, scope, sizeof(*scope));
        if (!own || !kept || !scope)
            return false;
        n_kept = 0;
        for (size_t k = 0; k < scope->n_workloads; k++)
            if (strcmp(scope->workloads[k], id) != 0)
                kept[n_kept++] = scope->workloads[k];
        scope->workloads = kept;
        scope->n_workloads = n_kept;
        own->scope = scope;
    }
    return true;
}

enum iso_status iso_apply_workload(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__WorkloadChange *change = run->change->workload;
    bool adds = change->change_case == ISOCOST__V1__WORKLOAD_CHANGE__CHANGE_ADD;
    const char *id = adds ? change->add->id : change->remove;
    Isocost__V1__Model *model = run->model;
    bool found = false;

    if (change->change_case == ISOCOST__V1__WORKLOAD_CHANGE__CHANGE__NOT_SET) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "say what to add or to remove");
        return ISO_OK;
    }
    for (size_t i = 0; i < model->n_workloads; i++)
        found = found || strcmp(model->workloads[i]->id, id) == 0;
    if (adds && found) {
        iso_change_wrong(run, ISO_CHANGE_TARGET, "the workload %.64s is there already", id);
        return ISO_OK;
    }
    if (adds)
        return iso_change_append(run, &model->workloads, &model->n_workloads, change->add)
                   ? ISO_OK
                   : iso_change_no_memory(reterr);
    if (!found) {
        iso_change_unknown(run, "workload", id, &model->workloads, model->n_workloads,
                           offsetof(Isocost__V1__Workload, id));
        return ISO_OK;
    }
    if (!drop_naming(run, &model->workloads, &model->n_workloads,
                     offsetof(Isocost__V1__Workload, id), id) ||
        !forget_in_workloads(run, id) || !forget_current(run, id) || !forget_in_scopes(run, id))
        return iso_change_no_memory(reterr);
    return ISO_OK;
}
