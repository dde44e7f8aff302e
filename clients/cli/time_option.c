#include "time_option.h"

#include <time.h>

enum iso_exit_code iso_time_option_read(struct iso_cli *cli, const char *option, const char *text,
                                        Google__Protobuf__Timestamp *time,
                                        Google__Protobuf__Timestamp **ret_time)
{
    static const char *const forms[] = {"%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%dT%H:%M:%SZ"};

    *ret_time = NULL;
    if (!text)
        return ISO_EXIT_OK;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(forms); i++) {
        struct tm parts = {.tm_mday = 1};
        const char *end = strptime(text, forms[i], &parts);
        struct tm given = parts;
        time_t seconds = end && *end == '\0' ? timegm(&parts) : -1;

        /* timegm() takes 31 February for 3 March; strptime() does not see it. */
        if (seconds < 0 || parts.tm_mday != given.tm_mday)
            continue;
        google__protobuf__timestamp__init(time);
        time->seconds = seconds;
        *ret_time = time;
        return ISO_EXIT_OK;
    }
    fprintf(cli->err,
            "isocost: --%s: \"%s\" is no time like 2026-03, 2026-03-01 or "
            "2026-03-01T12:00:00Z\n",
            option, text);
    return ISO_EXIT_USAGE;
}
