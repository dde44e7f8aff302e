/* What differs in two snapshots beside offerings. */
#ifndef ISOCOST_SERVER_CATALOG_DIFF_RECORDS_H
#define ISOCOST_SERVER_CATALOG_DIFF_RECORDS_H

#include "isocost/v1/catalog_service.pb-c.h"
#include "snapshot_file.h"

/* Fills in the rates of egress and the overlays that differ, those of `only` or all, in the arena.
 * Errors: ISO_E_LIMIT, ISO_E_NOMEM. */
enum iso_status
iso_catalog_diff_records(const struct iso_snapshot *from, const struct iso_snapshot *to,
                         Isocost__V1__OfferingDifference only, struct iso_arena *arena,
                         Isocost__V1__DiffSnapshotsResponse *response, struct iso_error *reterr);

#endif
