/* Rounds of repacking: empty a few instances and fill their copies again. */
#include <math.h>
#include <string.h>

#include "repack_state.h"

#define SIDEWAYS 1e-12
#define ONE_SITE 0.7 /* of the rounds empty instances of one site only */
#define MOVING 0.3   /* of the rounds move copies to other sites */
#define MOST_MOVED 20

/* Counts instances of a list in caps and purses. */
static void pass_tolls(struct iso_repack *repack, int32_t list, double times)
{
    if (repack->purse[list] >= 0)
        repack->purses[repack->purse[list]].spent += times * repack->use[list];
    for (int32_t t = repack->first_toll[list]; t < repack->first_toll[list + 1]; t++)
        repack->activity[repack->tolls[t].row] += times * repack->tolls[t].coefficient;
}

static int32_t draw(struct iso_repack *repack)
{
    if (repack->n_wasteful > 0 && iso_repack_random(repack) < 0.5) {
        int32_t b = repack->wasteful[(int32_t)(iso_repack_random(repack) * repack->n_wasteful)];
        if (b < repack->n_instances)
            return b;
    }
    return (int32_t)(iso_repack_random(repack) * repack->n_instances);
}

static int32_t site_of(const struct iso_repack *repack, int32_t instance)
{
    return repack->sites.site[repack->list[instance]];
}

/* Chooses instances to empty: of two drawn, half of them from those that waste, the more wasteful;
 * mostly of one site. */
static double empty_some(struct iso_repack *repack)
{
    int32_t n = 2 + (int32_t)(iso_repack_random(repack) * iso_repack_random(repack) *
                              (ISO_REPACK_EMPTIED - 2));
    size_t n_places = (size_t)(repack->sites.n_sites * repack->n);
    bool one_site = repack->sites.n_sites > 1 && iso_repack_random(repack) < ONE_SITE;
    double cost = 0;

    repack->n_emptied = 0;
    memset(repack->removed, 0, n_places * sizeof(*repack->removed));
    for (int32_t tries = 0; tries < 3 * n && repack->n_emptied < n; tries++) {
        int32_t chosen = draw(repack), other = draw(repack);
        bool again = false;
        if (one_site && repack->n_emptied > 0 &&
            site_of(repack, chosen) != site_of(repack, repack->emptied[0]))
            continue;
        if (one_site && site_of(repack, chosen) != site_of(repack, other))
            other = chosen;
        if (repack->waste[other] > repack->waste[chosen])
            chosen = other;
        for (int32_t e = 0; e < repack->n_emptied; e++)
            again |= repack->emptied[e] == chosen;
        if (again)
            continue;
        repack->emptied[repack->n_emptied++] = chosen;
        cost += repack->price[repack->list[chosen]];
        pass_tolls(repack, repack->list[chosen], -1);
        int32_t *removed = &repack->removed[site_of(repack, chosen) * repack->n];
        for (int32_t i = 0; i < repack->n; i++)
            removed[i] += repack->content[chosen * repack->n + i];
    }
    return cost;
}

/* Adds copies of a place to the rows, and takes them back when a row would be broken. */
static bool change(struct iso_repack *repack, int32_t site, int32_t place, double times)
{
    const struct iso_mip *mip = &repack->search->formulation->mip;

    iso_sites_add(&repack->sites, site, place, times, repack->activity);
    return iso_sites_broken(&repack->sites, mip, site, place, 0, repack->activity) == 0;
}

/* Lets some copies of the emptied instances go to another site. */
static void move_some(struct iso_repack *repack)
{
    int32_t n = repack->n, n_sites = repack->sites.n_sites;

    for (int32_t tries = 0; tries < MOST_MOVED; tries++) {
        int32_t i = (int32_t)(iso_repack_random(repack) * n);
        int32_t from = (int32_t)(iso_repack_random(repack) * n_sites);
        int32_t to = (int32_t)(iso_repack_random(repack) * n_sites);
        int32_t most = repack->wanted[from * n + i];
        if (from == to || most == 0 || repack->sites.count[to * n + i] == 0)
            continue;
        int32_t count = 1 + (int32_t)(iso_repack_random(repack) * most);
        iso_sites_add(&repack->sites, from, i, -count, repack->activity);
        if (!change(repack, to, i, count) || !change(repack, from, i, 0)) {
            iso_sites_add(&repack->sites, from, i, count, repack->activity);
            iso_sites_add(&repack->sites, to, i, -count, repack->activity);
            continue;
        }
        repack->wanted[from * n + i] -= count;
        repack->wanted[to * n + i] += count;
    }
}

/* Which copies are placed again, and where: those that no row asks for are not. */
static void choose_wanted(struct iso_repack *repack)
{
    int32_t n = repack->n, n_sites = repack->sites.n_sites;

    memcpy(repack->wanted, repack->removed, (size_t)(n_sites * n) * sizeof(*repack->wanted));
    if (n_sites > 1 && iso_repack_random(repack) < MOVING)
        move_some(repack);
    for (int32_t at = 0; at < n_sites * n; at++) {
        while (repack->wanted[at] > 0 && change(repack, at / n, at % n, -1))
            repack->wanted[at]--;
        if (repack->wanted[at] > 0) /* the last one was asked for */
            iso_sites_add(&repack->sites, at / n, at % n, 1, repack->activity);
    }
}

/* Takes back what choose_wanted() did. */
static void forget_wanted(struct iso_repack *repack)
{
    int32_t n = repack->n;

    for (int32_t at = 0; at < repack->sites.n_sites * n; at++)
        if (repack->removed[at] != repack->wanted[at])
            iso_sites_add(&repack->sites, at / n, at % n, repack->removed[at] - repack->wanted[at],
                          repack->activity);
}

/* So many copies more are left at a site. */
static void leave(struct iso_repack *repack, int32_t site, int32_t place, int32_t copies)
{
    struct iso_rest *rest = &repack->rest[site];
    int32_t at = site * repack->n + place;

    repack->left[at] += copies;
    repack->n_left += copies;
    rest->n += copies;
    rest->worth += copies * repack->worth[at];
    for (int32_t r = 0; r < repack->n_resources; r++)
        rest->need[r] += copies * repack->need[place * repack->n_resources + r];
}

/* Everything that is wanted is left to place; gives its worth. */
static double leave_wanted(struct iso_repack *repack)
{
    int32_t n = repack->n, n_sites = repack->sites.n_sites;
    double worth = 0;

    repack->n_left = 0;
    memset(repack->rest, 0, (size_t)n_sites * sizeof(*repack->rest));
    memset(repack->left, 0, (size_t)(n_sites * n) * sizeof(*repack->left));
    for (int32_t at = 0; at < n_sites * n; at++)
        if (repack->wanted[at] > 0)
            leave(repack, at / n, at % n, repack->wanted[at]);
    for (int32_t s = 0; s < n_sites; s++)
        worth += repack->rest[s].worth;
    return worth;
}

/* Takes the content in repack->filling for an instance; gives its worth. */
static double take_filling(struct iso_repack *repack, int32_t list)
{
    int32_t n = repack->n, site = repack->sites.site[list];
    double before = repack->rest[site].worth;

    pass_tolls(repack, list, 1);
    repack->filled_list[repack->n_filled] = list;
    memcpy(&repack->filled[repack->n_filled * n], repack->filling, (size_t)n * sizeof(int32_t));
    repack->n_filled++;
    for (int32_t i = 0; i < n; i++)
        if (repack->filling[i] > 0)
            leave(repack, site, i, -repack->filling[i]);
    return before - repack->rest[site].worth;
}

/* Fills what is left into instances that cost at most `most` together; tells whether it could. */
static bool recreate(struct iso_repack *repack, double rest, double most, double *ret_cost)
{
    struct iso_filling_choice choice = {
        .shake = iso_repack_random(repack) < 0.3 ? 0 : 0.15 * iso_repack_random(repack),
        .pass_over = iso_repack_random(repack) < 0.5 ? 0 : 0.1};
    double cost = 0;

    repack->n_filled = 0;
    for (;;) {
        *ret_cost = cost;
        if (repack->n_left == 0 || repack->n_filled == 2 * ISO_REPACK_EMPTIED || cost + rest > most)
            return repack->n_left == 0 && cost <= most;
        choice.most = most - cost;
        choice.slack = most - cost - rest;
        int32_t list = iso_repack_choose_filling(repack, &choice);
        if (list < 0)
            return false;
        cost += repack->price[list];
        rest -= take_filling(repack, list);
    }
}

/* Puts the new instances where the emptied ones were. */
static void take_over(struct iso_repack *repack)
{
    int32_t n = repack->n;

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
    double cost, loss = iso_repack_purse_loss(repack), before = empty_some(repack) + loss;
    double most = before * (1 + SIDEWAYS) - heat * log(iso_repack_random(repack) + 1e-300);

    for (int32_t e = 0; e < repack->n_emptied; e++)
        most -= iso_repack_discount(repack->price[repack->list[repack->emptied[e]]],
                                    repack->waste[repack->emptied[e]]);
    choose_wanted(repack);
    double worth = leave_wanted(repack);
    bool done =
        recreate(repack, worth, iso_repack_most_cost(repack, most, worth), &cost) &&
        repack->n_instances + repack->n_filled - repack->n_emptied <= repack->room_instances;
    cost += iso_repack_purse_loss(repack);
    if (done && cost - iso_repack_filled_discount(repack) <= most) {
        repack->cost += cost - before;
        take_over(repack);
        return;
    }
    forget_wanted(repack);
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
    memcpy(repack->activity, repack->best_activity,
           (size_t)repack->search->formulation->mip.n_rows * sizeof(double));
    for (int32_t b = 0; b < repack->n_instances; b++)
        repack->waste[b] = iso_repack_waste(repack, b);
    iso_repack_count_purses(repack);
}

double iso_repack_rounds(struct iso_repack *repack, int32_t n_rounds, double heat)
{
    double before = repack->best_cost;
    int32_t remembered = 0;

    repack->n_wasteful = 0;
    for (int32_t b = 0; b < repack->n_instances; b++)
        if (repack->waste[b] > 1e-6 * repack->price[repack->list[b]])
            repack->wasteful[repack->n_wasteful++] = b;
    if (heat == 0 && repack->cost > repack->best_cost)
        recall(repack);
    for (int32_t round = 0; round < n_rounds && repack->n_instances > 1; round++) {
        try_once(repack, heat * repack->mean_price);
        bool due = round == n_rounds - 1 || round - remembered > repack->n_instances / 10;
        if (due && repack->cost < repack->best_cost * (1 - 1e-12)) {
            iso_repack_remember(repack); /* costs as much as many rounds where there are many */
            remembered = round;
        }
    }
    return before - repack->best_cost;
}
