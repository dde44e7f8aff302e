/* What was wrong with the rows of a catalog: a count for each code and the first examples. */
#ifndef ISOCOST_SERVER_DIAGNOSTICS_H
#define ISOCOST_SERVER_DIAGNOSTICS_H

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/catalog_service.pb-c.h"

struct iso_diagnostics;
struct iso_diagnostics *iso_diagnostics_new(int max_examples); /* of each code; NULL: no memory */
void iso_diagnostics_free(struct iso_diagnostics *diagnostics);
ISO_DEFINE_FREEP(iso_diagnostics)

/* Counts one; keeps it while its code has fewer than max_examples. A code that is no word
 * `[a-z0-9_]{1,64}`, or one code too many, is counted as `other`. Errors: ISO_E_NOMEM. */
enum iso_status iso_diagnostics_add(struct iso_diagnostics *diagnostics, const char *code,
                                    bool quarantined, const char *place, const char *text,
                                    struct iso_error *reterr);

/* Takes what a plugin tells: one row with its place, or how many more there were of a code. Errors:
 * ISO_E_NOMEM. */
enum iso_status iso_diagnostics_take(struct iso_diagnostics *diagnostics,
                                     const Isocost__V1__Diagnostic *told, struct iso_error *reterr);

/* Rows that a plugin's diagnostic tells of, at least 1. */
int64_t iso_diagnostic_rows(const Isocost__V1__Diagnostic *told);

int64_t iso_diagnostics_quarantined(const struct iso_diagnostics *diagnostics);

/* The first quarantined one; NULL when there is none. */
const Isocost__V1__Diagnostic *iso_diagnostics_first(const struct iso_diagnostics *diagnostics);

/* Lists of all, borrowed: counts by code in order of appearance, examples in order of appearance.
 */
void iso_diagnostics_counts(const struct iso_diagnostics *diagnostics,
                            Isocost__V1__DiagnosticCount ***ret_counts, size_t *ret_n_counts);
void iso_diagnostics_examples(const struct iso_diagnostics *diagnostics,
                              Isocost__V1__Diagnostic ***ret_examples, size_t *ret_n_examples);

#endif
