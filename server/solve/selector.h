/* Selectors, made ready for matching many offerings without allocating. */
#ifndef ISOCOST_SERVER_SELECTOR_H
#define ISOCOST_SERVER_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/proto/arena.h"
#include "snapshot_file.h"

struct iso_selector; /* compiled; in an arena */

/* Compiles a selector; NULL compiles to "everything". Letter case is folded, and so are the
 * spellings of providers. NULL when the arena is full. */
const struct iso_selector *iso_selector_compile(const Isocost__V1__Selector *selector,
                                                struct iso_arena *arena);

bool iso_selector_matches(const struct iso_selector *selector,
                          const struct iso_snapshot_offering *offering);

/* Whether `text` is `pattern`, which may end in `*` (any rest). */
bool iso_pattern_matches(const char *pattern, const char *text);

/* Writes the id that `text` stands for (provider folded, lower case) into the arena. NULL when
 * it does not have the six parts of an id, or the arena is full. */
char *iso_offering_id_fold(const char *text, struct iso_arena *arena);

#endif
