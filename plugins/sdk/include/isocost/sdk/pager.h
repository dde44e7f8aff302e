/* A loop over pages, and what guards it: the same cursor twice, and pages without end, stop it. */
#ifndef ISOCOST_SDK_PAGER_H
#define ISOCOST_SDK_PAGER_H

#include <stdint.h>

#include "isocost/plugin.h"
#include "isocost/sdk/text.h"

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

/* Asks for the page at `cursor`, "" for the first, and adds the cursor of the next one to `next`,
 * which comes empty; what stays empty is the end. */
typedef enum iso_status (*iso_page_ask)(void *context, const char *cursor, struct iso_text *next,
                                        struct iso_error *reterr);

/* Asks for page after page. Errors: ISO_E_CANCELLED (the host is asked before each page), those of
 * iso_pager_next() and of ask(). */
enum iso_status iso_pager_run(const struct iso_host *host, iso_page_ask ask, void *context,
                              struct iso_error *reterr);

#endif
