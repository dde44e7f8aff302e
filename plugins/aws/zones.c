/* Zones of a region, and which types are offered where. Each account has names of its own for
 * zones ("us-east-1a" is another building for another account); their ids are the same for all. */
#include <stdio.h>

#include "aws.h"

struct zones_call {
    const struct iso_aws_fetch *fetch;
    struct iso_aws_region *region;
};

static enum iso_status on_zones(void *context, const struct iso_xml_element *root,
                                struct iso_error *reterr)
{
    const struct zones_call *call = context;
    const struct iso_xml_element *zone = iso_xml_at(root, "availabilityZoneInfo.item");

    for (; zone; zone = iso_xml_next(zone)) {
        const char *name = iso_xml_text_at(zone, "zoneName"), *id = iso_xml_text_at(zone, "zoneId");
        const char *type = iso_xml_text_at(zone, "zoneType"); /* older answers have no types ... */
        struct iso_aws_zone *kept = iso_dictionary_add(call->region->zones, name);
        if (!kept)
            return iso_aws_full(reterr);
        kept->id = iso_aws_keep(call->fetch, id[0] ? id : name); /* ... and no ids */
        kept->apart = type[0] && strcmp(type, "availability-zone") != 0;
        if (!kept->id)
            return iso_aws_full(reterr);
    }
    return ISO_OK;
}

static enum iso_status on_offered(void *context, const struct iso_xml_element *root,
                                  struct iso_error *reterr)
{
    const struct zones_call *call = context;
    const struct iso_xml_element *item = iso_xml_at(root, "instanceTypeOfferingSet.item");
    char key[ISO_AWS_PLACE_BYTES];

    for (; item; item = iso_xml_next(item)) {
        snprintf(key, sizeof(key), "%s/%s", iso_xml_text_at(item, "instanceType"),
                 iso_xml_text_at(item, "location"));
        if (!iso_dictionary_add(call->region->offered, key))
            return iso_aws_full(reterr);
    }
    return ISO_OK;
}

enum iso_status iso_aws_fetch_zones(const struct iso_aws_fetch *fetch,
                                    struct iso_aws_region *region, struct iso_error *reterr)
{
    struct zones_call call = {fetch, region};

    ISO_TRY(iso_aws_ask_ec2(fetch, region->name, "DescribeAvailabilityZones", "", on_zones, &call,
                            reterr));
    if (!(fetch->what->want & ISO_WANT_OFFERINGS))
        return ISO_OK;
    return iso_aws_ask_ec2(fetch, region->name, "DescribeInstanceTypeOfferings",
                           "&LocationType=availability-zone&MaxResults=1000", on_offered, &call,
                           reterr);
}
