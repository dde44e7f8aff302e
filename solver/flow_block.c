#include "flow_block.h"

#include <math.h>
#include <stdlib.h>

#define MOST_UNITS 4e18 /* of an amount; below the largest decimal */

int32_t iso_flow_block_end(const struct iso_mip *mip, int32_t first)
{
    const struct iso_mip_column *lead = &mip->columns[first];
    int32_t end = first + 1;

    while (end < mip->n_columns && mip->columns[end].kind == lead->kind &&
           mip->columns[end].a == lead->a && mip->columns[end].b == lead->b &&
           mip->columns[end].c == lead->c)
        end++;
    return end;
}

iso_decimal iso_flow_units(double amount)
{
    return (iso_decimal)fmin(fmax(0, floor(amount * ISO_FLOW_UNIT + 0.5)), MOST_UNITS);
}

static bool make_room(struct iso_flow_block *block, int32_t n_sources, int32_t n_places)
{
    int32_t n_routes = n_sources * n_places;

    block->column = iso_calloc((size_t)n_routes, sizeof(*block->column));
    block->source = iso_calloc((size_t)n_sources, sizeof(*block->source));
    block->arrival = iso_calloc((size_t)n_places, sizeof(*block->arrival));
    if (!block->column || !block->source || !block->arrival ||
        !iso_transport_init(&block->transport, n_sources, n_places))
        return false;
    for (int32_t i = 0; i < n_routes; i++) {
        block->column[i] = -1;
        block->transport.cost[i] = INFINITY;
    }
    for (int32_t k = 0; k < n_sources; k++)
        block->source[k] = -1;
    for (int32_t r = 0; r < n_places; r++)
        block->arrival[r] = -1;
    return true;
}

bool iso_flow_block_init(struct iso_flow_block *block, const struct iso_problem *problem,
                         const struct iso_mip *mip, int32_t first, int32_t end, const double *costs,
                         const double *activity)
{
    const struct iso_mip_column *lead = &mip->columns[first];
    const struct iso_traffic *traffic = &problem->workloads[lead->a].traffic[lead->b];
    int32_t n_places = traffic->n_routes / traffic->n_sources;

    *block = (struct iso_flow_block){0};
    if (!make_room(block, traffic->n_sources, n_places))
        return false;
    for (int32_t j = first; j < end; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        int32_t k = traffic->routes[column->d].source, r = column->d % n_places;
        block->column[k * n_places + r] = j;
        block->transport.cost[k * n_places + r] = costs[j];
        for (int32_t e = 0; e < column->n_entries; e++) {
            int32_t row = mip->entries[column->first_entry + e].row;
            if (mip->rows[row].kind == ISO_ROW_FLOW)
                block->source[k] = row;
            else if (mip->rows[row].kind == ISO_ROW_ARRIVAL)
                block->arrival[r] = row;
        }
    }
    for (int32_t k = 0; k < traffic->n_sources; k++)
        if (block->source[k] >= 0)
            block->transport.supply[k] =
                iso_flow_units(mip->rows[block->source[k]].lower - activity[block->source[k]]);
    for (int32_t r = 0; r < n_places; r++)
        if (block->arrival[r] >= 0)
            block->transport.room[r] = iso_flow_units(activity[block->arrival[r]]);
    return true;
}

void iso_flow_block_fini(struct iso_flow_block *block)
{
    iso_transport_fini(&block->transport);
    free(block->column);
    free(block->source);
    free(block->arrival);
}

iso_decimal iso_flow_block_send(struct iso_flow_block *block)
{
    iso_decimal total = 0;

    for (int32_t k = 0; k < block->transport.n_sources; k++)
        total += block->transport.supply[k];
    return iso_transport_send(&block->transport, total);
}
