/* Evaluations: many scenarios of one model, solved side by side.
 *
 *     new -> (its maker fills in scenarios) -> start -> RUNNING -> ended -> forgotten
 *                                           -> store: runs in the queue, for any process
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
#include "scenario_result.h"

#define ISO_SCENARIOS_MAX 10000

struct iso_evaluation;

/* Makes what a request asks of a base: its scenarios, not yet begun. Violations are those of the
 * request. */
typedef enum iso_status iso_evaluation_builder(struct iso_evaluation *evaluation,
                                               const ProtobufCMessage *request,
                                               struct iso_violations *violations,
                                               struct iso_error *reterr);
iso_evaluation_builder iso_evaluation_build_scenarios, iso_evaluation_build_sweep,
    iso_evaluation_build_frontier;

/* Makes one with a copy of the base's model whose wants are left out, and the snapshot that it
 * means now. Errors: those of opening the snapshot. */
enum iso_status iso_evaluation_new(struct iso_api *api, const struct iso_principal *principal,
                                   const struct iso_model_base *base,
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
/* The points make a curve, of which this is measured. */
void iso_evaluation_set_height(struct iso_evaluation *evaluation, enum iso_curve_height height);

/* Makes room for scenarios, at most so many. Once. */
enum iso_status iso_evaluation_reserve(struct iso_evaluation *evaluation, size_t n,
                                       struct iso_error *reterr);
/* Adds a scenario: the base with these changes, as iso_changes_read() gave them, after its own.
 * All is copied. `values`: of a sweep or frontier, at most 2. Errors: ISO_E_LIMIT. */
enum iso_status iso_evaluation_add(struct iso_evaluation *evaluation, const char *name,
                                   Isocost__V1__Change *const *changes, size_t n_changes,
                                   const double *values, int n_values, struct iso_error *reterr);

/* Adds a scenario that is a whole model, which passed iso_model_check() and must stay until the
 * end; it uses the snapshot of the base. Scenarios of this kind are solved in the order of adding.
 */
enum iso_status iso_evaluation_add_model(struct iso_evaluation *evaluation, const char *name,
                                         const Isocost__V1__Model *model, struct iso_error *reterr);
/* Results have all of a plan that is not larger than a message, lines too. */
void iso_evaluation_keep_whole(struct iso_evaluation *evaluation);

/* Begins; the call is sent the events. */
enum iso_status iso_evaluation_start(struct iso_evaluation *evaluation, struct iso_call *call,
                                     struct iso_error *reterr);

/* --- evaluation_inside.c: evaluations that the server itself asks for --- */

/* Begins without a caller. ISO_E_LIMIT: too many run; nothing has begun. */
enum iso_status iso_evaluation_begin(struct iso_evaluation *evaluation, struct iso_error *reterr);
/* Waits for the end, at most until `until_ns` of iso_wall_ns(); true when it has ended. */
bool iso_evaluation_await(struct iso_evaluation *evaluation, int64_t until_ns);
/* Asks it to end soon: what is not answered by then has no result. */
void iso_evaluation_cut_short(struct iso_evaluation *evaluation);
/* Scenarios that have an answer, and of them those answered by that of another. */
void iso_evaluation_count(struct iso_evaluation *evaluation, int *ret_done, int *ret_same);
/* The result of a scenario by its place, in the arena; NULL: there is none, or the arena is full.
 */
Isocost__V1__ScenarioResult *iso_evaluation_result(struct iso_evaluation *evaluation, int place,
                                                   struct iso_arena *arena);
/* Takes one that has ended out of the list, so that it ends with its maker's reference. */
void iso_evaluation_forget(struct iso_evaluation *evaluation);

/* --- evaluation_stored.c --- */

/* Whether it goes to the store, for whoever solves: one that goes on without its caller, and one
 * that other machines may help with. */
bool iso_evaluation_is_shared(const struct iso_evaluation *evaluation, bool durable);
/* Puts it in the store, its scenarios in runs in the queue; the call is sent the events. Not
 * `durable`: it ends when the call goes. The same `request_id` ("" = none) again: the call is sent
 * the events of the one that is there. Errors: ISO_E_LIMIT, ISO_E_EXISTS (another request). */
enum iso_status iso_evaluation_store(struct iso_evaluation *evaluation, struct iso_call *call,
                                     bool durable, const char *request_id,
                                     struct iso_error *reterr);

/* Sends the call the events of an evaluation after a number. */
enum iso_status iso_evaluation_watch(struct iso_api *api, struct iso_call *call, const char *id,
                                     int64_t after, struct iso_error *reterr);
/* There may be new events of a stored evaluation; NULL, NULL: of all. Progress is told, too. */
void iso_evaluations_changed(void *api, const struct iso_principal *principal, const char *id);

/* Stops all that are not stored and waits for none. */
void iso_evaluations_hold(struct iso_api *api);
/* All have stopped: forgets them. */
void iso_evaluations_free(struct iso_api *api);

#endif
