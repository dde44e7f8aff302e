/* Guards a loop over pages: the same cursor twice, and pages without end, stop it. */
#ifndef ISOCOST_SDK_PAGER_H
#define ISOCOST_SDK_PAGER_H

#include <stdint.h>

#include "isocost/base/status.h"

#define ISO_PAGER_MAX_PAGES 10000

/* Zero-initialise it: struct iso_pager pager = {0}; */
struct iso_pager {
    uint64_t *seen; /* hashes of the cursors, open addressing; 0 is an empty place */
    size_t n_seen, n_places;
};

void iso_pager_fini(struct iso_pager *pager);

/* Notes the cursor of the next page. Errors: ISO_E_INVALID if it was there before, ISO_E_LIMIT
 * after ISO_PAGER_MAX_PAGES pages, ISO_E_NOMEM. */
enum iso_status iso_pager_next(struct iso_pager *pager, const char *cursor,
                               struct iso_error *reterr);

#endif
