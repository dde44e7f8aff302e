#include "isocost/sdk/words.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define MAX_YEAR 2261 /* the last whole year of 64 bits of nanoseconds */

const struct iso_words iso_words_purchase = {"PURCHASE_", "on-demand|spot"};
const struct iso_words iso_words_kind = {"OFFERING_KIND_", "vm|disk|gpu|host|other"};
const struct iso_words iso_words_status = {"OFFERING_STATUS_",
                                           "available|restricted|sold-out|deprecated|unknown"};
const struct iso_words iso_words_price_unit = {"PRICE_UNIT_", "hour|month"};
const struct iso_words iso_words_resource = {
    "RESOURCE_", "vcpu|memory-gib|gpu|gpu-memory-gib|local-disk-gib|disk-gib|network-gbps|iops"};
const struct iso_words iso_words_commitment = {"COMMITMENT_KIND_", "unit|spend"};

static int folded(char c)
{
    return c == '-' || c == ' ' ? '_' : tolower((unsigned char)c);
}

/* Compares the first n bytes of two words. */
static bool equal_n(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!a[i] || folded(a[i]) != folded(b[i]))
            return false;
    return true;
}

bool iso_name_equal(const char *a, const char *b)
{
    size_t length = strlen(b);

    return strlen(a) == length && equal_n(a, b, length);
}

enum iso_status iso_word_read(const struct iso_words *words, const char *text, int32_t *ret_value,
                              struct iso_error *reterr)
{
    size_t n_prefix = strlen(words->prefix);
    int32_t value = 1;

    if (!text || !text[0]) {
        *ret_value = 0;
        return ISO_OK;
    }
    const char *rest = equal_n(text, words->prefix, n_prefix) ? text + n_prefix : text;
    for (const char *word = words->words; *word; value++) {
        size_t n = strcspn(word, "|");
        if (strlen(rest) == n && equal_n(rest, word, n)) {
            *ret_value = value;
            return ISO_OK;
        }
        word += n + (word[n] == '|');
    }
    return iso_fail(reterr, ISO_E_INVALID, "", "\"%.64s\" is not one of %s", text, words->words);
}

enum iso_status iso_bool_read(const char *text, bool *ret_value, struct iso_error *reterr)
{
    static const char *const yes[] = {"true", "yes", "1"};
    static const char *const no[] = {"", "false", "no", "0"};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(no); i++)
        if (!text || iso_name_equal(text, no[i])) {
            *ret_value = false;
            return ISO_OK;
        }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(yes); i++)
        if (iso_name_equal(text, yes[i])) {
            *ret_value = true;
            return ISO_OK;
        }
    return iso_fail(reterr, ISO_E_INVALID, "", "\"%.64s\" is not true or false", text);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level
 * date algorithms", days_from_civil). */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

/* Reads exactly n digits. */
static bool digits(const char **next, int n, int64_t *ret_value)
{
    int64_t value = 0;

    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)**next))
            return false;
        value = value * 10 + (*(*next)++ - '0');
    }
    *ret_value = value;
    return true;
}

static bool byte(const char **next, const char *allowed)
{
    return **next && strchr(allowed, **next) && (*next)++;
}

/* The fraction of a second in nanoseconds; further digits are dropped. */
static bool fraction(const char **next, int64_t *ret_ns)
{
    int64_t ns = 0, unit = NS_PER_SECOND / 10;
    bool any = false;

    for (; isdigit((unsigned char)**next); (*next)++, unit /= 10) {
        ns += (**next - '0') * unit;
        any = true;
    }
    *ret_ns = ns;
    return any;
}

/* Z, or hours and minutes east of it, in seconds. */
static bool zone(const char **next, int64_t *ret_seconds)
{
    int64_t hours, minutes;
    bool west = **next == '-';

    if (byte(next, "Zz")) {
        *ret_seconds = 0;
        return true;
    }
    if (!byte(next, "+-") || !digits(next, 2, &hours) || !byte(next, ":") ||
        !digits(next, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

enum iso_status iso_time_read(const char *text, int64_t *ret_ns, struct iso_error *reterr)
{
    int64_t year, month, day, hour, minute, second, ns = 0, east;
    const char *next = text;

    if (!text || !text[0]) {
        *ret_ns = 0;
        return ISO_OK;
    }
    bool read = digits(&next, 4, &year) && byte(&next, "-") && digits(&next, 2, &month) &&
                byte(&next, "-") && digits(&next, 2, &day) && byte(&next, "Tt ") &&
                digits(&next, 2, &hour) && byte(&next, ":") && digits(&next, 2, &minute) &&
                byte(&next, ":") && digits(&next, 2, &second) &&
                (!byte(&next, ".") || fraction(&next, &ns)) && zone(&next, &east) && !*next;
    if (!read || year < 1970 || year > MAX_YEAR || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.64s\" is not a time like 2026-03-01T00:00:00Z, zone included", text);
    int64_t seconds =
        days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - east;
    *ret_ns = seconds * NS_PER_SECOND + ns;
    return ISO_OK;
}

char *iso_time_write(int64_t ns, char buffer[ISO_TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    struct tm parts = {0};

    gmtime_r(&seconds, &parts);
    strftime(buffer, ISO_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer;
}

/* Bytes of the sequence that starts here, or 0. RFC 3629. */
static size_t sequence(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        n = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        n = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        n = 4;
    else
        return 0;
    low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
    high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
    for (size_t i = 1; i < n; i++) {
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

bool iso_text_is_utf8(const char *text)
{
    const unsigned char *next = (const unsigned char *)text;

    while (*next) {
        size_t n = sequence(next);
        if (n == 0)
            return false;
        next += n;
    }
    return true;
}

bool iso_currency_read(const char *said, const char *otherwise, char ret_code[4])
{
    snprintf(ret_code, 4, "%s", otherwise);
    if (!said[0])
        return true;
    if (strlen(said) != 3)
        return false;
    for (int i = 0; i < 3; i++) {
        if (!isalpha((unsigned char)said[i]))
            return false;
        ret_code[i] = (char)toupper((unsigned char)said[i]);
    }
    return true;
}

bool iso_begins_with_any(const char *text, const char *heads)
{
    if (!heads[0])
        return true;
    while (*heads) {
        size_t n = strcspn(heads, ", ");
        if (n > 0 && strncmp(text, heads, n) == 0)
            return true;
        heads += n + (heads[n] != '\0');
    }
    return false;
}
