/* What a plugin keeps from one fetch to the next: files in its cache folder, each with the version
 * of what it was made from.
 *
 * A kept file is whole and of the version that is asked for, or it is not there: it is written
 * beside and renamed, and has a digest. A plugin works as well without any, only slower. */
#ifndef ISOCOST_SDK_KEPT_H
#define ISOCOST_SDK_KEPT_H

#include "isocost/plugin.h"

/* Hands out a kept file. *ret_found is false when there is none of that name and version: no cache
 * folder, another version, damaged. Then nothing was handed out. Errors: ISO_E_CANCELLED,
 * ISO_E_NOMEM, or those of receive(). */
enum iso_status iso_kept_read(const struct iso_host *host, const char *name, const char *version,
                              iso_receive receive, void *receive_context, bool *ret_found,
                              struct iso_error *reterr);

/* A file that is being written. */
struct iso_kept;

/* Begins a file; what is kept under the name stays until it is ended well. `name` is that of a
 * file, `version` one line. NULL when there is no cache folder, it cannot be written to, or memory
 * is short: then nothing is kept, and the other calls accept that. */
struct iso_kept *iso_kept_begin(const struct iso_host *host, const char *name, const char *version);

/* Adds bytes. */
void iso_kept_add(struct iso_kept *kept, const void *bytes, size_t n_bytes);

/* Ends the file and puts it in its place. False: it could not be written, and what was kept before
 * is there still; also for NULL. */
bool iso_kept_end(struct iso_kept *kept);

void iso_kept_free(struct iso_kept *kept); /* gives up what was not ended; accepts NULL */
ISO_DEFINE_FREEP(iso_kept)

#endif
