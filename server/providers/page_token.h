/* Page tokens: opaque to callers, good only for the list they came from. */
#ifndef ISOCOST_SERVER_PAGE_TOKEN_H
#define ISOCOST_SERVER_PAGE_TOKEN_H

#include <protobuf-c/protobuf-c.h>

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"
#include "principal.h"

/* Makes a token for `position` (any text), bound to the tenant, the project, and `scope`: the name
 * of the method and whatever else must not change between pages. NULL when the arena is full. */
char *iso_page_token_make(const struct iso_principal *principal, const char *scope,
                          const char *position, struct iso_arena *arena);

/* Gives the position back, in the arena; "" for an empty token. Errors: ISO_E_INVALID with field
 * "page_token" when it is of another list. */
enum iso_status iso_page_token_read(const struct iso_principal *principal, const char *scope,
                                    const char *token, struct iso_arena *arena,
                                    const char **ret_position, struct iso_error *reterr);

/* The page size to use: `asked`, or `otherwise` for 0. Errors: ISO_E_INVALID with field "page_size"
 * when it is not in [0, maximum]. */
enum iso_status iso_page_size(int32_t asked, int32_t otherwise, int32_t maximum, int32_t *ret_size,
                              struct iso_error *reterr);

#endif
