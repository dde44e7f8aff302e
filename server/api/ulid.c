/* Ids and etags. ULIDs: 48 bits of milliseconds and 80 random bits in Crockford's base 32, so that
 * ids sort by time. */
#include <stdio.h>
#include <sys/random.h>

#include "api_internal.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char *iso_ulid_new(char text[ISO_ULID_SIZE])
{
    uint64_t ms = (uint64_t)(iso_wall_ns() / 1000000);
    unsigned char random[16] = {0};

    if (getrandom(random, sizeof(random), 0) < 0)
        memcpy(random, &ms, sizeof(ms)); /* never on Linux once the system has started */
    for (int i = 9; i >= 0; i--, ms >>= 5)
        text[i] = digits[ms & 31];
    for (int i = 0; i < 16; i++)
        text[10 + i] = digits[random[i] & 31];
    text[ISO_ULID_SIZE - 1] = '\0';
    return text;
}

enum iso_status iso_ulid_check(const char *text, const char *field, struct iso_error *reterr)
{
    if (!*text)
        return iso_fail(reterr, ISO_E_INVALID, field, "is missing; an id is needed");
    if (strlen(text) != ISO_ULID_SIZE - 1 || strspn(text, digits) != ISO_ULID_SIZE - 1)
        return iso_fail(
            reterr, ISO_E_INVALID, field,
            "\"%.40s\" is not an id made by the server, which has 26 digits and capital letters",
            text);
    return ISO_OK;
}

enum iso_status iso_etag_read(const char *text, int64_t *ret_etag, struct iso_error *reterr)
{
    char *end = NULL;

    *ret_etag = 0;
    if (!text[0])
        return ISO_OK;
    *ret_etag = strtoll(text, &end, 10);
    if (*end || *ret_etag <= 0)
        return iso_fail(reterr, ISO_E_INVALID, "etag", "\"%.40s\" is not an etag of this server",
                        text);
    return ISO_OK;
}
