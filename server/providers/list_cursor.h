/* Pages of what is in a snapshot: they stay on the snapshot that the first one was of. */
#ifndef ISOCOST_SERVER_LIST_CURSOR_H
#define ISOCOST_SERVER_LIST_CURSOR_H

#include "call.h"

#define ISO_LIST_MAX_ANSWER_BYTES ((size_t)2900000) /* no response is over 3 MiB */

struct iso_list_cursor {
    const char *digest; /* "" = the current one */
    int64_t next;       /* index to go on from */
};

/* ISO_E_LIMIT: the answer needs more memory than a call has. */
enum iso_status iso_list_too_large(struct iso_error *reterr);

/* Reads a page token; without one the cursor is at the begin of `asked_digest`. Errors:
 * ISO_E_INVALID with field "page_token", ISO_E_LIMIT. */
enum iso_status iso_list_read_cursor(struct iso_call *call, const char *scope, const char *token,
                                     const char *asked_digest, struct iso_list_cursor *cursor,
                                     struct iso_error *reterr);

/* A token for the next page, in the call's arena; NULL when that is full. */
char *iso_list_make_cursor(struct iso_call *call, const char *scope, const char *digest,
                           int64_t next);

/* What must be the same on all pages: the method, the snapshot asked for, the filter (NULL: none)
 * and a word. NULL when the arena is full. */
char *iso_list_make_scope(struct iso_call *call, const char *method, const char *digest,
                          const ProtobufCMessage *filter, const char *word);

#endif
