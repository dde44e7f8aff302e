/* A set of names with a number for each, in order of adding: ids, regions, currencies. */
#ifndef ISOCOST_SERVER_NAMES_H
#define ISOCOST_SERVER_NAMES_H

#include <stdint.h>

#include "isocost/proto/arena.h"

/* Zero-initialise, then set `arena`. */
struct iso_names {
    struct iso_arena *arena;
    int32_t n;
    const char **texts; /* n; borrowed from whoever added them */
    int32_t capacity;
    int32_t *slots; /* number + 1; 0 = free */
    uint32_t n_slots;
};

/* The number of `text`, or -1. */
int32_t iso_names_find(const struct iso_names *names, const char *text);

/* Gives the number of `text`, adding it if it is new; `text` must outlive the set. -1 when the
 * arena is full. */
int32_t iso_names_add(struct iso_names *names, const char *text);

/* The same, false when `text` was there already. */
bool iso_names_add_new(struct iso_names *names, const char *text);

#endif
