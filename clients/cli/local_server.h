/* A private isocostd in a temporary folder, for `demo` and `solve --local`. */
#ifndef ISOCOST_CLI_LOCAL_SERVER_H
#define ISOCOST_CLI_LOCAL_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "isocost/base/status.h"

struct iso_local_server;

/* Starts it; call this before the client library is used, since a process that uses gRPC must not
 * fork. Returns as soon as it listens. Errors: ISO_E_UNAVAILABLE (the program is not there, or it
 * ended; the text has the last line of its log), ISO_E_IO, ISO_E_NOMEM. */
enum iso_status iso_local_server_start(struct iso_local_server **ret_server,
                                       struct iso_error *reterr);

/* Stops it and removes its folder. Accepts NULL. */
void iso_local_server_free(struct iso_local_server *server);
ISO_DEFINE_FREEP(iso_local_server)

/* "unix:/..." */
const char *iso_local_server_target(const struct iso_local_server *server);
pid_t iso_local_server_pid(const struct iso_local_server *server);

/* Writes the path of the program `name` beside this one; false when it is not there. */
bool iso_local_program(const char *name, char *buffer, size_t n_bytes);

/* Writes the path of the folder with the examples: installed, else that of the source tree. False
 * when neither is there. */
bool iso_local_examples(char *buffer, size_t n_bytes);

#endif
