/* Rows that cannot be sent as rows. */
#ifndef ISOCOST_SDK_REPORT_H
#define ISOCOST_SDK_REPORT_H

#include "isocost/plugin.h"

/* Sends a diagnostic; `quarantined`: it stands for a row. Bytes that are no UTF-8 become '?'.
 * Errors: those of the sink. */
__attribute__((format(printf, 5, 7))) enum iso_status
iso_report(struct iso_sink *sink, const char *code, bool quarantined, const char *place,
           const char *format, struct iso_error *reterr, ...);

#endif
