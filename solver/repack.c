/* Ruin and recreate.
 *
 * A few instances are emptied and their copies filled into instances again, one after the other,
 * each time the offering and content with the least price for the worth of what it holds, a little
 * shaken. With multipliers v of the relaxation no filling costs less than it is worth, so what is
 * still to place costs at least  sum_j v_j left_j : a try ends as soon as what it spent and that
 * bound reach what the emptied instances cost. Copies that no row asks for are not placed again,
 * and now and then some go to another site, where their rows allow it. A round takes microseconds
 * where one of the linear program takes milliseconds.
 *
 * It serves pools whose copies have no columns of their own and whose instances count in nothing
 * but caps (limits and budgets) and commitments; everything else in the plan stays as it is, what
 * is bought too. */
#include "repack_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "purses.h"

#define SLACK 1e-9
#define MOST_INSTANCES 20000 /* of a pool; more of a kind stay as they are */

static const struct iso_workload *copy_of(const struct iso_repack *repack, int32_t i)
{
    return &repack->search->problem->workloads[repack->set->workloads[i]];
}

/* --- what the pool is made of --- */

static void measure(struct iso_repack *repack)
{
    const struct iso_problem *problem = repack->search->problem;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        bool used = false;
        for (int32_t i = 0; i < repack->n; i++)
            used |= copy_of(repack, i)->need[k] > 0;
        if (used)
            repack->resources[repack->n_resources++] = k;
    }
    for (int32_t r = 0; r < repack->n_resources; r++) {
        int k = repack->resources[r];
        for (int32_t i = 0; i < repack->n; i++)
            repack->need[i * repack->n_resources + r] = copy_of(repack, i)->need[k];
        for (int32_t l = 0; l < repack->n_lists; l++)
            repack->room[l * repack->n_resources + r] =
                iso_pattern_room(problem, repack->team, repack->set->lists[l].offering, k);
    }
    for (int32_t l = 0; l < repack->n_lists; l++)
        for (int32_t i = 0; i < repack->n; i++) {
            int32_t option =
                iso_workload_find_option(copy_of(repack, i), repack->set->lists[l].offering);
            repack->most[l * repack->n + i] =
                option < 0 ? 0 : copy_of(repack, i)->options[option].most;
        }
}

/* Asks the formulation for the entries of an instance; *io_simple becomes false when one is no cap.
 */
static bool read_tolls(struct iso_repack *repack, int32_t list, bool *io_simple)
{
    struct iso_formulation *f = repack->search->formulation;
    struct iso_mip *mip = &f->mip;
    int32_t first_entry = mip->n_entries, offering = repack->set->lists[list].offering;

    if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PATTERN}) < 0)
        return false;
    bool ok = iso_formulation_instance_entries(f, f->problem->n_workloads + repack->team, offering,
                                               repack->period, -1);
    for (int32_t k = first_entry; k < mip->n_entries && ok; k++) {
        const struct iso_mip_row *row = &mip->rows[mip->entries[k].row];
        *io_simple &=
            (row->kind == ISO_ROW_LIMIT || row->kind == ISO_ROW_BUDGET) && isinf(row->lower);
        if (!isinf(row->upper))
            ok = iso_append(&repack->tolls, &repack->n_tolls, sizeof(*repack->tolls),
                            &(struct iso_toll){mip->entries[k].row, mip->entries[k].coefficient});
    }
    mip->n_columns--;
    mip->n_entries = first_entry;
    return ok;
}

/* Prices and tolls of instances; *ret_simple tells whether there is nothing else. */
static enum iso_status read_rules(struct iso_repack *repack, bool *ret_simple,
                                  struct iso_error *reterr)
{
    const struct iso_search *search = repack->search;
    const struct iso_formulation *f = search->formulation;
    const struct iso_plan *plan = search->plan;

    *ret_simple = !(f->problem->moves.present && repack->period == 0) && !repack->sites.has_placed;
    for (int32_t l = 0; l < repack->n_lists && *ret_simple; l++) {
        struct iso_mip_column column = {
            .kind = ISO_COLUMN_PATTERN, .a = repack->team, .b = l, .c = repack->period};
        repack->first_toll[l] = repack->n_tolls;
        repack->price[l] = iso_formulation_coefficient(f, &column, &search->stage);
        for (int32_t k = 0; k < plan->n_tiers; k++)
            *ret_simple &= search->freeze_row[k] < 0 ||
                           iso_formulation_coefficient(f, &column, &plan->tiers[k]) == 0;
        if (!read_tolls(repack, l, ret_simple))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    }
    repack->first_toll[repack->n_lists] = repack->n_tolls;
    return ISO_OK;
}

/* The purse of a commitment's row; a new one when there is none; -1 without memory. */
static int32_t purse_of(struct iso_repack *repack, int32_t row, const struct iso_purses *all)
{
    const struct iso_purse fresh = {
        .row = row, .room = all->room[row], .price = all->price[row], .worth = INFINITY};

    for (int32_t p = 0; p < repack->n_purses; p++)
        if (repack->purses[p].row == row)
            return p;
    return iso_append(&repack->purses, &repack->n_purses, sizeof(fresh), &fresh)
               ? repack->n_purses - 1
               : -1;
}

/* What the rest of the best plan leaves of commitments; prices with coverage at its multiplier. */
static enum iso_status open_purses(struct iso_repack *repack, const double *duals,
                                   struct iso_error *reterr)
{
    const struct iso_formulation *f = repack->search->formulation;
    struct iso_purses all __attribute__((cleanup(iso_purses_fini))) = {0};

    repack->purse = iso_calloc((size_t)repack->n_lists, sizeof(*repack->purse));
    repack->use = iso_calloc((size_t)repack->n_lists, sizeof(*repack->use));
    if (!repack->purse || !repack->use)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    ISO_TRY(iso_purses_init(&all, repack->search, duals, reterr));
    iso_purses_open(&all, repack->search, repack->search->best, repack->team);
    for (int32_t l = 0; l < repack->n_lists; l++) {
        int32_t link = f->pool_link[repack->team][l * f->problem->n_periods + repack->period];
        const struct iso_coverage *cover = link < 0 ? NULL : &all.cover[link];
        double charge = cover && cover->commit >= 0 ? all.price[cover->commit] * cover->use : 0;
        repack->purse[l] = -1;
        if (!cover || cover->commit < 0 || charge >= cover->saving)
            continue;
        repack->purse[l] = purse_of(repack, cover->commit, &all);
        if (repack->purse[l] < 0)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
        struct iso_purse *purse = &repack->purses[repack->purse[l]];
        purse->worth = fmin(purse->worth, cover->saving / cover->use);
        repack->use[l] = cover->use;
        repack->price[l] = fmax(0, repack->price[l] - (cover->saving - charge));
    }
    return ISO_OK;
}

/* --- the plan as instances --- */

static const int32_t *counts_of(const struct iso_repack *repack,
                                const struct iso_mip_column *column)
{
    return &repack->set->lists[column->b].counts[(size_t)column->d * (size_t)repack->n];
}

static bool is_of_pool(const struct iso_repack *repack, const struct iso_mip_column *column)
{
    return column->kind == ISO_COLUMN_PATTERN && column->a == repack->team &&
           column->c == repack->period;
}

static enum iso_status read_plan(struct iso_repack *repack, struct iso_error *reterr)
{
    const struct iso_search *search = repack->search;
    const struct iso_mip *mip = &search->formulation->mip;
    double total = 0, share;

    iso_mip_activity(mip, search->best, repack->activity);
    for (int32_t j = 0; j < mip->n_columns; j++)
        total += is_of_pool(repack, &mip->columns[j]) ? search->best[j] : 0;
    share = total > MOST_INSTANCES ? MOST_INSTANCES / total : 1;
    repack->room_instances = (int32_t)fmin(total, MOST_INSTANCES) + 2 * ISO_REPACK_EMPTIED;
    repack->list = iso_calloc((size_t)repack->room_instances, sizeof(*repack->list));
    repack->content =
        iso_calloc((size_t)repack->room_instances * (size_t)repack->n, sizeof(*repack->content));
    repack->best_list = iso_calloc((size_t)repack->room_instances, sizeof(*repack->best_list));
    repack->best_content = iso_calloc((size_t)repack->room_instances * (size_t)repack->n,
                                      sizeof(*repack->best_content));
    repack->waste = iso_calloc((size_t)repack->room_instances, sizeof(*repack->waste));
    repack->wasteful = iso_calloc((size_t)repack->room_instances, sizeof(*repack->wasteful));
    repack->n_kept = mip->n_columns;
    repack->kept = iso_calloc((size_t)repack->n_kept, sizeof(*repack->kept));
    if (!repack->list || !repack->content || !repack->best_list || !repack->best_content ||
        !repack->waste || !repack->wasteful || !repack->kept)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (!is_of_pool(repack, &mip->columns[j]))
            continue;
        double open = floor(search->best[j] * share + 0.5 * (share == 1));
        repack->kept[j] = search->best[j] - open;
        for (; open > 0; open--) {
            memcpy(&repack->content[repack->n_instances * repack->n],
                   counts_of(repack, &mip->columns[j]), (size_t)repack->n * sizeof(int32_t));
            repack->list[repack->n_instances++] = mip->columns[j].b;
        }
    }
    return ISO_OK;
}

/* --- in and out --- */

static enum iso_status open_sites(struct iso_repack *repack, const double *duals,
                                  struct iso_error *reterr)
{
    const struct iso_sites *sites = &repack->sites;
    size_t n = (size_t)(sites->n_sites * sites->n);

    repack->worth = iso_calloc(n, sizeof(*repack->worth));
    repack->removed = iso_calloc(n, sizeof(*repack->removed));
    repack->wanted = iso_calloc(n, sizeof(*repack->wanted));
    repack->left = iso_calloc(n, sizeof(*repack->left));
    repack->rest = iso_calloc((size_t)sites->n_sites, sizeof(*repack->rest));
    if (!repack->worth || !repack->removed || !repack->wanted || !repack->left || !repack->rest)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    for (int32_t s = 0; s < sites->n_sites; s++)
        for (int32_t i = 0; i < sites->n; i++)
            repack->worth[s * sites->n + i] = fmax(1e-9, iso_sites_worth(sites, duals, s, i));
    return ISO_OK;
}

enum iso_status iso_repack_new(struct iso_search *search, int32_t team, int32_t period,
                               const double *duals, uint64_t seed, struct iso_repack **ret_repack,
                               struct iso_error *reterr)
{
    ISO_AUTO(iso_repack) repack = iso_calloc(1, sizeof(*repack));
    const struct iso_pattern_set *set = &search->formulation->pools[team];
    size_t n = (size_t)set->n_workloads, n_lists = (size_t)set->n_lists;
    bool simple;

    if (!repack)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    *repack = (struct iso_repack){.search = search,
                                  .set = set,
                                  .team = team,
                                  .period = period,
                                  .n = set->n_workloads,
                                  .n_lists = set->n_lists,
                                  .random = seed | 1};
    repack->need = iso_calloc(n * ISO_N_RESOURCES, sizeof(*repack->need));
    repack->room = iso_calloc(n_lists * ISO_N_RESOURCES, sizeof(*repack->room));
    repack->price = iso_calloc(n_lists, sizeof(*repack->price));
    repack->most = iso_calloc(n * n_lists, sizeof(*repack->most));
    repack->order = iso_calloc(n * n_lists * ISO_REPACK_ORDERS, sizeof(*repack->order));
    repack->first_toll = iso_calloc(n_lists + 1, sizeof(*repack->first_toll));
    repack->activity =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*repack->activity));
    repack->best_activity =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*repack->best_activity));
    repack->filled = iso_calloc(n * 2 * ISO_REPACK_EMPTIED, sizeof(*repack->filled));
    repack->trial = iso_calloc(n, sizeof(*repack->trial));
    repack->filling = iso_calloc(n, sizeof(*repack->filling));
    if (!repack->need || !repack->room || !repack->price || !repack->most || !repack->order ||
        !repack->first_toll || !repack->activity || !repack->best_activity || !repack->filled ||
        !repack->trial || !repack->filling)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    ISO_TRY(iso_sites_init(&repack->sites, search, team, period, reterr));
    ISO_TRY(read_rules(repack, &simple, reterr));
    if (!simple)
        return ISO_OK;
    ISO_TRY(open_purses(repack, duals, reterr));
    measure(repack);
    ISO_TRY(open_sites(repack, duals, reterr));
    ISO_TRY(iso_repack_rank(repack, reterr));
    ISO_TRY(read_plan(repack, reterr));
    ISO_TRY(iso_repack_choose_lists(repack, reterr));
    for (int32_t b = 0; b < repack->n_instances; b++) {
        repack->waste[b] = iso_repack_waste(repack, b);
        repack->cost += repack->price[repack->list[b]];
    }
    repack->mean_price = repack->n_instances > 0 ? repack->cost / repack->n_instances : 0;
    iso_repack_count_purses(repack);
    repack->cost += iso_repack_purse_loss(repack);
    iso_repack_remember(repack);
    *ret_repack = ISO_STEAL(repack);
    return ISO_OK;
}

int32_t iso_repack_n_instances(const struct iso_repack *repack)
{
    return repack->n_instances;
}

void iso_repack_free(struct iso_repack *repack)
{
    if (!repack)
        return;
    free(repack->need);
    free(repack->room);
    free(repack->price);
    free(repack->worth);
    free(repack->most);
    free(repack->order);
    free(repack->tried);
    free(repack->first_tried);
    free(repack->tolls);
    free(repack->purses);
    free(repack->purse);
    free(repack->use);
    free(repack->first_toll);
    free(repack->activity);
    free(repack->list);
    free(repack->content);
    free(repack->waste);
    free(repack->wasteful);
    free(repack->best_list);
    free(repack->best_content);
    free(repack->best_activity);
    free(repack->kept);
    free(repack->filled);
    free(repack->left);
    free(repack->trial);
    free(repack->filling);
    free(repack->removed);
    free(repack->wanted);
    free(repack->rest);
    iso_sites_fini(&repack->sites);
    free(repack);
}

/* Lists the contents at hand; pattern[b] is the place of instance b's in its list. */
static enum iso_status list_contents(struct iso_repack *repack, int32_t *pattern,
                                     struct iso_error *reterr)
{
    struct iso_formulation *f = repack->search->formulation;
    int32_t before = f->mip.n_columns;

    for (int32_t b = 0; b < repack->best_n; b++) {
        int32_t l = repack->best_list[b];
        bool is_new;
        pattern[b] = iso_pattern_add(repack->set, &f->pools[repack->team].lists[l],
                                     &repack->best_content[b * repack->n], &is_new);
        if (pattern[b] < 0)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a pattern");
        for (int32_t t = 0; t < f->problem->n_periods && is_new; t++)
            ISO_TRY(iso_formulation_add_pattern(f, repack->team, l, pattern[b], t, reterr));
    }
    return iso_search_grow(repack->search, before, reterr);
}

enum iso_status iso_repack_offer(struct iso_repack *repack, struct iso_error *reterr)
{
    struct iso_search *search = repack->search;
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t most_patterns = 1;
    ISO_AUTO_MEM int32_t *pattern = iso_calloc((size_t)repack->best_n, sizeof(*pattern));
    bool taken;

    if (!pattern)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    ISO_TRY(list_contents(repack, pattern, reterr));
    for (int32_t l = 0; l < repack->n_lists; l++)
        if (repack->set->lists[l].n_patterns > most_patterns)
            most_patterns = repack->set->lists[l].n_patterns;
    size_t n_cells = (size_t)repack->n_lists * (size_t)most_patterns;
    ISO_AUTO_MEM double *point = iso_calloc((size_t)mip->n_columns, sizeof(*point));
    ISO_AUTO_MEM double *count = iso_calloc(n_cells, sizeof(*count));
    if (!point || !count)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack again");
    for (int32_t b = 0; b < repack->best_n; b++)
        count[(size_t)repack->best_list[b] * (size_t)most_patterns + (size_t)pattern[b]]++;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        point[j] = search->best[j];
        if (is_of_pool(repack, column))
            point[j] = (j < repack->n_kept ? repack->kept[j] : 0) +
                       count[(size_t)column->b * (size_t)most_patterns + (size_t)column->d];
    }
    return iso_search_offer(search, point, &taken, reterr);
}
