/* Plans on their way: from the solver process to the supervisor, and from there to the caller. */
#ifndef ISOCOST_SERVER_ANSWER_H
#define ISOCOST_SERVER_ANSWER_H

#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/plan.h"
#include "isocost/v1/plan.pb-c.h"
#include "isocost/verify.h"
#include "resolve.h"

/* The message lives in the arena. NULL when the arena is full. */
ISO_EXPORT Isocost__Internal__V1__Answer *iso_answer_from_plan(const struct iso_plan *plan,
                                                               struct iso_arena *arena);

/* Rebuilds a plan, with its bill, for the problem that was solved; checks only that columns have
 * equal length, enums are known and the bill comes to what the answer says (everything else is the
 * verifier's work). Errors: ISO_E_INVALID, ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_answer_to_plan(const Isocost__Internal__V1__Answer *answer,
                                              const struct iso_problem *problem,
                                              struct iso_plan **ret_plan, struct iso_error *reterr);

/* Makes the public message from a plan whose indices are in range: names, sentences, sums by
 * provider, team, region and period, actions, digests, reliances, ages. Only the first lines are
 * there, as many as take `most_line_bytes` on the wire; sums and digests are of all. `now_ns` is
 * for ages. Ids are borrowed from `resolved`, which must outlive the message. Without a verdict
 * (NULL) the certificate says that nothing passed, until iso_plan_certify(). NULL when the arena is
 * full. */
ISO_EXPORT Isocost__V1__Plan *iso_plan_to_proto(const struct iso_resolved *resolved,
                                                const Isocost__V1__Model *model,
                                                const struct iso_plan *plan,
                                                const struct iso_verdict *verdict, int64_t now_ns,
                                                size_t most_line_bytes, struct iso_arena *arena);

/* The lines of such a message as they stand in a packed Plan, in the arena; NULL when it is full.
 * `most_line_bytes` is what the message was made with. */
ISO_EXPORT unsigned char *iso_plan_pack_shown(const Isocost__V1__Plan *message,
                                              size_t most_line_bytes, struct iso_arena *arena,
                                              size_t *ret_n_bytes);

/* Writes what the verifier found into a message: its plan passed. */
ISO_EXPORT void iso_plan_certify(Isocost__V1__Plan *message, const struct iso_verdict *verdict);

/* All lines of a verified plan, packed as a Plan with nothing else, which the caller frees. Errors:
 * ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_plan_pack_lines(const struct iso_resolved *resolved,
                                               const struct iso_plan *plan,
                                               unsigned char **ret_bytes, size_t *ret_n_bytes,
                                               struct iso_error *reterr);

/* The parts that ValidateModel answers with too: digests without the plan's, and sizes with what
 * the filters removed. NULL when the arena is full. */
ISO_EXPORT Isocost__V1__PlanDigests *iso_plan_digests_new(const struct iso_resolved *resolved,
                                                          struct iso_arena *arena);
ISO_EXPORT Isocost__V1__PlanStats *iso_plan_stats_new(const struct iso_resolved *resolved,
                                                      struct iso_arena *arena);

/* Writes the public name of a stage of the objective ("fair priority 2 worst 1", "unserved priority
 * 2", "preferences", "money", "moves") and returns `name`. */
#define ISO_TIER_NAME_SIZE 40
ISO_EXPORT char *iso_tier_name(const struct iso_tier *tier, char name[ISO_TIER_NAME_SIZE]);

/* Reads such a name into kind, priority and worst; "" is "money". Errors: ISO_E_INVALID with field
 * "tier". */
ISO_EXPORT enum iso_status iso_tier_parse(const char *name, struct iso_tier *ret_tier,
                                          struct iso_error *reterr);

#endif
