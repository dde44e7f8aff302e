/* Ctrl-C: the first stops what is under way, the second ends the program with 130.
 *
 * A thread of its own waits for the signal, since calls cannot be cancelled from a handler. */
#ifndef ISOCOST_CLI_INTERRUPT_H
#define ISOCOST_CLI_INTERRUPT_H

#include <stdbool.h>
#include <sys/types.h>

#include "isocost/client.h"

/* Blocks SIGINT and SIGTERM in this thread and those it makes. Call it before the first thread. */
void iso_interrupt_block(void);

/* Starts the waiting thread. False when there is no memory for it. */
bool iso_interrupt_start(void);

/* What the first signal triggers; NULL: it ends the program at once. Borrowed until it is replaced
 * by NULL. */
void iso_interrupt_cancel(struct iso_client_cancel *cancel);

/* A child that gets SIGTERM, and a folder that is removed, before the program ends by a signal.
 * 0 and NULL: none. */
void iso_interrupt_child(pid_t child, const char *folder);

/* Whether a signal came. */
bool iso_interrupt_came(void);

/* Waits until a signal comes or the child has ended. */
void iso_interrupt_wait(pid_t child);

#endif
