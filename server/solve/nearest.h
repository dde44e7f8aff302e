/* Hints for names that do not exist. */
#ifndef ISOCOST_SERVER_NEAREST_H
#define ISOCOST_SERVER_NEAREST_H

#include "isocost/proto/arena.h"

/* "; nearest are a, b and c": the three of n names that take the fewest insertions, deletions and
 * replacements of a character, equal ones in their order; "; there are none" for n = 0. The i-th
 * name is `names` + i * `stride` bytes, a pointer to text. In the arena; "" when it is full. */
ISO_EXPORT const char *iso_nearest_names(const char *wrong, const void *names, size_t n,
                                         size_t stride, struct iso_arena *arena);

#endif
