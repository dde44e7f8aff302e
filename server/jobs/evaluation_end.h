/* The end of a stored evaluation. */
#ifndef ISOCOST_SERVER_EVALUATION_END_H
#define ISOCOST_SERVER_EVALUATION_END_H

#include "scenario_result.h"
#include "store.h"

/* How far a stored evaluation is; `running` is in runs, of which each solves one scenario. */
void iso_stored_evaluation_progress(const struct iso_evaluation_record *record,
                                    Isocost__V1__EvaluationProgress *ret_progress);

/* Ends an evaluation whose scenarios all have their result, with the knee of its curve. Does
 * nothing when some have none or it has ended. Errors: those of the store, ISO_E_NOMEM,
 * ISO_E_LIMIT. */
enum iso_status iso_stored_evaluation_end(struct iso_store *store,
                                          const struct iso_principal *principal, const char *id,
                                          enum iso_curve_height height, struct iso_error *reterr);

/* Ends it as it is, because its caller went away. Does nothing when it has ended. */
enum iso_status iso_stored_evaluation_cancel(struct iso_store *store,
                                             const struct iso_principal *principal, const char *id,
                                             struct iso_error *reterr);

#endif
