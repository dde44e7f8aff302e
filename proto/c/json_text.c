#include "json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANOS_PER_SECOND 1000000000
#define TIMESTAMP_SECONDS_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DURATION_SECONDS_MAX INT64_C(315576000000)
#define FRACTION_DIGITS 9

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly n digits and steps over them. */
static bool read_digits(const char **at, int n, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < n; i++, (*at)++) {
        if (!is_digit(**at))
            return false;
        value = 10 * value + (**at - '0');
    }
    *ret_value = value;
    return true;
}

static bool read_char(const char **at, char upper, char lower)
{
    if (**at != upper && **at != lower)
        return false;
    (*at)++;
    return true;
}

/* Reads ".5" as 500000000; without a point *ret_nanos is 0. */
static bool read_fraction(const char **at, int32_t *ret_nanos)
{
    int32_t nanos = 0;
    int n = 0;

    if (**at != '.') {
        *ret_nanos = 0;
        return true;
    }
    for ((*at)++; is_digit(**at) && n < FRACTION_DIGITS; (*at)++, n++)
        nanos = 10 * nanos + (**at - '0');
    if (n == 0 || is_digit(**at))
        return false;
    for (; n < FRACTION_DIGITS; n++)
        nanos *= 10;
    *ret_nanos = nanos;
    return true;
}

/* Reads "Z" or "+02:00". */
static bool read_zone(const char **at, int *ret_seconds)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;

    if (read_char(at, 'Z', 'z')) {
        *ret_seconds = 0;
        return true;
    }
    if (!read_char(at, '+', '-') || !read_digits(at, 2, &hours) || !read_char(at, ':', ':') ||
        !read_digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool iso_timestamp_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    const char *at = text;
    int year, month, day, hour, minute, second, zone_seconds;
    int32_t nanos;

    if (!read_digits(&at, 4, &year) || !read_char(&at, '-', '-') || !read_digits(&at, 2, &month) ||
        !read_char(&at, '-', '-') || !read_digits(&at, 2, &day) || !read_char(&at, 'T', 't') ||
        !read_digits(&at, 2, &hour) || !read_char(&at, ':', ':') || !read_digits(&at, 2, &minute) ||
        !read_char(&at, ':', ':') || !read_digits(&at, 2, &second) || !read_fraction(&at, &nanos) ||
        !read_zone(&at, &zone_seconds) || *at != '\0')
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;

    struct tm fields = {.tm_year = year - 1900,
                        .tm_mon = month - 1,
                        .tm_mday = day,
                        .tm_hour = hour,
                        .tm_min = minute,
                        .tm_sec = second};
    int64_t seconds = (int64_t)timegm(&fields) - zone_seconds;
    if (seconds < TIMESTAMP_SECONDS_MIN || seconds > TIMESTAMP_SECONDS_MAX)
        return false;
    *ret_seconds = seconds;
    *ret_nanos = nanos;
    return true;
}

/* Writes "", ".5" as ".500", or 6 or 9 places. */
static void format_fraction(int32_t nanos, char buffer[FRACTION_DIGITS + 2])
{
    if (nanos == 0)
        buffer[0] = '\0';
    else if (nanos % 1000000 == 0)
        snprintf(buffer, FRACTION_DIGITS + 2, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        snprintf(buffer, FRACTION_DIGITS + 2, ".%06d", nanos / 1000);
    else
        snprintf(buffer, FRACTION_DIGITS + 2, ".%09d", nanos);
}

bool iso_timestamp_format(int64_t seconds, int32_t nanos, char buffer[ISO_TIME_TEXT_SIZE])
{
    char fraction[FRACTION_DIGITS + 2];
    time_t time = (time_t)seconds;
    struct tm fields;

    if (seconds < TIMESTAMP_SECONDS_MIN || seconds > TIMESTAMP_SECONDS_MAX || nanos < 0 ||
        nanos >= NANOS_PER_SECOND || !gmtime_r(&time, &fields))
        return false;
    format_fraction(nanos, fraction);
    snprintf(buffer, ISO_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
             (fields.tm_year + 1900) % 10000, fields.tm_mon + 1, fields.tm_mday, fields.tm_hour,
             fields.tm_min, fields.tm_sec, fraction);
    return true;
}

/* Reads "-12.5": whole digits, then at most 9 places. The sign is on both results. */
static bool read_amount(const char **at, int64_t *ret_whole, int32_t *ret_nanos)
{
    int64_t whole = 0;
    int32_t nanos;
    bool negative = **at == '-';

    *at += negative || **at == '+';
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, **at - '0', &whole))
            return false;
    if (!read_fraction(at, &nanos))
        return false;
    *ret_whole = negative ? -whole : whole;
    *ret_nanos = negative ? -nanos : nanos;
    return true;
}

bool iso_duration_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    const char *at = text;
    int64_t seconds;
    int32_t nanos;

    if (!read_amount(&at, &seconds, &nanos) || strcmp(at, "s") != 0 ||
        seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX)
        return false;
    *ret_seconds = seconds;
    *ret_nanos = nanos;
    return true;
}

bool iso_duration_format(int64_t seconds, int32_t nanos, char buffer[ISO_TIME_TEXT_SIZE])
{
    char fraction[FRACTION_DIGITS + 2];

    if (seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX ||
        nanos <= -NANOS_PER_SECOND || nanos >= NANOS_PER_SECOND || (seconds > 0 && nanos < 0) ||
        (seconds < 0 && nanos > 0))
        return false;
    format_fraction(abs(nanos), fraction);
    snprintf(buffer, ISO_TIME_TEXT_SIZE, "%s%lld%ss", seconds < 0 || nanos < 0 ? "-" : "",
             llabs((long long)seconds), fraction);
    return true;
}

bool iso_money_parse(const char *text, int64_t *ret_units, int32_t *ret_nanos, char ret_code[4])
{
    const char *at = text;
    int64_t units;
    int32_t nanos;

    if (!read_amount(&at, &units, &nanos) || *at++ != ' ' || strlen(at) != 3)
        return false;
    for (int i = 0; i < 3; i++)
        if (at[i] < 'A' || at[i] > 'Z')
            return false;
    *ret_units = units;
    *ret_nanos = nanos;
    memcpy(ret_code, at, 4);
    return true;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

unsigned char *iso_base64_decode(const char *text, size_t n_chars, struct iso_arena *arena,
                                 size_t *ret_n_bytes)
{
    size_t n_padding = 0, n_bytes = 0;

    while (n_padding < 2 && n_chars > 0 && text[n_chars - 1] == '=') {
        n_chars--;
        n_padding++;
    }
    if (n_chars % 4 == 1 || (n_padding > 0 && (n_chars + n_padding) % 4 != 0))
        return NULL;
    unsigned char *bytes = iso_arena_calloc(arena, n_chars / 4 * 3 + 3, 1);
    if (!bytes)
        return NULL;

    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < n_chars; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return NULL;
        bits = (bits << 6 | (uint32_t)digit) & 0xFFFFFF;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[n_bytes++] = (unsigned char)(bits >> n_bits);
        }
    }
    *ret_n_bytes = n_bytes;
    return bytes;
}

void iso_base64_encode(const unsigned char *bytes, size_t n_bytes, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n_bytes; i += 3) {
        size_t n = n_bytes - i < 3 ? n_bytes - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (n > 2 ? (uint32_t)bytes[i + 2] : 0);
        *text++ = digits[bits >> 18];
        *text++ = digits[bits >> 12 & 63];
        *text++ = '=';
        *text++ = '=';
        if (n > 1)
            text[-2] = digits[bits >> 6 & 63];
        if (n > 2)
            text[-1] = digits[bits & 63];
    }
    *text = '\0';
}
