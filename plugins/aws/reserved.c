/* Reserved instances as commitment products: one for each type, region, term, class and way to
 * pay. That one of a smaller size covers a part of a larger instance is left out: a plan by these
 * products is never dearer than it turns out. */
#include <ctype.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/report.h"

#define HOURS_PER_YEAR 8760

/* A word of an id: lower case, '-' for anything but letters, digits and '.'. */
static void add_word(struct iso_text *id, const char *word)
{
    for (; *word; word++)
        iso_text_add(id, "%c",
                     isalnum((unsigned char)*word) || *word == '.' ? tolower((unsigned char)*word)
                                                                   : '-');
}

static enum iso_status send(const struct iso_aws_fetch *fetch, const char *region,
                            const struct iso_aws_reserved *reserved, struct iso_error *reterr)
{
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "aws"},       {ISO_PLUGIN_FIELD_REGION, NULL, region},
        {ISO_PLUGIN_FIELD_TYPE, NULL, reserved->type},  {ISO_PLUGIN_FIELD_OS, NULL, "linux"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"},
    };
    const struct iso_plugin_term term = {conditions, ISO_ARRAY_LENGTH(conditions)};
    ISO_AUTO_TEXT id = {0}, name = {0};

    iso_text_add(&id, "aws-ri/%s/%s/%lldy/", region, reserved->type, (long long)reserved->years);
    add_word(&id, reserved->offering_class);
    iso_text_add(&id, "/");
    add_word(&id, reserved->payment);
    iso_text_add(&name, "%s in %s reserved for %lld years, %s, %s", reserved->type, region,
                 (long long)reserved->years, reserved->offering_class, reserved->payment);
    ISO_TRY(iso_text_check(&id, reterr));
    ISO_TRY(iso_text_check(&name, reterr));
    const struct iso_plugin_product row = {
        .id = id.bytes,
        .provider = "aws",
        .display_name = name.bytes,
        .source = "AWS price list",
        .kind = ISO_PLUGIN_COMMITMENT_UNIT,
        .eligible = {.include = &term, .n_include = 1},
        .rate_bytes = sizeof(struct iso_plugin_rate),
        .term_hours = {true, reserved->years * HOURS_PER_YEAR * ISO_DECIMAL_ONE},
        .hourly_fee = reserved->hourly,
        .upfront = reserved->upfront,
        .currency = reserved->currency,
    };
    return iso_put_products(fetch->sink, &row, 1, reterr);
}

/* What a way to pay must have: "Partial Upfront" both parts, the others one. An absent part of a
 * price is not 0. */
static bool is_whole(const struct iso_aws_reserved *reserved)
{
    bool upfront = reserved->upfront.present, hourly = reserved->hourly.present;

    if (strcmp(reserved->payment, "No Upfront") == 0)
        return hourly;
    if (strcmp(reserved->payment, "All Upfront") == 0)
        return upfront;
    return upfront && hourly;
}

enum iso_status iso_aws_send_reserved(const struct iso_aws_fetch *fetch,
                                      const struct iso_aws_region *region, struct iso_error *reterr)
{
    char place[ISO_AWS_PLACE_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(region->reserved); i++) {
        const struct iso_aws_reserved *reserved = iso_dictionary_record(region->reserved, i);
        if (is_whole(reserved)) {
            ISO_TRY(send(fetch, region->name, reserved, reterr));
            continue;
        }
        snprintf(place, sizeof(place), "%s/%s", region->name,
                 iso_dictionary_key(region->reserved, i));
        ISO_TRY(iso_report(fetch->sink, "missing_price", /* quarantined= */ true, place,
                           "a part of the reserved price is missing", reterr));
    }
    return ISO_OK;
}
