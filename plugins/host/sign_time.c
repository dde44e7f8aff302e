#include "sign_time.h"

#include <time.h>

static void write_time(int64_t time_s, const char *format, char *ret_text, size_t n_bytes)
{
    time_t seconds = (time_t)time_s;
    struct tm utc = {0};

    ret_text[0] = '\0';
    if (gmtime_r(&seconds, &utc))
        strftime(ret_text, n_bytes, format, &utc);
}

void iso_basic_time(int64_t time_s, char ret_text[ISO_BASIC_TIME_SIZE])
{
    write_time(time_s, "%Y%m%dT%H%M%SZ", ret_text, ISO_BASIC_TIME_SIZE);
}

void iso_extended_time(int64_t time_s, char ret_text[ISO_EXTENDED_TIME_SIZE])
{
    write_time(time_s, "%Y-%m-%dT%H:%M:%SZ", ret_text, ISO_EXTENDED_TIME_SIZE);
}
