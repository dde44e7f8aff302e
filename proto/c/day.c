#include "isocost/proto/day.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json_text.h"

#define DAY_SECONDS INT64_C(86400)

bool iso_day_read(const char *text, int32_t *ret_day)
{
    char time[32];
    int64_t seconds;
    int32_t nanos;

    if (strlen(text) != strlen("2026-01-31"))
        return false;
    snprintf(time, sizeof(time), "%sT00:00:00Z", text);
    if (!iso_timestamp_parse(time, &seconds, &nanos) || seconds < 0)
        return false;
    *ret_day = (int32_t)(seconds / DAY_SECONDS);
    return true;
}

const char *iso_day_format(int32_t day, char text[ISO_DAY_TEXT_SIZE])
{
    time_t seconds = (time_t)(day * DAY_SECONDS);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(text, ISO_DAY_TEXT_SIZE, "%Y-%m-%d", &parts);
    return text;
}

int32_t iso_day_of_ns(int64_t ns)
{
    return ns > 0 ? (int32_t)(ns / 1000000000 / DAY_SECONDS) : 0;
}
