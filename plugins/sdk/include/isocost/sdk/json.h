/* Reads a JSON object of arrays as it comes: the elements of its arrays are given out one at a
 * time, so memory is that of one element. */
#ifndef ISOCOST_SDK_JSON_H
#define ISOCOST_SDK_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"
#include "isocost/sdk/scratch.h"

#define ISO_JSON_ELEMENT_BYTES ((size_t)1 << 20) /* most bytes of an element */
#define ISO_JSON_DEPTH 32                        /* most nesting inside an element */

/* A value. NULL is one that is not there. */
struct iso_json;

enum iso_json_kind {
    ISO_JSON_ABSENT, /* not there, or null */
    ISO_JSON_OBJECT,
    ISO_JSON_ARRAY,
    ISO_JSON_TEXT,
    ISO_JSON_NUMBER,
    ISO_JSON_BOOL,
};

/* One element: the member's name, the element's index in the member's array (-1: the member is no
 * array and this is its value) and the line it starts in. `value` is borrowed; it is NULL when the
 * element is no JSON, and `problem` then says why. An error ends the reading and is passed on. */
struct iso_json_element {
    const char *member;
    int64_t index, line;
    const struct iso_json *value;
    const char *problem;
};
typedef enum iso_status (*iso_json_on_element)(void *context,
                                               const struct iso_json_element *element,
                                               struct iso_error *reterr);

struct iso_json_reader;

/* NULL when memory is short. */
struct iso_json_reader *iso_json_reader_new(iso_json_on_element on_element, void *context);
void iso_json_reader_free(struct iso_json_reader *reader); /* accepts NULL */
ISO_DEFINE_FREEP(iso_json_reader)

/* Takes the next bytes. Errors: ISO_E_INVALID with the line (no object, broken structure, a member
 * twice), ISO_E_LIMIT, ISO_E_NOMEM, or those of on_element(). */
enum iso_status iso_json_feed(struct iso_json_reader *reader, const unsigned char *bytes,
                              size_t n_bytes, struct iso_error *reterr);

/* The file ended. Errors: ISO_E_INVALID if that is too early; otherwise as iso_json_feed(). */
enum iso_status iso_json_finish(struct iso_json_reader *reader, struct iso_error *reterr);

/* Whether the object has had a member of that name so far. */
bool iso_json_has_member(const struct iso_json_reader *reader, const char *name);

/* How many members the object has had so far. */
size_t iso_json_n_members(const struct iso_json_reader *reader);

enum iso_json_kind iso_json_kind(const struct iso_json *value);
const struct iso_json *iso_json_member(const struct iso_json *object, const char *name);
size_t iso_json_length(const struct iso_json *array); /* 0 if it is none */
const struct iso_json *iso_json_item(const struct iso_json *array, size_t index);

/* The members of an object, in their order: for (m = iso_json_first(o); m; m = iso_json_next(o,
 * m)). */
void *iso_json_first(const struct iso_json *object);
void *iso_json_next(const struct iso_json *object, void *member);
const char *iso_json_name(void *member);
const struct iso_json *iso_json_value(void *member);

/* A text as it is, a number in its shortest exact form, "true" or "false"; borrowed from the value
 * or the scratch memory. NULL for anything else, and when memory is short. */
const char *iso_json_scalar(const struct iso_json *value, struct iso_scratch *scratch);

#endif
