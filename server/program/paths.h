/* Where programs of the server find each other and keep what they write. */
#ifndef ISOCOST_SERVER_PATHS_H
#define ISOCOST_SERVER_PATHS_H

#include <limits.h>

#include "isocost/base/status.h"

/* `folder`/`name`. Errors: ISO_E_INVALID (too long). */
enum iso_status iso_path_join(char out[PATH_MAX], const char *folder, const char *name,
                              struct iso_error *reterr);
/* Makes a folder, and those above it, for this user alone. Errors: ISO_E_IO. */
enum iso_status iso_folder_make(const char *path, struct iso_error *reterr);
/* The folder of the running program. Errors: ISO_E_IO. */
enum iso_status iso_folder_own(char out[PATH_MAX], struct iso_error *reterr);
/* The absolute path of a program that can be run: `given`, or (NULL) `name` in `folder`. Errors:
 * ISO_E_IO with the flag as field. */
enum iso_status iso_program_find(const char *given, const char *folder, const char *name,
                                 const char *flag, char out[PATH_MAX], struct iso_error *reterr);

#endif
