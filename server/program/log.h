/* The log on stderr: one line an event, `level subject key=value ... at=TIME`. Lines are queued and
 * written by a thread of their own, so that a slow stderr holds nobody up; when 4096 lines wait,
 * more are dropped and counted. */
#ifndef ISOCOST_SERVER_LOG_H
#define ISOCOST_SERVER_LOG_H

#include <stdbool.h>

enum iso_log_level { ISO_LOG_DEBUG, ISO_LOG_INFO, ISO_LOG_WARNING, ISO_LOG_ERROR };

/* False when the thread cannot be started. */
bool iso_log_start(enum iso_log_level least);
void iso_log_stop(void); /* writes what is queued */

/* A whole line that begins with its level. */
void iso_log_line(void *context, const char *line);
/* A sentence of a part of the server; level as above. */
void iso_log_supervisor(int level, const char *text);
void iso_log_catalog(int level, const char *text);
void iso_log_api(int level, const char *text);
void iso_log_server(int level, const char *text);

#endif
