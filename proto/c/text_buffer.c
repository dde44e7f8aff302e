#include "text_buffer.h"

#include <stdio.h>
#include <string.h>

#include "isocost/base/memory.h"
#include "utf8.h"

#define FIRST_BYTES 256

static bool reserve(struct iso_text_buffer *buffer, size_t n_more)
{
    size_t needed, capacity = buffer->capacity ? buffer->capacity : FIRST_BYTES;

    if (buffer->failed || __builtin_add_overflow(buffer->n, n_more + 1, &needed)) {
        buffer->failed = true;
        return false;
    }
    if (needed <= buffer->capacity)
        return true;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = iso_realloc(buffer->bytes, capacity, 1);
    if (!bytes) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void iso_text_buffer_add(struct iso_text_buffer *buffer, const char *bytes, size_t n_bytes)
{
    if (!reserve(buffer, n_bytes))
        return;
    if (n_bytes > 0)
        memcpy(buffer->bytes + buffer->n, bytes, n_bytes);
    buffer->n += n_bytes;
    buffer->bytes[buffer->n] = '\0';
}

void iso_text_buffer_puts(struct iso_text_buffer *buffer, const char *text)
{
    iso_text_buffer_add(buffer, text, strlen(text));
}

void iso_text_buffer_fill(struct iso_text_buffer *buffer, char c, size_t n)
{
    if (!reserve(buffer, n))
        return;
    memset(buffer->bytes + buffer->n, c, n);
    buffer->n += n;
    buffer->bytes[buffer->n] = '\0';
}

/* Characters beyond ASCII that some reader of JSON or YAML takes for a line break, drops or
 * refuses: U+0080 to U+009F, U+2028, U+2029, U+FEFF, U+FFFE and U+FFFF. 0: the character is none of
 * them. */
static unsigned troublesome(const char *text, size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (bytes[0] == 0xC2 && bytes[1] < 0xA0)
        return bytes[1];
    if (n_bytes < 3 || (bytes[0] != 0xE2 && bytes[0] != 0xEF))
        return 0;
    unsigned c = (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    return c == 0x2028 || c == 0x2029 || c == 0xFEFF || c >= 0xFFFE ? c : 0;
}

/* Bytes at the start of `text`, which is UTF-8, that need no escape. */
static size_t plain_bytes(const char *text, size_t n_bytes)
{
    size_t n = 0;

    while (n < n_bytes && (unsigned char)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\' &&
           text[n] != 0x7F &&
           !((unsigned char)text[n] > 0x7F && troublesome(text + n, n_bytes - n)))
        n++;
    return n;
}

/* Escapes the character at the start of `text` and gives its bytes. */
static size_t add_escaped(struct iso_text_buffer *buffer, const char *text, size_t n_bytes)
{
    static const char *const short_forms[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",  ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    unsigned char c = (unsigned char)*text;
    unsigned code = c > 0x7F ? troublesome(text, n_bytes) : c;
    char escape[8];

    if (c < ISO_ARRAY_LENGTH(short_forms) && short_forms[c]) {
        iso_text_buffer_puts(buffer, short_forms[c]);
        return 1;
    }
    snprintf(escape, sizeof(escape), "\\u%04x", code & 0xFFFF);
    iso_text_buffer_puts(buffer, escape);
    return c <= 0x7F ? 1 : c == 0xC2 ? 2 : 3;
}

void iso_text_buffer_quote(struct iso_text_buffer *buffer, const char *text, size_t n_bytes)
{
    iso_text_buffer_puts(buffer, "\"");
    while (n_bytes > 0) {
        size_t n_valid = iso_utf8_valid_bytes(text, n_bytes), n_rest = n_valid;

        while (n_rest > 0) {
            size_t n = plain_bytes(text, n_rest);
            iso_text_buffer_add(buffer, text, n);
            if (n < n_rest)
                n += add_escaped(buffer, text + n, n_rest - n);
            text += n;
            n_rest -= n;
        }
        n_bytes -= n_valid;
        if (n_bytes > 0) {
            iso_text_buffer_puts(buffer, "\xEF\xBF\xBD");
            text++;
            n_bytes--;
        }
    }
    iso_text_buffer_puts(buffer, "\"");
}
