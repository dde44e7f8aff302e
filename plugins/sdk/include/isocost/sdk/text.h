/* Text that is put together piece by piece: queries, forms and small JSON bodies. */
#ifndef ISOCOST_SDK_TEXT_H
#define ISOCOST_SDK_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"

/* Zero-initialise; free with iso_text_fini(). When memory is short a piece is left out, `failed` is
 * set and stays set. */
struct iso_text {
    char *bytes; /* owned, ends in NUL; NULL before the first piece */
    size_t n_bytes, capacity;
    bool failed;
};
void iso_text_fini(struct iso_text *text);
#define ISO_AUTO_TEXT __attribute__((cleanup(iso_text_fini))) struct iso_text

/* Adds what printf would write. */
__attribute__((format(printf, 2, 3))) void iso_text_add(struct iso_text *text, const char *format,
                                                        ...);

/* Adds a value of a query or a form: all but letters, digits and "-._~" as %XX (RFC 3986). */
void iso_text_add_url(struct iso_text *text, const char *value);

/* Adds a JSON string with its quotes (RFC 8259). The value is UTF-8. */
void iso_text_add_json(struct iso_text *text, const char *value);

/* The text, never NULL once checked. Errors: ISO_E_NOMEM if a piece is missing. */
enum iso_status iso_text_check(struct iso_text *text, struct iso_error *reterr);

#endif
