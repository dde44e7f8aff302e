/* The periods of a season by what their workloads may run: each takes the cheapest lineups that are
 * large enough, where these fit together. */
#include <math.h>

#include "horizon_frontier.h"

#define SPREAD_A_PERIOD 2 /* lineups of each workload whose neighbours are looked at */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the periods of a long horizon");
}

bool iso_lineups_apply(const struct iso_hours *hours)
{
    const struct iso_slice *slice = &hours->h->slice;

    if (hours->plain || !hours->quick || !iso_hours_must_fill(hours))
        return false;
    for (int32_t r = 0; r < slice->n_rows; r++)
        if (slice->rows[r].kind == ISO_ROW_LIMIT && slice->rows[r].asks)
            return false;
    return true;
}

/* Finds lineups by filling each period, and more of them beside these. */
static enum iso_status gather(struct iso_hours *hours, const struct iso_turn *turns,
                              int32_t n_turns, struct iso_error *reterr)
{
    struct iso_search *search = &hours->master->h->search;
    enum iso_lp_outcome outcome;

    for (int32_t i = 0; i < n_turns && !iso_search_stops(search); i++) {
        ISO_TRY(iso_hours_open(hours, turns[i].period, reterr));
        ISO_TRY(iso_hours_relax(hours, &outcome, reterr));
        if (outcome == ISO_LP_OPTIMAL)
            iso_hours_fill(hours, hours->frontiers);
    }
    for (int32_t a = 0; a < hours->h->problem->n_workloads; a++)
        if (!iso_frontier_spread(&hours->frontiers[a], (int64_t)SPREAD_A_PERIOD * n_turns))
            return no_memory(reterr);
    return ISO_OK;
}

/* The cheapest lineups of all workloads, where they fit together. */
static enum iso_status take_lineups(struct iso_hours *hours, int32_t t, bool *ret_holds,
                                    struct iso_error *reterr)
{
    const struct iso_problem *problem = hours->h->problem;
    bool found = true;

    *ret_holds = false;
    hours->period = t;
    iso_hours_reset(hours);
    for (int32_t a = 0; a < problem->n_workloads && found; a++)
        found = iso_frontier_take(&hours->frontiers[a], hours,
                                  iso_value(problem->workloads[a].required[t]));
    for (int32_t r = problem->n_workloads; r < hours->mip.n_rows && found; r++)
        if (isinf(hours->mip.rows[r].lower))
            found = hours->slack[r] >= -CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[r].upper));
    return !found || iso_hours_settle(hours, hours->h->search.plan, ret_holds) ? ISO_OK
                                                                               : no_memory(reterr);
}

enum iso_status iso_lineups_serve(struct iso_hours *hours, struct iso_turn *turns, int32_t *n_turns,
                                  struct iso_error *reterr)
{
    int32_t n_left = 0;

    ISO_TRY(iso_frontiers_init(&hours->frontiers, hours, reterr));
    ISO_TRY(gather(hours, turns, *n_turns, reterr));
    for (int32_t i = 0; i < *n_turns; i++) {
        bool holds;
        ISO_TRY(take_lineups(hours, turns[i].period, &holds, reterr));
        if (!holds)
            turns[n_left++] = turns[i];
    }
    *n_turns = n_left;
    return ISO_OK;
}
