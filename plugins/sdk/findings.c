#include "isocost/sdk/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "isocost/sdk/report.h"

#define MAX_TEXT_BYTES 512

/* The place of a code; the last one is for those for which there is no place left. */
static size_t find_or_add(struct iso_findings *findings, const char *code, bool quarantined)
{
    for (size_t i = 0; i < findings->n_codes; i++)
        if (findings->codes[i].quarantined == quarantined &&
            strcmp(findings->codes[i].code, code) == 0)
            return i;
    if (findings->n_codes == ISO_FINDINGS_CODES)
        return ISO_FINDINGS_CODES - 1;
    findings->codes[findings->n_codes].code = code;
    findings->codes[findings->n_codes].quarantined = quarantined;
    findings->codes[findings->n_codes].n = 0;
    return findings->n_codes++;
}

enum iso_status iso_findings_add(struct iso_findings *findings, struct iso_sink *sink,
                                 const char *code, bool quarantined, const char *place,
                                 const char *format, struct iso_error *reterr, ...)
{
    size_t at = find_or_add(findings, code, quarantined);
    char text[MAX_TEXT_BYTES];
    va_list arguments;

    if (++findings->codes[at].n > ISO_FINDINGS_EXAMPLES)
        return ISO_OK;
    va_start(arguments, reterr);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return iso_report(sink, findings->codes[at].code, quarantined, place, "%s", reterr, text);
}

enum iso_status iso_findings_end(struct iso_findings *findings, struct iso_sink *sink,
                                 const char *place, struct iso_error *reterr)
{
    for (size_t i = 0; i < findings->n_codes; i++) {
        struct iso_plugin_diagnostic row = {.code = findings->codes[i].code,
                                            .quarantined = findings->codes[i].quarantined,
                                            .place = place,
                                            .text = "the same in further rows",
                                            .count = findings->codes[i].n - ISO_FINDINGS_EXAMPLES};

        if (row.count > 0)
            ISO_TRY(iso_put_diagnostics(sink, &row, 1, reterr));
    }
    *findings = (struct iso_findings){0};
    return ISO_OK;
}
