/* Evaluations: many scenarios of one model, solved side by side.
 *
 *     new -> (its maker fills in scenarios) -> start -> RUNNING -> ended -> forgotten
 *
 * A scenario is the base model and changes. Scenarios are put in an order in which neighbours
 * change the same things to nearby values, and dealt out in runs to as many lanes as there are
 * solvers; a lane solves one at a time, always with the same solver process if that can be.
 * Scenarios whose model has the same digest are solved once. Results are events with rising
 * numbers, which are kept; each caller is sent them from its own place on, so nobody misses one or
 * gets one twice. */
#ifndef ISOCOST_SERVER_EVALUATION_H
#define ISOCOST_SERVER_EVALUATION_H

#include "api_internal.h"

#define ISO_SCENARIOS_MAX 10000

/* What is measured at a point, for the knee. */
enum iso_knee { ISO_KNEE_NONE, ISO_KNEE_COST, ISO_KNEE_SERVED };

struct iso_evaluation;

/* What a request asks; numbers are in the store. */
enum iso_evaluation_kind {
    ISO_EVALUATION_SCENARIOS = 1,
    ISO_EVALUATION_SWEEP = 2,
    ISO_EVALUATION_FRONTIER = 3,
};

/* Makes what a request asks of a base: its scenarios, not yet begun. Violations are those of the
 * request. */
typedef enum iso_status iso_evaluation_builder(struct iso_evaluation *evaluation,
                                               const ProtobufCMessage *request,
                                               struct iso_violations *violations,
                                               struct iso_error *reterr);
iso_evaluation_builder iso_evaluation_build_scenarios, iso_evaluation_build_sweep,
    iso_evaluation_build_frontier;

/* Makes one with a copy of the base's model whose wants are left out; `snapshot_digest`: "" = the
 * one that the model means now. Errors: those of opening the snapshot. */
enum iso_status iso_evaluation_new(struct iso_api *api, const struct iso_principal *principal,
                                   const struct iso_model_base *base, const char *snapshot_digest,
                                   struct iso_evaluation **ret_evaluation,
                                   struct iso_error *reterr);
/* Gives up its maker's reference: one that was not started is gone then. Accepts NULL. */
void iso_evaluation_free(struct iso_evaluation *evaluation);
ISO_DEFINE_FREEP(iso_evaluation)

/* Makes the base's changes part of its model, which may then be changed further. */
enum iso_status iso_evaluation_settle(struct iso_evaluation *evaluation,
                                      struct iso_violations *violations, struct iso_error *reterr);
struct iso_arena *iso_evaluation_arena(struct iso_evaluation *evaluation);
Isocost__V1__Model *iso_evaluation_model(struct iso_evaluation *evaluation); /* ours to change */
void iso_evaluation_set_knee(struct iso_evaluation *evaluation, enum iso_knee knee);

/* Makes room for scenarios, at most so many. Once. */
enum iso_status iso_evaluation_reserve(struct iso_evaluation *evaluation, size_t n,
                                       struct iso_error *reterr);
/* Adds a scenario: the base with these changes, as iso_changes_read() gave them, after its own.
 * All is copied. `values`: of a sweep or frontier, at most 2. Errors: ISO_E_LIMIT. */
enum iso_status iso_evaluation_add(struct iso_evaluation *evaluation, const char *name,
                                   Isocost__V1__Change *const *changes, size_t n_changes,
                                   const double *values, int n_values, struct iso_error *reterr);

/* Begins; the call is sent the events. */
enum iso_status iso_evaluation_start(struct iso_evaluation *evaluation, struct iso_call *call,
                                     struct iso_error *reterr);
/* Goes on with one that the store has, whose record was claimed; events are those it has. */
enum iso_status iso_evaluation_go_on(struct iso_evaluation *evaluation,
                                     const struct iso_evaluation_record *record,
                                     const struct iso_event_record *events, int n_events,
                                     struct iso_error *reterr);

/* --- evaluation_stored.c --- */

/* Remembers the base as it is, for iso_evaluation_store(); before its scenarios are made. */
enum iso_status iso_evaluation_keep_base(struct iso_evaluation *evaluation,
                                         struct iso_error *reterr);
/* Makes it one that goes on without its caller: with its first event it is in the store, and every
 * further one is there before anybody is told. */
enum iso_status iso_evaluation_store(struct iso_evaluation *evaluation, struct iso_call *call,
                                     enum iso_evaluation_kind kind, const ProtobufCMessage *request,
                                     struct iso_error *reterr);
/* Takes over what other processes left, and those of the process before. On a worker thread. */
void iso_evaluations_resume(struct iso_api *api);
/* One that has ended, from the store: its events only. One that has not is taken over if no process
 * has it any more, and *ret_evaluation is NULL. Errors: ISO_E_NOT_FOUND. */
enum iso_status iso_evaluation_load(struct iso_api *api, const struct iso_principal *principal,
                                    const char *id, struct iso_evaluation **ret_evaluation,
                                    struct iso_error *reterr);

/* Sends the call the events of an evaluation after a number. */
enum iso_status iso_evaluation_watch(struct iso_api *api, struct iso_call *call, const char *id,
                                     int64_t after, struct iso_error *reterr);

/* Stops all and waits for none. */
void iso_evaluations_hold(struct iso_api *api);
/* All have stopped: forgets them. */
void iso_evaluations_free(struct iso_api *api);

#endif
