/* Pages of one fetch, held in an unlinked file until the fetch has ended well: of several providers
 * that are refreshed together, one that fails in the middle must leave no rows behind. */
#ifndef ISOCOST_SERVER_SPOOL_H
#define ISOCOST_SERVER_SPOOL_H

#include "isocost/base/status.h"
#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/proto/arena.h"

struct iso_spool;
/* Errors: ISO_E_IO, ISO_E_NOMEM. */
enum iso_status iso_spool_new(const char *folder, struct iso_spool **ret_spool,
                              struct iso_error *reterr);
void iso_spool_free(struct iso_spool *spool);
ISO_DEFINE_FREEP(iso_spool)

enum iso_status iso_spool_add(struct iso_spool *spool, const Isocost__Internal__V1__Page *page,
                              struct iso_error *reterr);

/* Gives the pages in order; each lives in the arena that comes with it. */
enum iso_status
iso_spool_replay(struct iso_spool *spool, void *context,
                 enum iso_status (*take)(void *context, Isocost__Internal__V1__Page *page,
                                         struct iso_arena *page_arena, struct iso_error *reterr),
                 struct iso_error *reterr);

#endif
