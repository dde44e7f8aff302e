/* Types from what the price list says of them, for catalogs that are made without an account. */
#include <stdio.h>

#include "isocost/sdk/number.h"
#include "isocost/sdk/words.h"
#include "prices.h"

/* A number with commas between thousands, and what follows it: "1,952 GiB". Absent: "NA". */
static struct iso_amount number_before(const char *text, const char *unit)
{
    char digits[40];
    size_t n = 0;
    struct iso_amount amount;

    for (; *text && *text != ' ' && n + 1 < sizeof(digits); text++)
        if (*text != ',')
            digits[n++] = *text;
    digits[n] = '\0';
    if (strcmp(text + (*text == ' '), unit) != 0 ||
        iso_number_read(digits, &amount, NULL) != ISO_NUMBER_READ)
        return (struct iso_amount){0};
    return amount;
}

/* "8 x 1000 SSD" and "1 x 75 NVMe SSD" are disks and GB each; "EBS only" is none. The price list
 * writes them in more ways than are known, and what is not known is not guessed. */
static struct iso_amount local_disk_of(const char *text)
{
    int64_t count = 0, size_gb = 0;
    char kind[16] = "";
    struct iso_amount amount = {0};

    if (iso_name_equal(text, "EBS only"))
        return (struct iso_amount){.present = true};
    if (sscanf(text, "%ld x %ld %15s", &count, &size_gb, kind) < 3 || count < 1 || count > 1000 ||
        size_gb < 1 || size_gb > 1000000)
        return amount;
    iso_wide bytes = (iso_wide)count * size_gb * ISO_DECIMAL_ONE; /* of a disk of 10^9 bytes a GB */
    amount.present = iso_wide_to_decimal(
        iso_wide_divide(bytes * ISO_DECIMAL_ONE, INT64_C(1) << 30, ISO_ROUND_HALF_EVEN),
        &amount.value);
    return amount;
}

enum iso_status iso_aws_take_shape(const struct iso_aws_fetch *fetch, struct iso_aws_region *region,
                                   const struct iso_aws_price_row *row, struct iso_error *reterr)
{
    const char *name = row->text[ISO_AWS_PRICE_TYPE];
    struct iso_aws_type *type = iso_dictionary_add(region->types, name);
    struct iso_amount gpus;

    if (!type)
        return iso_aws_full(reterr);
    if (type->family)
        return ISO_OK;
    type->family = iso_aws_family(fetch, name);
    if (!type->family)
        return iso_aws_full(reterr);
    type->arch = strstr(row->text[ISO_AWS_PRICE_PROCESSOR], "Graviton") ? "arm64" : "x86_64";
    type->on_demand = true;
    type->deprecated = iso_name_equal(row->text[ISO_AWS_PRICE_CURRENT], "No");
    type->resources[ISO_PLUGIN_RESOURCE_VCPU] = number_before(row->text[ISO_AWS_PRICE_VCPU], "");
    type->resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] =
        number_before(row->text[ISO_AWS_PRICE_MEMORY], "GiB");
    type->resources[ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] =
        local_disk_of(row->text[ISO_AWS_PRICE_STORAGE]);
    gpus = number_before(row->text[ISO_AWS_PRICE_GPU], "");
    if (gpus.value > 0) /* a part of a GPU is written as 0 here */
        type->resources[ISO_PLUGIN_RESOURCE_GPU] = gpus;
    return ISO_OK;
}
