/* Models, snapshots and plans of the store as those who solve and show them need them. */
#ifndef ISOCOST_SERVER_STORED_H
#define ISOCOST_SERVER_STORED_H

#include "changes.h"
#include "isocost/proto/timestamp.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/plan.pb-c.h"
#include "store.h"

#define ISO_MAX_UPLOAD_BYTES ((size_t)63 << 20) /* a solver's frame holds 64 MiB */
#define ISO_PLAN_ARENA_BYTES ((size_t)2 << 30)

int64_t iso_wall_ns(void);

/* A stored model by its digest; the violations' arena holds it. Errors: ISO_E_NOT_FOUND,
 * ISO_E_INVALID. */
enum iso_status iso_model_load(struct iso_store *store, const struct iso_principal *principal,
                               const char *digest, struct iso_violations *violations,
                               const Isocost__V1__Model **ret_model, struct iso_error *reterr);
/* The model with changes, checked; the model itself when there are none. What the snapshot knows of
 * products comes from the store; `snapshot_digest` as for iso_snapshot_open(). Violations as
 * iso_changes_apply() and iso_model_check(). */
enum iso_status
iso_stored_model_change(struct iso_store *store, const struct iso_principal *principal,
                        const Isocost__V1__Model *model, const char *snapshot_digest,
                        const struct iso_changes *changes, struct iso_violations *violations,
                        const Isocost__V1__Model **ret_model, struct iso_error *reterr);
/* Opens the snapshot that a model needs: -1 when it needs none or there is none. The caller closes
 * it. `digest` "" = the one that the model names, or else the newest. */
enum iso_status iso_snapshot_open(struct iso_store *store, const struct iso_principal *principal,
                                  const Isocost__V1__Model *model, const char *digest,
                                  struct iso_arena *arena, int *ret_fd, const char **ret_digest,
                                  struct iso_error *reterr);
/* The plan of a record, without lines; what the store knows better replaces what the plan says. */
enum iso_status iso_plan_from_record(const struct iso_plan_record *record, struct iso_arena *arena,
                                     Isocost__V1__Plan **ret_plan, struct iso_error *reterr);

#endif
