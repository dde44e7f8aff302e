/* What a run of scenarios needs of the store before its first solve. */
#include <stdio.h>

#include "scenario_run.h"

/* The base model, which the run before had, too, or from the store. */
static enum iso_status take_model(struct iso_scenario_run *run, struct iso_error *reterr)
{
    struct iso_queue_runner *runner = run->base.runner;
    const struct iso_principal *principal = &run->base.record.principal;
    const char *digest = run->work->model_digest;
    struct iso_kept_base *kept = &runner->base, unused = {0};

    pthread_mutex_lock(&runner->mutex);
    if (kept->arena && strcmp(kept->digest, digest) == 0 &&
        strcmp(kept->principal.tenant, principal->tenant) == 0 &&
        strcmp(kept->principal.project, principal->project) == 0) {
        run->model_arena = iso_arena_hold(kept->arena);
        run->model = kept->model;
    }
    pthread_mutex_unlock(&runner->mutex);
    if (run->model)
        return ISO_OK;
    run->model_arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    if (!run->model_arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a model");
    struct iso_violations violations = {.arena = run->model_arena};
    ISO_TRY(
        iso_model_load(runner->config.store, principal, digest, &violations, &run->model, reterr));
    pthread_mutex_lock(&runner->mutex);
    unused = *kept;
    *kept = (struct iso_kept_base){
        .arena = iso_arena_hold(run->model_arena), .model = run->model, .principal = *principal};
    snprintf(kept->digest, sizeof(kept->digest), "%s", digest);
    pthread_mutex_unlock(&runner->mutex);
    iso_arena_free(unused.arena);
    return ISO_OK;
}

/* Some scenarios may have their result from an attempt before. */
static enum iso_status note_answered(struct iso_scenario_run *run, struct iso_error *reterr)
{
    const struct iso_job_record *job = &run->base.record;
    const Isocost__Internal__V1__ScenarioRun *work = run->work;
    int64_t *places;
    int n_places = 0;

    run->answered =
        iso_arena_calloc(run->base.arena, work->n_scenarios + 1, sizeof(*run->answered));
    if (!run->answered)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the scenarios");
    if (job->attempt <= 1)
        return ISO_OK;
    ISO_TRY(iso_store_list_answered(run->base.runner->config.store, &job->principal, job->object_id,
                                    run->base.arena, &places, &n_places, reterr));
    for (size_t i = 0; i < work->n_scenarios; i++) {
        int low = 0, high = n_places;
        while (low < high) {
            int middle = low + (high - low) / 2;
            if (places[middle] < work->scenarios[i]->place)
                low = middle + 1;
            else
                high = middle;
        }
        run->answered[i] = low < n_places && places[low] == work->scenarios[i]->place;
    }
    return ISO_OK;
}

enum iso_status iso_scenario_run_load(struct iso_scenario_run *run, struct iso_error *reterr)
{
    const struct iso_job_record *job = &run->base.record;
    struct iso_bytes packed;

    ISO_TRY(
        iso_store_get_run(run->base.runner->config.store, job, run->base.arena, &packed, reterr));
    run->work = isocost__internal__v1__scenario_run__unpack(iso_arena_allocator(run->base.arena),
                                                            packed.n_bytes, packed.bytes);
    if (!run->work)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "run %lld of evaluation %.64s cannot be read",
                        (long long)job->part, job->object_id);
    return note_answered(run, reterr);
}

enum iso_status iso_scenario_run_prepare(struct iso_scenario_run *run, struct iso_error *reterr)
{
    const char *digest;

    if (run->base.record.attempt > ISO_JOB_MOST_ATTEMPTS)
        return iso_fail(reterr, ISO_E_INTERNAL, "",
                        "its run was begun %d times and never came to an end; the processes that "
                        "ran it were killed or lost their leases",
                        ISO_JOB_MOST_ATTEMPTS);
    ISO_TRY(take_model(run, reterr));
    return iso_snapshot_open(run->base.runner->config.store, &run->base.record.principal,
                             run->model, run->work->snapshot_digest, run->base.arena,
                             &run->snapshot_fd, &digest, reterr);
}
