#include "transport.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/base/memory.h"

/* What the next augmentation looks at. Nodes: sources, then places. */
struct paths {
    double *distance;
    int32_t *before; /* node before on the path, -1 = a start */
    iso_decimal *left_supply, *left_room;
};

bool iso_transport_init(struct iso_transport *transport, int32_t n_sources, int32_t n_places)
{
    size_t n_arcs = (size_t)n_sources * (size_t)n_places;

    *transport = (struct iso_transport){
        .n_sources = n_sources,
        .n_places = n_places,
        .supply = iso_calloc((size_t)n_sources, sizeof(*transport->supply)),
        .room = iso_calloc((size_t)n_places, sizeof(*transport->room)),
        .flow = iso_calloc(n_arcs, sizeof(*transport->flow)),
        .cost = iso_calloc(n_arcs, sizeof(*transport->cost)),
    };
    return transport->supply && transport->room && transport->flow && transport->cost;
}

void iso_transport_fini(struct iso_transport *transport)
{
    free(transport->supply);
    free(transport->room);
    free(transport->flow);
    free(transport->cost);
    *transport = (struct iso_transport){0};
}

/* Cuts every flow to what is left for it; gives what is left of the total. */
static iso_decimal trim(struct iso_transport *transport, const struct paths *paths,
                        iso_decimal total)
{
    for (int32_t k = 0; k < transport->n_sources; k++)
        for (int32_t r = 0; r < transport->n_places; r++) {
            iso_decimal *flow = &transport->flow[k * transport->n_places + r];
            iso_decimal room = paths->left_room[r] < total ? paths->left_room[r] : total;
            if (room > paths->left_supply[k])
                room = paths->left_supply[k];
            if (*flow < 0 || isinf(transport->cost[k * transport->n_places + r]))
                *flow = 0;
            if (*flow > room)
                *flow = room;
            paths->left_supply[k] -= *flow;
            paths->left_room[r] -= *flow;
            total -= *flow;
        }
    return total;
}

/* Shortest paths from sources with something left, by cost or by number of steps (Bellman and
 * Ford); the nearest place with room, or -1. */
static int32_t find_path(const struct iso_transport *transport, const struct paths *paths,
                         bool by_cost)
{
    int32_t n = transport->n_places, best = -1;
    bool changed = true;

    for (int32_t i = 0; i < transport->n_sources + n; i++) {
        paths->distance[i] = i < transport->n_sources && paths->left_supply[i] > 0 ? 0 : INFINITY;
        paths->before[i] = -1;
    }
    for (int32_t pass = 0; changed && pass < transport->n_sources + n; pass++) {
        changed = false;
        for (int32_t at = 0; at < transport->n_sources * n; at++) {
            int32_t source = at / n, place = transport->n_sources + at % n;
            double cost = transport->cost[at];
            double there = paths->distance[source] + (by_cost ? cost : 1);
            double back = paths->distance[place] + (by_cost ? -cost : 1);
            double margin = 1e-12 * (1 + fabs(cost));
            if (isinf(cost))
                continue;
            if (there < paths->distance[place] - margin) {
                paths->distance[place] = there;
                paths->before[place] = source;
                changed = true;
            }
            if (transport->flow[at] > 0 && back < paths->distance[source] - margin) {
                paths->distance[source] = back;
                paths->before[source] = place;
                changed = true;
            }
        }
    }
    for (int32_t r = 0; r < n; r++)
        if (paths->left_room[r] > 0 && !isinf(paths->distance[transport->n_sources + r]) &&
            (best < 0 || paths->distance[transport->n_sources + r] <
                             paths->distance[transport->n_sources + best]))
            best = r;
    return best;
}

/* Walks a path back from a place; with by = 0 gives the most that it carries, otherwise moves `by`.
 * Gives 0 for a path that does not end at a source, which a cycle of costs below 0 would be. */
static iso_decimal walk(struct iso_transport *transport, const struct paths *paths, int32_t place,
                        iso_decimal most, iso_decimal by)
{
    int32_t node = transport->n_sources + place,
            n_nodes = transport->n_sources + transport->n_places;

    for (int32_t steps = 0; paths->before[node] >= 0; steps++) {
        int32_t before = paths->before[node];
        bool there = node >= transport->n_sources;
        int32_t source = there ? before : node;
        int32_t at = source * transport->n_places + (there ? node : before) - transport->n_sources;
        if (steps >= n_nodes)
            return 0;
        if (!there && transport->flow[at] < most)
            most = transport->flow[at];
        transport->flow[at] += there ? by : -by;
        node = before;
    }
    if (node >= transport->n_sources)
        return 0;
    if (paths->left_supply[node] < most)
        most = paths->left_supply[node];
    paths->left_supply[node] -= by;
    return most;
}

iso_decimal iso_transport_send(struct iso_transport *transport, iso_decimal total)
{
    size_t n_nodes = (size_t)transport->n_sources + (size_t)transport->n_places;
    ISO_AUTO_MEM double *distance = iso_calloc(n_nodes, sizeof(*distance));
    ISO_AUTO_MEM int32_t *before = iso_calloc(n_nodes, sizeof(*before));
    ISO_AUTO_MEM iso_decimal *left = iso_calloc(n_nodes, sizeof(*left));

    if (!distance || !before || !left)
        return total;
    struct paths paths = {distance, before, left, left + transport->n_sources};
    memcpy(paths.left_supply, transport->supply,
           (size_t)transport->n_sources * sizeof(*paths.left_supply));
    memcpy(paths.left_room, transport->room,
           (size_t)transport->n_places * sizeof(*paths.left_room));
    total = trim(transport, &paths, total);
    for (bool by_cost = true; total > 0;) {
        int32_t place = find_path(transport, &paths, by_cost);
        if (place < 0)
            break;
        iso_decimal most = paths.left_room[place] < total ? paths.left_room[place] : total;
        most = walk(transport, &paths, place, most, 0);
        if (most <= 0 && !by_cost)
            break;
        if (most <= 0) { /* the flows given are not the cheapest, so costs go round in circles */
            by_cost = false;
            continue;
        }
        walk(transport, &paths, place, most, most);
        paths.left_room[place] -= most;
        total -= most;
    }
    return total;
}
