/* The next instance of a round of repacking, and what it holds. */
#include <math.h>
#include <string.h>

#include "repack_state.h"

#define SLACK 1e-9

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

/* Fills one empty instance with what is left, in one of the orders; now and then a copy is passed
 * over. Gives the worth of the content in repack->trial. */
static double fill(struct iso_repack *repack, int32_t list, int by, double pass_over)
{
    iso_decimal room[ISO_N_RESOURCES];
    const int32_t *order = &repack->order[(list * ISO_REPACK_ORDERS + by) * repack->n];
    int32_t first = repack->sites.site[list] * repack->n;
    double value = 0;

    memcpy(room, &repack->room[list * repack->n_resources],
           (size_t)repack->n_resources * sizeof(*room));
    memset(repack->trial, 0, (size_t)repack->n * sizeof(*repack->trial));
    for (int32_t at = 0; at < repack->n; at++) {
        int32_t i = order[at];
        const iso_decimal *need = &repack->need[i * repack->n_resources];
        int64_t copies = repack->left[first + i];
        if (copies == 0)
            continue;
        if (copies > repack->most[list * repack->n + i])
            copies = repack->most[list * repack->n + i];
        for (int32_t r = 0; r < repack->n_resources && copies > 0; r++)
            if (need[r] * copies > room[r])
                copies = room[r] < need[r] ? 0 : room[r] / need[r];
        if (copies > 0 && pass_over > 0 && iso_repack_random(repack) < pass_over)
            copies--;
        repack->trial[i] = (int32_t)copies;
        for (int32_t r = 0; r < repack->n_resources && copies > 0; r++)
            room[r] -= copies * need[r];
        value += (double)copies * repack->worth[first + i];
    }
    return value;
}

/* Whether an instance holds all that is left at its site. */
static bool holds_all(const struct iso_repack *repack, int32_t list)
{
    const iso_decimal *room = &repack->room[list * repack->n_resources];
    int32_t site = repack->sites.site[list];

    for (int32_t r = 0; r < repack->n_resources; r++)
        if (repack->rest[site].need[r] > room[r])
            return false;
    for (int32_t i = 0; i < repack->n; i++)
        if (repack->left[site * repack->n + i] > repack->most[list * repack->n + i])
            return false;
    return true;
}

/* The cheapest list, of price `most` or less, of which one instance leaves nothing; -1 for none. */
static int32_t choose_last(const struct iso_repack *repack, double most)
{
    int32_t best = -1, site = 0;

    while (repack->rest[site].n == 0)
        site++;
    if (repack->rest[site].n < repack->n_left)
        return -1;
    for (int32_t at = repack->first_tried[site]; at < repack->first_tried[site + 1]; at++) {
        const struct iso_tried *tried = &repack->tried[at];
        if (tried->price > most || !holds_all(repack, tried->list) ||
            !is_allowed(repack, tried->list))
            continue;
        best = tried->list;
        most = tried->price;
    }
    return best;
}

/* Looks for a better instance at a site; its list, with its content in repack->filling, or -1.
 * Lists whose instances are too dear for what they can hold are passed over unfilled. */
static int32_t choose_at(struct iso_repack *repack, int32_t site, struct iso_filling_choice *choice)
{
    double left = repack->rest[site].worth;
    int32_t best = -1;

    for (int32_t at = repack->first_tried[site]; at < repack->first_tried[site + 1]; at++) {
        const struct iso_tried *tried = &repack->tried[at];
        double price = tried->price, potential = tried->full < left ? tried->full : left;
        if (price > choice->most || price - potential > choice->slack)
            continue;
        double shaken = (price + SLACK) * (1 + choice->shake * iso_repack_random(repack));
        if (shaken >= choice->score * potential || !is_allowed(repack, tried->list))
            continue;
        int by = (int)(iso_repack_random(repack) * ISO_REPACK_ORDERS);
        double value = fill(repack, tried->list, by, choice->pass_over);
        if (value <= 0 || price - value > choice->slack || shaken >= choice->score * value)
            continue;
        best = tried->list;
        choice->score = shaken / value;
        memcpy(repack->filling, repack->trial, (size_t)repack->n * sizeof(*repack->filling));
    }
    return best;
}

int32_t iso_repack_choose_filling(struct iso_repack *repack, struct iso_filling_choice *choice)
{
    int32_t best = choose_last(repack, choice->most);

    if (best >= 0) {
        memcpy(repack->filling, &repack->left[repack->sites.site[best] * repack->n],
               (size_t)repack->n * sizeof(*repack->filling));
        return best;
    }
    choice->score = INFINITY;
    for (int32_t s = 0; s < repack->sites.n_sites; s++) {
        int32_t better = repack->rest[s].n > 0 ? choose_at(repack, s, choice) : -1;
        best = better >= 0 ? better : best;
    }
    return best;
}
