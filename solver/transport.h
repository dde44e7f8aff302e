/* Amounts from sources to places, exactly: a transportation problem in units of 1e-9.
 *
 *     minimise  sum_kr cost_kr fl_kr     subject to  sum_r fl_kr <= supply_k,
 *     sum_k fl_kr <= room_r,  sum_kr fl_kr = total,  fl_kr = 0 where closed,  fl >= 0
 *
 * Shortest augmenting paths in the residual network (R. K. Ahuja, T. L. Magnanti, J. B. Orlin,
 * "Network Flows", 1993, section 9.7). From flows that a linear program gives, a few units are
 * moved; from none, the result is the cheapest there is. Flows that other rules than costs keep
 * from being the cheapest are completed over the fewest steps. */
#ifndef ISOCOST_TRANSPORT_H
#define ISOCOST_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/decimal.h"

struct iso_transport {
    int32_t n_sources, n_places;
    iso_decimal *supply; /* n_sources, >= 0 */
    iso_decimal *room;   /* n_places, >= 0 */
    iso_decimal *flow;   /* [source * n_places + place] */
    double *cost;        /* likewise; INFINITY: closed */
};

/* All zero, or false when memory is short. */
bool iso_transport_init(struct iso_transport *transport, int32_t n_sources, int32_t n_places);
void iso_transport_fini(struct iso_transport *transport);

/* Cuts the flows that are there to what supplies, rooms and `total` allow, then adds until they are
 * `total`. Gives what could not be sent. */
iso_decimal iso_transport_send(struct iso_transport *transport, iso_decimal total);

#endif
