#include "isocost/sdk/pager.h"

/* Twice the pages: the places are never more than half full. */
#define N_PLACES ((size_t)1 << 15)

_Static_assert(N_PLACES >= 2 * ISO_PAGER_MAX_PAGES, "room for every cursor");

void iso_pager_fini(struct iso_pager *pager)
{
    free(ISO_STEAL(pager->seen));
}

/* FNV-1a, 64 bits (draft-eastlake-fnv); never 0. */
static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return value ? value : 1;
}

enum iso_status iso_pager_next(struct iso_pager *pager, const char *cursor,
                               struct iso_error *reterr)
{
    uint64_t wanted = hash(cursor);

    if (pager->n_seen == ISO_PAGER_MAX_PAGES)
        return iso_fail(reterr, ISO_E_LIMIT, "cursor", "more than %d pages", ISO_PAGER_MAX_PAGES);
    if (!pager->seen) {
        pager->seen = iso_calloc(N_PLACES, sizeof(*pager->seen));
        if (!pager->seen)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cursors");
        pager->n_places = N_PLACES;
    }
    size_t place = (size_t)(wanted % pager->n_places);
    for (; pager->seen[place]; place = (place + 1) % pager->n_places)
        if (pager->seen[place] == wanted)
            return iso_fail(reterr, ISO_E_INVALID, "cursor",
                            "the source gave the cursor \"%.64s\" a second time", cursor);
    pager->seen[place] = wanted;
    pager->n_seen++;
    return ISO_OK;
}

enum iso_status iso_pager_run(const struct iso_host *host, iso_page_ask ask, void *context,
                              struct iso_error *reterr)
{
    ISO_AUTO_TEXT cursor = {0};
    struct iso_pager pager = {0};
    enum iso_status status;

    do {
        struct iso_text next = {0};
        status = host->cancelled(host)
                     ? iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled")
                     : ask(context, cursor.bytes ? cursor.bytes : "", &next, reterr);
        iso_text_fini(&cursor);
        cursor = next;
        if (status == ISO_OK)
            status = iso_text_check(&cursor, reterr);
        if (status == ISO_OK && cursor.n_bytes > 0)
            status = iso_pager_next(&pager, cursor.bytes, reterr);
    } while (status == ISO_OK && cursor.n_bytes > 0);
    iso_pager_fini(&pager);
    return status;
}
