/* Every wrong field of a request, collected so that the caller is told all of them at once. */
#ifndef ISOCOST_PROTO_VIOLATIONS_H
#define ISOCOST_PROTO_VIOLATIONS_H

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"

#define ISO_VIOLATIONS_MAX 100 /* more are counted, not kept */

struct iso_violation {
    const char *field; /* path in the request, snake_case: "model.workloads[2].id" */
    const char *text;  /* what was found and what is allowed */
};

/* Zero-initialise, then set `arena`. */
struct iso_violations {
    struct iso_arena *arena;
    int n, n_dropped;
    struct iso_violation items[ISO_VIOLATIONS_MAX];
};

/* Adds one; `field` and the text are copied into the arena. */
ISO_EXPORT __attribute__((format(printf, 3, 4))) void
iso_violations_add(struct iso_violations *violations, const char *field, const char *format, ...);

/* ISO_OK when there is none; otherwise ISO_E_INVALID with the first one in *reterr, and "and N
 * more" in its text when there are more. */
ISO_EXPORT enum iso_status iso_violations_status(const struct iso_violations *violations,
                                                 struct iso_error *reterr);

#endif
