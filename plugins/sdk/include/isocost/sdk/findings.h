/* What was found in many rows: the first places of each code, and how many there were. A file of a
 * million rows with one fault in each is told in a few diagnostics that count a million. */
#ifndef ISOCOST_SDK_FINDINGS_H
#define ISOCOST_SDK_FINDINGS_H

#include "isocost/plugin.h"

#define ISO_FINDINGS_CODES 48
#define ISO_FINDINGS_EXAMPLES 10 /* of each code that are sent with their place */

/* Zero-initialise it: struct iso_findings findings = {0}; */
struct iso_findings {
    size_t n_codes;
    struct {
        const char *code;
        bool quarantined;
        int64_t n;
    } codes[ISO_FINDINGS_CODES];
};

/* Counts one; sends it while its code has few. `code` is a constant. `quarantined`: it stands for a
 * row. Errors: those of the sink. */
__attribute__((format(printf, 6, 8))) enum iso_status
iso_findings_add(struct iso_findings *findings, struct iso_sink *sink, const char *code,
                 bool quarantined, const char *place, const char *format, struct iso_error *reterr,
                 ...);

/* Sends how many more there were of each code, with `place` for all of them, and begins anew.
 * Errors: those of the sink. */
enum iso_status iso_findings_end(struct iso_findings *findings, struct iso_sink *sink,
                                 const char *place, struct iso_error *reterr);

#endif
