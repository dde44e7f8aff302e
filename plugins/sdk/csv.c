#include "isocost/sdk/csv.h"

#include <csv.h>
#include <stdbool.h>
#include <stdint.h>

#define HEAD_BYTES 3 /* of the longest byte-order mark that is told apart */
#define FIELD_GROWTH_BYTES ((size_t)64 << 10)

struct iso_csv_reader {
    struct csv_parser parser;
    iso_csv_row on_row;
    void *context;
    unsigned char head[HEAD_BYTES]; /* the file's first bytes, until they are known */
    size_t n_head;
    bool head_done;
    int64_t line, row_line; /* under way, from 1 */
    bool row_open;          /* the line before ended inside quotes */
    char *text;             /* the row's fields, each with a NUL */
    size_t n_text, text_capacity;
    size_t *offsets; /* of the fields in `text` */
    const char **fields;
    size_t n_fields, field_capacity;
    bool ended_row;          /* since the line began */
    struct iso_error *error; /* where the callbacks report; valid inside a call */
    enum iso_status status;  /* the first failure; everything fails after it */
};

struct iso_csv_reader *iso_csv_reader_new(iso_csv_row on_row, void *context)
{
    struct iso_csv_reader *reader = iso_calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    csv_init(&reader->parser, 0);
    csv_set_blk_size(&reader->parser, FIELD_GROWTH_BYTES);
    reader->on_row = on_row;
    reader->context = context;
    reader->line = reader->row_line = 1;
    return reader;
}

void iso_csv_reader_free(struct iso_csv_reader *reader)
{
    if (!reader)
        return;
    csv_free(&reader->parser);
    free(reader->text);
    free(reader->offsets);
    free(reader->fields);
    free(reader);
}

static void fail(struct iso_csv_reader *reader, enum iso_status status, const char *what)
{
    if (reader->status == ISO_OK)
        reader->status =
            iso_fail(reader->error, status, "", "line %lld: %s", (long long)reader->row_line, what);
}

static bool grow(struct iso_csv_reader *reader, size_t n_bytes)
{
    if (reader->n_text + n_bytes > reader->text_capacity) {
        size_t capacity = 2 * (reader->n_text + n_bytes);
        char *text = iso_realloc(reader->text, capacity, 1);
        if (!text)
            return false;
        reader->text = text;
        reader->text_capacity = capacity;
    }
    if (reader->n_fields == reader->field_capacity) {
        size_t capacity = 2 * reader->field_capacity + 32;
        size_t *offsets = iso_realloc(reader->offsets, capacity, sizeof(*offsets));
        if (!offsets)
            return false;
        reader->offsets = offsets;
        const char **fields = iso_realloc(reader->fields, capacity, sizeof(*fields));
        if (!fields)
            return false;
        reader->fields = fields;
        reader->field_capacity = capacity;
    }
    return true;
}

static void on_field(void *bytes, size_t n_bytes, void *context)
{
    struct iso_csv_reader *reader = context;

    if (reader->status != ISO_OK)
        return;
    if (n_bytes > 0 && memchr(bytes, '\0', n_bytes)) {
        fail(reader, ISO_E_INVALID, "a NUL byte; the file is not text");
        return;
    }
    if (reader->n_text + n_bytes + 1 > ISO_CSV_ROW_BYTES) {
        fail(reader, ISO_E_LIMIT, "the row has more than 1 MiB; is a quote missing?");
        return;
    }
    if (!grow(reader, n_bytes + 1)) {
        fail(reader, ISO_E_NOMEM, "no memory for a row");
        return;
    }
    reader->offsets[reader->n_fields++] = reader->n_text;
    if (n_bytes > 0)
        memcpy(reader->text + reader->n_text, bytes, n_bytes);
    reader->text[reader->n_text + n_bytes] = '\0';
    reader->n_text += n_bytes + 1;
}

static void on_row_end(int terminator, void *context)
{
    struct iso_csv_reader *reader = context;

    (void)terminator;
    if (reader->status == ISO_OK) {
        for (size_t i = 0; i < reader->n_fields; i++)
            reader->fields[i] = reader->text + reader->offsets[i];
        reader->status = reader->on_row(reader->context, reader->row_line, reader->fields,
                                        reader->n_fields, reader->error);
    }
    reader->n_fields = reader->n_text = 0;
    reader->ended_row = true;
}

static bool is_blank(const unsigned char *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        if (!memchr(" \t\r\n", bytes[i], 4))
            return false;
    return true;
}

/* Parses bytes of one line; libcsv tells no lines, so they are counted here. */
static void parse_in_line(struct iso_csv_reader *reader, const unsigned char *bytes, size_t n_bytes,
                          bool ends_line)
{
    size_t parsed = csv_parse(&reader->parser, bytes, n_bytes, on_field, on_row_end, reader);

    if (parsed != n_bytes)
        fail(reader, ISO_E_NOMEM, "no memory for a field");
    if (csv_get_buffer_size(&reader->parser) > 2 * ISO_CSV_ROW_BYTES)
        fail(reader, ISO_E_LIMIT, "the row has more than 1 MiB; is a quote missing?");
    reader->row_open |= !is_blank(bytes, n_bytes);
    if (reader->ended_row)
        reader->row_open = false;
    if (ends_line) {
        reader->line++;
        reader->ended_row = false;
        if (!reader->row_open)
            reader->row_line = reader->line;
    }
}

static void parse(struct iso_csv_reader *reader, const unsigned char *bytes, size_t n_bytes)
{
    while (n_bytes > 0 && reader->status == ISO_OK) {
        const unsigned char *newline = memchr(bytes, '\n', n_bytes);
        size_t n = newline ? (size_t)(newline - bytes) + 1 : n_bytes;

        parse_in_line(reader, bytes, n, newline != NULL);
        bytes += n;
        n_bytes -= n;
    }
}

/* The head is complete: drops a byte-order mark of UTF-8, refuses those of UTF-16. */
static void parse_head(struct iso_csv_reader *reader)
{
    static const unsigned char utf8_mark[] = {0xef, 0xbb, 0xbf};
    const unsigned char *head = reader->head;

    reader->head_done = true;
    if (reader->n_head == sizeof(utf8_mark) && memcmp(head, utf8_mark, sizeof(utf8_mark)) == 0)
        return;
    if (reader->n_head >= 2 &&
        ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff)))
        fail(reader, ISO_E_INVALID, "the file is in UTF-16; save it as UTF-8");
    parse(reader, head, reader->n_head);
}

enum iso_status iso_csv_feed(struct iso_csv_reader *reader, const unsigned char *bytes,
                             size_t n_bytes, struct iso_error *reterr)
{
    reader->error = reterr;
    while (!reader->head_done && n_bytes > 0) {
        reader->head[reader->n_head++] = *bytes++;
        n_bytes--;
        if (reader->n_head == HEAD_BYTES)
            parse_head(reader);
    }
    parse(reader, bytes, n_bytes);
    return reader->status;
}

enum iso_status iso_csv_finish(struct iso_csv_reader *reader, struct iso_error *reterr)
{
    reader->error = reterr;
    if (!reader->head_done)
        parse_head(reader);
    csv_set_opts(&reader->parser,
                 CSV_STRICT | CSV_STRICT_FINI); /* lenient inside, not at the end */
    if (reader->status == ISO_OK && csv_fini(&reader->parser, on_field, on_row_end, reader) != 0)
        fail(reader, ISO_E_INVALID, "a quote that is opened here is never closed");
    return reader->status;
}
