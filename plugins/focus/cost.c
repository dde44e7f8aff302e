/* What is judged alike in bills of every dialect, and sending. */
#include <stdio.h>

#include "row.h"

#define LIST_TOLERANCE ((iso_decimal)1000) /* 1e-6 of the currency: more than rounding explains */

/* FOCUS: what time costs is the sum of EffectiveCost. It is 0 for the purchase of a commitment,
 * whose usage carries it. A charge outside of commitments that is billed and has none comes from an
 * exporter that does not fill the column in; then the billed cost is what it cost. */
static void judge_effective(struct iso_bill_row *row)
{
    struct iso_plugin_cost *cost = &row->cost;
    bool committed = cost->pricing == ISO_PLUGIN_COST_PRICING_COMMITTED || cost->commitment ||
                     cost->commitment_use;
    bool standard = !committed && (cost->pricing == ISO_PLUGIN_COST_PRICING_STANDARD ||
                                   cost->pricing == ISO_PLUGIN_COST_PRICING_UNSPECIFIED);
    bool is_billed = cost->billed.value != 0 || row->billed_is_tiny;

    if (!cost->billed.present || cost->category == ISO_PLUGIN_COST_CATEGORY_PURCHASE)
        return;
    if (!cost->effective.present && !committed)
        iso_bill_note(row, "missing_effective_cost",
                      "there is no effective cost; the billed one is taken");
    else if (cost->effective.present && cost->effective.value == 0 && is_billed && standard)
        iso_bill_note(row, "effective_from_billed",
                      "the effective cost is 0 and the charge is billed at a standard price; the "
                      "billed cost is taken");
    else
        return;
    cost->effective = cost->billed;
    cost->effective_from_billed = true;
}

static void judge_list(struct iso_bill_row *row)
{
    iso_decimal product;

    if (!row->cost.list.present || !row->list_unit_price.present || !row->pricing_quantity.present)
        return;
    if (!iso_decimal_multiply(row->list_unit_price.value, row->pricing_quantity.value,
                              ISO_ROUND_HALF_EVEN, &product))
        return;
    iso_wide off = (iso_wide)row->cost.list.value - product;
    if (off > LIST_TOLERANCE || off < -LIST_TOLERANCE)
        iso_bill_note(row, "list_cost_differs",
                      "the list cost is not the list price times the quantity");
}

static void judge_required(struct iso_bill_row *row)
{
    const struct iso_focus_config *config = row->reader->config;
    struct iso_plugin_cost *cost = &row->cost;

    if (!cost->provider && config->provider[0])
        cost->provider = config->provider;
    if (!cost->currency && config->currency[0])
        cost->currency = config->currency;
    if (!cost->provider)
        iso_bill_refuse(row, "missing_provider",
                        "the row names no provider, and the parameter provider is not set");
    if (!cost->category)
        iso_bill_refuse(row, "missing_category", "the row has no charge category");
    if (!cost->billed.present && !cost->effective.present)
        iso_bill_refuse(row, "missing_cost", "the row has no cost; that is not a cost of 0");
    if (!cost->currency)
        iso_bill_refuse(row, "missing_currency",
                        "the row names no currency, and the parameter currency is not set");
    if (!cost->billed.present)
        iso_bill_note(row, "missing_billed_cost", "there is no billed cost");
}

static void send_usage(struct iso_bill_row *row)
{
    const struct iso_plugin_cost *cost = &row->cost;
    char metric[16 + ISO_BILL_UNIT_BYTES], unit[ISO_BILL_UNIT_BYTES];

    if (cost->category != ISO_PLUGIN_COST_CATEGORY_USAGE || !cost->resource || !cost->unit ||
        !cost->quantity.present || cost->commitment_use == ISO_PLUGIN_COMMITMENT_USE_UNUSED)
        return; /* what nobody used was not consumed */
    iso_bill_unit(cost->unit, unit);
    snprintf(metric, sizeof(metric), "consumed:%s", unit);
    struct iso_plugin_usage sample = {
        .provider = cost->provider,
        .resource = cost->resource,
        .metric = metric,
        .account = cost->account,
        .region = cost->region,
        .statistic = ISO_PLUGIN_STATISTIC_SUM,
        .start_ns = cost->start_ns,
        .length_ns = cost->end_ns - cost->start_ns,
        .value = iso_decimal_to_double(cost->quantity.value),
    };
    if (unit[0])
        row->status = iso_put_usage(row->reader->sink, &sample, 1, row->error);
}

void iso_bill_send(struct iso_bill_row *row)
{
    uint32_t want = row->reader->what->want;
    struct iso_plugin_cost *cost = &row->cost;

    judge_required(row);
    if (row->refused || row->outside)
        return;
    judge_effective(row);
    judge_list(row);
    if (cost->billed.value < 0 || cost->effective.value < 0)
        iso_bill_note(row, "negative_cost", "the cost is below 0, as of a credit or a correction");
    if (row->rounded)
        iso_bill_note(row, "rounded_amount",
                      "an amount has more than 9 places and is rounded to them");
    cost->place = row->place;
    if (row->status == ISO_OK && (want & ISO_WANT_COSTS))
        row->status = iso_put_costs(row->reader->sink, cost, 1, row->error);
    if (row->status == ISO_OK && (want & ISO_WANT_USAGE))
        send_usage(row);
}
