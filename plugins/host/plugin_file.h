/* Opens a plugin only if nobody but root and the service's user could have written it. */
#ifndef ISOCOST_PLUGIN_HOST_PLUGIN_FILE_H
#define ISOCOST_PLUGIN_HOST_PLUGIN_FILE_H

#include "isocost/base/status.h"

/* Opens the plugin at the absolute `path` once; what is hashed here is what is loaded later through
 * the descriptor. The file must be a regular one, owned by root or this user, and writable by
 * neither group nor others. So must every folder above it, unless `digest` pins the content
 * ("sha256:<hex>"; "" does not), up to the first that holds this program too; a folder with the
 * sticky bit passes, because others cannot replace what they do not own in it. The caller closes
 * *ret_fd. Errors: ISO_E_INVALID (fields path, digest), ISO_E_NOT_FOUND, ISO_E_DENIED, ISO_E_IO. */
enum iso_status iso_plugin_file_open(const char *path, const char *digest, int *ret_fd,
                                     struct iso_error *reterr);

#endif
