/* A snapshot under construction: takes pages of rows as they come, keeps the good ones, counts and
 * explains the others. Nothing of it is visible before iso_draft_publish(). */
#ifndef ISOCOST_SERVER_DRAFT_H
#define ISOCOST_SERVER_DRAFT_H

#include "isocost/internal/v1/config.pb-c.h"
#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/v1/catalog_service.pb-c.h"
#include "snapshot_file.h"
#include "store.h"

#define ISO_DRAFT_EXAMPLES 1000 /* diagnostics kept of each code */

struct iso_draft;
/* `hygiene` is borrowed; NULL: the defaults. NULL when memory is short. */
struct iso_draft *iso_draft_new(const Isocost__Internal__V1__HygieneSettings *hygiene);
void iso_draft_free(struct iso_draft *draft);
ISO_DEFINE_FREEP(iso_draft)

/* Adds the rows of a page; `source` names where they are from. Rows that may not be used are
 * counted with their reason. The page may be changed. Errors: ISO_E_NOMEM, ISO_E_LIMIT. */
enum iso_status iso_draft_add_page(struct iso_draft *draft, const char *source,
                                   Isocost__Internal__V1__Page *page, struct iso_arena *page_arena,
                                   struct iso_error *reterr);

/* Adds one diagnostic, e.g. that a provider could not be reached. */
enum iso_status iso_draft_add_diagnostic(struct iso_draft *draft, const char *code,
                                         bool quarantined, const char *place, const char *text,
                                         struct iso_error *reterr);
enum iso_status iso_draft_add_source(struct iso_draft *draft, const char *source,
                                     struct iso_error *reterr);

struct iso_draft_counts {
    int64_t rows;        /* read, quarantined ones too */
    int64_t quarantined; /* of them */
    int64_t good;        /* offerings, products, quotas, overlays and rates kept */
};
struct iso_draft_counts iso_draft_counts(const struct iso_draft *draft);

/* The first quarantined row as a sentence, "" when there is none. */
const char *iso_draft_first_fault(const struct iso_draft *draft);

/* After all pages, before rows of a base are added: looks at the rows together (hygiene.h), and
 * takes out those that are to be quarantined. Errors: ISO_E_NOMEM. */
enum iso_status iso_draft_compare(struct iso_draft *draft, struct iso_error *reterr);

/* Then: adds the rows of `base` whose provider sent no rows of that kind. Overlays of
 * `overlay_base` are kept when no page had any. Both may be NULL. */
enum iso_status iso_draft_add_base(struct iso_draft *draft, const struct iso_snapshot *base,
                                   const struct iso_snapshot *overlay_base,
                                   struct iso_error *reterr);
/* Puts the overlays of a snapshot in the place of those there are. */
enum iso_status iso_draft_replace_overlays(struct iso_draft *draft,
                                           const struct iso_snapshot *overlay_base,
                                           struct iso_error *reterr);
bool iso_draft_has_overlays(const struct iso_draft *draft);

/* Writes the snapshot's file, with or without the overlays, and describes it; any number of times.
 * The record lives in the arena; *ret_snapshot borrows from the draft. */
enum iso_status iso_draft_publish(struct iso_draft *draft, const char *folder, bool with_overlays,
                                  int64_t create_ns, struct iso_arena *arena,
                                  struct iso_snapshot_record *ret_record,
                                  Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr);

#endif
