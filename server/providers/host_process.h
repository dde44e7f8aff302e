/* One plugin host, from the server's side: started for one refresh, loaded, asked, reaped.
 *
 *     spawn -> LOAD -> Hello -> FETCH -> Page ... -> End -> closed -> reaped
 *
 * A host lives for one fetch, so nothing of a plugin outlives a refresh and a new plugin file
 * counts at once. Whatever the host does, the call ends by its deadline and leaves no process
 * behind. */
#ifndef ISOCOST_SERVER_HOST_PROCESS_H
#define ISOCOST_SERVER_HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"
#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/proto/arena.h"

#define ISO_HOST_PAGE_BYTES ((4u << 20) + 65536u) /* largest frame taken from a host */
#define ISO_HOST_MAX_ROWS 2000000

struct iso_host_request {
    const char *host_path; /* absolute path of isocost-plugin-host */
    const Isocost__Internal__V1__LoadRequest *load;
    bool fetch; /* false: load only, to see whether it can be */
    const Isocost__Internal__V1__FetchRequest *what; /* NULL: a whole catalog. Its deadline is not
                                                      * read */
    double deadline_s;                               /* of load and fetch together */
    /* All may be NULL; called on the caller's thread. `page` may keep nothing of what it gets but
     * may change it; a failure it returns ends the fetch. */
    void *context;
    bool (*cancelled)(void *context);
    enum iso_status (*page)(void *context, Isocost__Internal__V1__Page *page,
                            struct iso_arena *page_arena, struct iso_error *reterr);
    void (*log)(void *context, int level, const char *text);
    /* What the plugin said of itself; keeps nothing of it. */
    enum iso_status (*hello)(void *context, const Isocost__Internal__V1__Hello *hello,
                             struct iso_error *reterr);
};

/* What was learnt about the plugin, also when the fetch failed. Zero-initialise. */
struct iso_host_report {
    bool loaded; /* it said Hello; the three below are set then */
    char version[64];
    uint32_t capabilities;         /* bits of Hello */
    char missing_protections[256]; /* with ' ' between them */
    bool crashed;         /* the host died, hung or broke the protocol, as against saying no */
    bool refused;         /* the host would not load the plugin */
    double retry_after_s; /* as the provider asked; 0 = it did not */
};

/* Errors: ISO_E_UNAVAILABLE (crashed, or the provider cannot answer now), ISO_E_DEADLINE,
 * ISO_E_CANCELLED, ISO_E_DENIED, ISO_E_UNAUTHENTICATED (the provider refused its credentials),
 * ISO_E_PRECONDITION (the plugin says that trying again does not help), ISO_E_LIMIT, ISO_E_NOMEM,
 * or what `page` returned. */
enum iso_status iso_host_run(const struct iso_host_request *request, struct iso_host_report *report,
                             struct iso_error *reterr);

#endif
