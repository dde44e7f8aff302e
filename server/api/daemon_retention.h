/* Removes what is old from the store, at start and every hour. */
#ifndef ISOCOST_SERVER_DAEMON_RETENTION_H
#define ISOCOST_SERVER_DAEMON_RETENTION_H

#include <stdbool.h>

#include "store.h"

/* `store` is borrowed until stop. False when the thread cannot be started. */
bool iso_retention_start(struct iso_store *store, const struct iso_retention *retention);
/* Waits until a removal that has begun is done. May be called without a start. */
void iso_retention_stop(void);

#endif
