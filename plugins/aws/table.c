/* Tables of the price list: of hundreds of MB a few rows are of interest, and they change with the
 * version of the list. These rows are kept, so a list whose version is as before is not asked for.
 */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/csv.h"
#include "isocost/sdk/kept.h"
#include "isocost/sdk/report.h"

struct reading {
    const struct iso_aws_fetch *fetch;
    const char *region;
    const struct iso_aws_table *table;
    struct iso_kept *kept; /* rows are kept in it; NULL: they are not */
    struct iso_text line;  /* the one that is kept next */
    bool has_header, is_ragged;
    size_t n_fields; /* of the header */
    int32_t places[ISO_AWS_MAX_COLUMNS];
};

/* ---- Rows ---- */

static void keep(struct reading *reading, const char *const *text)
{
    struct iso_text *line = &reading->line;

    if (!reading->kept)
        return;
    line->n_bytes = 0;
    for (size_t i = 0; i < reading->table->n_columns; i++) {
        const char *part = text[i];
        iso_text_add(line, "%s\"", i > 0 ? "," : "");
        for (const char *quote; (quote = strchr(part, '"')); part = quote + 1)
            iso_text_add(line, "%.*s\"\"", (int)(quote - part), part);
        iso_text_add(line, "%s\"", part);
    }
    iso_text_add(line, "\n");
    if (!line->failed)
        iso_kept_add(reading->kept, line->bytes, line->n_bytes);
}

static enum iso_status read_header(struct reading *reading, const char *const *header,
                                   size_t n_header, struct iso_error *reterr)
{
    const struct iso_aws_table *table = reading->table;
    struct iso_column columns[ISO_AWS_MAX_COLUMNS];
    const char *names[ISO_AWS_MAX_COLUMNS];
    char unknown[ISO_TABLE_UNKNOWN_BYTES]; /* dozens of columns are of no interest here */

    reading->has_header = true;
    reading->n_fields = n_header;
    for (size_t i = 0; i < table->n_columns; i++) {
        columns[i] = (struct iso_column){.name = table->columns[i].name};
        names[i] = table->columns[i].name;
    }
    ISO_TRY(iso_table_bind(columns, table->n_columns, header, n_header, reading->places, unknown,
                           reterr));
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].required && reading->places[i] < 0)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the file of %s of %s has no column \"%s\"", table->what,
                            reading->region, table->columns[i].name);
    keep(reading, names);
    return ISO_OK;
}

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct reading *reading = context;
    const struct iso_aws_table *table = reading->table;
    const char *text[ISO_AWS_MAX_COLUMNS];
    char place[ISO_AWS_PLACE_BYTES];

    if (!reading->has_header)
        return read_header(reading, fields, n_fields, reterr);
    snprintf(place, sizeof(place), "%s of %s:%lld", table->what, reading->region, (long long)line);
    if (n_fields != reading->n_fields) {
        reading->is_ragged = true;
        return iso_report(reading->fetch->sink, "ragged_row", /* quarantined= */ true, place,
                          "the row has %zu fields, the header %zu", reterr, n_fields,
                          reading->n_fields);
    }
    for (size_t i = 0; i < table->n_columns; i++)
        text[i] = reading->places[i] < 0 ? "" : fields[reading->places[i]];
    if (!table->is_wanted(text))
        return ISO_OK;
    keep(reading, text);
    return table->take(table->context, text, place, reterr);
}

/* ---- Files ---- */

static enum iso_status on_kept_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                     struct iso_error *reterr)
{
    return iso_csv_feed(context, bytes, n_bytes, reterr);
}

static enum iso_status read_kept(struct reading *reading, const char *name, const char *version,
                                 bool *ret_found, struct iso_error *reterr)
{
    ISO_AUTO(iso_csv_reader) csv = iso_csv_reader_new(on_row, reading);

    if (!csv)
        return iso_aws_full(reterr);
    ISO_TRY(
        iso_kept_read(reading->fetch->host, name, version, on_kept_bytes, csv, ret_found, reterr));
    if (!*ret_found)
        return ISO_OK;
    ISO_TRY(iso_csv_finish(csv, reterr));
    return iso_report(reading->fetch->sink, "source_unchanged", /* quarantined= */ false,
                      reading->region, "the %s are those of before, and were not asked for: %.150s",
                      reterr, reading->table->what, version);
}

/* Rows that are refused for their form are not kept, so that they are told each time. */
static enum iso_status read_file(struct reading *reading, const char *path,
                                 struct iso_error *reterr)
{
    enum iso_status status =
        iso_aws_stream_csv(reading->fetch, reading->region, path, on_row, reading, reterr);

    if (status == ISO_OK && !reading->is_ragged && !reading->line.failed)
        iso_kept_end(reading->kept);
    iso_text_fini(&reading->line);
    return status;
}

enum iso_status iso_aws_read_table(const struct iso_aws_fetch *fetch, const char *region,
                                   const char *path, bool is_version,
                                   const struct iso_aws_table *table, struct iso_error *reterr)
{
    struct reading reading = {.fetch = fetch, .region = region, .table = table};
    char name[ISO_AWS_PLACE_BYTES], version[2 * ISO_AWS_PLACE_BYTES];
    ISO_AUTO(iso_kept) kept = NULL;
    bool found = false;

    /* Another version of this plugin may want other rows. */
    snprintf(name, sizeof(name), "%s-%s.csv", table->what, region);
    snprintf(version, sizeof(version), "%s by " ISO_VERSION, path);
    if (is_version)
        ISO_TRY(read_kept(&reading, name, version, &found, reterr));
    if (found)
        return ISO_OK;
    if (is_version)
        reading.kept = kept = iso_kept_begin(fetch->host, name, version);
    return read_file(&reading, path, reterr);
}

/* ---- Versions ---- */

/* The entry of a region: price files have an object of them, Savings Plans a list. */
static const struct iso_json *entry_of(const struct iso_json *regions, const char *region)
{
    if (iso_json_kind(regions) == ISO_JSON_OBJECT)
        return iso_json_at(regions, region);
    for (size_t i = 0; i < iso_json_length(regions); i++)
        if (strcmp(iso_json_text_at(iso_json_item(regions, i), "regionCode"), region) == 0)
            return iso_json_item(regions, i);
    return NULL;
}

enum iso_status iso_aws_find_version(const struct iso_aws_fetch *fetch, const char *region,
                                     const char *list, const char *member,
                                     char ret_path[ISO_AWS_PLACE_BYTES], struct iso_error *reterr)
{
    bool china = iso_aws_is_china(region);
    struct iso_error error = {0};
    ISO_AUTO_JSON *index = NULL;
    char url[256];

    ret_path[0] = '\0';
    snprintf(url, sizeof(url), "https://pricing.%s/%.60s/v1.0/%s/%.60s/current/region_index.json",
             china ? "cn-north-1.amazonaws.com.cn" : "us-east-1.amazonaws.com",
             strcmp(list, "AmazonEC2") == 0 ? "offers" : "savingsPlan", china ? "cn" : "aws", list);
    const struct iso_http_request request = {
        .method = "GET", .service = "price_files", .url = url, .accept = ISO_HTTP_JSON};
    enum iso_status status = iso_ask_json(fetch->host, &request, &index, fetch->failure, &error);
    if (status == ISO_E_NOT_FOUND || status == ISO_E_UNAUTHENTICATED) {
        *fetch->failure = (struct iso_failure){0};
        return ISO_OK;
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    const struct iso_json *entry = entry_of(iso_json_at(index, "regions"), region);
    const char *path = iso_json_text_at(entry, member), *dot = strrchr(path, '.');
    if (!entry)
        return ISO_OK;
    if (path[0] != '/' || !dot || strlen(path) >= ISO_AWS_PLACE_BYTES)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the index of %s names no file for %s", list,
                        region);
    snprintf(ret_path, ISO_AWS_PLACE_BYTES, "%.*s.csv", (int)(dot - path), path);
    return ISO_OK;
}
