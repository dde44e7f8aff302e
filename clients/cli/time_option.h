/* Times on the command line. */
#ifndef ISOCOST_CLI_TIME_OPTION_H
#define ISOCOST_CLI_TIME_OPTION_H

#include "command.h"

/* Reads "2026-03", "2026-03-01", "2026-03-01T12:00" or "2026-03-01T12:00:00Z", all in UTC, into
 * *time and points *ret_time to it; NULL text leaves *ret_time NULL. Says on cli->err what is wrong
 * with `option`. */
enum iso_exit_code iso_time_option_read(struct iso_cli *cli, const char *option, const char *text,
                                        Google__Protobuf__Timestamp *time,
                                        Google__Protobuf__Timestamp **ret_time);

#endif
