/* Which times the files of a bill have, kept from one fetch to the next: a file that is as before
 * and has no charge of the time that is asked for is not read. So an hour's refresh reads the file
 * of this month and not those of all years. */
#ifndef ISOCOST_FOCUS_SPANS_H
#define ISOCOST_FOCUS_SPANS_H

#include "isocost/plugin.h"

/* When the first and the last charge of a file begin. */
struct iso_bill_span {
    int64_t first_ns, last_ns;
};
#define ISO_BILL_NO_SPAN ((struct iso_bill_span){INT64_MAX, INT64_MIN})

void iso_bill_span_add(struct iso_bill_span *span, int64_t start_ns);

struct iso_bill_spans;

/* Those of the bill at a path that are kept, none if there is no cache folder. Errors: ISO_E_NOMEM,
 * ISO_E_CANCELLED. */
enum iso_status iso_bill_spans_load(const struct iso_host *host, const char *path,
                                    struct iso_bill_spans **ret_spans, struct iso_error *reterr);
void iso_bill_spans_free(struct iso_bill_spans *spans); /* accepts NULL */
ISO_DEFINE_FREEP(iso_bill_spans)

/* Whether a file need not be read. Errors: those of file_facts(); ISO_E_NOMEM. */
enum iso_status iso_bill_spans_skip(struct iso_bill_spans *spans, const char *path,
                                    const char *name, const struct iso_fetch *what, bool *ret_skip,
                                    struct iso_error *reterr);

/* Notes the span of the file that was asked about last, which was read to its end. */
void iso_bill_spans_note(struct iso_bill_spans *spans, const struct iso_bill_span *span);

/* Keeps what was noted and tells how many files were left out. Errors: those of the sink. */
enum iso_status iso_bill_spans_end(struct iso_bill_spans *spans, struct iso_sink *sink,
                                   struct iso_error *reterr);

#endif
