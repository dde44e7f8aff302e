/* Capacity where traffic reaches it.
 *
 * What comes from a place is served in regions that it may go to. As long as the flows that
 * instances have room for (transport.h) leave some demand unsent, there is a set of sources whose
 * regions serve too little: those that have something left, and those whose flows could make way
 * for it (the cut of the residual network; L. R. Ford and D. R. Fulkerson, "Maximal flow through a
 * network", 1956). The column in one of their regions that costs least for what it serves, moving
 * the data included, comes in next. Flows stay as they are then: a linear program finds the best
 * ones once the instances are chosen. */
#include <math.h>
#include <stdlib.h>

#include "flow_block.h"
#include "incumbent_state.h"

#define STEPS_OF_A_LOOK 64 /* between two looks at the control */

struct crossing {
    struct iso_greedy *greedy;
    struct iso_flow_block block;
    uint8_t *marked, *reached; /* sources and places of the cut */
};

static void crossing_fini(struct crossing *crossing)
{
    iso_flow_block_fini(&crossing->block);
    free(crossing->marked);
    free(crossing->reached);
}

/* Reads the columns from `first` to `end`, and takes their flows out. */
static bool crossing_init(struct crossing *crossing, int32_t first, int32_t end)
{
    struct iso_greedy *greedy = crossing->greedy;

    for (int32_t j = first; j < end; j++)
        iso_greedy_change(greedy, j, -greedy->x[j]);
    if (!iso_flow_block_init(&crossing->block, greedy->search->problem, greedy->mip, first, end,
                             greedy->price, greedy->activity))
        return false;
    crossing->marked = iso_calloc((size_t)crossing->block.transport.n_sources, 1);
    crossing->reached = iso_calloc((size_t)crossing->block.transport.n_places, 1);
    return crossing->marked && crossing->reached;
}

static iso_decimal sent_from(const struct iso_transport *transport, int32_t source)
{
    iso_decimal sum = 0;

    for (int32_t r = 0; r < transport->n_places; r++)
        sum += transport->flow[source * transport->n_places + r];
    return sum;
}

/* Marks the cut. */
static void find_cut(struct crossing *crossing)
{
    const struct iso_transport *transport = &crossing->block.transport;
    int32_t n_sources = transport->n_sources, n_places = transport->n_places;
    bool grows = true;

    for (int32_t k = 0; k < n_sources; k++)
        crossing->marked[k] = sent_from(transport, k) < transport->supply[k];
    for (int32_t r = 0; r < n_places; r++)
        crossing->reached[r] = 0;
    while (grows) {
        grows = false;
        for (int32_t at = 0; at < n_sources * n_places; at++) {
            uint8_t *marked = &crossing->marked[at / n_places];
            uint8_t *reached = &crossing->reached[at % n_places];
            bool reaches = *marked && !*reached && crossing->block.column[at] >= 0;
            bool makes_way = *reached && !*marked && transport->flow[at] > 0;
            *reached |= reaches;
            *marked |= makes_way;
            grows |= reaches || makes_way;
        }
    }
}

/* What it costs at least to move a unit from a marked source. */
static double least_cost(const struct crossing *crossing, int32_t place)
{
    const struct iso_transport *transport = &crossing->block.transport;
    double least = INFINITY;

    for (int32_t k = 0; k < transport->n_sources; k++)
        if (crossing->marked[k])
            least = fmin(least, transport->cost[k * transport->n_places + place]);
    return least;
}

/* Brings in a column that serves some of `missing` in a region of the cut; false when none may. */
static bool add_capacity(struct crossing *crossing, double missing)
{
    struct iso_greedy *greedy = crossing->greedy;
    double best_score = INFINITY, best_step = 0, best_served = 0;
    int32_t best = -1, best_place = -1, in_the_way;

    for (int32_t r = 0; r < crossing->block.transport.n_places; r++) {
        int32_t row = crossing->block.arrival[r];
        double moving = crossing->reached[r] ? least_cost(crossing, r) : INFINITY;
        if (row < 0 || isinf(moving))
            continue;
        for (int32_t at = greedy->first[row]; at < greedy->first[row + 1]; at++) {
            double served = greedy->coefficients[at];
            double score = (greedy->price[greedy->columns[at]] + 1e-12) / fmin(served, missing);
            if (score + moving >= best_score)
                continue;
            double step = iso_greedy_room(greedy, greedy->columns[at],
                                          fmax(1, floor(missing / served)), &in_the_way);
            if (step < 1)
                continue;
            best = greedy->columns[at];
            best_place = r;
            best_score = score + moving;
            best_step = step;
            best_served = served;
        }
    }
    if (best < 0)
        return false;
    iso_greedy_change(greedy, best, best_step);
    crossing->block.transport.room[best_place] += iso_flow_units(best_step * best_served);
    return true;
}

/* Sends what there is, with more capacity as long as some is missing and may come in. */
static void send(struct crossing *crossing)
{
    struct iso_greedy *greedy = crossing->greedy;
    const struct iso_transport *transport = &crossing->block.transport;

    for (int64_t steps = 1;; steps++) {
        iso_decimal unsent = iso_flow_block_send(&crossing->block);
        if (unsent <= ISO_FLOW_NOTHING ||
            (steps % STEPS_OF_A_LOOK == 0 && iso_search_stops(greedy->search)))
            break;
        find_cut(crossing);
        if (add_capacity(crossing, (double)unsent / ISO_FLOW_UNIT))
            continue;
        for (int32_t r = 0; r < transport->n_places; r++)
            if (crossing->reached[r] && crossing->block.arrival[r] >= 0)
                iso_greedy_note_blocked(greedy, crossing->block.arrival[r]);
        break;
    }
    for (int32_t at = 0; at < transport->n_sources * transport->n_places; at++)
        if (transport->flow[at] > 0)
            iso_greedy_change(greedy, crossing->block.column[at],
                              (double)transport->flow[at] / ISO_FLOW_UNIT);
}

enum iso_status iso_greedy_flows(struct iso_greedy *greedy, struct iso_error *reterr)
{
    const struct iso_mip *mip = greedy->mip;

    for (int32_t first = 0, end; first < mip->n_columns; first = end) {
        const struct iso_mip_column *lead = &mip->columns[first];
        struct crossing crossing __attribute__((cleanup(crossing_fini))) = {.greedy = greedy};
        end = first + 1;
        if (lead->kind != ISO_COLUMN_FLOW)
            continue;
        end = iso_flow_block_end(mip, first);
        if (greedy->search->problem->workloads[lead->a].traffic[lead->b].other >= 0)
            continue; /* of a dependency */
        if (!crossing_init(&crossing, first, end))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the flows of a first plan");
        send(&crossing);
    }
    return ISO_OK;
}
