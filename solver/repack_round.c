/* Rounds of repacking: empty a few instances and fill their copies again. */
#include <math.h>
#include <string.h>

#include "repack_state.h"

#define SLACK 1e-9
#define SIDEWAYS 1e-12

static double random_share(struct iso_repack *repack)
{
    repack->random ^= repack->random << 13;
    repack->random ^= repack->random >> 7;
    repack->random ^= repack->random << 17;
    return (double)(repack->random >> 11) * 0x1p-53;
}

static void pass_tolls(struct iso_repack *repack, int32_t list, double times)
{
    for (int32_t t = repack->first_toll[list]; t < repack->first_toll[list + 1]; t++)
        repack->activity[repack->tolls[t].row] += times * repack->tolls[t].coefficient;
}

static bool is_allowed(const struct iso_repack *repack, int32_t list)
{
    const struct iso_mip *mip = &repack->search->formulation->mip;

    for (int32_t t = repack->first_toll[list]; t < repack->first_toll[list + 1]; t++) {
        const struct iso_toll *toll = &repack->tolls[t];
        double upper = mip->rows[toll->row].upper;
        if (toll->coefficient > 0 &&
            repack->activity[toll->row] + toll->coefficient > upper + SLACK * fabs(upper))
            return false;
    }
    return true;
}

double iso_repack_waste(const struct iso_repack *repack, int32_t instance)
{
    double waste = repack->price[repack->list[instance]];

    for (int32_t i = 0; i < repack->n; i++)
        waste -= repack->content[instance * repack->n + i] * repack->worth[i];
    return waste;
}

static int32_t draw(struct iso_repack *repack)
{
    if (repack->n_wasteful > 0 && random_share(repack) < 0.5) {
        int32_t b = repack->wasteful[(int32_t)(random_share(repack) * repack->n_wasteful)];
        if (b < repack->n_instances)
            return b;
    }
    return (int32_t)(random_share(repack) * repack->n_instances);
}

/* Chooses instances to empty: of two drawn, half of them from those that waste, the more wasteful.
 */
static double empty_some(struct iso_repack *repack)
{
    int32_t n =
        2 + (int32_t)(random_share(repack) * random_share(repack) * (ISO_REPACK_EMPTIED - 2));
    double cost = 0;

    repack->n_emptied = 0;
    memset(repack->removed, 0, (size_t)repack->n * sizeof(*repack->removed));
    for (int32_t tries = 0; tries < 3 * n && repack->n_emptied < n; tries++) {
        int32_t chosen = draw(repack), other = draw(repack);
        bool again = false;
        if (repack->waste[other] > repack->waste[chosen])
            chosen = other;
        for (int32_t e = 0; e < repack->n_emptied; e++)
            again |= repack->emptied[e] == chosen;
        if (again)
            continue;
        repack->emptied[repack->n_emptied++] = chosen;
        cost += repack->price[repack->list[chosen]];
        pass_tolls(repack, repack->list[chosen], -1);
        for (int32_t i = 0; i < repack->n; i++)
            repack->removed[i] += repack->content[chosen * repack->n + i];
    }
    return cost;
}

/* Fills one empty instance with what is left, in one of the orders; now and then a copy is passed
 * over. Gives the worth of the content in repack->trial; *ret_all: nothing is left outside. */
static double fill(struct iso_repack *repack, int32_t list, int by, double pass_over, bool *ret_all)
{
    iso_decimal room[ISO_N_RESOURCES];
    const int32_t *order = &repack->order[(list * ISO_REPACK_ORDERS + by) * repack->n];
    double value = 0;

    memcpy(room, &repack->room[list * repack->n_resources],
           (size_t)repack->n_resources * sizeof(*room));
    *ret_all = true;
    for (int32_t at = 0; at < repack->n; at++) {
        int32_t i = order[at];
        const iso_decimal *need = &repack->need[i * repack->n_resources];
        int64_t copies = repack->left[i];
        repack->trial[i] = 0;
        if (copies == 0)
            continue;
        if (copies > repack->most[list * repack->n + i])
            copies = repack->most[list * repack->n + i];
        for (int32_t r = 0; r < repack->n_resources && copies > 0; r++)
            if (need[r] * copies > room[r])
                copies = room[r] / need[r];
        if (copies > 0 && pass_over > 0 && random_share(repack) < pass_over)
            copies--;
        *ret_all &= copies == repack->left[i];
        repack->trial[i] = (int32_t)copies;
        for (int32_t r = 0; r < repack->n_resources; r++)
            room[r] -= copies * need[r];
        value += (double)copies * repack->worth[i];
    }
    return value;
}

/* The next instance: its list, with its content in repack->best; -1 when none holds anything. A
 * content that leaves nothing and costs at most `most` is taken at once. */
static int32_t choose_filling(struct iso_repack *repack, double shake, double pass_over,
                              double most)
{
    int32_t best = -1, last = -1;
    double best_score = INFINITY, last_price = most;

    for (int32_t l = 0; l < repack->n_lists; l++) {
        bool all;
        if (!is_allowed(repack, l))
            continue;
        double value =
            fill(repack, l, (int)(random_share(repack) * ISO_REPACK_ORDERS), pass_over, &all);
        double score = (repack->price[l] + SLACK) / value * (1 + shake * random_share(repack));
        if (value <= 0)
            continue;
        if (all && repack->price[l] <= last_price) {
            last = l;
            last_price = repack->price[l];
        } else if (last >= 0 || score >= best_score)
            continue;
        best = l;
        best_score = score;
        memcpy(repack->best, repack->trial, (size_t)repack->n * sizeof(*repack->best));
    }
    return last >= 0 ? last : best;
}

/* Fills what is left into instances that cost at most `most` together; tells whether it could. */
static bool recreate(struct iso_repack *repack, double most, double *ret_cost)
{
    double shake = random_share(repack) < 0.3 ? 0 : 0.15 * random_share(repack);
    double pass_over = random_share(repack) < 0.5 ? 0 : 0.1;
    double cost = 0, rest = 0;

    repack->n_filled = 0;
    for (int32_t i = 0; i < repack->n; i++) {
        repack->left[i] = (int32_t)fmax(0, (double)(repack->removed[i] - repack->surplus[i]));
        rest += repack->left[i] * repack->worth[i];
    }
    for (;;) {
        bool empty = true;
        for (int32_t i = 0; i < repack->n && empty; i++)
            empty = repack->left[i] == 0;
        *ret_cost = cost;
        if (empty || repack->n_filled == 2 * ISO_REPACK_EMPTIED || cost + rest > most)
            return empty && cost <= most;
        int32_t list = choose_filling(repack, shake, pass_over, most - cost);
        if (list < 0)
            return false;
        cost += repack->price[list];
        pass_tolls(repack, list, 1);
        repack->filled_list[repack->n_filled] = list;
        for (int32_t i = 0; i < repack->n; i++) {
            repack->filled[repack->n_filled * repack->n + i] = repack->best[i];
            repack->left[i] -= repack->best[i];
            rest -= repack->best[i] * repack->worth[i];
        }
        repack->n_filled++;
    }
}

/* Puts the new instances where the emptied ones were. */
static void take_over(struct iso_repack *repack)
{
    int32_t n = repack->n;

    for (int32_t i = 0; i < n; i++) {
        repack->surplus[i] -= repack->removed[i];
        for (int32_t b = 0; b < repack->n_filled; b++)
            repack->surplus[i] += repack->filled[b * n + i];
    }
    for (int32_t b = 0; b < repack->n_filled; b++) {
        int32_t at = b < repack->n_emptied ? repack->emptied[b] : repack->n_instances++;
        repack->list[at] = repack->filled_list[b];
        memcpy(&repack->content[at * n], &repack->filled[b * n], (size_t)n * sizeof(int32_t));
        repack->waste[at] = iso_repack_waste(repack, at);
    }
    for (int32_t e = repack->n_emptied - 1; e >= repack->n_filled; e--) {
        int32_t last = --repack->n_instances, at = repack->emptied[e];
        for (int32_t other = repack->n_filled; other < e; other++)
            if (repack->emptied[other] == last)
                repack->emptied[other] = at;
        repack->list[at] = repack->list[last];
        repack->waste[at] = repack->waste[last];
        memmove(&repack->content[at * n], &repack->content[last * n], (size_t)n * sizeof(int32_t));
    }
}

/* A worse filling is taken over with the chance of annealing at `heat`. */
static void try_once(struct iso_repack *repack, double heat)
{
    double cost, before = empty_some(repack);
    double most = before * (1 + SIDEWAYS) - heat * log(random_share(repack) + 1e-300);

    bool done =
        recreate(repack, most, &cost) &&
        repack->n_instances + repack->n_filled - repack->n_emptied <= repack->room_instances;
    if (done) {
        repack->cost += cost - before;
        take_over(repack);
        return;
    }
    for (int32_t b = 0; b < repack->n_filled; b++)
        pass_tolls(repack, repack->filled_list[b], -1);
    for (int32_t e = 0; e < repack->n_emptied; e++)
        pass_tolls(repack, repack->list[repack->emptied[e]], 1);
}

void iso_repack_remember(struct iso_repack *repack)
{
    size_t n = (size_t)repack->n;

    repack->best_n = repack->n_instances;
    repack->best_cost = repack->cost;
    memcpy(repack->best_list, repack->list, (size_t)repack->best_n * sizeof(int32_t));
    memcpy(repack->best_content, repack->content, (size_t)repack->best_n * n * sizeof(int32_t));
    memcpy(repack->best_surplus, repack->surplus, n * sizeof(int64_t));
    memcpy(repack->best_activity, repack->activity,
           (size_t)repack->search->formulation->mip.n_rows * sizeof(double));
}

static void recall(struct iso_repack *repack)
{
    size_t n = (size_t)repack->n;

    repack->n_instances = repack->best_n;
    repack->cost = repack->best_cost;
    memcpy(repack->list, repack->best_list, (size_t)repack->best_n * sizeof(int32_t));
    memcpy(repack->content, repack->best_content, (size_t)repack->best_n * n * sizeof(int32_t));
    memcpy(repack->surplus, repack->best_surplus, n * sizeof(int64_t));
    memcpy(repack->activity, repack->best_activity,
           (size_t)repack->search->formulation->mip.n_rows * sizeof(double));
    for (int32_t b = 0; b < repack->n_instances; b++)
        repack->waste[b] = iso_repack_waste(repack, b);
}

double iso_repack_rounds(struct iso_repack *repack, int32_t n_rounds, double heat)
{
    double before = repack->best_cost;

    repack->n_wasteful = 0;
    for (int32_t b = 0; b < repack->n_instances; b++)
        if (repack->waste[b] > 1e-6 * repack->price[repack->list[b]])
            repack->wasteful[repack->n_wasteful++] = b;
    if (heat == 0 && repack->cost > repack->best_cost)
        recall(repack);
    for (int32_t round = 0; round < n_rounds && repack->n_instances > 1; round++)
        try_once(repack, heat * repack->mean_price);
    if (repack->cost < repack->best_cost * (1 - 1e-12))
        iso_repack_remember(repack);
    return before - repack->best_cost;
}
