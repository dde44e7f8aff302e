#include "gathered_coverage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALIKE 1e-9 /* relative */

enum iso_status iso_gathering_init(struct iso_gathering *gathering, const struct iso_mip *mip,
                                   struct iso_error *reterr)
{
    size_t n_rows = (size_t)mip->n_rows;

    gathering->mip = mip;
    gathering->groups = iso_calloc(n_rows, sizeof(*gathering->groups));
    gathering->group_of_row = iso_calloc(n_rows, sizeof(*gathering->group_of_row));
    gathering->claim = iso_calloc(n_rows, sizeof(*gathering->claim));
    gathering->claimed = iso_calloc(n_rows, sizeof(*gathering->claimed));
    gathering->member = iso_calloc(n_rows, sizeof(*gathering->member));
    gathering->use = iso_calloc(n_rows, sizeof(*gathering->use));
    gathering->is_open = iso_calloc(n_rows, sizeof(*gathering->is_open));
    if (!gathering->groups || !gathering->group_of_row || !gathering->claim ||
        !gathering->claimed || !gathering->member || !gathering->use || !gathering->is_open)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to gather coverage");
    for (size_t i = 0; i < n_rows; i++)
        gathering->group_of_row[i] = gathering->claim[i] = -1;
    return ISO_OK;
}

void iso_gathering_fini(struct iso_gathering *gathering)
{
    free(gathering->groups);
    free(gathering->group_of_row);
    free(gathering->claim);
    free(gathering->claimed);
    free(gathering->member);
    free(gathering->use);
    free(gathering->is_open);
    *gathering = (struct iso_gathering){0};
}

/* The link and the commit row of a column of coverage, and what it uses; false when it is none or
 * has bounds of its own. */
static bool coverage_of(const struct iso_mip *mip, int32_t column, int32_t *ret_link,
                        int32_t *ret_commit, double *ret_use)
{
    const struct iso_mip_column *c = &mip->columns[column];

    *ret_link = *ret_commit = -1;
    if (c->kind != ISO_COLUMN_COVER || c->integer || c->lower != 0 || !isinf(c->upper))
        return false;
    for (int32_t k = 0; k < c->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[c->first_entry + k];
        if (mip->rows[entry->row].kind == ISO_ROW_LINK_COVER) {
            *ret_link = entry->row;
        } else if (mip->rows[entry->row].kind == ISO_ROW_COMMIT) {
            *ret_commit = entry->row;
            *ret_use = entry->coefficient;
        }
    }
    return *ret_link >= 0 && *ret_commit >= 0 && *ret_use > 0;
}

static bool proportional(double value, double use, double model, double model_use)
{
    return fabs(value * model_use - model * use) <= ALIKE * fabs(model * use);
}

/* Whether a column that uses `use` is that many times the group's model outside its link. */
static bool is_alike(const struct iso_mip *mip, const struct iso_gathered *group, int32_t column,
                     double use)
{
    const struct iso_mip_column *c = &mip->columns[column], *model = &mip->columns[group->model];

    if (c->n_entries != model->n_entries ||
        !proportional(mip->objective[column], use, mip->objective[group->model], group->use))
        return false;
    for (int32_t k = 0; k < c->n_entries; k++) { /* rows come in one order in both */
        const struct iso_mip_entry *entry = &mip->entries[c->first_entry + k];
        const struct iso_mip_entry *other = &mip->entries[model->first_entry + k];
        bool link = mip->rows[entry->row].kind == ISO_ROW_LINK_COVER;
        if (link != (mip->rows[other->row].kind == ISO_ROW_LINK_COVER))
            return false;
        if (!link && (entry->row != other->row ||
                      !proportional(entry->coefficient, use, other->coefficient, group->use)))
            return false;
    }
    return true;
}

static void clear(struct iso_gathering *gathering)
{
    for (int32_t g = 0; g < gathering->n_groups; g++)
        gathering->group_of_row[gathering->groups[g].commit_row] = -1;
    for (int32_t i = 0; i < gathering->n_claimed; i++)
        gathering->claim[gathering->claimed[i]] = -1;
    gathering->n_groups = gathering->n_claimed = 0;
    memset(gathering->is_open, 0, (size_t)gathering->mip->n_rows);
}

/* Groups with at least two members, numbered anew. */
static void keep_groups_of_many(struct iso_gathering *gathering)
{
    int32_t n = 0;

    for (int32_t g = 0; g < gathering->n_groups; g++) {
        struct iso_gathered group = gathering->groups[g];
        gathering->group_of_row[group.commit_row] = group.n_members > 1 ? n : -1;
        if (group.n_members > 1)
            gathering->groups[n++] = group;
    }
    gathering->n_groups = n;
}

void iso_gathering_look(struct iso_gathering *gathering, const int32_t *columns, int32_t n)
{
    const struct iso_mip *mip = gathering->mip;
    int32_t link, commit;
    double use;

    clear(gathering);
    for (int32_t i = 0; i < n; i++) {
        if (!coverage_of(mip, columns[i], &link, &commit, &use))
            continue;
        int32_t g = gathering->group_of_row[commit];
        if (g < 0) {
            gathering->group_of_row[commit] = gathering->n_groups;
            gathering->groups[gathering->n_groups++] =
                (struct iso_gathered){commit, 1, columns[i], use};
        } else if (is_alike(mip, &gathering->groups[g], columns[i], use)) {
            gathering->groups[g].n_members++;
        }
    }
    keep_groups_of_many(gathering);
    for (int32_t i = 0; i < n; i++) {
        if (!coverage_of(mip, columns[i], &link, &commit, &use))
            continue;
        int32_t g = gathering->group_of_row[commit];
        if (g < 0 || gathering->claim[link] >= 0 ||
            !is_alike(mip, &gathering->groups[g], columns[i], use)) {
            gathering->is_open[link] = 1;
            continue;
        }
        gathering->claim[link] = g;
        gathering->use[link] = use;
        gathering->member[gathering->n_claimed] = columns[i];
        gathering->claimed[gathering->n_claimed++] = link;
    }
}

bool iso_gathering_has(const struct iso_gathering *gathering, int32_t column)
{
    int32_t link, commit;
    double use;

    return gathering->n_claimed > 0 && coverage_of(gathering->mip, column, &link, &commit, &use) &&
           gathering->claim[link] >= 0 && gathering->claim[link] == gathering->group_of_row[commit];
}
