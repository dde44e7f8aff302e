/* Memory of one row: handed out piece by piece, given back in one step. */
#ifndef ISOCOST_SDK_SCRATCH_H
#define ISOCOST_SDK_SCRATCH_H

#include "isocost/base/memory.h"

struct iso_scratch;

/* Makes one that hands out at most `max_bytes` between two resets. NULL when memory is short. */
struct iso_scratch *iso_scratch_new(size_t max_bytes);
void iso_scratch_free(struct iso_scratch *scratch); /* accepts NULL */
ISO_DEFINE_FREEP(iso_scratch)

/* Takes back everything that was handed out. */
void iso_scratch_reset(struct iso_scratch *scratch);

/* n * size zeroed bytes, aligned for any type. NULL when memory or the limit is reached. */
void *iso_scratch_calloc(struct iso_scratch *scratch, size_t n, size_t size);

/* The first `n_bytes` bytes of a text, with a NUL. NULL as above. */
char *iso_scratch_text(struct iso_scratch *scratch, const char *text, size_t n_bytes);

#endif
