#include "isocost/sdk/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define GROWTH_BYTES ((size_t)256)

void iso_text_fini(struct iso_text *text)
{
    free(text->bytes);
    *text = (struct iso_text){0};
}

/* Makes room for n bytes and a NUL. */
static bool grow(struct iso_text *text, size_t n)
{
    if (text->n_bytes + n < text->capacity)
        return !text->failed;
    size_t capacity = 2 * (text->n_bytes + n) + GROWTH_BYTES;
    char *longer = text->failed ? NULL : iso_realloc(text->bytes, capacity, 1);
    if (!longer) {
        text->failed = true;
        return false;
    }
    text->bytes = longer;
    text->capacity = capacity;
    return true;
}

void iso_text_add(struct iso_text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0 || !grow(text, (size_t)n))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->n_bytes, (size_t)n + 1, format, arguments);
    va_end(arguments);
    text->n_bytes += (size_t)n;
}

void iso_text_add_url(struct iso_text *text, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        iso_text_add(text, isalnum(c) || strchr("-._~", c) ? "%c" : "%%%02X", c);
    }
}

void iso_text_add_json(struct iso_text *text, const char *value)
{
    iso_text_add(text, "\"");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            iso_text_add(text, "\\%c", c);
        else if (c < ' ')
            iso_text_add(text, "\\u%04x", c);
        else
            iso_text_add(text, "%c", c);
    }
    iso_text_add(text, "\"");
}

enum iso_status iso_text_check(struct iso_text *text, struct iso_error *reterr)
{
    iso_text_add(text, "%s", "");
    return text->failed ? iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a text") : ISO_OK;
}
