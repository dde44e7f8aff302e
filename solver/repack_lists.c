/* Which offerings repacking tries, and in which orders it fills them.
 *
 * A pool on a whole catalog has thousands of offerings, and nearly all of them cost much more than
 * what they can hold is worth. Those are tried whose price is least for the worth of a full
 * instance, and at each site a few of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ranked.h"
#include "repack_state.h"

#define MOST_TRIED 250 /* offerings, where a pool has more */
#define OF_A_SITE 4    /* of each site in any case */

/* What a copy takes of an instance: the sum of its shares, the largest, or by size alone. */
static double density(const struct iso_repack *repack, int32_t list, int32_t i, int by)
{
    double sum = 0, most = 0, worth = repack->worth[repack->sites.site[list] * repack->n + i];

    for (int32_t r = 0; r < repack->n_resources; r++) {
        iso_decimal need = repack->need[i * repack->n_resources + r];
        iso_decimal room = repack->room[list * repack->n_resources + r];
        double share = room > 0 ? (double)need / (double)room : need > 0 ? 1e9 : 0;
        sum += share;
        most = fmax(most, share);
    }
    return by == 0 ? worth / fmax(sum, 1e-12) : by == 1 ? worth / fmax(most, 1e-12) : most;
}

enum iso_status iso_repack_rank(struct iso_repack *repack, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_ranked *ranked = iso_calloc((size_t)repack->n, sizeof(*ranked));

    if (!ranked)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    for (int32_t l = 0; l < repack->n_lists; l++)
        for (int by = 0; by < ISO_REPACK_ORDERS; by++) {
            for (int32_t i = 0; i < repack->n; i++)
                ranked[i] = (struct iso_ranked){density(repack, l, i, by), i};
            iso_rank_falling(ranked, (size_t)repack->n);
            for (int32_t i = 0; i < repack->n; i++)
                repack->order[(l * ISO_REPACK_ORDERS + by) * repack->n + i] = ranked[i].place;
        }
    return ISO_OK;
}

/* What an instance that is filled up in one of the orders is worth. */
static double full_worth(const struct iso_repack *repack, int32_t list, int by)
{
    iso_decimal room[ISO_N_RESOURCES];
    int32_t n_resources = repack->n_resources;
    const double *worth = &repack->worth[repack->sites.site[list] * repack->n];
    double sum = 0;

    memcpy(room, &repack->room[list * n_resources], (size_t)n_resources * sizeof(*room));
    for (int32_t at = 0; at < repack->n; at++) {
        int32_t i = repack->order[(list * ISO_REPACK_ORDERS + by) * repack->n + at];
        const iso_decimal *need = &repack->need[i * n_resources];
        int64_t copies = repack->most[list * repack->n + i];
        for (int32_t r = 0; r < n_resources; r++)
            if (need[r] > 0 && room[r] / need[r] < copies)
                copies = room[r] / need[r];
        for (int32_t r = 0; r < n_resources; r++)
            room[r] -= copies * need[r];
        sum += (double)copies * worth[i];
    }
    return sum;
}

/* The lists of a site that are tried: of all that are ranked the best, a few, and those in use. */
static void choose_at(struct iso_repack *repack, int32_t site, const struct iso_ranked *ranked,
                      const double *full, const uint8_t *used)
{
    int32_t first = repack->first_tried[site], n = first;

    for (int32_t at = 0; at < repack->n_lists; at++) {
        int32_t l = ranked[at].place;
        if (repack->sites.site[l] == site && ranked[at].value > 0 &&
            (at < MOST_TRIED || n - first < OF_A_SITE || used[l]))
            repack->tried[n++] = (struct iso_tried){l, repack->price[l], full[l]};
    }
    repack->first_tried[site + 1] = n;
}

enum iso_status iso_repack_choose_lists(struct iso_repack *repack, struct iso_error *reterr)
{
    size_t n_lists = (size_t)repack->n_lists, n_sites = (size_t)repack->sites.n_sites;
    ISO_AUTO_MEM struct iso_ranked *ranked = iso_calloc(n_lists, sizeof(*ranked));
    ISO_AUTO_MEM double *full = iso_calloc(n_lists, sizeof(*full));
    ISO_AUTO_MEM uint8_t *used = iso_calloc(n_lists, 1);

    repack->tried = iso_calloc(n_lists, sizeof(*repack->tried));
    repack->first_tried = iso_calloc(n_sites + 1, sizeof(*repack->first_tried));
    if (!ranked || !full || !used || !repack->tried || !repack->first_tried)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    for (int32_t l = 0; l < repack->n_lists; l++) {
        for (int by = 0; by < ISO_REPACK_ORDERS; by++)
            full[l] = fmax(full[l], full_worth(repack, l, by));
        ranked[l] = (struct iso_ranked){full[l] / fmax(repack->price[l], 1e-12), l};
    }
    iso_rank_falling(ranked, n_lists);
    for (int32_t b = 0; b < repack->n_instances; b++)
        used[repack->list[b]] = 1;
    for (int32_t s = 0; s < repack->sites.n_sites; s++)
        choose_at(repack, s, ranked, full, used);
    return ISO_OK;
}
