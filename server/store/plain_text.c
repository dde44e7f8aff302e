#include "plain_text.h"

#include <stdint.h>
#include <string.h>

bool iso_plain_copy(const char *name, char *buffer, size_t size)
{
    const unsigned char *p = (const unsigned char *)name;
    size_t n = 0;

    while (*p) {
        unsigned char c = *p;
        if (p[0] == 0xEF && (p[1] == 0xBC || p[1] == 0xBD) && p[2] >= 0x80) {
            /* EF BC 81 is U+FF01; the code point less 0xFEE0 is ASCII. */
            uint32_t code = 0xF000u | ((uint32_t)(p[1] & 0x3F) << 6) | (uint32_t)(p[2] & 0x3F);
            if (code < 0xFF01 || code > 0xFF5E)
                return false;
            c = (unsigned char)(code - 0xFEE0);
            p += 3;
        } else if (p[0] == 0xE3 && p[1] == 0x80 && p[2] == 0x80) {
            c = ' ';
            p += 3;
        } else {
            p++;
        }
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if (n + 1 >= size)
            return false;
        buffer[n++] = (char)c;
    }
    buffer[n] = '\0';
    return true;
}

void iso_plain_key(const char *text, const char *without, char *ret_key)
{
    for (; *text; text++)
        if (!strchr(without, *text))
            *ret_key++ = *text;
    *ret_key = '\0';
}
