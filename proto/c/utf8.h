/* UTF-8 as RFC 3629 has it. */
#ifndef ISOCOST_PROTO_UTF8_H
#define ISOCOST_PROTO_UTF8_H

#include <stddef.h>

/* Place of the first byte that does not begin a whole, shortest, non-surrogate character; n_bytes
 * when all is well. */
size_t iso_utf8_valid_bytes(const char *text, size_t n_bytes);

#endif
