/* Whole instances for one period, from the point of its linear program.
 *
 * Every item starts at the whole part of its value. Then, workload by workload, a few instances are
 * taken out and what is missing, q, is covered at least cost:
 *
 *   F(q) = min over items i of c_i + F(max(0, q - served_i)),   F(0) = 0
 *
 * on a grid, with served_i rounded down. c_i is at first the price and what the item takes of caps
 * and commitments at their multipliers; later, with all other workloads as they are, the price
 * alone. Items that a cap allows only a few times are copied that often. Caps that several items
 * share are looked at afterwards: the items of a cap that was exceeded are left out, and again. */
#include <math.h>
#include <string.h>

#include "horizon_hours.h"

#define GRID 256       /* steps of what is missing */
#define COPIES 24      /* of items that are scarce */
#define CANDIDATES 96  /* items of one workload */
#define TAKEN_OUT 8    /* items of which some are taken out again */
#define RETRIES 4      /* covers with fewer items */
#define WHOLE 1e-6     /* a value this far below a whole number counts as whole */
#define IMPROVEMENTS 2 /* rounds at prices alone */

struct cover {
    struct iso_hours *hours;
    int32_t workload, n_candidates, n_copies;
    int32_t candidates[CANDIDATES]; /* without limit */
    int32_t copies[COPIES];         /* once each */
    double cost[CANDIDATES], copy_cost[COPIES];
    int16_t size[CANDIDATES], copy_size[COPIES];
    float least[GRID + 1];
    int16_t choice[GRID + 1];
    uint8_t taken[COPIES][GRID + 1];
    int32_t added[GRID + COPIES];
    int32_t n_added;
};

void iso_hours_take(struct iso_hours *hours, int32_t item, int64_t n)
{
    const struct iso_item *i = &hours->items[item];

    hours->count[item] += n;
    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++)
        hours->slack[hours->mip.entries[e].row] -= (double)n * hours->mip.entries[e].coefficient;
}

/* How often the caps allow an item, GRID at most. */
static int32_t room_for(const struct iso_hours *hours, int32_t item)
{
    const struct iso_item *i = &hours->items[item];
    double room = GRID;

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++) {
        const struct iso_mip_entry *entry = &hours->mip.entries[e];
        if (entry->row < hours->h->problem->n_workloads || isinf(hours->slack[entry->row]))
            continue;
        room = fmin(room, hours->slack[entry->row] / entry->coefficient + CLOSE_TO_NOTHING);
    }
    return room < 1 ? 0 : (int32_t)room;
}

static double priced(const struct iso_hours *hours, int32_t item, bool multipliers)
{
    const struct iso_item *i = &hours->items[item];
    double cost = i->price;

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries && multipliers; e++) {
        int32_t row = hours->mip.entries[e].row;
        if (row >= hours->h->problem->n_workloads)
            cost -= fmin(0, hours->duals[row]) * hours->mip.entries[e].coefficient;
    }
    return cost;
}

static void list_items(struct cover *cover, double missing, bool multipliers, const uint8_t *barred)
{
    const struct iso_hours *hours = cover->hours;
    double step = missing / GRID;

    cover->n_candidates = cover->n_copies = 0;
    for (int32_t i = hours->first_item[cover->workload]; i < hours->first_item[cover->workload + 1];
         i++) {
        int32_t size = (int32_t)fmin(GRID, hours->items[i].served / step * (1 + CLOSE_TO_NOTHING));
        int32_t room = barred[i] ? 0 : room_for(hours, i), needed;
        if (room == 0 || size == 0)
            continue;
        double cost = priced(hours, i, multipliers);
        needed = (GRID + size - 1) / size;
        if (room >= needed && cover->n_candidates < CANDIDATES) {
            cover->candidates[cover->n_candidates] = i;
            cover->cost[cover->n_candidates] = cost;
            cover->size[cover->n_candidates++] = (int16_t)size;
            continue;
        }
        for (int32_t n = 0; n < room && n < needed && cover->n_copies < COPIES; n++) {
            cover->copies[cover->n_copies] = i;
            cover->copy_cost[cover->n_copies] = cost;
            cover->copy_size[cover->n_copies++] = (int16_t)size;
        }
    }
}

/* Fills the table; false when what is missing cannot be covered. */
static bool tabulate(struct cover *cover)
{
    cover->least[0] = 0;
    for (int32_t q = 1; q <= GRID; q++) {
        float least = INFINITY;
        for (int32_t i = 0; i < cover->n_candidates; i++) {
            int32_t rest = q - cover->size[i];
            float cost = (float)cover->cost[i] + cover->least[rest > 0 ? rest : 0];
            if (cost < least) {
                least = cost;
                cover->choice[q] = (int16_t)i;
            }
        }
        cover->least[q] = least;
    }
    for (int32_t c = 0; c < cover->n_copies; c++) {
        cover->taken[c][0] = 0;
        for (int32_t q = GRID; q > 0; q--) {
            int32_t rest = q - cover->copy_size[c];
            float cost = (float)cover->copy_cost[c] + cover->least[rest > 0 ? rest : 0];
            cover->taken[c][q] = cost < cover->least[q];
            if (cover->taken[c][q])
                cover->least[q] = cost;
        }
    }
    return isfinite(cover->least[GRID]);
}

static void add(struct cover *cover, int32_t item)
{
    cover->added[cover->n_added++] = item;
    iso_hours_take(cover->hours, item, 1);
}

static void trace(struct cover *cover)
{
    int32_t q = GRID;

    cover->n_added = 0;
    for (int32_t c = cover->n_copies - 1; c >= 0 && q > 0; c--)
        if (cover->taken[c][q]) {
            add(cover, cover->copies[c]);
            q = q > cover->copy_size[c] ? q - cover->copy_size[c] : 0;
        }
    while (q > 0) {
        int32_t i = cover->choice[q];
        add(cover, cover->candidates[i]);
        q = q > cover->size[i] ? q - cover->size[i] : 0;
    }
}

/* Bars the items of caps that are exceeded; false when none is. */
static bool bar_exceeded(const struct cover *cover, uint8_t *barred)
{
    const struct iso_hours *hours = cover->hours;
    bool any = false;

    for (int32_t n = 0; n < cover->n_added; n++) {
        const struct iso_item *item = &hours->items[cover->added[n]];
        for (int32_t e = item->first_entry; e < item->first_entry + item->n_entries; e++) {
            int32_t row = hours->mip.entries[e].row;
            if (row >= hours->h->problem->n_workloads &&
                hours->slack[row] < -CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[row].upper))) {
                barred[cover->added[n]] = 1;
                any = true;
            }
        }
    }
    return any;
}

static bool cover_missing(struct cover *cover, bool multipliers)
{
    struct iso_hours *hours = cover->hours;
    double missing = hours->slack[cover->workload];
    ISO_AUTO_MEM uint8_t *barred = iso_calloc((size_t)hours->n_items, 1);

    cover->n_added = 0;
    if (missing <= CLOSE_TO_NOTHING * (1 + hours->mip.rows[cover->workload].lower))
        return true;
    for (int try = 0; try < RETRIES && barred; try++) {
        list_items(cover, missing, multipliers, barred);
        if (!tabulate(cover))
            return false;
        trace(cover);
        if (!bar_exceeded(cover, barred))
            return true;
        for (int32_t n = 0; n < cover->n_added; n++)
            iso_hours_take(hours, cover->added[n], -1);
        cover->n_added = 0;
    }
    return false;
}

/* Takes `each` instances of the items of a workload out and covers what is then missing; puts them
 * back when that is not cheaper (at multipliers: when it cannot be done). */
static bool recover(struct cover *cover, int64_t each, bool multipliers)
{
    struct iso_hours *hours = cover->hours;
    int32_t out[TAKEN_OUT], n_out = 0, a = cover->workload;
    int64_t n_each[TAKEN_OUT];
    double before = 0, after = 0;

    for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1] && n_out < TAKEN_OUT; i++) {
        if (hours->count[i] == 0)
            continue;
        out[n_out] = i;
        n_each[n_out] = hours->count[i] < each ? hours->count[i] : each;
        before += hours->items[i].price * (double)n_each[n_out];
        iso_hours_take(hours, i, -n_each[n_out]);
        n_out++;
    }
    bool done = cover_missing(cover, multipliers);
    for (int32_t n = 0; n < cover->n_added; n++)
        after += hours->items[cover->added[n]].price;
    if (done && (multipliers || after < before - CLOSE_TO_NOTHING * (1 + before)))
        return true;
    for (int32_t n = 0; n < cover->n_added; n++)
        iso_hours_take(hours, cover->added[n], -1);
    for (int32_t n = 0; n < n_out; n++)
        iso_hours_take(hours, out[n], n_each[n]);
    return false;
}

/* Free units first: what commitments hold and the program's whole parts left over. */
static void take_free(struct iso_hours *hours, int32_t a)
{
    for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1]; i++)
        while (hours->items[i].price == 0 &&
               hours->slack[a] > CLOSE_TO_NOTHING * (1 + hours->mip.rows[a].lower) &&
               room_for(hours, i) > 0)
            iso_hours_take(hours, i, 1);
}

static bool caps_hold(const struct iso_hours *hours)
{
    for (int32_t r = hours->h->problem->n_workloads; r < hours->mip.n_rows; r++)
        if (hours->slack[r] < -CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[r].upper)))
            return false;
    return true;
}

/* Everything that is free, the rest by tables: with no product for two workloads and no cap in the
 * way nothing is cheaper. */
static bool cover_by_tables(struct iso_hours *hours)
{
    for (int32_t i = 0; i < hours->n_items; i++)
        if (hours->items[i].price == 0)
            iso_hours_take(hours, i, (int64_t)floor(fmax(0, hours->x[i]) + WHOLE));
    for (int32_t a = 0; a < hours->h->problem->n_workloads; a++) {
        take_free(hours, a);
        if (!iso_table_cover(hours, a))
            return false;
    }
    return caps_hold(hours);
}

static void improve(struct cover *cover)
{
    for (int round = 0; round < IMPROVEMENTS; round++)
        for (int32_t a = 0; a < cover->hours->h->problem->n_workloads; a++) {
            cover->workload = a;
            recover(cover, 2 + round, false);
        }
}

bool iso_hours_cover(struct iso_hours *hours)
{
    struct cover cover = {.hours = hours};
    int32_t n_workloads = hours->h->problem->n_workloads;

    iso_hours_reset(hours);
    if (cover_by_tables(hours)) {
        if (!hours->apart)
            improve(&cover);
        return true;
    }
    iso_hours_reset(hours);
    for (int32_t i = 0; i < hours->n_items; i++)
        iso_hours_take(hours, i, (int64_t)floor(fmax(0, hours->x[i]) + WHOLE));
    for (int32_t a = 0; a < n_workloads; a++) {
        cover.workload = a;
        if (!recover(&cover, 1, true) && !cover_missing(&cover, true))
            return false;
    }
    improve(&cover);
    return true;
}
