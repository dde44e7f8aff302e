/* Instances that exist now: EC2 DescribeInstances. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

struct inventory_call {
    const struct iso_aws_fetch *fetch;
    const struct iso_aws_region *region;
};

/* "windows" where EC2 says so, "linux" else; the details ("Red Hat Enterprise Linux") are licences
 * and not another system. */
static const char *system_of(const struct iso_xml_element *instance)
{
    return iso_name_equal(iso_xml_text_at(instance, "platform"), "windows") ? "windows" : "linux";
}

static enum iso_status read_tags(const struct inventory_call *call,
                                 const struct iso_xml_element *instance,
                                 struct iso_plugin_running *row, struct iso_error *reterr)
{
    const struct iso_xml_element *first = iso_xml_at(instance, "tagSet.item"), *tag;
    size_t n = 0;

    for (tag = first; tag; tag = iso_xml_next(tag))
        n++;
    struct iso_plugin_label *labels = iso_scratch_calloc(call->fetch->row, n, sizeof(*labels));
    if (!labels)
        return iso_aws_full(reterr);
    for (tag = first; tag; tag = iso_xml_next(tag))
        labels[row->n_tags++] =
            (struct iso_plugin_label){iso_xml_text_at(tag, "key"), iso_xml_text_at(tag, "value")};
    row->tags = labels;
    return ISO_OK;
}

static enum iso_status send(const struct inventory_call *call, const char *account,
                            const struct iso_xml_element *instance, struct iso_error *reterr)
{
    const char *state = iso_xml_text_at(instance, "instanceState.name");
    const char *zone_name = iso_xml_text_at(instance, "placement.availabilityZone");
    const struct iso_aws_zone *zone = iso_dictionary_find(call->region->zones, zone_name);
    bool spot = strcmp(iso_xml_text_at(instance, "instanceLifecycle"), "spot") == 0;
    struct iso_error error = {0};
    struct iso_plugin_running row = {
        .provider = "aws",
        .resource = iso_xml_text_at(instance, "instanceId"),
        .type = iso_xml_text_at(instance, "instanceType"),
        .account = account,
        .region = call->region->name,
        .zone = zone ? zone->id : zone_name,
        .os = system_of(instance),
        .state = state,
        .purchase = spot ? ISO_PLUGIN_PURCHASE_SPOT : ISO_PLUGIN_PURCHASE_ON_DEMAND,
    };

    if (strcmp(state, "terminated") == 0 || strcmp(state, "shutting-down") == 0)
        return ISO_OK; /* EC2 tells of them for an hour after their end */
    if (iso_time_read(iso_xml_text_at(instance, "launchTime"), &row.started_ns, &error) != ISO_OK)
        ISO_TRY(iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ false,
                           row.resource, "launchTime: %s", reterr, error.text));
    iso_scratch_reset(call->fetch->row);
    ISO_TRY(read_tags(call, instance, &row, reterr));
    return iso_put_running(call->fetch->sink, &row, 1, reterr);
}

static enum iso_status on_instances(void *context, const struct iso_xml_element *root,
                                    struct iso_error *reterr)
{
    const struct iso_xml_element *reservation = iso_xml_at(root, "reservationSet.item");

    for (; reservation; reservation = iso_xml_next(reservation)) {
        const char *account = iso_xml_text_at(reservation, "ownerId");
        const struct iso_xml_element *instance = iso_xml_at(reservation, "instancesSet.item");
        for (; instance; instance = iso_xml_next(instance))
            ISO_TRY(send(context, account, instance, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_aws_send_inventory(const struct iso_aws_fetch *fetch,
                                       struct iso_aws_region *region, struct iso_error *reterr)
{
    struct inventory_call call = {fetch, region};

    return iso_aws_ask_ec2(fetch, region->name, "DescribeInstances", "&MaxResults=1000",
                           on_instances, &call, reterr);
}
