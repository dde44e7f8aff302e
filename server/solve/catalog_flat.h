/* What a model's catalog means, without references: the offerings that its selectors take from the
 * snapshot beside its own, overlays applied, the products and quotas that hold, and what egress
 * costs. */
#ifndef ISOCOST_SERVER_CATALOG_FLAT_H
#define ISOCOST_SERVER_CATALOG_FLAT_H

#include "isocost/v1/model.pb-c.h"
#include "snapshot_file.h"

struct iso_flat_catalog {
    size_t n;
    struct iso_snapshot_offering *rows; /* n, by id */
    /* offerings[i] is rows[i] as a message; no selectors, snapshot or overlays. A model that has it
     * in the place of its own catalog is the same model. */
    Isocost__V1__Catalog *catalog;
    /* The model's own, then what the snapshot's rates come to. */
    size_t n_egress_prices;
    Isocost__V1__EgressPrice **egress_prices;
};

/* Makes one of a model that passed iso_model_check(), and has a `price_date` where it depends on
 * the day on which it is solved; `snapshot` may be NULL. Where prices change inside of load levels,
 * which have no names yet, they name periods that do not exist. All is in the arena, or borrowed
 * from the model and the snapshot. What is wrong with a snapshot's records is left out, as when the
 * model is solved. Errors: ISO_E_LIMIT. */
ISO_EXPORT enum iso_status iso_catalog_flatten(const Isocost__V1__Model *model,
                                               const struct iso_snapshot *snapshot,
                                               struct iso_arena *arena,
                                               struct iso_flat_catalog **ret_catalog,
                                               struct iso_error *reterr);

/* The place of an id, or -1. */
ISO_EXPORT int64_t iso_flat_catalog_find(const struct iso_flat_catalog *catalog, const char *id);

#endif
