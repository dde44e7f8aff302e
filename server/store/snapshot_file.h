/* A snapshot: an immutable flat file named by its digest, mapped by whoever reads it.
 *
 * Layout (little-endian, every section aligned to 8): header {magic "ISOSNAP1", version, counts,
 * section offsets, digest}, fixed-size offering rows sorted by id, string table, then products,
 * quotas, overlays and rates of egress as packed protobuf records with an offset table. Readers
 * check magic, version, sizes and every offset once at open, so that later access needs no checks.
 */
#ifndef ISOCOST_SERVER_SNAPSHOT_FILE_H
#define ISOCOST_SERVER_SNAPSHOT_FILE_H

#include <stdint.h>

#include "isocost/base/decimal.h"
#include "isocost/base/sha256.h"
#include "isocost/base/status.h"
#include "isocost/problem.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/offering.pb-c.h"

/* One offering as readers see it; strings point into the map. */
struct iso_snapshot_offering {
    const char *id, *provider, *region, *zone, *type, *os, *native_id, *family, *arch, *tenancy;
    const char *gpu_model, *source, *labels; /* labels: "key=value\n" lines, sorted */
    int32_t purchase, kind, status, price_unit;
    char currency[4];
    iso_decimal price; /* of one price unit */
    iso_decimal lot;
    iso_decimal availability;
    iso_decimal capacity[ISO_N_RESOURCES]; /* or ISO_UNKNOWN */
    iso_decimal carbon;  /* kg of CO2 an hour, or ISO_UNKNOWN; not in the file: read as unknown */
    int64_t observed_ns; /* 0 = not said */
};

/* What an instance costs by the hour, in its currency: lots and months are out of it. */
ISO_EXPORT double iso_snapshot_hourly(const struct iso_snapshot_offering *offering);

struct iso_snapshot;

/* Maps the file behind `fd` (not closed, may be closed after). Errors: ISO_E_INVALID, ISO_E_IO. */
ISO_EXPORT enum iso_status iso_snapshot_map(int fd, struct iso_snapshot **ret_snapshot,
                                            struct iso_error *reterr);
ISO_EXPORT void iso_snapshot_free(struct iso_snapshot *snapshot); /* unmaps; accepts NULL */
ISO_DEFINE_FREEP(iso_snapshot)

ISO_EXPORT const char *iso_snapshot_digest(const struct iso_snapshot *snapshot);
ISO_EXPORT int32_t iso_snapshot_n_offerings(const struct iso_snapshot *snapshot);
ISO_EXPORT void iso_snapshot_offering(const struct iso_snapshot *snapshot, int32_t index,
                                      struct iso_snapshot_offering *ret_offering);
ISO_EXPORT int32_t iso_snapshot_n_products(const struct iso_snapshot *snapshot);
ISO_EXPORT int32_t iso_snapshot_n_quotas(const struct iso_snapshot *snapshot);
ISO_EXPORT int32_t iso_snapshot_n_overlays(const struct iso_snapshot *snapshot);
ISO_EXPORT int32_t iso_snapshot_n_egress_rates(const struct iso_snapshot *snapshot);
/* Unpacks one record into the arena; NULL when the arena is full. */
ISO_EXPORT Isocost__V1__CommitmentProduct *
iso_snapshot_product(const struct iso_snapshot *snapshot, int32_t index, struct iso_arena *arena);
ISO_EXPORT Isocost__V1__Quota *iso_snapshot_quota(const struct iso_snapshot *snapshot,
                                                  int32_t index, struct iso_arena *arena);
ISO_EXPORT Isocost__V1__Overlay *iso_snapshot_overlay(const struct iso_snapshot *snapshot,
                                                      int32_t index, struct iso_arena *arena);
/* By provider, region, destination, first day and GB. */
ISO_EXPORT Isocost__V1__EgressRate *iso_snapshot_egress_rate(const struct iso_snapshot *snapshot,
                                                             int32_t index,
                                                             struct iso_arena *arena);

/* Collects rows and writes the file: temporary name, fsync, rename to `<folder>/<digest>.snap`,
 * fsync of the folder. Rows must be complete (defaults filled in, id unique); the builder checks
 * uniqueness (ISO_E_EXISTS with the id). Equal content gives an equal digest whatever the order of
 * adding, save that of overlays, which apply in order; when the rows were observed does not count.
 * A file of that digest that is there already is replaced: its observations may be newer. */
struct iso_snapshot_builder;
ISO_EXPORT struct iso_snapshot_builder *iso_snapshot_builder_new(void);
ISO_EXPORT void iso_snapshot_builder_free(struct iso_snapshot_builder *builder);
ISO_DEFINE_FREEP(iso_snapshot_builder)
ISO_EXPORT enum iso_status iso_snapshot_add_offering(struct iso_snapshot_builder *builder,
                                                     const struct iso_snapshot_offering *offering,
                                                     struct iso_error *reterr);
ISO_EXPORT enum iso_status iso_snapshot_add_product(struct iso_snapshot_builder *builder,
                                                    const Isocost__V1__CommitmentProduct *product,
                                                    struct iso_error *reterr);
ISO_EXPORT enum iso_status iso_snapshot_add_quota(struct iso_snapshot_builder *builder,
                                                  const Isocost__V1__Quota *quota,
                                                  struct iso_error *reterr);
ISO_EXPORT enum iso_status iso_snapshot_add_overlay(struct iso_snapshot_builder *builder,
                                                    const Isocost__V1__Overlay *overlay,
                                                    struct iso_error *reterr);
/* Rates have an id too: all of a rate but its price, last day, source and time. */
ISO_EXPORT enum iso_status iso_snapshot_add_egress_rate(struct iso_snapshot_builder *builder,
                                                        const Isocost__V1__EgressRate *rate,
                                                        struct iso_error *reterr);
/* The offerings added so far, in no order that means anything; texts are valid until the next one
 * is added. */
ISO_EXPORT size_t iso_snapshot_n_added(const struct iso_snapshot_builder *builder);
ISO_EXPORT void iso_snapshot_added(const struct iso_snapshot_builder *builder, size_t index,
                                   struct iso_snapshot_offering *ret_offering);
ISO_EXPORT void iso_snapshot_set_price(struct iso_snapshot_builder *builder, size_t index,
                                       iso_decimal price); /* > 0 */
/* Takes out the offerings for which `is_out` is true, one flag each; the others keep their order.
 */
ISO_EXPORT void iso_snapshot_take_out(struct iso_snapshot_builder *builder, const bool *is_out);
/* The products added so far, unpacked into the arena; NULL when that is full. */
ISO_EXPORT size_t iso_snapshot_n_added_products(const struct iso_snapshot_builder *builder);
ISO_EXPORT Isocost__V1__CommitmentProduct *
iso_snapshot_added_product(const struct iso_snapshot_builder *builder, size_t index,
                           struct iso_arena *arena);
ISO_EXPORT void iso_snapshot_take_out_products(struct iso_snapshot_builder *builder,
                                               const bool *is_out);
/* Takes all overlays out again, so that the same rows can be written for another tenant. */
ISO_EXPORT void iso_snapshot_clear_overlays(struct iso_snapshot_builder *builder);
ISO_EXPORT enum iso_status iso_snapshot_write(struct iso_snapshot_builder *builder,
                                              const char *folder,
                                              char ret_digest[ISO_DIGEST_TEXT_SIZE],
                                              struct iso_error *reterr);

#endif
