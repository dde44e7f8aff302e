/* One reading of bills: what the parts of this plugin share. */
#ifndef ISOCOST_FOCUS_READER_H
#define ISOCOST_FOCUS_READER_H

#include "isocost/plugin.h"
#include "isocost/sdk/findings.h"
#include "isocost/sdk/scratch.h"

struct iso_focus_config {
    const char *path, *provider, *currency, *azure_costs;
    int64_t max_file_mib;
};

struct iso_focus_reader {
    const struct iso_focus_config *config;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_scratch *scratch;  /* of the row under way */
    struct iso_findings findings; /* of the file under way */
    const char *file;             /* its name, without folders */
    struct iso_bill_spans *spans; /* which times files have */
};

/* Reads every .csv and .csv.gz of the bill at the configured path, a file or a folder, in order of
 * names. Errors: ISO_E_NOT_FOUND when there is none, those of the host and the sink; ISO_E_INVALID
 * for a file that cannot be read as a whole. Bad rows are reported, not errors. */
enum iso_status iso_bills_read(struct iso_focus_reader *reader, struct iso_error *reterr);

#endif
