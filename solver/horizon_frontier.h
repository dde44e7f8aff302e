/* What a workload may run, cheapest for what it serves: a frontier for the periods of a season. */
#ifndef ISOCOST_HORIZON_FRONTIER_H
#define ISOCOST_HORIZON_FRONTIER_H

#include "horizon_hours.h"

/* Counts of the workload's items, and what they come to. */
struct iso_lineup {
    double capacity; /* the largest demand that all its rows allow */
    double cost;     /* of one hour, base currency; what commitments cover is free */
    bool spread;     /* its neighbours were looked at */
    double *value;   /* [row of the frontier], owned */
    int32_t *count;  /* [item of the frontier], in the same block */
};

struct iso_frontier {
    const struct iso_hours *hours;
    int32_t workload, first_item, n_items, n_rows;
    int32_t *rows;       /* of the season's program that its items enter */
    double *ratio;       /* [row]: of its right side to the demand; 0 for a cap */
    double *cap;         /* [row]: INFINITY where something is asked */
    double *coefficient; /* [item * n_rows + row] */
    double least, most;  /* demands of the season's periods that are to be served */
    int32_t n_lineups;
    struct iso_lineup *lineups; /* capacity and cost rise */
};

/* A frontier for each workload, empty. Errors: ISO_E_NOMEM. To be freed also on failure. */
enum iso_status iso_frontiers_init(struct iso_frontier **ret_frontiers,
                                   const struct iso_hours *hours, struct iso_error *reterr);
void iso_frontiers_free(struct iso_frontier *frontiers, const struct iso_hours *hours);

/* Offers the workload's part of the counts at hand. False when memory is short. */
bool iso_frontier_offer(struct iso_frontier *frontier);

/* Looks at what one instance more, less or another makes of each lineup. False when memory is
 * short. */
bool iso_frontier_spread(struct iso_frontier *frontier, int64_t most_lineups);

/* Puts the cheapest lineup that serves a demand into the counts. False when there is none. */
bool iso_frontier_take(const struct iso_frontier *frontier, struct iso_hours *hours, double demand);

#endif
