#include "isocost/sdk/date.h"

#include <ctype.h>
#include <stdio.h>

#include "isocost/sdk/words.h"

#define MAX_TEXT_BYTES 80

/* Whether the text is digits where the pattern has '0', and the pattern's bytes elsewhere. */
static bool is_like(const char *text, const char *pattern)
{
    for (; *pattern; text++, pattern++)
        if (*pattern == '0' ? !isdigit((unsigned char)*text) : *text != *pattern)
            return false;
    return *text == '\0';
}

/* A zone ends in Z, or is an offset behind the time of day. */
static bool has_zone(const char *text)
{
    const char *time_of_day = strlen(text) > 10 ? text + 10 : "";

    return strpbrk(time_of_day, "Zz+-") != NULL;
}

/* Month, day and year with one or two digits and four, a time of day behind it or not. */
static bool read_month_first(const char *text, char written[MAX_TEXT_BYTES])
{
    int month, day, year, n = 0, hour = 0, minute = 0;

    if (sscanf(text, "%2d/%2d/%4d%n", &month, &day, &year, &n) != 3 || year < 1970)
        return false;
    if (text[n] && (sscanf(text + n, " %2d:%2d", &hour, &minute) != 2 || text[n] != ' ' ||
                    !is_like(strchr(text, ':'), ":00")))
        return false;
    if (month < 0 || day < 0 || hour < 0 || minute < 0)
        return false;
    snprintf(written, MAX_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:00Z", year, month, day, hour,
             minute);
    return true;
}

/* The time as RFC 3339 writes it. */
static enum iso_date_form rewrite(const char *text, char written[MAX_TEXT_BYTES])
{
    size_t n = strlen(text);

    written[0] = '\0';
    if (is_like(text, "0000-00-00")) {
        snprintf(written, MAX_TEXT_BYTES, "%.10sT00:00:00Z", text);
        return ISO_DATE_DAY;
    }
    if (is_like(text, "00000000")) {
        snprintf(written, MAX_TEXT_BYTES, "%.4s-%.2s-%.2sT00:00:00Z", text, text + 4, text + 6);
        return ISO_DATE_DAY;
    }
    if (strchr(text, '/')) {
        read_month_first(text, written);
        return ISO_DATE_MONTH_FIRST;
    }
    bool zoned = has_zone(text);
    if (n < MAX_TEXT_BYTES - 1)
        snprintf(written, MAX_TEXT_BYTES, "%.70s%s", text, zoned ? "" : "Z");
    return zoned ? ISO_DATE_ZONED : ISO_DATE_UNZONED;
}

enum iso_status iso_date_read(const char *text, int64_t *ret_ns, enum iso_date_form *ret_form,
                              struct iso_error *reterr)
{
    char written[MAX_TEXT_BYTES];
    enum iso_date_form form;

    if (!text || !text[0]) {
        *ret_ns = 0;
        *ret_form = ISO_DATE_MISSING;
        return ISO_OK;
    }
    form = rewrite(text, written);
    if (!written[0] || iso_time_read(written, ret_ns, NULL) != ISO_OK)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.64s\" is no time like 2024-09-01T00:00:00Z, 2024-09-01 00:00:00, "
                        "2024-09-01 or 9/1/2024 (month first)",
                        text);
    *ret_form = form;
    return ISO_OK;
}
