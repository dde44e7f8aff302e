#include "isocost/sdk/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "isocost/sdk/words.h"

#define MAX_TEXT_BYTES 512
#define MAX_PLACE_BYTES 320

static void mend(char *text)
{
    if (iso_text_is_utf8(text))
        return;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
}

enum iso_status iso_report(struct iso_sink *sink, const char *code, bool quarantined,
                           const char *place, const char *format, struct iso_error *reterr, ...)
{
    char text[MAX_TEXT_BYTES], where[MAX_PLACE_BYTES];
    va_list arguments;

    va_start(arguments, reterr);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(where, sizeof(where), "%s", place);
    mend(text);
    mend(where);
    return iso_put_diagnostics(
        sink,
        &(struct iso_plugin_diagnostic){
            .code = code, .quarantined = quarantined, .place = where, .text = text},
        1, reterr);
}
