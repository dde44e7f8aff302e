/* Prices from the bulk price list: one CSV file a region, tens to hundreds of MB, public. It is
 * read as it comes, so memory is that of what is kept. */
#include <stdio.h>

#include "isocost/sdk/report.h"
#include "isocost/sdk/table.h"
#include "isocost/sdk/words.h"
#include "prices.h"

static const struct iso_column columns[] = {
#define X(constant, column, attribute) {.name = column},
    ISO_AWS_PRICE_FIELDS(X)
#undef X
};

/* Without these nothing of the file can be told. */
static const enum iso_aws_price_field required[] = {
    ISO_AWS_PRICE_SKU,    ISO_AWS_PRICE_TERM_TYPE, ISO_AWS_PRICE_EFFECTIVE, ISO_AWS_PRICE_UNIT,
    ISO_AWS_PRICE_PRICE,  ISO_AWS_PRICE_CURRENCY,  ISO_AWS_PRICE_TYPE,      ISO_AWS_PRICE_TENANCY,
    ISO_AWS_PRICE_SYSTEM, ISO_AWS_PRICE_LICENSE,   ISO_AWS_PRICE_CAPACITY,  ISO_AWS_PRICE_SOFTWARE,
};

struct price_file {
    const struct iso_aws_fetch *fetch;
    struct iso_aws_region *region;
    bool has_header;
    size_t n_columns;
    int32_t places[ISO_AWS_PRICE_N_FIELDS];
};

static enum iso_status read_header(struct price_file *file, const char *const *header,
                                   size_t n_header, struct iso_error *reterr)
{
    char unknown[ISO_TABLE_UNKNOWN_BYTES]; /* dozens of columns are of no interest here */

    file->has_header = true;
    file->n_columns = n_header;
    ISO_TRY(iso_table_bind(columns, ISO_ARRAY_LENGTH(columns), header, n_header, file->places,
                           unknown, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(required); i++)
        if (file->places[required[i]] < 0)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the price file of %s has no column \"%s\"", file->region->name,
                            columns[required[i]].name);
    return ISO_OK;
}

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct price_file *file = context;
    struct iso_aws_price_row row;
    char place[ISO_AWS_PLACE_BYTES];

    if (!file->has_header)
        return read_header(file, fields, n_fields, reterr);
    snprintf(place, sizeof(place), "prices of %s:%lld", file->region->name, (long long)line);
    if (n_fields != file->n_columns)
        return iso_report(file->fetch->sink, "ragged_row", /* quarantined= */ true, place,
                          "the row has %zu fields, the header %zu", reterr, n_fields,
                          file->n_columns);
    row.place = place;
    for (size_t i = 0; i < ISO_AWS_PRICE_N_FIELDS; i++)
        row.text[i] = file->places[i] < 0 ? "" : fields[file->places[i]];
    return iso_aws_take_price(file->fetch, file->region, &row, reterr);
}

enum iso_status iso_aws_read_price_file(const struct iso_aws_fetch *fetch,
                                        struct iso_aws_region *region, struct iso_error *reterr)
{
    struct price_file file = {.fetch = fetch, .region = region};
    char path[ISO_AWS_PLACE_BYTES];

    snprintf(path, sizeof(path), "/offers/v1.0/%s/AmazonEC2/current/%s/index.csv",
             iso_aws_is_china(region->name) ? "cn" : "aws", region->name);
    return iso_aws_stream_csv(fetch, region->name, path, on_row, &file, reterr);
}
