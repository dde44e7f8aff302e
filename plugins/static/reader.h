/* One reading of catalog files: what the parts of this plugin share. */
#ifndef ISOCOST_STATIC_READER_H
#define ISOCOST_STATIC_READER_H

#include "isocost/plugin.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/table.h"

struct iso_static_config {
    const char *path, *kinds, *provider, *currency;
    int64_t max_file_mib;
};

/* What a file holds. */
enum iso_file_kind {
    ISO_FILE_OFFERINGS, /* the tables; a row's kind too */
    ISO_FILE_PRODUCTS,
    ISO_FILE_QUOTAS,
    ISO_FILE_OVERLAYS,
    ISO_FILE_EGRESS_RATES,
    ISO_FILE_N_TABLES,
    ISO_FILE_JSON = ISO_FILE_N_TABLES,
    ISO_FILE_ANY_TABLE, /* its header tells */
    ISO_FILE_IGNORED,
};

struct iso_static_reader {
    const struct iso_static_config *config;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_scratch *scratch; /* of the row under way */
    const char *file;            /* name of the file under way, without folders */
};

/* Reads one file and sends its rows. `named`: the operator asked for this very file, so one that is
 * no catalog is an error. Errors: those of the host and the sink; ISO_E_INVALID when the file as a
 * whole cannot be read. Bad rows are reported, not errors. */
enum iso_status iso_csv_file_read(struct iso_static_reader *reader, const char *path,
                                  enum iso_file_kind kind, bool named, struct iso_error *reterr);
enum iso_status iso_json_file_read(struct iso_static_reader *reader, const char *path, bool named,
                                   struct iso_error *reterr);

/* Whether the fetch asks for rows of a kind. */
bool iso_static_wants(const struct iso_static_reader *reader, enum iso_file_kind kind);

#endif
