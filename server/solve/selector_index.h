/* Which of many selectors want an offering, without trying each of them.
 *
 * A table of performance, or a list of commitments, has thousands of selectors that each name the
 * types or ids they are for. Each term is filed under the values of the field that names the most
 * (an id before a type, a type before a family, ...), so an offering meets only the terms that name
 * it, and those that name nothing. */
#ifndef ISOCOST_SERVER_SELECTOR_INDEX_H
#define ISOCOST_SERVER_SELECTOR_INDEX_H

#include "selector.h"

#define ISO_SELECTOR_LISTS 9 /* one a field, one of terms that name nothing */

struct iso_selector_index; /* in an arena, as the selectors, which must live as long */

/* Indexes n selectors (the array is kept); NULL when the arena is full. */
const struct iso_selector_index *iso_selector_index_new(const struct iso_selector *const *selectors,
                                                        size_t n, struct iso_arena *arena);

/* A walk over the selectors that match one offering. */
struct iso_selector_walk {
    const struct iso_selector_index *index;
    const struct iso_snapshot_offering *offering;
    struct {
        size_t at, end;
    } lists[ISO_SELECTOR_LISTS];
};

struct iso_selector_walk iso_selector_walk(const struct iso_selector_index *index,
                                           const struct iso_snapshot_offering *offering);

/* The numbers of the selectors that match, ascending; -1 after the last. */
int32_t iso_selector_walk_next(struct iso_selector_walk *walk);

/* The number of the first selector that matches, or -1. */
int32_t iso_selector_index_first(const struct iso_selector_index *index,
                                 const struct iso_snapshot_offering *offering);

#endif
