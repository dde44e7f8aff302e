/* The flows of one workload's own traffic in one period: a block of FLOW columns as a
 * transportation problem (transport.h). Rows of a block are FLOW, one a source, and ARRIVAL, one a
 * region. */
#ifndef ISOCOST_FLOW_BLOCK_H
#define ISOCOST_FLOW_BLOCK_H

#include "mip.h"
#include "transport.h"

#define ISO_FLOW_UNIT 1e9   /* decimals are counted in units of 1e-9 */
#define ISO_FLOW_NOTHING 10 /* units that may be left unsent: rounding */

struct iso_flow_block {
    struct iso_transport transport; /* supply: what FLOW rows miss; room: what ARRIVAL rows leave */
    int32_t *column;                /* [source * n_places + place]; -1: none */
    int32_t *source, *arrival;      /* rows of sources and places; -1: none */
};

/* Where the columns of the kind, workload, traffic and period of column `first` end. */
int32_t iso_flow_block_end(const struct iso_mip *mip, int32_t first);

/* Reads the block of columns [first, end), with the costs of a unit (by column). `activity` (by
 * row) does not count its flows. False when memory is short. Call fini in any case. */
bool iso_flow_block_init(struct iso_flow_block *block, const struct iso_problem *problem,
                         const struct iso_mip *mip, int32_t first, int32_t end, const double *costs,
                         const double *activity);
void iso_flow_block_fini(struct iso_flow_block *block);

/* An amount as units, at least 0. */
iso_decimal iso_flow_units(double amount);

/* Sends as much as there is room for, and gives what is left. */
iso_decimal iso_flow_block_send(struct iso_flow_block *block);

#endif
