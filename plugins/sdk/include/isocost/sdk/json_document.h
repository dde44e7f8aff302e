/* A whole JSON document in memory, for answers that come a page at a time. What is too large for
 * that is read by json.h's reader. */
#ifndef ISOCOST_SDK_JSON_DOCUMENT_H
#define ISOCOST_SDK_JSON_DOCUMENT_H

#include "isocost/plugin.h"
#include "isocost/sdk/json.h"
#include "isocost/sdk/text.h"

#define ISO_JSON_DOCUMENT_DEPTH 64

/* Reads a document: UTF-8, a byte order mark before it or not, no name twice in an object, no more
 * nesting than ISO_JSON_DOCUMENT_DEPTH. The caller frees it with iso_json_document_free(). Errors:
 * ISO_E_INVALID with the line and column, ISO_E_NOMEM. */
enum iso_status iso_json_document_read(const void *bytes, size_t n_bytes,
                                       struct iso_json **ret_document, struct iso_error *reterr);
void iso_json_document_free(struct iso_json *document); /* accepts NULL */

static inline void iso_json_document_freep(struct iso_json **document)
{
    iso_json_document_free(*document);
    *document = NULL;
}
#define ISO_AUTO_JSON __attribute__((cleanup(iso_json_document_freep))) struct iso_json

/* The value at a path of names with '.' between, e.g. "Data.Items.Item", or NULL. */
const struct iso_json *iso_json_at(const struct iso_json *value, const char *path);

/* The text at such a path; "" when there is none or it is no text. */
const char *iso_json_text_at(const struct iso_json *value, const char *path);

/* The number at such a path, written as one or as text, rounded to nine places; absent if it is
 * none. `scratch` is for its text. */
struct iso_amount iso_json_amount_at(const struct iso_json *value, const char *path,
                                     struct iso_scratch *scratch);

/* Adds a value as JSON text; a real number has 17 digits, so that it reads back equal. When memory
 * is short, text->failed is set. */
void iso_json_print(const struct iso_json *value, struct iso_text *text);

#endif
