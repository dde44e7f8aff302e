/* Rates of egress as messages. */
#include "convert_parts.h"
#include "isocost/v1/offering.pb-c.h"

ProtobufCMessage *iso_convert_egress_rate(const struct iso_plugin_egress_rate *row,
                                          struct iso_arena *arena)
{
    Isocost__V1__EgressRate *out =
        ISO_NEW_MESSAGE(arena, Isocost__V1__EgressRate, ISOCOST__V1__EGRESS_RATE__INIT);

    if (!out)
        return NULL;
    out->provider = iso_convert_text(row->provider, arena);
    out->region = iso_convert_text(row->region, arena);
    out->to = iso_convert_text(row->to, arena);
    if (row->from_gb.present)
        out->from_gb = iso_decimal_to_double(row->from_gb.value);
    out->price_per_gb = iso_convert_money(row->price, row->currency, arena);
    out->valid_from = iso_convert_text(row->valid_from, arena);
    out->valid_until = iso_convert_text(row->valid_until, arena);
    out->source = iso_convert_text(row->source, arena);
    out->observed_at = iso_convert_time(row->observed_ns, arena);
    return &out->base;
}
