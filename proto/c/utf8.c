#include "utf8.h"

static size_t character_bytes(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 0;
}

size_t iso_utf8_valid_bytes(const char *text, size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t i = 0; i < n_bytes;) {
        unsigned char first = bytes[i];
        size_t n = character_bytes(first);

        if (n == 0 || n > n_bytes - i)
            return i;
        for (size_t k = 1; k < n; k++)
            if ((bytes[i + k] & 0xC0) != 0x80)
                return i;
        if ((first == 0xE0 && bytes[i + 1] < 0xA0) || (first == 0xED && bytes[i + 1] > 0x9F) ||
            (first == 0xF0 && bytes[i + 1] < 0x90) || (first == 0xF4 && bytes[i + 1] > 0x8F))
            return i;
        i += n;
    }
    return n_bytes;
}
