/* The files of a bill. */
#include <limits.h>
#include <stdio.h>

#include "isocost/sdk/csv.h"
#include "isocost/sdk/gzip.h"
#include "isocost/sdk/json_document.h"
#include "row.h"
#include "spans.h"

#define MAX_PLACE_BYTES 320
#define CANCEL_ROWS 4096 /* between two questions whether the caller gave up */

/* How nothing is written. */
enum nothing { NOTHING_UNKNOWN, NOTHING_EMPTY, NOTHING_WORD };

/* A file under way. */
struct bill_file {
    struct iso_focus_reader *reader;
    struct iso_csv_reader *csv;
    struct iso_gunzip *gunzip; /* NULL: it is not packed */
    bool has_header;
    struct iso_bill_columns columns;
    int64_t first_length_ns; /* of the first charge; 0: none yet */
    enum nothing nothing;    /* as the first row has it */
    int64_t n_rows;
    struct iso_bill_span span; /* of its charges so far */
    bool has_unplaced;         /* a row does not say when it was: it is told each time */
};

static bool is_empty(const char *const *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i][0])
            return false;
    return true;
}

/* Exporters that were merged into one file show by how they write nothing, and how long their
 * charges are. */
static void note_mixture(struct bill_file *file, struct iso_bill_row *row)
{
    int64_t length_ns = row->cost.end_ns - row->cost.start_ns;
    bool is_focus = file->columns.dialect == &iso_dialect_focus;
    enum nothing word = NOTHING_UNKNOWN;

    for (size_t i = 0; i < file->columns.n && is_focus; i++)
        if (iso_bill_is_null(row->fields[i]) && word != NOTHING_EMPTY)
            word = row->fields[i][0] ? NOTHING_WORD : NOTHING_EMPTY;
    if (file->nothing == NOTHING_UNKNOWN)
        file->nothing = word;
    if (word != NOTHING_UNKNOWN && word != file->nothing)
        iso_bill_note(row, "mixed_nulls", "nothing is written otherwise than in the rows before");
    if (file->first_length_ns == 0)
        file->first_length_ns = length_ns;
    if (is_focus && length_ns != file->first_length_ns)
        iso_bill_note(row, "mixed_periods", "the charge covers %lld s, the first of the file %lld",
                      (long long)(length_ns / 1000000000),
                      (long long)(file->first_length_ns / 1000000000));
}

/* Whether a row of fewer fields than the header has can be read: what it must say is there. */
static bool may_be_short(const struct iso_bill_columns *columns, size_t n_fields)
{
    const int *field = columns->dialect->always;

    if (!field || n_fields > columns->n)
        return false;
    for (; *field >= 0; field++)
        if (columns->places[*field] >= (int32_t)n_fields)
            return false;
    return true;
}

/* Gives the row empty fields for those that it leaves out. */
static void complete(struct iso_bill_row *row, size_t n_fields)
{
    size_t n = row->columns->n;
    const char **fields = iso_scratch_calloc(row->reader->scratch, n, sizeof(*fields));

    if (!fields) {
        row->status = iso_fail(row->error, ISO_E_NOMEM, "", "no memory for a row");
        return;
    }
    for (size_t i = 0; i < n; i++)
        fields[i] = i < n_fields ? row->fields[i] : "";
    row->fields = fields;
    iso_bill_note(row, "short_row", "the row has %zu fields, the header %zu", n_fields, n);
}

static bool is_utf8(struct iso_bill_row *row)
{
    for (size_t i = 0; i < row->columns->n; i++)
        if (!iso_text_is_utf8(row->fields[i])) {
            iso_bill_refuse(row, "invalid_utf8", "field %zu is not UTF-8", i + 1);
            return false;
        }
    return true;
}

static void read_row(struct bill_file *file, struct iso_bill_row *row)
{
    ISO_AUTO_JSON *document = NULL;

    if (!is_utf8(row))
        return;
    file->columns.dialect->read(row);
    if (row->refused || row->outside)
        return;
    note_mixture(file, row);
    iso_bill_tags(row, &document);
    iso_bill_send(row);
}

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct bill_file *file = context;
    char place[MAX_PLACE_BYTES];
    struct iso_bill_row row = {.reader = file->reader,
                               .columns = &file->columns,
                               .fields = fields,
                               .place = place,
                               .error = reterr};

    if (is_empty(fields, n_fields))
        return ISO_OK;
    if (!file->has_header) {
        file->has_header = true;
        return iso_bill_columns_bind(file->reader, fields, n_fields, &file->columns, reterr);
    }
    if (++file->n_rows % CANCEL_ROWS == 0 && file->reader->host->cancelled(file->reader->host))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller gave up");
    snprintf(place, sizeof(place), "%s:%lld", file->reader->file, (long long)line);
    iso_scratch_reset(file->reader->scratch);
    if (n_fields < file->columns.n && may_be_short(&file->columns, n_fields))
        complete(&row, n_fields);
    else if (n_fields != file->columns.n)
        iso_bill_refuse(&row, "ragged_row", "the row has %zu fields, the header %zu", n_fields,
                        file->columns.n);
    if (!row.refused && row.status == ISO_OK)
        read_row(file, &row);
    if (row.is_placed)
        iso_bill_span_add(&file->span, row.cost.start_ns);
    file->has_unplaced |= !row.is_placed;
    return row.status;
}

static enum iso_status on_plain_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                      struct iso_error *reterr)
{
    struct bill_file *file = context;

    return iso_csv_feed(file->csv, bytes, n_bytes, reterr);
}

static enum iso_status on_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                struct iso_error *reterr)
{
    struct bill_file *file = context;

    return file->gunzip ? iso_gunzip_feed(file->gunzip, bytes, n_bytes, reterr)
                        : iso_csv_feed(file->csv, bytes, n_bytes, reterr);
}

static enum iso_status read_through(struct bill_file *file, const char *path,
                                    struct iso_error *reterr)
{
    struct iso_focus_reader *reader = file->reader;

    ISO_TRY(reader->host->read_file(reader->host, path, reader->config->max_file_mib << 20,
                                    on_bytes, file, reterr));
    if (file->gunzip)
        ISO_TRY(iso_gunzip_finish(file->gunzip, reterr));
    ISO_TRY(iso_csv_finish(file->csv, reterr));
    if (!file->has_header)
        return iso_fail(reterr, ISO_E_INVALID, "header", "the file is empty");
    return iso_findings_end(&reader->findings, reader->sink, reader->file, reterr);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);

    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static bool is_packed(const char *name)
{
    return ends_with(name, ".csv.gz");
}

static enum iso_status read_file(struct iso_focus_reader *reader, const char *path,
                                 const char *name, struct iso_error *reterr)
{
    struct bill_file file = {.reader = reader, .span = ISO_BILL_NO_SPAN};
    ISO_AUTO(iso_csv_reader) csv = iso_csv_reader_new(on_row, &file);
    ISO_AUTO(iso_gunzip) gunzip = NULL;
    struct iso_error error = {0};
    bool skip;

    ISO_TRY(iso_bill_spans_skip(reader->spans, path, name, reader->what, &skip, reterr));
    if (skip)
        return ISO_OK;
    if (is_packed(name))
        gunzip = iso_gunzip_new(reader->config->max_file_mib << 20, on_plain_bytes, &file);
    if (!csv || (is_packed(name) && !gunzip))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read %.200s", name);
    file.csv = csv;
    file.gunzip = gunzip;
    reader->file = name;
    enum iso_status status = read_through(&file, path, &error);
    iso_bill_columns_fini(&file.columns);
    if (status == ISO_OK && !file.has_unplaced)
        iso_bill_spans_note(reader->spans, &file.span);
    return status == ISO_OK
               ? ISO_OK
               : iso_fail(reterr, status, error.field, "%.200s: %.180s", name, error.text);
}

/* --- the folder --- */

struct walk {
    struct iso_focus_reader *reader;
    size_t n_files;
};

static enum iso_status on_name(void *context, const char *name, struct iso_error *reterr)
{
    struct walk *walk = context;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", walk->reader->config->path, name);

    if (!ends_with(name, ".csv") && !is_packed(name))
        return ISO_OK;
    walk->n_files++;
    if (n < 0 || (size_t)n >= sizeof(path))
        return iso_fail(reterr, ISO_E_INVALID, "path", "the path of %.64s is too long", name);
    return read_file(walk->reader, path, name, reterr);
}

enum iso_status iso_bills_read(struct iso_focus_reader *reader, struct iso_error *reterr)
{
    const char *path = reader->config->path, *slash = strrchr(path, '/');
    struct walk walk = {.reader = reader};
    struct iso_error error = {0};
    enum iso_status status = reader->host->list_files(reader->host, path, on_name, &walk, &error);

    if (status == ISO_E_INVALID && walk.n_files == 0 && strcmp(error.field, "path") == 0)
        return read_file(reader, path, slash ? slash + 1 : path, reterr); /* no folder: a file */
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    if (walk.n_files == 0)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "path",
                        "%.200s has no file whose name ends in .csv or .csv.gz", path);
    return ISO_OK;
}
