/* Offerings: types of zones, at the prices of their parts. */
#include "gcp.h"
#include "isocost/sdk/report.h"

#define MIB_PER_GIB 1024

static struct iso_amount whole(int64_t n)
{
    return (struct iso_amount){true, n * ISO_DECIMAL_ONE};
}

static enum iso_status send_type(const struct iso_gcp_fetch *fetch, const struct iso_gcp_type *type,
                                 struct iso_error *reterr)
{
    struct iso_plugin_offering row = {
        .provider = "gcp",
        .region = type->region,
        .zone = type->zone,
        .type = type->name,
        .os = "linux",
        .native_id = type->name,
        .family = type->family,
        .arch = type->arch,
        .tenancy = "shared",
        .gpu_model = type->gpu,
        .source = "Cloud Billing price list, composed of parts",
        .purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND,
        .kind = ISO_PLUGIN_KIND_VM,
        .status = type->deprecated ? ISO_PLUGIN_STATUS_DEPRECATED : ISO_PLUGIN_STATUS_AVAILABLE,
        .observed_ns = fetch->now_ns,
    };

    row.resources[ISO_PLUGIN_RESOURCE_VCPU] = whole(type->vcpus);
    row.resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] = (struct iso_amount){
        true, (iso_decimal)iso_wide_divide((iso_wide)type->memory_mib * ISO_DECIMAL_ONE,
                                           MIB_PER_GIB, ISO_ROUND_HALF_EVEN)};
    row.resources[ISO_PLUGIN_RESOURCE_GPU] = whole(type->n_gpus);
    row.price.present =
        iso_gcp_compose(fetch, type, ISO_GCP_ON_DEMAND, &row.price.value, &row.currency);
    ISO_TRY(iso_put_offerings(fetch->sink, &row, 1, reterr));
    if (!fetch->gcp->config->spot)
        return ISO_OK;
    row.purchase = ISO_PLUGIN_PURCHASE_SPOT;
    row.price.present = iso_gcp_compose(fetch, type, ISO_GCP_SPOT, &row.price.value, &row.currency);
    return row.price.present ? iso_put_offerings(fetch->sink, &row, 1, reterr) : ISO_OK;
}

enum iso_status iso_gcp_send_offerings(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(fetch->types); i++)
        ISO_TRY(send_type(fetch, iso_dictionary_record(fetch->types, i), reterr));
    for (size_t i = 0; i < iso_dictionary_count(fetch->parts); i++) {
        const char *key = iso_dictionary_key(fetch->parts, i);
        const struct iso_gcp_price *price = iso_dictionary_record(fetch->parts, i);
        static const char on_demand_core[] = "/0/0"; /* ISO_GCP_CORE, ISO_GCP_ON_DEMAND */
        size_t n = strlen(key), n_end = strlen(on_demand_core);
        if (price->used || n < n_end || strcmp(key + n - n_end, on_demand_core) != 0)
            continue;
        ISO_TRY(iso_report(fetch->sink, "priced_unknown", /* quarantined= */ false, key,
                           "SKU %.32s prices a family that has no type in the region", reterr,
                           price->sku));
    }
    return ISO_OK;
}
