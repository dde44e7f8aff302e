/* Instance types of a region as the account sees them: EC2 DescribeInstanceTypes. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"

#define MIB_PER_GIB (1024 * ISO_DECIMAL_ONE)
#define GB_PER_GIB INT64_C(1073741824) /* 1 GiB in billionths of a GB of 10^9 bytes */

/* Reads a number; what is no number is unknown. */
static struct iso_amount amount_of(const char *text)
{
    struct iso_amount amount = {0};

    if (iso_number_read_rounded(text, &amount, NULL) != ISO_NUMBER_READ)
        return (struct iso_amount){0};
    return amount;
}

static struct iso_amount divided(struct iso_amount amount, iso_decimal by)
{
    if (amount.present)
        amount.present = iso_decimal_divide(amount.value, by, ISO_ROUND_HALF_EVEN, &amount.value);
    return amount;
}

static struct iso_amount product_of(struct iso_amount a, struct iso_amount b)
{
    struct iso_amount product = {.present = a.present && b.present};

    if (product.present)
        product.present =
            iso_decimal_multiply(a.value, b.value, ISO_ROUND_HALF_EVEN, &product.value);
    return product;
}

/* Whether a list has an item of that text. */
static bool has_item(const struct iso_xml_element *record, const char *path, const char *text)
{
    const struct iso_xml_element *item = iso_xml_at(record, path);

    for (; item; item = iso_xml_next(item))
        if (strcmp(iso_xml_text(item), text) == 0)
            return true;
    return false;
}

/* GPUs of all kinds together. EC2 counts 0 of a part of one: then it is the size of the partition
 * times the number of logical GPUs (g6f.large: 0.125). */
static enum iso_status read_gpus(const struct iso_aws_fetch *fetch,
                                 const struct iso_xml_element *record, struct iso_aws_type *type,
                                 struct iso_error *reterr)
{
    const struct iso_xml_element *gpu = iso_xml_at(record, "gpuInfo.gpus.item");
    struct iso_amount *count = &type->resources[ISO_PLUGIN_RESOURCE_GPU];

    if (!gpu)
        return ISO_OK;
    type->gpu_model = iso_aws_keep(fetch, iso_xml_text_at(gpu, "name"));
    if (!type->gpu_model)
        return iso_aws_full(reterr);
    count->present = true;
    for (; gpu && count->present; gpu = iso_xml_next(gpu)) {
        struct iso_amount own = amount_of(iso_xml_text_at(gpu, "count"));
        if (!own.present || own.value == 0)
            own = product_of(amount_of(iso_xml_text_at(gpu, "gpuPartitionSize")),
                             amount_of(iso_xml_text_at(gpu, "logicalGpuCount")));
        count->present = own.present;
        count->value += own.value;
    }
    type->resources[ISO_PLUGIN_RESOURCE_GPU_MEMORY_GIB] =
        divided(amount_of(iso_xml_text_at(record, "gpuInfo.totalGpuMemoryInMiB")), MIB_PER_GIB);
    return ISO_OK;
}

/* What all network cards carry at any time. Words such as "Moderate" and "Up to 10 Gigabit" promise
 * nothing and are unknown. */
static struct iso_amount network_of(const struct iso_xml_element *record)
{
    const struct iso_xml_element *card = iso_xml_at(record, "networkInfo.networkCards.item");
    struct iso_amount sum = {.present = card != NULL};

    for (; card && sum.present; card = iso_xml_next(card)) {
        struct iso_amount own = amount_of(iso_xml_text_at(card, "baselineBandwidthInGbps"));
        sum.present = own.present;
        sum.value += own.value;
    }
    return sum;
}

static struct iso_amount local_disk_of(const struct iso_xml_element *record)
{
    if (strcmp(iso_xml_text_at(record, "instanceStorageSupported"), "false") == 0)
        return (struct iso_amount){.present = true};
    return divided(amount_of(iso_xml_text_at(record, "instanceStorageInfo.totalSizeInGB")),
                   GB_PER_GIB);
}

/* The first architecture of 64 bits: types of old list i386 too. */
static const char *arch_of(const struct iso_xml_element *record, bool *ret_mac)
{
    static const char path[] = "processorInfo.supportedArchitectures.item";

    *ret_mac = has_item(record, path, "x86_64_mac") || has_item(record, path, "arm64_mac");
    if (has_item(record, path, "x86_64") || has_item(record, path, "x86_64_mac"))
        return "x86_64";
    if (has_item(record, path, "arm64") || has_item(record, path, "arm64_mac"))
        return "arm64";
    return "other";
}

static enum iso_status read_type(const struct iso_aws_fetch *fetch,
                                 const struct iso_xml_element *record, const char *name,
                                 struct iso_aws_type *type, struct iso_error *reterr)
{
    struct iso_amount *resources = type->resources;

    type->family = iso_aws_family(fetch, name);
    if (!type->family)
        return iso_aws_full(reterr);
    type->arch = arch_of(record, &type->mac);
    type->deprecated = strcmp(iso_xml_text_at(record, "currentGeneration"), "false") == 0;
    type->on_demand = has_item(record, "supportedUsageClasses.item", "on-demand");
    type->spot = has_item(record, "supportedUsageClasses.item", "spot");
    resources[ISO_PLUGIN_RESOURCE_VCPU] =
        amount_of(iso_xml_text_at(record, "vCpuInfo.defaultVCpus"));
    resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] =
        divided(amount_of(iso_xml_text_at(record, "memoryInfo.sizeInMiB")), MIB_PER_GIB);
    resources[ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] = local_disk_of(record);
    resources[ISO_PLUGIN_RESOURCE_NETWORK_GBPS] = network_of(record);
    resources[ISO_PLUGIN_RESOURCE_IOPS] =
        amount_of(iso_xml_text_at(record, "ebsInfo.ebsOptimizedInfo.baselineIops"));
    return read_gpus(fetch, record, type, reterr);
}

struct types_call {
    const struct iso_aws_fetch *fetch;
    struct iso_aws_region *region;
};

static enum iso_status on_types(void *context, const struct iso_xml_element *root,
                                struct iso_error *reterr)
{
    struct types_call *call = context;
    const struct iso_xml_element *record = iso_xml_at(root, "instanceTypeSet.item");

    for (; record; record = iso_xml_next(record)) {
        const char *name = iso_xml_text_at(record, "instanceType");
        if (!name[0]) {
            ISO_TRY(iso_report(call->fetch->sink, "missing_type", /* quarantined= */ true,
                               call->region->name, "an instance type without a name", reterr));
            continue;
        }
        struct iso_aws_type *type = iso_dictionary_add(call->region->types, name);
        if (!type)
            return iso_aws_full(reterr);
        ISO_TRY(read_type(call->fetch, record, name, type, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_aws_fetch_types(const struct iso_aws_fetch *fetch,
                                    struct iso_aws_region *region, struct iso_error *reterr)
{
    struct types_call call = {fetch, region};

    return iso_aws_ask_ec2(fetch, region->name, "DescribeInstanceTypes", "&MaxResults=100",
                           on_types, &call, reterr);
}
