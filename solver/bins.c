#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "packing.h"
#include "ranked.h"

#define ORDERS 4
#define SLACK 1e-9
#define LEAST_WORTH 1e-9 /* of a copy: what is worth nothing is placed last */

static const struct iso_pattern_set *set_of(const struct iso_search *search, int32_t team)
{
    return &search->formulation->pools[team];
}

static const struct iso_workload *copy_of(const struct iso_search *search, int32_t team, int32_t i)
{
    return &search->problem->workloads[set_of(search, team)->workloads[i]];
}

static struct iso_sites *sites_of(const struct iso_bins *bins, int32_t team, int32_t period)
{
    return &bins->sites[team * bins->n_periods + period];
}

/* The sites of every pool and period. */
static enum iso_status find_sites(struct iso_bins *bins, struct iso_search *search,
                                  struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;

    bins->sites =
        iso_calloc((size_t)problem->n_teams * (size_t)problem->n_periods, sizeof(*bins->sites));
    if (!bins->sites)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    bins->n_teams = problem->n_teams;
    bins->n_periods = problem->n_periods;
    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t t = 0; t < problem->n_periods && set_of(search, g)->n_lists > 0; t++) {
            struct iso_sites *sites = sites_of(bins, g, t);
            ISO_TRY(iso_sites_init(sites, search, g, t, reterr));
            size_t needed = (size_t)(sites->n_sites * sites->n);
            bins->left_room = needed > bins->left_room ? needed : bins->left_room;
        }
    return ISO_OK;
}

enum iso_status iso_bins_init(struct iso_bins *bins, struct iso_search *search,
                              struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_mip *mip = &search->formulation->mip;
    size_t most_lists = 1, n = (size_t)problem->n_workloads;

    bins->proxy = iso_calloc((size_t)problem->n_teams, sizeof(*bins->proxy));
    if (!bins->proxy)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    for (int32_t g = 0; g < problem->n_teams; g++) {
        size_t n_lists = (size_t)set_of(search, g)->n_lists;
        bins->proxy[g] = iso_calloc(n_lists * (size_t)problem->n_periods, sizeof(int32_t));
        if (!bins->proxy[g])
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
        memset(bins->proxy[g], 0xff, n_lists * (size_t)problem->n_periods * sizeof(int32_t));
        most_lists = n_lists > most_lists ? n_lists : most_lists;
    }
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_PATTERN)
            bins->proxy[mip->columns[j].a]
                       [mip->columns[j].b * problem->n_periods + mip->columns[j].c] = j;
    bins->activity = iso_calloc((size_t)mip->n_rows, sizeof(*bins->activity));
    ISO_TRY(find_sites(bins, search, reterr));
    bins->left = iso_calloc(bins->left_room, sizeof(*bins->left));
    bins->held = iso_calloc(bins->left_room, sizeof(*bins->held));
    bins->relaxed = iso_calloc(bins->left_room, sizeof(*bins->relaxed));
    bins->order = iso_calloc(most_lists * ORDERS * n, sizeof(*bins->order));
    bins->content = iso_calloc(n, sizeof(*bins->content));
    bins->best_content = iso_calloc(n, sizeof(*bins->best_content));
    if (!bins->activity || !bins->left || !bins->held || !bins->relaxed || !bins->order ||
        !bins->content || !bins->best_content)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    return ISO_OK;
}

void iso_bins_fini(struct iso_bins *bins)
{
    for (int32_t g = 0; g < bins->n_teams; g++)
        free(bins->proxy[g]);
    for (int32_t i = 0; i < bins->n_teams * bins->n_periods; i++)
        iso_sites_fini(&bins->sites[i]);
    free(bins->proxy);
    free(bins->sites);
    free(bins->held);
    free(bins->relaxed);
    free(bins->bins);
    free(bins->counts);
    free(bins->activity);
    free(bins->left);
    free(bins->order);
    iso_purses_fini(&bins->purses);
    free(bins->content);
    free(bins->best_content);
    *bins = (struct iso_bins){0};
}

static void room_of(const struct iso_search *search, int32_t team, int32_t list, iso_decimal *room)
{
    int32_t offering = set_of(search, team)->lists[list].offering;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        room[k] = iso_pattern_room(search->problem, team, offering, k);
}

/* What a copy takes of an instance: added up, at most, nothing (by value alone), or by roots. */
static double size_of(const struct iso_workload *copy, const iso_decimal *room, int by)
{
    double sum = 0, most = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        double share = room[k] > 0 ? (double)copy->need[k] / (double)room[k] : 1e9;
        if (copy->need[k] == 0)
            continue;
        sum += by == 3 ? sqrt(share) : share;
        most = fmax(most, share);
    }
    return by == 1 ? most : by == 2 ? 1 : fmax(sum, 1e-12);
}

/* Orders of the copies for each list, by what they are worth for what they take. */
static enum iso_status rank(struct iso_bins *bins, const struct iso_search *search, int32_t team,
                            const struct iso_sites *sites, const double *worth,
                            struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(search, team);
    size_t n = (size_t)set->n_workloads;
    ISO_AUTO_MEM struct iso_ranked *ranked = iso_calloc(n, sizeof(*ranked));
    iso_decimal room[ISO_N_RESOURCES];

    if (!ranked)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    for (int32_t l = 0; l < set->n_lists; l++)
        for (int by = 0; by < ORDERS; by++) {
            const double *own = &worth[(size_t)sites->site[l] * n];
            room_of(search, team, l, room);
            for (int32_t i = 0; i < set->n_workloads; i++)
                ranked[i] =
                    (struct iso_ranked){own[i] / size_of(copy_of(search, team, i), room, by), i};
            iso_rank_falling(ranked, n);
            for (size_t i = 0; i < n; i++)
                bins->order[((size_t)l * ORDERS + (size_t)by) * n + i] = ranked[i].place;
        }
    return ISO_OK;
}

/* How many instances of a list the caps still allow. */
static double allowed(const struct iso_bins *bins, const struct iso_mip *mip, int32_t proxy)
{
    double most = INFINITY;

    for (int32_t k = 0; k < mip->columns[proxy].n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[mip->columns[proxy].first_entry + k];
        const struct iso_mip_row *row = &mip->rows[entry->row];
        if ((row->kind == ISO_ROW_LIMIT || row->kind == ISO_ROW_BUDGET) && !isinf(row->upper) &&
            entry->coefficient > 0)
            most = fmin(most, floor((row->upper - bins->activity[entry->row] +
                                     SLACK * (1 + fabs(row->upper))) /
                                    entry->coefficient));
    }
    return most;
}

/* Fills one instance in a given order with what is left to place at its site; gives its worth. */
static double fill_one(struct iso_bins *bins, const struct iso_search *search, int32_t team,
                       const int32_t *order, const iso_decimal *all, const int32_t *most,
                       const int64_t *left, const double *worth)
{
    const struct iso_pattern_set *set = set_of(search, team);
    iso_decimal room[ISO_N_RESOURCES];
    double value = 0;

    memcpy(room, all, sizeof(room));
    for (int32_t at = 0; at < set->n_workloads; at++) {
        int32_t i = order[at];
        const struct iso_workload *copy = copy_of(search, team, i);
        int64_t copies = left[i] < most[i] ? left[i] : most[i];
        for (int k = 0; k < ISO_N_RESOURCES && copies > 0; k++)
            if (copy->need[k] > 0 && room[k] / copy->need[k] < copies)
                copies = room[k] / copy->need[k];
        bins->content[i] = (int32_t)copies;
        if (copies == 0)
            continue;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            room[k] -= copies * copy->need[k];
        value += (double)copies * worth[i];
    }
    return value;
}

static void caps_of(const struct iso_search *search, int32_t team, int32_t list, int32_t *most)
{
    const struct iso_pattern_set *set = set_of(search, team);

    for (int32_t i = 0; i < set->n_workloads; i++) {
        const struct iso_workload *copy = copy_of(search, team, i);
        int32_t option = iso_workload_find_option(copy, set->lists[list].offering);
        most[i] = option < 0 ? 0 : copy->options[option].most;
    }
}

/* The list and content at a site with the least price for what is placed; -1 when nothing can be.
 */
static int32_t best_fill(struct iso_bins *bins, const struct iso_search *search, int32_t team,
                         int32_t period, int32_t site, const double *worth, const int32_t *most)
{
    const struct iso_pattern_set *set = set_of(search, team);
    const struct iso_sites *sites = sites_of(bins, team, period);
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n = (size_t)set->n_workloads;
    iso_decimal room[ISO_N_RESOURCES];
    double best_score = INFINITY;
    int32_t best = -1;

    for (int32_t l = 0; l < set->n_lists; l++) {
        int32_t proxy = bins->proxy[team][l * search->problem->n_periods + period];
        if (sites->site[l] != site || proxy < 0 || allowed(bins, mip, proxy) < 1)
            continue;
        room_of(search, team, l, room);
        int32_t link =
            search->formulation->pool_link[team][l * search->problem->n_periods + period];
        double price = iso_purses_charge(&bins->purses, link, mip->objective[proxy]);
        for (int by = 0; by < ORDERS; by++) {
            double value = fill_one(
                bins, search, team, &bins->order[((size_t)l * ORDERS + (size_t)by) * n], room,
                &most[(size_t)l * n], &bins->left[(size_t)site * n], &worth[(size_t)site * n]);
            double score = (price + 1e-12) / value;
            if (value <= 0 || score >= best_score)
                continue;
            best_score = score;
            best = l;
            memcpy(bins->best_content, bins->content, n * sizeof(*bins->content));
        }
    }
    return best;
}

/* At most `count` instances, as many as what is committed still covers when it covers any; takes
 * what they use out of the purse. */
static double draw(struct iso_bins *bins, int32_t link, double count)
{
    const struct iso_coverage *cover = link >= 0 ? &bins->purses.cover[link] : NULL;

    if (!cover || cover->commit < 0)
        return count;
    double *room = &bins->purses.room[cover->commit];
    if (*room > 0)
        count = fmin(count, fmax(1, floor(*room / cover->use)));
    *room -= count * cover->use;
    return count;
}

static enum iso_status keep(struct iso_bins *bins, const struct iso_search *search, int32_t team,
                            int32_t list, int32_t period, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(search, team);
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t proxy = bins->proxy[team][list * search->problem->n_periods + period];
    int64_t *left = &bins->left[sites_of(bins, team, period)->site[list] * set->n_workloads];
    double count = allowed(bins, mip, proxy);
    struct iso_bin bin = {team, list, period, 0, bins->n_counts, -1};

    for (int32_t i = 0; i < set->n_workloads; i++)
        if (bins->best_content[i] > 0)
            count = fmin(count, floor((double)(left[i] / bins->best_content[i])));
    count =
        draw(bins, search->formulation->pool_link[team][list * search->problem->n_periods + period],
             count);
    bin.count = count;
    for (int32_t i = 0; i < set->n_workloads; i++) {
        left[i] -= (int64_t)count * bins->best_content[i];
        if (!iso_append(&bins->counts, &bins->n_counts, sizeof(*bins->counts),
                        &bins->best_content[i]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    }
    for (int32_t k = 0; k < mip->columns[proxy].n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[mip->columns[proxy].first_entry + k];
        if (mip->rows[entry->row].kind == ISO_ROW_LIMIT ||
            mip->rows[entry->row].kind == ISO_ROW_BUDGET)
            bins->activity[entry->row] += count * entry->coefficient;
    }
    bins->cost += count * mip->objective[proxy];
    if (!iso_append(&bins->bins, &bins->n_bins, sizeof(bin), &bin))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    return ISO_OK;
}

/* Fills instances of a site until nothing is left to place there. */
static enum iso_status fill_site(struct iso_bins *bins, const struct iso_search *search,
                                 int32_t team, int32_t period, int32_t site, const double *worth,
                                 const int32_t *most, struct iso_error *reterr)
{
    const int32_t n = set_of(search, team)->n_workloads;

    for (;;) {
        int64_t to_place = 0;
        for (int32_t i = 0; i < n; i++)
            to_place += bins->left[site * n + i];
        if (to_place == 0)
            return ISO_OK;
        int32_t list = best_fill(bins, search, team, period, site, worth, most);
        if (list < 0) {
            bins->complete = false;
            return ISO_OK;
        }
        ISO_TRY(keep(bins, search, team, list, period, reterr));
    }
}

/* Copies by site in the patterns and in the relaxation. Copies with columns of their own are not
 * counted in the patterns; they are placed anew. */
static void count_copies(struct iso_bins *bins, const struct iso_search *search, int32_t team,
                         int32_t period, const double *x, const double *patterns)
{
    const struct iso_formulation *f = search->formulation;
    const struct iso_pattern_set *set = set_of(search, team);
    const struct iso_sites *sites = sites_of(bins, team, period);
    size_t n = (size_t)set->n_workloads;

    memset(bins->held, 0, bins->left_room * sizeof(*bins->held));
    memset(bins->relaxed, 0, bins->left_room * sizeof(*bins->relaxed));
    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        if (column->kind != ISO_COLUMN_PATTERN || column->a != team || column->c != period ||
            (x[j] == 0 && patterns[j] == 0))
            continue;
        const int32_t *counts = &set->lists[column->b].counts[(size_t)column->d * n];
        size_t first = (size_t)sites->site[column->b] * n;
        for (size_t i = 0; i < n; i++) {
            if (counts[i] == 0 || f->capped[set->workloads[i]])
                continue;
            bins->held[first + i] += patterns[j] * counts[i];
            bins->relaxed[first + i] += x[j] * counts[i];
        }
    }
}

static enum iso_status fill_pool(struct iso_bins *bins, const struct iso_search *search,
                                 int32_t team, int32_t period, const double *duals, const double *x,
                                 const double *patterns, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = set_of(search, team);
    const struct iso_sites *sites = sites_of(bins, team, period);
    size_t n = (size_t)set->n_workloads;
    ISO_AUTO_MEM double *worth = iso_calloc(bins->left_room, sizeof(*worth));
    ISO_AUTO_MEM int32_t *most = iso_calloc(n * (size_t)set->n_lists, sizeof(*most));

    if (!worth || !most)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    for (int32_t at = 0; at < sites->n_sites * sites->n; at++)
        worth[at] = fmax(iso_sites_worth(sites, duals, at / sites->n, at % sites->n), LEAST_WORTH);
    for (int32_t l = 0; l < set->n_lists; l++)
        caps_of(search, team, l, &most[(size_t)l * n]);
    ISO_TRY(rank(bins, search, team, sites, worth, reterr));
    count_copies(bins, search, team, period, x, patterns);
    bins->complete = iso_sites_round(sites, &search->formulation->mip, bins->held, bins->relaxed,
                                     bins->activity, bins->left);
    for (int32_t s = 0; s < sites->n_sites && bins->complete; s++)
        ISO_TRY(fill_site(bins, search, team, period, s, worth, most, reterr));
    return ISO_OK;
}

enum iso_status iso_bins_fill(struct iso_bins *bins, const struct iso_search *search,
                              const double *duals, const double *x, const double *patterns,
                              struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;

    bins->n_bins = bins->n_counts = 0;
    free(bins->bins);
    free(bins->counts);
    bins->bins = NULL;
    bins->counts = NULL;
    bins->cost = 0;
    bins->complete = true;
    iso_mip_activity(mip, patterns, bins->activity);
    iso_purses_fini(&bins->purses);
    ISO_TRY(iso_purses_init(&bins->purses, search, duals, reterr));
    iso_purses_open(&bins->purses, search, patterns, -1);
    for (int32_t g = 0; g < search->problem->n_teams && bins->complete; g++)
        for (int32_t t = 0; t < search->problem->n_periods && bins->complete; t++)
            if (set_of(search, g)->n_lists > 0)
                ISO_TRY(fill_pool(bins, search, g, t, duals, x, patterns, reterr));
    return ISO_OK;
}

enum iso_status iso_bins_list(struct iso_bins *bins, struct iso_search *search,
                              struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;

    for (int32_t b = 0; b < bins->n_bins; b++) {
        struct iso_bin *bin = &bins->bins[b];
        struct iso_pattern_list *list = &f->pools[bin->team].lists[bin->list];
        bool is_new;
        int32_t pattern =
            iso_pattern_add(&f->pools[bin->team], list, &bins->counts[bin->first], &is_new);
        if (pattern < 0)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a pattern");
        for (int32_t t = 0; t < search->problem->n_periods && is_new; t++)
            ISO_TRY(iso_formulation_add_pattern(f, bin->team, bin->list, pattern, t, reterr));
        bin->column = pattern;
    }
    return ISO_OK;
}

void iso_bins_add(const struct iso_bins *bins, const struct iso_search *search, double *point)
{
    const struct iso_mip *mip = &search->formulation->mip;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t b = 0; b < bins->n_bins && column->kind == ISO_COLUMN_PATTERN; b++)
            if (bins->bins[b].team == column->a && bins->bins[b].list == column->b &&
                bins->bins[b].period == column->c && bins->bins[b].column == column->d)
                point[j] += bins->bins[b].count;
    }
}
