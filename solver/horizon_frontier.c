/* What a workload may run, cheapest for what it serves.
 *
 * With what is bought fixed, the periods of a season differ in demand alone, and what serves one
 * demand serves every smaller one: shares are parts of what is served, and what they and survival
 * ask for grows with the demand. So what is found for one period is of use to all: a workload keeps
 * the lineups that no other one with at least their capacity undercuts, and each period takes the
 * cheapest that is large enough. One instance more, less or in the place of another leads to more
 * of them, which comes near to what a dynamic program would find without its table over the shares.
 */
#include "horizon_frontier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEW_ITEMS 12
#define MOST_LINEUPS 8192 /* of a workload; more are not told apart by any horizon's demands */
#define SAME 1e-9         /* relative; a lineup that is cheaper by less is no news */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what the workloads may run");
}

static void frontier_fini(struct iso_frontier *frontier)
{
    for (int32_t i = 0; i < frontier->n_lineups; i++)
        free(frontier->lineups[i].value);
    free(frontier->lineups);
    free(frontier->rows);
    free(frontier->ratio);
    free(frontier->cap);
    free(frontier->coefficient);
}

void iso_frontiers_free(struct iso_frontier *frontiers, const struct iso_hours *hours)
{
    for (int32_t a = 0; frontiers && a < hours->h->problem->n_workloads; a++)
        frontier_fini(&frontiers[a]);
    free(frontiers);
}

/* The demands of the season's periods. */
static void find_demands(struct iso_frontier *frontier)
{
    const struct iso_horizon_case *h = frontier->hours->h;
    const iso_decimal *required = h->problem->workloads[frontier->workload].required;

    frontier->least = INFINITY;
    for (int32_t t = 0; t < h->problem->n_periods; t++)
        if (h->season_of[t] == frontier->hours->season && required[t] > 0) {
            frontier->least = fmin(frontier->least, iso_value(required[t]));
            frontier->most = fmax(frontier->most, iso_value(required[t]));
        }
}

/* The largest ratio of a row's right side to the demand: where it is less, a lineup can do more. */
static double ratio_of(const struct iso_frontier *frontier, int32_t row)
{
    const struct iso_horizon_case *h = frontier->hours->h;
    const iso_decimal *required = h->problem->workloads[frontier->workload].required;
    double ratio = 0;

    for (int32_t t = 0; t < h->problem->n_periods; t++)
        if (h->season_of[t] == frontier->hours->season && required[t] > 0)
            ratio = fmax(ratio, iso_slice_right(h, row, t) / iso_value(required[t]));
    return ratio;
}

/* The rows that the workload's items enter, each once; place[r]: of row r, or -1. */
static bool find_rows(struct iso_frontier *frontier, int32_t *place)
{
    const struct iso_hours *hours = frontier->hours;
    int32_t n_slice = hours->h->slice.n_rows;

    for (int32_t r = 0; r < hours->mip.n_rows; r++)
        place[r] = -1;
    for (int32_t i = 0; i < frontier->n_items; i++) {
        const struct iso_item *item = &hours->items[frontier->first_item + i];
        for (int32_t e = item->first_entry; e < item->first_entry + item->n_entries; e++) {
            int32_t r = hours->mip.entries[e].row;
            if (place[r] >= 0)
                continue;
            place[r] = frontier->n_rows;
            if (!iso_append(&frontier->rows, &frontier->n_rows, sizeof(r), &r))
                return false;
        }
    }
    frontier->ratio = iso_calloc((size_t)frontier->n_rows, sizeof(*frontier->ratio));
    frontier->cap = iso_calloc((size_t)frontier->n_rows, sizeof(*frontier->cap));
    for (int32_t k = 0; k < frontier->n_rows && frontier->ratio && frontier->cap; k++) {
        const struct iso_mip_row *row = &hours->mip.rows[frontier->rows[k]];
        bool asks = isinf(row->upper) && frontier->rows[k] < n_slice;
        frontier->cap[k] = row->upper;
        frontier->ratio[k] = asks ? ratio_of(frontier, frontier->rows[k]) : 0;
    }
    return frontier->ratio && frontier->cap;
}

static bool frontier_init(struct iso_frontier *frontier, int32_t *place)
{
    const struct iso_hours *hours = frontier->hours;

    if (!find_rows(frontier, place))
        return false;
    frontier->coefficient = iso_calloc((size_t)frontier->n_items * (size_t)frontier->n_rows,
                                       sizeof(*frontier->coefficient));
    if (!frontier->coefficient)
        return false;
    for (int32_t i = 0; i < frontier->n_items; i++) {
        const struct iso_item *item = &hours->items[frontier->first_item + i];
        for (int32_t e = item->first_entry; e < item->first_entry + item->n_entries; e++)
            frontier->coefficient[i * frontier->n_rows + place[hours->mip.entries[e].row]] +=
                hours->mip.entries[e].coefficient;
    }
    find_demands(frontier);
    return true;
}

enum iso_status iso_frontiers_init(struct iso_frontier **ret_frontiers,
                                   const struct iso_hours *hours, struct iso_error *reterr)
{
    int32_t n_workloads = hours->h->problem->n_workloads;
    struct iso_frontier *frontiers = iso_calloc((size_t)n_workloads, sizeof(*frontiers));
    ISO_AUTO_MEM int32_t *place = iso_calloc((size_t)hours->mip.n_rows, sizeof(*place));

    *ret_frontiers = frontiers;
    if (!frontiers || !place)
        return no_memory(reterr);
    for (int32_t a = 0; a < n_workloads; a++) {
        int32_t first = hours->first_item[a];
        frontiers[a] = (struct iso_frontier){.hours = hours,
                                             .workload = a,
                                             .first_item = first,
                                             .n_items = hours->first_item[a + 1] - first};
        if (!frontier_init(&frontiers[a], place))
            return no_memory(reterr);
    }
    return ISO_OK;
}

/* --- lineups --- */

/* The first lineup that serves a demand. */
static int32_t place_of(const struct iso_frontier *frontier, double demand)
{
    int32_t low = 0, high = frontier->n_lineups;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (frontier->lineups[middle].capacity < demand)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What values of the rows allow, at most what any period asks; 0 when a cap is exceeded. */
static double capacity_of(const struct iso_frontier *frontier, const double *value)
{
    double capacity = frontier->most;

    for (int32_t k = 0; k < frontier->n_rows; k++) {
        if (value[k] > frontier->cap[k] + CLOSE_TO_NOTHING * (1 + fabs(frontier->cap[k])))
            return 0;
        if (frontier->ratio[k] > 0)
            capacity = fmin(capacity, value[k] / frontier->ratio[k]);
    }
    return capacity;
}

/* Whether a lineup would be news; its place. A full frontier takes only what undercuts others. */
static bool is_news(const struct iso_frontier *frontier, double capacity, double cost,
                    int32_t *ret_at)
{
    if (!(capacity >= frontier->least))
        return false;
    int32_t at = *ret_at = place_of(frontier, capacity);
    if (at < frontier->n_lineups && cost >= frontier->lineups[at].cost * (1 - SAME))
        return false;
    return frontier->n_lineups < MOST_LINEUPS || (at > 0 && frontier->lineups[at - 1].cost >= cost);
}

/* Puts a lineup in, in the place of those that it undercuts. Takes over its block. */
static bool insert(struct iso_frontier *frontier, int32_t at, struct iso_lineup lineup)
{
    int32_t first = at, last = at;

    while (first > 0 && frontier->lineups[first - 1].cost >= lineup.cost)
        first--;
    if (last < frontier->n_lineups && frontier->lineups[last].capacity == lineup.capacity)
        last++;
    for (int32_t i = first; i < last; i++)
        free(frontier->lineups[i].value);
    if (first == last) {
        struct iso_lineup room = {0};
        if (!iso_append(&frontier->lineups, &frontier->n_lineups, sizeof(room), &room)) {
            free(lineup.value);
            return false;
        }
        memmove(&frontier->lineups[first + 1], &frontier->lineups[first],
                (size_t)(frontier->n_lineups - 1 - first) * sizeof(lineup));
    } else {
        memmove(&frontier->lineups[first + 1], &frontier->lineups[last],
                (size_t)(frontier->n_lineups - last) * sizeof(lineup));
        frontier->n_lineups -= last - first - 1;
    }
    frontier->lineups[first] = lineup;
    return true;
}

static struct iso_lineup new_lineup(const struct iso_frontier *frontier)
{
    size_t values = (size_t)frontier->n_rows * sizeof(double);
    double *value = iso_calloc(1, values + (size_t)frontier->n_items * sizeof(int32_t));
    void *count = value ? value + frontier->n_rows : NULL;

    return (struct iso_lineup){.value = value, .count = count};
}

bool iso_frontier_offer(struct iso_frontier *frontier)
{
    const struct iso_hours *hours = frontier->hours;
    struct iso_lineup lineup = new_lineup(frontier);
    int32_t at;

    if (!lineup.value)
        return false;
    for (int32_t i = 0; i < frontier->n_items; i++) {
        int32_t n = (int32_t)hours->count[frontier->first_item + i];
        lineup.count[i] = n;
        lineup.cost += n * hours->items[frontier->first_item + i].price;
        for (int32_t k = 0; k < frontier->n_rows && n > 0; k++)
            lineup.value[k] += n * frontier->coefficient[i * frontier->n_rows + k];
    }
    lineup.capacity = capacity_of(frontier, lineup.value);
    if (is_news(frontier, lineup.capacity, lineup.cost, &at))
        return insert(frontier, at, lineup);
    free(lineup.value);
    return true;
}

/* --- neighbours --- */

/* What a step changes: one instance of an item out, and of two others in; -1: none. */
struct step {
    int32_t out, in, also;
};

static double of_row(const struct iso_frontier *frontier, int32_t item, int32_t k)
{
    return item < 0 ? 0 : frontier->coefficient[item * frontier->n_rows + k];
}

static double price_of(const struct iso_frontier *frontier, int32_t item)
{
    return item < 0 ? 0 : frontier->hours->items[frontier->first_item + item].price;
}

static bool offer_neighbour(struct iso_frontier *frontier, const struct iso_lineup *from,
                            struct step step, double *value)
{
    double cost = from->cost - price_of(frontier, step.out) + price_of(frontier, step.in) +
                  price_of(frontier, step.also);
    int32_t at;

    for (int32_t k = 0; k < frontier->n_rows; k++)
        value[k] = from->value[k] - of_row(frontier, step.out, k) + of_row(frontier, step.in, k) +
                   of_row(frontier, step.also, k);
    double capacity = capacity_of(frontier, value);
    if (!is_news(frontier, capacity, cost, &at))
        return true;
    struct iso_lineup made = new_lineup(frontier);
    if (!made.value)
        return false;
    memcpy(made.value, value, (size_t)frontier->n_rows * sizeof(*value));
    memcpy(made.count, from->count, (size_t)frontier->n_items * sizeof(*made.count));
    made.capacity = capacity;
    made.cost = cost;
    if (step.out >= 0)
        made.count[step.out]--;
    if (step.in >= 0)
        made.count[step.in]++;
    if (step.also >= 0)
        made.count[step.also]++;
    return insert(frontier, at, made);
}

/* One instance in the place of another, or of none; where items are few, also two in its place: a
 * share may let neither in alone, and nothing else is nearly as good. */
static bool offer_steps(struct iso_frontier *frontier, const struct iso_lineup *from, int32_t out,
                        int32_t in, double *value)
{
    int32_t n_pairs = frontier->n_items <= FEW_ITEMS ? in + 1 : 0;
    bool ok = offer_neighbour(frontier, from, (struct step){out, in, -1}, value);

    for (int32_t also = 0; also < n_pairs && ok; also++)
        if (also != out)
            ok = offer_neighbour(frontier, from, (struct step){out, in, also}, value);
    return ok;
}

/* All neighbours of a copy of a lineup: what is offered may take its place. */
static bool spread(struct iso_frontier *frontier, const struct iso_lineup *from, double *value)
{
    bool ok = true;

    for (int32_t out = -1; out < frontier->n_items && ok; out++)
        for (int32_t in = -1; in < frontier->n_items && ok; in++)
            if (in != out && (out < 0 || from->count[out] > 0))
                ok = offer_steps(frontier, from, out, in, value);
    return ok;
}

bool iso_frontier_spread(struct iso_frontier *frontier, int64_t most_lineups)
{
    size_t n_rows = (size_t)frontier->n_rows, n_items = (size_t)frontier->n_items;
    ISO_AUTO_MEM double *value = iso_calloc(n_rows, sizeof(*value));
    struct iso_lineup from = new_lineup(frontier);
    struct iso_search *search = &frontier->hours->master->h->search;
    bool ok = value && from.value;

    for (int32_t n = 1; ok && n > 0 && most_lineups > 0;) {
        n = 0;
        for (int32_t at = 0;
             ok && at < frontier->n_lineups && most_lineups > 0 && !iso_search_stops(search);
             at++) {
            struct iso_lineup *lineup = &frontier->lineups[at];
            if (lineup->spread)
                continue;
            lineup->spread = true;
            memcpy(from.value, lineup->value, n_rows * sizeof(*value));
            memcpy(from.count, lineup->count, n_items * sizeof(*from.count));
            from.cost = lineup->cost;
            ok = spread(frontier, &from, value);
            most_lineups--;
            n++;
        }
    }
    free(from.value);
    return ok;
}

bool iso_frontier_take(const struct iso_frontier *frontier, struct iso_hours *hours, double demand)
{
    int32_t at = place_of(frontier, demand);

    if (demand <= 0)
        return true;
    if (at == frontier->n_lineups)
        return false;
    for (int32_t i = 0; i < frontier->n_items; i++)
        if (frontier->lineups[at].count[i] > 0)
            iso_hours_take(hours, frontier->first_item + i, frontier->lineups[at].count[i]);
    return true;
}
