/* A run of scenarios in the hands of this process.
 *
 *     start -> step -> (changes, model, answer of another or submit) -> done -> step -> ... -> end
 *
 * Steps are tasks: each gives the answer of the solve before, and goes on to the next solve. All
 * solves of the run go to one solver process if they can. */
#ifndef ISOCOST_SERVER_SCENARIO_RUN_H
#define ISOCOST_SERVER_SCENARIO_RUN_H

#include "isocost/internal/v1/evaluation.pb-c.h"
#include "queue_run.h"
#include "scenario_result.h"

struct iso_scenario_run {
    struct iso_run base;
    bool begun;
    const Isocost__Internal__V1__ScenarioRun *work; /* in the arena */
    struct iso_arena *model_arena;
    const Isocost__V1__Model *model; /* the base */
    int snapshot_fd;                 /* -1: none */
    bool *answered;                  /* scenarios of `work` that have their result */
    size_t next;                     /* scenario of `work` */

    /* The scenario that is being solved. */
    const Isocost__Internal__V1__ScenarioTask *task;
    struct iso_arena *arena; /* of its model; NULL: none is */
    struct iso_violations violations;
    const Isocost__V1__Model *changed;
    char digest[ISO_DIGEST_TEXT_SIZE];
    int n_attempts;
    bool again;             /* the solver died: once more */
    struct iso_bytes event; /* its answer, ours to free */
    int64_t cpu_us;

    struct iso_error error; /* why the run cannot go on */
};

/* scenario_begin.c */

/* Reads what the run is to do, and which of it was done by an attempt before. Errors: those of the
 * store; ISO_E_NOT_FOUND: the evaluation is gone. */
enum iso_status iso_scenario_run_load(struct iso_scenario_run *run, struct iso_error *reterr);
/* Gets the base model and the snapshot. Errors: why no scenario of the run can be solved. */
enum iso_status iso_scenario_run_prepare(struct iso_scenario_run *run, struct iso_error *reterr);

/* scenario_answer.c */

/* The event of a scenario's answer: a plan, or else an error. Without bytes: no memory. */
struct iso_bytes iso_scenario_event(const struct iso_scenario_run *run,
                                    const Isocost__V1__Plan *plan,
                                    const Google__Rpc__Status *error);
/* Writes the answer of `run->task`, which is solved. Errors: those of iso_store_add_answer() but
 * for ISO_E_EXISTS, when those that may pass did not. */
enum iso_status iso_scenario_give(struct iso_scenario_run *run, struct iso_error *reterr);
/* Answers `run->task` with an error. */
enum iso_status iso_scenario_give_error(struct iso_scenario_run *run, const struct iso_error *why,
                                        struct iso_error *reterr);
/* Answers it with what another scenario of the same model got, if that is there. */
enum iso_status iso_scenario_give_same(struct iso_scenario_run *run, bool *ret_given,
                                       struct iso_error *reterr);

#endif
