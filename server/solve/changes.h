/* Changes of models: a pure function from a model and changes to a model.
 *
 * What comes out is an ordinary model: a scenario is solved as if somebody had written that model.
 * So the k-th scenario of an evaluation and a fresh solve of the same model are one and the same by
 * construction. */
#ifndef ISOCOST_SERVER_CHANGES_H
#define ISOCOST_SERVER_CHANGES_H

#include "isocost/proto/violations.h"
#include "isocost/v1/session_service.pb-c.h"

#define ISO_CHANGES_MAX 1000 /* applied to one model */

/* Gives changes as messages: those that came as text are read. Wrong ones are violations of
 * `path`[i].text, with the column. The messages live in the violations' arena and borrow from
 * `given`. Errors: ISO_E_INVALID, ISO_E_LIMIT. */
ISO_EXPORT enum iso_status iso_changes_read(Isocost__V1__Change *const *given, size_t n,
                                            const char *path, struct iso_violations *violations,
                                            Isocost__V1__Change ***ret_changes,
                                            struct iso_error *reterr);

/* Where products of the snapshot come from, when a change is about one of them. */
struct iso_product_source {
    void *context;
    /* *ret_product NULL: there is none of that id. In the arena. */
    enum iso_status (*find)(void *context, const char *id, struct iso_arena *arena,
                            const Isocost__V1__CommitmentProduct **ret_product,
                            struct iso_error *reterr);
};

/* Changes to apply one after the other, as iso_changes_read() gave them. */
struct iso_changes {
    size_t n;
    Isocost__V1__Change *const *items;
    size_t n_before;  /* of these: those that a session brought */
    const char *path; /* of the others, in the request */
};

/* Applies changes to a model that passed iso_model_check(). The result lives in the violations'
 * arena and borrows from the base and the changes; whoever uses it must iso_model_check() it.
 * `source` may be NULL: no snapshot. What the base does not allow (an unknown id, a period that is
 * not there) is a violation of `path`[i], or of `path`[i].text with the column when the change came
 * as text. Errors: ISO_E_INVALID, ISO_E_LIMIT, those of the source. */
ISO_EXPORT enum iso_status
iso_changes_apply(const Isocost__V1__Model *base, const struct iso_changes *changes,
                  const struct iso_product_source *source, struct iso_violations *violations,
                  Isocost__V1__Model **ret_model, struct iso_error *reterr);

/* What changes of a model can name. Borrows from the model; NULL when the arena is full. */
ISO_EXPORT Isocost__V1__ChangeTargets *iso_change_targets(const Isocost__V1__Model *model,
                                                          struct iso_arena *arena);

#endif
