/* Prices from the bulk price list: one CSV file a region, tens to hundreds of MB, public. It is
 * read as it comes, so memory is that of what is kept. */
#include <stdio.h>

#include "prices.h"

/* Without the required ones nothing of the file can be told. */
static const struct iso_column columns[] = {
#define X(constant, column, attribute, is_required) {.name = column, .required = is_required},
    ISO_AWS_PRICE_FIELDS(X)
#undef X
};

struct price_file {
    const struct iso_aws_fetch *fetch;
    struct iso_aws_region *region;
};

static struct iso_aws_price_row row_of(const char *const *text, const char *place)
{
    struct iso_aws_price_row row = {.place = place};

    memcpy(row.text, text, sizeof(row.text));
    return row;
}

static bool is_wanted(const char *const *text)
{
    const struct iso_aws_price_row row = row_of(text, "");

    return iso_aws_is_wanted_price(&row);
}

static enum iso_status take(void *context, const char *const *text, const char *place,
                            struct iso_error *reterr)
{
    const struct price_file *file = context;
    const struct iso_aws_price_row row = row_of(text, place);

    return iso_aws_take_price(file->fetch, file->region, &row, reterr);
}

enum iso_status iso_aws_read_price_file(const struct iso_aws_fetch *fetch,
                                        struct iso_aws_region *region, struct iso_error *reterr)
{
    struct price_file file = {fetch, region};
    const struct iso_aws_table table = {
        .what = "prices",
        .columns = columns,
        .n_columns = ISO_ARRAY_LENGTH(columns),
        .is_wanted = is_wanted,
        .take = take,
        .context = &file,
    };
    char path[ISO_AWS_PLACE_BYTES] = "";

    if (fetch->host->cache_directory[0]) /* else the version does not matter */
        ISO_TRY(iso_aws_find_version(fetch, region->name, "AmazonEC2", "currentVersionUrl", path,
                                     reterr));
    bool is_version = path[0] != '\0';
    if (!is_version)
        snprintf(path, sizeof(path), "/offers/v1.0/%s/AmazonEC2/current/%s/index.csv",
                 iso_aws_is_china(region->name) ? "cn" : "aws", region->name);
    return iso_aws_read_table(fetch, region->name, path, is_version, &table, reterr);
}
