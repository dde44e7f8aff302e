/* Where two messages of one type differ, in words: "limits[gpu-eu].maximum: 10, then 12". */
#ifndef ISOCOST_PROTO_DIFFERENCES_H
#define ISOCOST_PROTO_DIFFERENCES_H

#include <protobuf-c/protobuf-c.h>

#include "isocost/proto/arena.h"

#define ISO_DIFFERENCES_SHOWN 20

/* Zero-initialise, then set `arena`. */
struct iso_differences {
    struct iso_arena *arena; /* holds the texts; a full one leaves texts out */
    int32_t n;               /* differences that were found */
    size_t n_texts;          /* of them: those that are told */
    char *texts[ISO_DIFFERENCES_SHOWN];
};

/* Adds the differences of two messages, either of which may be NULL for "not there". `path` stands
 * before the names of their fields and may be empty. Entries of lists that have an id are matched
 * by it, entries of maps by their key, others by their place; so a list of things with ids that
 * only has another order is the same. Time: the product of the lengths of lists with ids. */
ISO_EXPORT void iso_differences_add(struct iso_differences *differences, const char *path,
                                    const ProtobufCMessage *before, const ProtobufCMessage *after);

/* Adds one difference, as text. */
ISO_EXPORT __attribute__((format(printf, 2, 3))) void
iso_differences_say(struct iso_differences *differences, const char *format, ...);

#endif
