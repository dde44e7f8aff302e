/* What is wrong with prices that are each well formed: found where it shows, which for some faults
 * is one row and for others all rows of a refresh together.
 *
 * Each finding has a code, a severity and a decision. The table in hygiene.c holds them; an
 * operator overrides decisions and limits in providers.yaml (HygieneSettings). Judging single
 * values, units and names is row_check.h's. */
#ifndef ISOCOST_SERVER_HYGIENE_H
#define ISOCOST_SERVER_HYGIENE_H

#include "isocost/base/status.h"
#include "isocost/internal/v1/config.pb-c.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/catalog_service.pb-c.h"
#include "snapshot_file.h"

/* What becomes of a row. */
enum iso_decision {
    ISO_DECISION_KEEP,       /* it stays, and is told */
    ISO_DECISION_REPAIR,     /* it stays with what was meant, and is told */
    ISO_DECISION_QUARANTINE, /* it is left out, and is told */
    ISO_DECISION_IGNORE,     /* it stays, and is not told */
};

/* The decision for a code; `settings` may be NULL. */
enum iso_decision iso_hygiene_decision(const Isocost__Internal__V1__HygieneSettings *settings,
                                       const char *code);

/* How bad a finding of this code is; warnings for codes of plugins' own. */
Isocost__V1__DiagnosticSeverity iso_hygiene_severity(const char *code, bool quarantined);

/* Gives limits of 0 their defaults. */
void iso_hygiene_fill_defaults(Isocost__Internal__V1__HygieneSettings *settings);

/* Fills in defaults and checks decisions and limits. */
void iso_hygiene_check_settings(Isocost__Internal__V1__HygieneSettings *settings,
                                struct iso_violations *violations);

/* Takes a finding. Errors end the search and are passed on. */
typedef enum iso_status (*iso_hygiene_tell)(void *context, const char *code, bool quarantined,
                                            const char *place, const char *text,
                                            struct iso_error *reterr);

/* Looks at all offerings added so far: spot prices that are not below on-demand ones, prices far
 * from those of the same offering in other regions, observations far older than the provider's
 * newest, sources whose prices went through a float32, fees of a term that stand as fees of an
 * hour. Rows that are to be quarantined are taken out of the builder. Errors: ISO_E_NOMEM, those
 * of tell(). */
enum iso_status iso_hygiene_run(const Isocost__Internal__V1__HygieneSettings *settings,
                                struct iso_snapshot_builder *builder, iso_hygiene_tell tell,
                                void *context, struct iso_error *reterr);

/* Looks at the commitment products: fees by the hour that are so far above what they cover that
 * they must be those of the whole term. Called by iso_hygiene_run() while all offerings are there.
 */
enum iso_status iso_hygiene_run_products(const Isocost__Internal__V1__HygieneSettings *settings,
                                         struct iso_snapshot_builder *builder,
                                         iso_hygiene_tell tell, void *context,
                                         struct iso_error *reterr);

/* A price that once was a float32: 0.1 that became 0.10000000149011612, here in billionths. True,
 * and the price with fewest digits that becomes the same float32, if that has at least three digits
 * less. */
bool iso_hygiene_float32(iso_decimal price, iso_decimal *ret_meant);

#endif
