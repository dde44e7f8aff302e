/* What earlier solves of this process have found, for later ones of problems like theirs.
 *
 * Two things are kept, both under digests of what they were made from:
 *   - answers of small trees, under the digest of the program that was solved. They are as true in
 *     the next problem as in the one they were found in.
 *   - starts: plan, multipliers and basis of a whole solve, under the digest of what the problem is
 *     about (its workloads, options, rules and periods, but no amount and no price). A start is
 * where a search begins; nothing of it is believed. So no answer depends on the past but for where
 * its search began and when it ended. What was not asked for longest goes first when there is no
 * room. One thread. */
#ifndef ISOCOST_PAST_H
#define ISOCOST_PAST_H

#include <stdint.h>

#include "isocost/base/memory.h"

struct iso_past;

/* An empty one that takes at most so many bytes. The caller owns it. NULL when memory is short. */
ISO_EXPORT struct iso_past *iso_past_new(size_t most_bytes);

/* Accepts NULL. */
ISO_EXPORT void iso_past_free(struct iso_past *past);
ISO_DEFINE_FREEP(iso_past)

/* Whose solves follow. Nothing that was found for one owner is used for another. Before the first
 * call the owner is "". */
ISO_EXPORT void iso_past_enter(struct iso_past *past, const char *owner);

/* How much it holds, and what it was good for so far. */
struct iso_past_counts {
    size_t n_bytes;
    int64_t n_entries;
    int64_t n_found, n_missed; /* times that something was asked for */
    int64_t n_dropped;         /* for want of room */
};
ISO_EXPORT struct iso_past_counts iso_past_count(const struct iso_past *past);

#endif
