/* Where workloads with together and apart rules run in a first plan, and in the dive.
 *
 * Flags b_ad (formulation_affinity.c) decide it, and rows of a domain leave no room until its flag
 * is set. Flags that are to be equal are one group. Groups are set one after the other: the one
 * whose members serve most there in the point at hand, among equals the one whose workloads run in
 * the fewest domains so far; what must be apart from it stays out. A group that serves nothing in
 * the point is set where its workloads serve nothing anywhere, or when `generous`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define LITTLE 1e-6 /* units served that are rounding */

enum { OPEN, SET, OUT };

struct flags {
    const struct iso_mip *mip;
    int32_t n;
    int32_t *column, *group; /* [flag] */
    double *served;          /* [flag], of a group's first flag: of the group */
    uint8_t *state;          /* [flag], likewise */
    int32_t *first, *second; /* [row] flags of TOGETHER and APART rows, -1 = none */
    double *activity;        /* [row] */
    double *serves;          /* [workload] */
    int32_t *n_set;          /* [workload] */
    int32_t *fewest;         /* [flag] scratch, of groups: in how many domains its workloads run */
    uint8_t *wanted;         /* [flag] likewise */
};

static void flags_fini(struct flags *flags)
{
    free(flags->column);
    free(flags->group);
    free(flags->served);
    free(flags->state);
    free(flags->first);
    free(flags->second);
    free(flags->activity);
    free(flags->serves);
    free(flags->n_set);
    free(flags->fewest);
    free(flags->wanted);
}

static bool flags_init(struct flags *flags, const struct iso_search *search)
{
    const struct iso_mip *mip = flags->mip = &search->formulation->mip;
    size_t n_rows = (size_t)mip->n_rows, n_columns = (size_t)mip->n_columns;
    size_t n_workloads = (size_t)search->problem->n_workloads;

    flags->column = iso_calloc(n_columns, sizeof(*flags->column));
    flags->group = iso_calloc(n_columns, sizeof(*flags->group));
    flags->served = iso_calloc(n_columns, sizeof(*flags->served));
    flags->state = iso_calloc(n_columns, 1);
    flags->first = iso_calloc(n_rows, sizeof(*flags->first));
    flags->second = iso_calloc(n_rows, sizeof(*flags->second));
    flags->activity = iso_calloc(n_rows, sizeof(*flags->activity));
    flags->serves = iso_calloc(n_workloads, sizeof(*flags->serves));
    flags->n_set = iso_calloc(n_workloads, sizeof(*flags->n_set));
    flags->fewest = iso_calloc(n_columns, sizeof(*flags->fewest));
    flags->wanted = iso_calloc(n_columns, 1);
    if (!flags->column || !flags->group || !flags->served || !flags->state || !flags->first ||
        !flags->second || !flags->activity || !flags->serves || !flags->n_set || !flags->fewest ||
        !flags->wanted)
        return false;
    memset(flags->first, 0xff, n_rows * sizeof(*flags->first));
    memset(flags->second, 0xff, n_rows * sizeof(*flags->second));
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_PRESENCE) {
            flags->group[flags->n] = flags->n;
            flags->column[flags->n++] = j;
        }
    return true;
}

static int32_t group_of(const struct flags *flags, int32_t flag)
{
    while (flags->group[flag] != flag)
        flag = flags->group[flag];
    return flag;
}

static const struct iso_mip_column *column_of(const struct flags *flags, int32_t flag)
{
    return &flags->mip->columns[flags->column[flag]];
}

/* What runs in the domains in the point, and which flags stand in a row together. */
static void read_rows(struct flags *flags, const double *x)
{
    const struct iso_mip *mip = flags->mip;

    iso_mip_activity(mip, x, flags->activity);
    for (int32_t i = 0; i < flags->n; i++) {
        const struct iso_mip_column *column = column_of(flags, i);
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            int kind = mip->rows[entry->row].kind;
            if (kind == ISO_ROW_PRESENCE)
                flags->served[i] +=
                    fmax(0, entry->coefficient * x[flags->column[i]] - flags->activity[entry->row]);
            else if (kind == ISO_ROW_TOGETHER || kind == ISO_ROW_APART)
                *(flags->first[entry->row] < 0 ? &flags->first[entry->row]
                                               : &flags->second[entry->row]) = i;
        }
        flags->serves[column->a] += flags->served[i];
    }
}

static void make_groups(struct flags *flags)
{
    for (int32_t i = 0; i < flags->mip->n_rows; i++) {
        if (flags->mip->rows[i].kind != ISO_ROW_TOGETHER || flags->second[i] < 0)
            continue;
        int32_t one = group_of(flags, flags->first[i]), other = group_of(flags, flags->second[i]);
        flags->group[one > other ? one : other] = one > other ? other : one;
    }
    for (int32_t i = 0; i < flags->n; i++)
        if (group_of(flags, i) != i)
            flags->served[group_of(flags, i)] += flags->served[i];
    for (int32_t i = 0; i < flags->mip->n_rows; i++) /* where the other may not run */
        if (flags->mip->rows[i].kind == ISO_ROW_TOGETHER && flags->first[i] >= 0 &&
            flags->second[i] < 0)
            flags->state[group_of(flags, flags->first[i])] = OUT;
}

/* The group to set next, -1 when there is none. */
static int32_t next_group(struct flags *flags, bool generous)
{
    int32_t best = -1;

    memset(flags->fewest, 0, (size_t)flags->n * sizeof(*flags->fewest));
    memset(flags->wanted, generous, (size_t)flags->n);
    for (int32_t i = 0; i < flags->n; i++) {
        int32_t g = group_of(flags, i), a = column_of(flags, i)->a;
        flags->fewest[g] += flags->n_set[a];
        flags->wanted[g] |= flags->served[g] > LITTLE || flags->serves[a] <= LITTLE;
    }
    for (int32_t g = 0; g < flags->n; g++) {
        if (flags->group[g] != g || flags->state[g] != OPEN || !flags->wanted[g])
            continue;
        if (best < 0 || flags->served[g] > flags->served[best] ||
            (flags->served[g] == flags->served[best] && flags->fewest[g] < flags->fewest[best]))
            best = g;
    }
    return best;
}

static void set(struct flags *flags, int32_t group)
{
    flags->state[group] = SET;
    for (int32_t i = group; i < flags->n; i++)
        if (group_of(flags, i) == group)
            flags->n_set[column_of(flags, i)->a]++;
    for (int32_t i = 0; i < flags->mip->n_rows; i++) {
        if (flags->mip->rows[i].kind != ISO_ROW_APART || flags->second[i] < 0)
            continue;
        int32_t one = group_of(flags, flags->first[i]), other = group_of(flags, flags->second[i]);
        if (one == group && other != group)
            flags->state[other] = OUT;
        if (other == group && one != group)
            flags->state[one] = OUT;
    }
}

enum iso_status iso_first_presence(const struct iso_search *search, const double *x, bool generous,
                                   uint8_t *ret_set, struct iso_error *reterr)
{
    struct flags flags __attribute__((cleanup(flags_fini))) = {0};

    if (!flags_init(&flags, search))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
    read_rows(&flags, x);
    make_groups(&flags);
    for (int32_t g; (g = next_group(&flags, generous)) >= 0;)
        set(&flags, g);
    memset(ret_set, 0, (size_t)flags.mip->n_columns);
    for (int32_t i = 0; i < flags.n; i++)
        ret_set[flags.column[i]] = flags.state[group_of(&flags, i)] == SET;
    return ISO_OK;
}
