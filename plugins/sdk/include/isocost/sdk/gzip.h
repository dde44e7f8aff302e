/* Undoes gzip (RFC 1952) as the bytes come. */
#ifndef ISOCOST_SDK_GZIP_H
#define ISOCOST_SDK_GZIP_H

#include <stdint.h>

#include "isocost/plugin.h"

struct iso_gunzip;

/* Hands the plain bytes to `receive`, at most `max_bytes` of them: a small file may hold very many.
 * NULL when memory is short. */
struct iso_gunzip *iso_gunzip_new(int64_t max_bytes, iso_receive receive, void *context);
void iso_gunzip_free(struct iso_gunzip *gunzip); /* accepts NULL */
ISO_DEFINE_FREEP(iso_gunzip)

/* Takes the next packed bytes; several members after one another are one file. Errors:
 * ISO_E_INVALID (not gzip, damaged), ISO_E_LIMIT (more than `max_bytes`), ISO_E_NOMEM, or those of
 * receive(). */
enum iso_status iso_gunzip_feed(struct iso_gunzip *gunzip, const unsigned char *bytes,
                                size_t n_bytes, struct iso_error *reterr);

/* The file ended. Errors: ISO_E_INVALID if that is inside a member or there was none. */
enum iso_status iso_gunzip_finish(struct iso_gunzip *gunzip, struct iso_error *reterr);

#endif
