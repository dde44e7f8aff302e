#include "isocost/proto/violations.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_BYTES 384 /* as in struct iso_error */

void iso_violations_add(struct iso_violations *violations, const char *field, const char *format,
                        ...)
{
    if (violations->n == ISO_VIOLATIONS_MAX) {
        violations->n_dropped++;
        return;
    }

    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    const char *field_copy = iso_arena_strdup(violations->arena, field);
    const char *text_copy = iso_arena_strdup(violations->arena, text);
    violations->items[violations->n++] = (struct iso_violation){
        .field = field_copy ? field_copy : "",
        .text = text_copy ? text_copy : "is wrong; no memory to say more",
    };
}

enum iso_status iso_violations_status(const struct iso_violations *violations,
                                      struct iso_error *reterr)
{
    if (violations->n == 0)
        return ISO_OK;

    const struct iso_violation *first = &violations->items[0];
    int n_more = violations->n - 1 + violations->n_dropped;
    if (n_more == 0)
        return iso_fail(reterr, ISO_E_INVALID, first->field, "%s", first->text);
    return iso_fail(reterr, ISO_E_INVALID, first->field, "%.300s, and %d more", first->text,
                    n_more);
}
