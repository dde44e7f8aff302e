/* Which files make up a catalog, and what each of them holds. */
#ifndef ISOCOST_STATIC_FILES_H
#define ISOCOST_STATIC_FILES_H

#include "reader.h"

/* Checks the parameter `kinds`. Errors: ISO_E_INVALID. */
enum iso_status iso_kinds_check(const char *kinds, struct iso_error *reterr);

/* Reads every file of the catalog at `path`, a file or a folder, in order of names. Errors:
 * ISO_E_NOT_FOUND when there is none, or those of the files. */
enum iso_status iso_files_read(struct iso_static_reader *reader, struct iso_error *reterr);

#endif
