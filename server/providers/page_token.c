#include "page_token.h"

#include <stdio.h>

#include "isocost/base/sha256.h"

enum { CHECK_DIGITS = 16, MAX_POSITION = 512 };

static void add_field(struct iso_sha256 *sha, const char *text)
{
    iso_sha256_update(sha, text, strlen(text) + 1);
}

/* 16 hex digits over what the token is bound to. It keeps mistakes out, not attackers: a forged
 * token gives no more than another page of the caller's own list. */
static void check_digits(const struct iso_principal *principal, const char *scope,
                         const char *position, char digits[CHECK_DIGITS + 1])
{
    unsigned char digest[ISO_SHA256_BYTES];
    char text[ISO_DIGEST_TEXT_SIZE];
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    add_field(&sha, principal->tenant);
    add_field(&sha, principal->project);
    add_field(&sha, scope);
    add_field(&sha, position);
    iso_sha256_final(&sha, digest);
    iso_digest_text(digest, text);
    snprintf(digits, CHECK_DIGITS + 1, "%.*s", CHECK_DIGITS, text + strlen("sha256:"));
}

char *iso_page_token_make(const struct iso_principal *principal, const char *scope,
                          const char *position, struct iso_arena *arena)
{
    size_t n = strlen(position);
    char digits[CHECK_DIGITS + 1];
    char *token = iso_arena_calloc(arena, CHECK_DIGITS + 2 * n + 1, 1);

    ISO_ASSERT(n <= MAX_POSITION);
    if (!token)
        return NULL;
    check_digits(principal, scope, position, digits);
    memcpy(token, digits, CHECK_DIGITS);
    for (size_t i = 0; i < n; i++)
        snprintf(token + CHECK_DIGITS + 2 * i, 3, "%02x", (unsigned)(unsigned char)position[i]);
    return token;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

enum iso_status iso_page_token_read(const struct iso_principal *principal, const char *scope,
                                    const char *token, struct iso_arena *arena,
                                    const char **ret_position, struct iso_error *reterr)
{
    size_t n = strlen(token);
    char digits[CHECK_DIGITS + 1];
    char *position;

    if (n == 0) {
        *ret_position = "";
        return ISO_OK;
    }
    position = iso_arena_calloc(arena, n + 1, 1);
    if (!position)
        return iso_fail(reterr, ISO_E_LIMIT, "page_token", "the token needs too much memory");
    for (size_t i = CHECK_DIGITS, k = 0; i + 1 < n; i += 2, k++) {
        int high = hex_value(token[i]), low = hex_value(token[i + 1]);
        position[k] = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
    }
    check_digits(principal, scope, position, digits);
    if (n < CHECK_DIGITS || n % 2 != 0 || n > CHECK_DIGITS + 2 * MAX_POSITION ||
        strncmp(token, digits, CHECK_DIGITS) != 0 || n != CHECK_DIGITS + 2 * strlen(position))
        return iso_fail(
            reterr, ISO_E_INVALID, "page_token",
            "the token is not from an answer to these arguments; leave it empty for the "
            "first page");
    *ret_position = position;
    return ISO_OK;
}

enum iso_status iso_page_size(int32_t asked, int32_t otherwise, int32_t maximum, int32_t *ret_size,
                              struct iso_error *reterr)
{
    if (asked < 0 || asked > maximum)
        return iso_fail(reterr, ISO_E_INVALID, "page_size",
                        "page_size is %d; it must be in [0, %d]", asked, maximum);
    *ret_size = asked ? asked : otherwise;
    return ISO_OK;
}
