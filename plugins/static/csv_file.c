/* Catalog tables in CSV. */
#include <stdio.h>

#include "isocost/sdk/csv.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"
#include "row.h"

#define MAX_PLACE_BYTES 320

struct csv_file {
    struct iso_static_reader *reader;
    struct iso_csv_reader *csv;
    enum iso_file_kind kind; /* ANY_TABLE until the header is known, IGNORED: skip the rest */
    bool named, has_header;
    size_t n_columns; /* of the header */
    int32_t places[ISO_ROW_MAX_COLUMNS];
};

/* The table whose required columns the header has, if there is just one. */
static enum iso_file_kind kind_of_header(const char *const *header, size_t n_header)
{
    enum iso_file_kind found = ISO_FILE_IGNORED;
    int32_t places[ISO_ROW_MAX_COLUMNS];
    char unknown[ISO_TABLE_UNKNOWN_BYTES];

    for (int k = 0; k < ISO_FILE_N_TABLES; k++) {
        const struct iso_table *table = &iso_tables[k];
        bool fits = iso_table_bind(table->columns, table->n_columns, header, n_header, places,
                                   unknown, /* reterr= */ NULL) == ISO_OK;
        if (fits && found != ISO_FILE_IGNORED)
            return ISO_FILE_IGNORED;
        if (fits)
            found = (enum iso_file_kind)k;
    }
    return found;
}

static enum iso_status not_a_catalog(struct csv_file *file, struct iso_error *reterr)
{
    struct iso_static_reader *reader = file->reader;
    static const char text[] = "neither its name nor its header tells that it is a catalog";

    file->kind = ISO_FILE_IGNORED;
    if (file->named)
        return iso_fail(reterr, ISO_E_INVALID, "header", "%s", text);
    return iso_report(reader->sink, "not_a_catalog", /* quarantined= */ false, reader->file,
                      "%s; the file is left out", reterr, text);
}

static enum iso_status read_header(struct csv_file *file, const char *const *header,
                                   size_t n_header, struct iso_error *reterr)
{
    struct iso_static_reader *reader = file->reader;
    char unknown[ISO_TABLE_UNKNOWN_BYTES];

    file->has_header = true;
    file->n_columns = n_header;
    if (file->kind == ISO_FILE_ANY_TABLE) {
        file->kind = kind_of_header(header, n_header);
        if (file->kind == ISO_FILE_IGNORED)
            return not_a_catalog(file, reterr);
    }
    const struct iso_table *table = &iso_tables[file->kind];
    ISO_TRY(iso_table_bind(table->columns, table->n_columns, header, n_header, file->places,
                           unknown, reterr));
    if (!unknown[0])
        return ISO_OK;
    return iso_report(reader->sink, "unknown_column", /* quarantined= */ false, reader->file,
                      "columns without meaning in %s are ignored: %s", reterr, table->word,
                      unknown);
}

static bool is_empty(const char *const *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i][0])
            return false;
    return true;
}

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct csv_file *file = context;
    struct iso_row row = {.reader = file->reader, .kind = file->kind, .error = reterr};
    char place[MAX_PLACE_BYTES];

    if (file->kind == ISO_FILE_IGNORED || is_empty(fields, n_fields))
        return ISO_OK;
    if (!file->has_header)
        return read_header(file, fields, n_fields, reterr);
    if (!iso_static_wants(file->reader, file->kind))
        return ISO_OK;

    snprintf(place, sizeof(place), "%s:%lld", file->reader->file, (long long)line);
    row.place = place;
    if (n_fields != file->n_columns) {
        iso_row_refuse(&row, "ragged_row", "the row has %zu fields, the header %zu", n_fields,
                       file->n_columns);
        return row.status;
    }
    for (size_t i = 0; i < n_fields; i++)
        if (!iso_text_is_utf8(fields[i])) {
            iso_row_refuse(&row, "invalid_utf8", "field %zu is not UTF-8", i + 1);
            return row.status;
        }
    for (size_t c = 0; c < iso_tables[file->kind].n_columns; c++)
        row.text[c] = file->places[c] < 0 ? NULL : fields[file->places[c]];
    iso_scratch_reset(file->reader->scratch);
    return iso_row_send(&row, reterr);
}

static enum iso_status on_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                struct iso_error *reterr)
{
    struct csv_file *file = context;

    return iso_csv_feed(file->csv, bytes, n_bytes, reterr);
}

enum iso_status iso_csv_file_read(struct iso_static_reader *reader, const char *path,
                                  enum iso_file_kind kind, bool named, struct iso_error *reterr)
{
    struct csv_file file = {.reader = reader, .kind = kind, .named = named};
    ISO_AUTO(iso_csv_reader) csv = iso_csv_reader_new(on_row, &file);

    if (!csv)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read %.200s", reader->file);
    file.csv = csv;
    ISO_TRY(reader->host->read_file(reader->host, path, reader->config->max_file_mib << 20,
                                    on_bytes, &file, reterr));
    ISO_TRY(iso_csv_finish(csv, reterr));
    return file.has_header ? ISO_OK
                           : iso_fail(reterr, ISO_E_INVALID, "header",
                                      "the file is empty; a table without rows has its header");
}
