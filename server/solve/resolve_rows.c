/* Which rows of the snapshot matter, found once for all models over it.
 *
 * The rows that the catalog's selectors choose have *places* 0, 1, ...; what another selector
 * matches of them is a set of places, one bit each. A selector reads what an overlay never changes,
 * so sets hold for rows as stored and with overlays alike. Sets are named by the digest of the
 * snapshot, of the catalog's selectors and of the selector itself, packed. */
#include <stdlib.h>
#include <string.h>

#include "resolve_internal.h"

#define WORD_BITS 64

/* What a digest is about; part of it. */
enum kind { KIND_CHOSEN = 'c', KIND_MATCHED = 'm', KIND_ON_SALE = 's' };

static void begin_digest(struct iso_sha256 *sha, enum kind kind)
{
    const char letter = (char)kind;

    iso_sha256_init(sha);
    iso_sha256_update(sha, &letter, 1);
}

static bool add_selector(struct iso_resolve *r, struct iso_sha256 *sha,
                         const Isocost__V1__Selector *selector)
{
    uint64_t n_bytes = selector ? isocost__v1__selector__get_packed_size(selector) : 0;
    uint8_t *bytes = iso_arena_calloc(r->scratch, n_bytes, 1);

    if (!bytes)
        return false;
    if (selector)
        isocost__v1__selector__pack(selector, bytes);
    iso_sha256_update(sha, &n_bytes, sizeof(n_bytes));
    iso_sha256_update(sha, bytes, n_bytes);
    return true;
}

/* Notes that a result is held, so that it is released in the end. */
static enum iso_status note(struct iso_resolve *r, const struct iso_cached *cached,
                            struct iso_error *reterr)
{
    struct iso_rows *rows = &r->rows;

    if (!cached)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to resolve a model");
    enum iso_status status = iso_resolve_reserve(&rows->held, &rows->held_capacity,
                                                 rows->n_held + 1, sizeof(*rows->held), reterr);
    bool again = rows->n_held > 0 && rows->held[rows->n_held - 1] == cached;
    if (status != ISO_OK || again) {
        iso_resolve_cache_release(r->cache, cached);
        return status;
    }
    rows->held[rows->n_held++] = cached;
    rows->n_held_bytes += cached->n_bytes;
    return rows->n_held_bytes <= iso_arena_left(r->scratch) ? ISO_OK : iso_resolve_full(reterr);
}

static void set_bit(uint64_t *words, int32_t place)
{
    words[place / WORD_BITS] |= UINT64_C(1) << place % WORD_BITS;
}

/* The result of choosing: the number of rows, whether each selector chose any, and the rows. */
static int32_t *choose(struct iso_resolve *r, const struct iso_selector *const *selectors, size_t n,
                       size_t *ret_n_bytes)
{
    int32_t n_stored = iso_snapshot_n_offerings(r->snapshot), n_chosen = 0;
    int32_t *result = iso_calloc(1 + n + (size_t)n_stored, sizeof(*result));
    int32_t *hits = result ? &result[1] : NULL, *chosen = result ? &result[1 + n] : NULL;

    for (int32_t row = 0; row < n_stored && result; row++) {
        struct iso_snapshot_offering view;
        bool wanted = false;
        iso_snapshot_offering(r->snapshot, row, &view);
        for (size_t i = 0; i < n; i++) /* each is tried until it has a hit */
            if ((!wanted || !hits[i]) && iso_selector_matches(selectors[i], &view)) {
                wanted = true;
                hits[i] = 1;
            }
        if (wanted)
            chosen[n_chosen++] = row;
    }
    if (!result)
        return NULL;
    result[0] = n_chosen;
    *ret_n_bytes = (1 + n + (size_t)n_chosen) * sizeof(*result);
    int32_t *shorter = iso_realloc(result, *ret_n_bytes, 1);
    return shorter ? shorter : result;
}

static enum iso_status choose_rows(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    size_t n = catalog->n_selectors, n_bytes = 0;
    const struct iso_selector **selectors = iso_arena_calloc(r->scratch, n, sizeof(*selectors));
    struct iso_rows *rows = &r->rows;
    struct iso_sha256 sha;

    begin_digest(&sha, KIND_CHOSEN);
    iso_sha256_update(&sha, iso_snapshot_digest(r->snapshot), ISO_DIGEST_TEXT_SIZE);
    for (size_t i = 0; i < n && selectors; i++)
        if (!add_selector(r, &sha, catalog->selectors[i]))
            return iso_resolve_full(reterr);
    iso_sha256_final(&sha, rows->digest);
    const struct iso_cached *cached = iso_resolve_cache_find(r->cache, rows->digest);
    for (size_t i = 0; i < n && selectors && !cached; i++) {
        selectors[i] = iso_selector_compile(catalog->selectors[i], r->scratch);
        if (!selectors[i])
            return iso_resolve_full(reterr);
    }
    if (!selectors)
        return iso_resolve_full(reterr);
    if (!cached) {
        int32_t *chosen = choose(r, selectors, n, &n_bytes);
        cached = chosen ? iso_resolve_cache_take(r->cache, rows->digest, chosen, n_bytes) : NULL;
    }
    ISO_TRY(note(r, cached, reterr));
    const int32_t *chosen = cached->bytes;
    rows->n = chosen[0];
    rows->hits = &chosen[1];
    rows->stored = &chosen[1 + n];
    return ISO_OK;
}

/* A set that is asked for: what a selector matches, or (NULL) the rows that are on sale. */
struct wish {
    unsigned char digest[ISO_SHA256_BYTES];
    const struct iso_selector *selector;
    uint64_t *words; /* heap; NULL: the set is known, or another wish is for the same one */
    const uint64_t **set;
};

struct wishes {
    size_t n, n_unknown;
    struct wish *items;
    struct wish **unknown;
};

static bool is_on_sale(const struct iso_snapshot_offering *view)
{
    iso_decimal price;

    return iso_resolve_can_be_bought(view) && iso_resolve_to_hourly(view, view->price, &price);
}

/* Adds the wish for a set; gives it at once where it is known. `message` is what the selector was
 * compiled from. */
static enum iso_status wish_for(struct iso_resolve *r, struct wishes *wishes,
                                const Isocost__V1__Selector *message,
                                const struct iso_selector *selector, const uint64_t **set,
                                struct iso_error *reterr)
{
    struct wish *wish = &wishes->items[wishes->n++];
    struct iso_sha256 sha;

    *wish = (struct wish){.selector = selector, .set = set};
    begin_digest(&sha, selector ? KIND_MATCHED : KIND_ON_SALE);
    iso_sha256_update(&sha, r->rows.digest, sizeof(r->rows.digest));
    if (!add_selector(r, &sha, message))
        return iso_resolve_full(reterr);
    iso_sha256_final(&sha, wish->digest);
    const struct iso_cached *cached = iso_resolve_cache_find(r->cache, wish->digest);
    if (cached) {
        *set = cached->bytes;
        return note(r, cached, reterr);
    }
    for (size_t i = 0; i < wishes->n_unknown; i++)
        if (memcmp(wishes->unknown[i]->digest, wish->digest, sizeof(wish->digest)) == 0)
            return ISO_OK;
    wish->words = iso_calloc(iso_rows_n_words(&r->rows), sizeof(*wish->words));
    if (!wish->words)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to resolve a model");
    wishes->unknown[wishes->n_unknown++] = wish;
    return ISO_OK;
}

/* Finds the sets that are not known, all in one walk over the rows. */
static enum iso_status fulfil(struct iso_resolve *r, struct wishes *wishes,
                              struct iso_error *reterr)
{
    const struct iso_rows *rows = &r->rows;

    for (int32_t place = 0; place < rows->n && wishes->n_unknown > 0; place++) {
        struct iso_snapshot_offering view;
        iso_snapshot_offering(r->snapshot, rows->stored[place], &view);
        for (size_t i = 0; i < wishes->n_unknown; i++) {
            struct wish *wish = wishes->unknown[i];
            if (wish->selector ? iso_selector_matches(wish->selector, &view) : is_on_sale(&view))
                set_bit(wish->words, place);
        }
    }
    for (size_t i = 0; i < wishes->n_unknown; i++) {
        struct wish *wish = wishes->unknown[i];
        ISO_TRY(note(r,
                     iso_resolve_cache_take(r->cache, wish->digest, ISO_STEAL(wish->words),
                                            iso_rows_n_words(rows) * sizeof(*wish->words)),
                     reterr));
    }
    for (size_t i = 0; i < wishes->n; i++) { /* those of one set are all given it now */
        struct wish *wish = &wishes->items[i];
        const struct iso_cached *cached =
            *wish->set ? NULL : iso_resolve_cache_find(r->cache, wish->digest);
        if (*wish->set)
            continue;
        ISO_TRY(note(r, cached, reterr));
        *wish->set = cached->bytes;
    }
    return ISO_OK;
}

/* What each scope matches of the rows, and which rows are on sale. */
static enum iso_status find_sets(struct iso_resolve *r, struct wishes *wishes,
                                 struct iso_error *reterr)
{
    for (int32_t a = 0; a < r->problem->n_workloads; a++) {
        struct iso_chooser *chooser = &r->choosers[a];
        ISO_TRY(wish_for(r, wishes, chooser->message->allowed, chooser->allowed.selector,
                         &chooser->allowed.rows, reterr));
        if (chooser->has_forbidden)
            ISO_TRY(wish_for(r, wishes, chooser->message->forbidden, chooser->forbidden.selector,
                             &chooser->forbidden.rows, reterr));
    }
    for (int32_t i = 0; i < r->n_overlays; i++)
        ISO_TRY(wish_for(r, wishes, r->overlays[i].message->offerings,
                         r->overlays[i].scope.selector, &r->overlays[i].scope.rows, reterr));
    ISO_TRY(wish_for(r, wishes, NULL, NULL, &r->rows.on_sale, reterr));
    return fulfil(r, wishes, reterr);
}

/* The place of a stored row among the chosen ones, or -1. */
static int32_t place_of(const struct iso_rows *rows, int32_t row)
{
    int32_t low = 0, high = rows->n;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (rows->stored[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->n && rows->stored[low] == row ? low : -1;
}

/* Looks at a row one by one, if it is chosen; whether it is. */
static bool look_at(struct iso_rows *rows, int32_t row)
{
    int32_t place = row < 0 ? -1 : place_of(rows, row);

    if (place >= 0)
        set_bit(rows->looked_at, place);
    return place >= 0;
}

void iso_rows_replace(struct iso_resolve *r, const char *id)
{
    int32_t row = iso_resolve_find_stored(r->snapshot, id);

    if (row >= 0 && !look_at(&r->rows, row))
        r->rows.n_replaced++;
}

/* Rows that must be looked at one by one: those that some workload may use, that an overlay
 * changes, or that run today. */
static void find_looked_at(struct iso_resolve *r)
{
    struct iso_rows *rows = &r->rows;

    for (size_t k = 0; k < iso_rows_n_words(rows); k++) {
        for (int32_t a = 0; a < r->problem->n_workloads; a++) {
            const struct iso_chooser *chooser = &r->choosers[a];
            rows->looked_at[k] |= chooser->allowed.rows[k] &
                                  ~(chooser->has_forbidden ? chooser->forbidden.rows[k] : 0);
        }
        for (int32_t i = 0; i < r->n_overlays; i++)
            rows->looked_at[k] |= r->overlays[i].scope.rows[k];
    }
    for (int32_t i = 0; i < r->current_ids.n; i++)
        look_at(rows, iso_resolve_find_stored(r->snapshot, r->current_ids.texts[i]));
}

enum iso_status iso_rows_open(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_rows *rows = &r->rows;
    size_t most = 2 * (size_t)r->problem->n_workloads + (size_t)r->n_overlays + 1;
    struct wishes wishes = {
        .items = iso_arena_calloc(r->scratch, most, sizeof(*wishes.items)),
        .unknown = iso_arena_calloc(r->scratch, most, sizeof(struct wish *)),
    };

    if (!r->snapshot || r->model->catalog->n_selectors == 0)
        return ISO_OK;
    ISO_TRY(choose_rows(r, reterr));
    rows->looked_at =
        iso_arena_calloc(r->scratch, iso_rows_n_words(rows), sizeof(*rows->looked_at));
    if (!rows->looked_at || !wishes.items || !wishes.unknown)
        return iso_resolve_full(reterr);
    enum iso_status status = find_sets(r, &wishes, reterr);
    for (size_t i = 0; i < wishes.n_unknown; i++)
        free(wishes.unknown[i]->words);
    ISO_TRY(status);
    find_looked_at(r);
    return ISO_OK;
}

int32_t iso_rows_next(const struct iso_rows *rows, int32_t place)
{
    size_t n_words = iso_rows_n_words(rows), k = (size_t)place / WORD_BITS;

    if (k >= n_words)
        return rows->n;
    uint64_t word = rows->looked_at[k] & (UINT64_MAX << place % WORD_BITS);
    while (word == 0 && ++k < n_words)
        word = rows->looked_at[k];
    return word ? (int32_t)(k * WORD_BITS) + __builtin_ctzll(word) : rows->n;
}

void iso_rows_count_others(struct iso_resolve *r)
{
    const struct iso_rows *rows = &r->rows;
    int64_t n_left_out = r->snapshot && rows->looked_at
                             ? iso_snapshot_n_offerings(r->snapshot) - rows->n - rows->n_replaced
                             : 0;

    for (int32_t a = 0; a < r->problem->n_workloads; a++)
        r->choosers[a].counts[ISO_FILTER_SELECTED] += n_left_out;
    for (size_t k = 0; k < iso_rows_n_words(rows); k++) {
        int32_t n_in_word = rows->n - (int32_t)k * WORD_BITS;
        uint64_t all = n_in_word < WORD_BITS ? (UINT64_C(1) << n_in_word) - 1 : UINT64_MAX;
        uint64_t others = all & ~rows->looked_at[k], on_sale = others & rows->on_sale[k];
        for (int32_t a = 0; a < r->problem->n_workloads && others; a++) {
            struct iso_chooser *chooser = &r->choosers[a];
            uint64_t forbidden = chooser->has_forbidden ? chooser->forbidden.rows[k] : 0;
            chooser->counts[ISO_FILTER_STATUS] += __builtin_popcountll(others & ~on_sale);
            chooser->counts[ISO_FILTER_FORBIDDEN] += __builtin_popcountll(on_sale & forbidden);
            chooser->counts[ISO_FILTER_NOT_ALLOWED] += __builtin_popcountll(on_sale & ~forbidden);
        }
    }
}

void iso_rows_close(struct iso_resolve *r)
{
    for (size_t i = 0; i < r->rows.n_held; i++)
        iso_resolve_cache_release(r->cache, r->rows.held[i]);
    free(r->rows.held);
}
