/* Parts of the reader of changes. A part of a text is what lies between two pointers into it. */
#ifndef ISOCOST_CHANGE_TEXT_H
#define ISOCOST_CHANGE_TEXT_H

#include <stdbool.h>

#include "isocost/base/decimal.h"
#include "isocost/proto/change.h"

struct part {
    const char *begin, *end;
};

struct change_reader {
    const char *text; /* whole */
    struct iso_arena *arena;
    struct iso_text_place *place; /* of the failure */
    struct iso_error *reterr;
    const char *kind;
};

/* Fails, pointing at `where`. */
__attribute__((format(printf, 3, 4))) enum iso_status
iso_change_fail(const struct change_reader *reader, struct part where, const char *format, ...);
enum iso_status iso_change_full(const struct change_reader *reader);

/* Without blanks at both ends. */
struct part iso_part_trim(struct part part);
/* The first or last `c` of the part that is not in quotes; NULL: none. */
const char *iso_part_first(struct part part, char c);
const char *iso_part_last(struct part part, char c);
/* Takes what comes before the next unquoted `c` (or the end), trimmed; false when nothing is left.
 * `*rest` begins as the whole part; its begin is NULL at the end. */
bool iso_part_next(struct part *rest, char c, struct part *ret_part);
bool iso_part_is(struct part part, const char *text);
/* For messages: at most 60 bytes of it. Use as the two arguments of "%.*s". */
#define ISO_PART(part) \
    ((part).end - (part).begin > 60 ? 60 : (int)((part).end - (part).begin)), (part).begin
/* A copy; quotes around it are taken away, and `\` before a character. */
enum iso_status iso_part_copy(const struct change_reader *reader, struct part part,
                              char **ret_text);

void *iso_change_message(const struct change_reader *reader,
                         const ProtobufCMessageDescriptor *descriptor);

/* --- values (change_value.c) --- */

enum value_kind {
    VALUE_FACTOR = 1 << 0, /* `+n%`, `-n%`, `*n` */
    VALUE_NUMBER = 1 << 1, /* without currency */
    VALUE_MONEY = 1 << 2,  /* with or without currency */
    VALUE_SWITCH = 1 << 3, /* `on`, `off` */
    VALUE_OBJECT = 1 << 4, /* `{...}` */
};

struct change_value {
    enum value_kind kind; /* MONEY where a number may be money */
    iso_decimal number;   /* FACTOR, NUMBER, MONEY; >= 0 */
    char currency[4];     /* MONEY; "": not said */
    bool on;              /* SWITCH */
    struct part part;
};

/* `allowed`: the kinds that may come. */
enum iso_status iso_change_value(const struct change_reader *reader, struct part part,
                                 unsigned allowed, struct change_value *ret_value);
/* The value must be above 0. */
enum iso_status iso_change_above_zero(const struct change_reader *reader,
                                      const struct change_value *value);
/* Reads an OBJECT. */
enum iso_status iso_change_object(const struct change_reader *reader,
                                  const struct change_value *value,
                                  const ProtobufCMessageDescriptor *descriptor, void **ret_message);

/* --- targets (change_target.c) --- */

/* An id of the user's: `[a-z0-9][a-z0-9_-]{0,63}`. `product`: of a commitment. */
enum iso_status iso_change_id(const struct change_reader *reader, struct part part, bool product,
                              char **ret_id);
/* Cuts `@id|id` off the end of the target. */
enum iso_status iso_change_ids(const struct change_reader *reader, struct part *target,
                               size_t *ret_n, char ***ret_ids);
/* `*`, a place or `field:value&field:value`. */
enum iso_status iso_change_selector(const struct change_reader *reader, struct part part,
                                    Isocost__V1__SelectorTerm **ret_term);

#endif
