/* Rows of usage, costs and inventory as messages. */
#include "convert_parts.h"
#include "isocost/v1/usage.pb-c.h"

ProtobufCMessage *iso_convert_usage(const struct iso_plugin_usage *row, struct iso_arena *arena)
{
    Isocost__V1__UsageSample *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__UsageSample, ISOCOST__V1__USAGE_SAMPLE__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->account = iso_convert_text(row->account, arena);
    out->resource = iso_convert_text(row->resource, arena);
    out->region = iso_convert_text(row->region, arena);
    out->type = iso_convert_text(row->type, arena);
    out->metric = iso_convert_text(row->metric, arena);
    out->statistic = (Isocost__V1__UsageStatistic)row->statistic;
    out->start = iso_convert_time(row->start_ns, arena);
    out->duration_seconds = (double)row->length_ns / 1e9;
    out->value = row->value;
    return &out->base;
}

ProtobufCMessage *iso_convert_cost(const struct iso_plugin_cost *row, struct iso_arena *arena)
{
    Isocost__V1__CostRecord *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__CostRecord, ISOCOST__V1__COST_RECORD__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->account = iso_convert_text(row->account, arena);
    out->resource = iso_convert_text(row->resource, arena);
    out->region = iso_convert_text(row->region, arena);
    out->zone = iso_convert_text(row->zone, arena);
    out->service = iso_convert_text(row->service, arena);
    out->sku = iso_convert_text(row->sku, arena);
    out->unit = iso_convert_text(row->unit, arena);
    out->commitment = iso_convert_text(row->commitment, arena);
    out->place = iso_convert_text(row->place, arena);
    out->category = (Isocost__V1__CostCategory)row->category;
    out->pricing = (Isocost__V1__CostPricing)row->pricing;
    out->commitment_use = (Isocost__V1__CommitmentUse)row->commitment_use;
    out->start = iso_convert_time(row->start_ns, arena);
    out->end = iso_convert_time(row->end_ns, arena);
    out->billed = iso_convert_money(row->billed, row->currency, arena);
    out->effective = iso_convert_money(row->effective, row->currency, arena);
    out->list = iso_convert_money(row->list, row->currency, arena);
    if (row->quantity.present)
        out->quantity = iso_decimal_to_double(row->quantity.value);
    out->correction = row->correction;
    out->effective_from_billed = row->effective_from_billed;
    out->tags = iso_convert_pointers(row->n_tags, arena);
    for (size_t i = 0; out->tags && i < row->n_tags; i++)
        out->tags[out->n_tags++] =
            iso_convert_entry(&isocost__v1__cost_record__tags_entry__descriptor, row->tags[i].key,
                              row->tags[i].value, arena);
    return &out->base;
}

ProtobufCMessage *iso_convert_running(const struct iso_plugin_running *row, struct iso_arena *arena)
{
    Isocost__V1__RunningResource *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__RunningResource, ISOCOST__V1__RUNNING_RESOURCE__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->account = iso_convert_text(row->account, arena);
    out->resource = iso_convert_text(row->resource, arena);
    out->region = iso_convert_text(row->region, arena);
    out->zone = iso_convert_text(row->zone, arena);
    out->type = iso_convert_text(row->type, arena);
    out->os = iso_convert_text(row->os, arena);
    out->state = iso_convert_text(row->state, arena);
    out->purchase = (Isocost__V1__Purchase)row->purchase;
    out->count = row->count.present ? iso_decimal_to_double(row->count.value) : 1;
    out->started_at = iso_convert_time(row->started_ns, arena);
    out->tags = iso_convert_pointers(row->n_tags, arena);
    for (size_t i = 0; out->tags && i < row->n_tags; i++)
        out->tags[out->n_tags++] =
            iso_convert_entry(&isocost__v1__running_resource__tags_entry__descriptor,
                              row->tags[i].key, row->tags[i].value, arena);
    return &out->base;
}
