/* Studies: calls whose answer takes many solves, one after the other, each chosen by what came
 * before.
 *
 *     handler (checks, loads) -> start -> a thread of the study's own: solve, solve, ... ->
 * answered
 *
 * A study's thread waits for evaluations, which share the solvers with everybody; so how many
 * studies run at once is bounded, and what they may wait for ends with their time limit. Functions
 * are for the study's thread unless they say otherwise. */
#ifndef ISOCOST_SERVER_STUDY_H
#define ISOCOST_SERVER_STUDY_H

#include "api_internal.h"
#include "isocost/v1/explanation.pb-c.h"
#include "snapshot_file.h"

#define ISO_STUDY_THREADS 4
#define ISO_STUDIES_WAITING 16 /* for a thread */

/* A stored plan with what it was made from. */
struct iso_study_plan {
    const Isocost__V1__Plan *plan;   /* without lines */
    struct iso_bytes lines;          /* for iso_line_reader() */
    const Isocost__V1__Model *model; /* names the snapshot */
    const char *snapshot_digest;     /* "": it uses none */
    struct iso_snapshot *snapshot;   /* NULL: likewise */
};

struct iso_study {
    struct iso_task task;
    struct iso_api *api;
    struct iso_call *call; /* holds a reference */
    struct iso_arena *arena;
    int64_t end_ns; /* of iso_wall_ns(): no solve is begun after it */
    int n_solves, n_same;
    int most_solves;   /* beyond it there are no more */
    const char *doing; /* for progress; constant */
    int64_t told_ns;
    const ProtobufCMessageDescriptor *response;

    /* Answers the call; a failure becomes that of the call. */
    enum iso_status (*run)(struct iso_study *study, struct iso_error *reterr);
    void *asked; /* of `run` */
    size_t n_plans;
    struct iso_study_plan plans[2];
};

/* On the handler's thread: makes a study of a call that answers with a stream of `response`, whose
 * field 1 is StudyProgress. `time_limit_s`: 0 = 300. Errors: ISO_E_INVALID for a limit out of
 * range. */
enum iso_status iso_study_new(struct iso_api *api, struct iso_call *call, double time_limit_s,
                              const ProtobufCMessageDescriptor *response,
                              struct iso_study **ret_study, struct iso_error *reterr);
void iso_study_free(struct iso_study *study); /* accepts NULL */
ISO_DEFINE_FREEP(iso_study)

/* Loads a plan that has ended with an answer. Errors: ISO_E_INVALID (no id) with `field`,
 * ISO_E_NOT_FOUND, ISO_E_PRECONDITION (no answer, or its snapshot is not kept any more). */
enum iso_status iso_study_load(struct iso_study *study, const char *id, const char *field,
                               struct iso_error *reterr);

/* Gives the study to a thread. On success it is gone; on failure (ISO_E_LIMIT) it is not. */
enum iso_status iso_study_start(struct iso_study *study, struct iso_error *reterr);

/* A model to solve. */
struct iso_study_case {
    const Isocost__V1__Model *model; /* passed iso_model_check() */
    const Isocost__V1__Plan *plan;   /* the answer; NULL: none, and why: */
    const char *why_not;
};

enum iso_study_detail {
    ISO_STUDY_TOTALS, /* how it ended, costs and stages */
    ISO_STUDY_WHOLE,  /* and all else that is not larger than a message */
};

/* Solves models that use the same snapshot, or none. Plans and reasons are in `arena`. What the
 * time limit cuts short has no plan. Errors: ISO_E_CANCELLED, ISO_E_UNAVAILABLE (the server stops),
 * ISO_E_LIMIT. */
enum iso_status iso_study_solve(struct iso_study *study, struct iso_study_case *cases, size_t n,
                                enum iso_study_detail detail, struct iso_arena *arena,
                                struct iso_error *reterr);
/* Whether there is no time for another solve, or none is allowed. */
bool iso_study_is_over(const struct iso_study *study);

/* The stage of money; NULL when the plan has none. */
const Isocost__V1__Tier *iso_study_money(const Isocost__V1__Plan *plan);
/* Whether a plan says what to run. */
bool iso_study_has_cost(const Isocost__V1__Plan *plan);
/* The cost in 1e-9 of the base currency; 0 without one. */
iso_decimal iso_study_cost(const Isocost__V1__Plan *plan);

/* A copy of a model with options of its own, without wants and a plan to start from, in the study's
 * arena; NULL when it is full. */
Isocost__V1__Model *iso_study_model(struct iso_study *study, const Isocost__V1__Model *model);

#endif
