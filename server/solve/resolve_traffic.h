/* Places that data moves between: regions of offerings, and names of the same form for the rest. */
#ifndef ISOCOST_SERVER_RESOLVE_TRAFFIC_H
#define ISOCOST_SERVER_RESOLVE_TRAFFIC_H

#include "isocost/proto/arena.h"

/* A place "provider/region" as the catalog spells it: the provider folded, the rest in lower case.
 * NULL when it has not this form, or the arena is full. */
const char *iso_place_fold(const char *place, struct iso_arena *arena);

/* The same for a pattern that may end in `*`. */
const char *iso_place_pattern_fold(const char *pattern, struct iso_arena *arena);

#endif
