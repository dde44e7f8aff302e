/* The sink behind a plugin's rows: gathers them into pages and sends each page when it is full.
 *
 * A page has at most 5,000 rows and 4 MiB, a fetch at most 2,000,000 rows. Sending waits until the
 * socket has taken the page, so a plugin never runs ahead of the server by more than one page. */
#ifndef ISOCOST_PLUGIN_HOST_PAGES_H
#define ISOCOST_PLUGIN_HOST_PAGES_H

#include "isocost/base/sha256.h"
#include "isocost/proto/arena.h"
#include "services.h"

#define ISO_PAGE_ROWS 5000
#define ISO_PAGE_BYTES ((size_t)4 << 20)
#define ISO_ROW_BYTES ((size_t)1 << 20) /* most bytes of one packed row */
#define ISO_FETCH_ROWS 2000000

struct iso_pages {
    struct iso_sink sink; /* first: what the plugin gets is what we get back */
    struct iso_services *services;
    struct iso_arena *arena; /* of the page under way; NULL between pages */
    Isocost__Internal__V1__Page *page;
    size_t n_page_bytes, n_page_rows;
    int64_t n_pages, n_rows, n_diagnostics;
    struct iso_sha256 sha;
    struct iso_error
        error; /* the first failure; the fetch has failed even if the plugin hides it */
};

/* `services` is borrowed. */
void iso_pages_init(struct iso_pages *pages, struct iso_services *services);
void iso_pages_fini(struct iso_pages *pages);

/* Sends the last page and the end. Errors: the first failure of any put(). */
enum iso_status iso_pages_finish(struct iso_pages *pages, struct iso_error *reterr);

#endif
