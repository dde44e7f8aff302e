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

/* Makes one for the caller, with a copy of the base's model whose wants are left out. Errors:
 * ISO_E_LIMIT (too many run), those of opening the snapshot. */
enum iso_status iso_evaluation_new(struct iso_api *api, struct iso_call *call,
                                   const struct iso_model_base *base,
                                   struct iso_evaluation **ret_evaluation,
                                   struct iso_error *reterr);
/* Gives up its maker's reference: one that was not started is gone then. Accepts NULL. */
void iso_evaluation_free(struct iso_evaluation *evaluation);
ISO_DEFINE_FREEP(iso_evaluation)

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

/* Begins; the call is sent the events. `durable`: goes on when the caller goes away. */
enum iso_status iso_evaluation_start(struct iso_evaluation *evaluation, struct iso_call *call,
                                     bool durable, struct iso_error *reterr);

/* Sends the call the events of an evaluation after a number. */
enum iso_status iso_evaluation_watch(struct iso_api *api, struct iso_call *call, const char *id,
                                     int64_t after, struct iso_error *reterr);

/* Stops all and waits for none. */
void iso_evaluations_hold(struct iso_api *api);
/* All have stopped: forgets them. */
void iso_evaluations_free(struct iso_api *api);

#endif
