/* Is there a packing of the demand into so many instances of each kind?
 *
 * Kind by kind, dearest first, each instance takes one of the fillings. What is left, D, and the
 * instances that are left, X, must have a fractional packing,
 *
 *     min sum_j s_j :  sum_p n_pj l_p + s_j >= D_j,  sum_{p of k} l_p <= X_k,  l, s >= 0
 *
 * with value 0. A value above 0 gives multipliers v. Either their cut (counts.h), which takes the
 * best of all fillings, says why not, here and wherever else it holds; or a better filling comes
 * in. A packing of d into x loses no more than the slack of a cut, so only fillings that are worth
 * F_k less that slack need to be tried. States that failed are remembered by what is left. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "glpk_lp.h"

#define NOTHING 1e-7
#define FAILED_SLOTS 65536 /* a power of two; newer states replace older ones */

struct iso_failed {
    uint8_t *used;
    int32_t *state; /* [slot * (n + n_kinds)]: D, then X */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to count instances");
}

static bool add_column(struct iso_mip *mip, double cost, double upper)
{
    int32_t j = iso_mip_add_column(
        mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PATTERN, .upper = upper});
    if (j >= 0)
        mip->objective[j] = cost;
    return j >= 0;
}

/* A filling comes into the linear program. */
static bool add_filling(struct iso_counts *counts, int32_t kind, const int32_t *content)
{
    bool ok = add_column(&counts->mip, 0, INFINITY);

    for (int32_t i = 0; i < counts->n && ok; i++)
        ok = iso_mip_add_entry(&counts->mip, i, content[i]);
    return ok && iso_mip_add_entry(&counts->mip, counts->n + kind, -1);
}

/* Columns in this order: s and D of each class, X of each kind, fillings. */
static bool build(struct iso_counts *counts)
{
    struct iso_mip *mip = &counts->mip;
    bool ok = true;

    for (int32_t i = 0; i < counts->n + counts->n_kinds; i++)
        ok &= iso_mip_add_row(mip, &(struct iso_mip_row){
                                       .kind = ISO_ROW_DEMAND, .lower = 0, .upper = INFINITY}) >= 0;
    for (int32_t i = 0; i < counts->n && ok; i++)
        ok = add_column(mip, 1, INFINITY) && iso_mip_add_entry(mip, i, 1) &&
             add_column(mip, 0, counts->demand[i]) && iso_mip_add_entry(mip, i, -1);
    for (int32_t k = 0; k < counts->n_kinds && ok; k++)
        ok = add_column(mip, 0, INFINITY) && iso_mip_add_entry(mip, counts->n + k, 1);
    return ok;
}

enum iso_status iso_counts_open(struct iso_counts *counts, struct iso_error *reterr)
{
    size_t size = (size_t)(counts->n + counts->n_kinds);

    counts->failed = iso_calloc(1, sizeof(*counts->failed));
    if (!counts->failed || !build(counts))
        return no_memory(reterr);
    counts->failed->used = iso_calloc(FAILED_SLOTS, 1);
    counts->failed->state = iso_calloc(FAILED_SLOTS * size, sizeof(*counts->failed->state));
    if (!counts->failed->used || !counts->failed->state)
        return no_memory(reterr);
    return iso_lp_new(&counts->mip, NULL, &counts->lp, reterr);
}

void iso_counts_close(struct iso_counts *counts)
{
    iso_lp_free(counts->lp);
    iso_mip_fini(&counts->mip);
    if (counts->failed) {
        free(counts->failed->used);
        free(counts->failed->state);
    }
    free(counts->failed);
}

/* Brings in the best filling of each kind that is worth more than the program says. */
static enum iso_status price(struct iso_counts *counts, const double *duals, const double *worth,
                             bool *ret_any, struct iso_error *reterr)
{
    int32_t before = counts->mip.n_columns;
    ISO_AUTO_MEM int32_t *content = iso_calloc((size_t)counts->n, sizeof(*content));

    if (!content)
        return no_memory(reterr);
    for (int32_t k = 0; k < counts->n_kinds; k++) {
        if (worth[k] <= duals[counts->n + k] + NOTHING)
            continue;
        iso_counts_table_best(counts->table, k, content);
        if (!add_filling(counts, k, content))
            return no_memory(reterr);
    }
    *ret_any = counts->mip.n_columns > before;
    ISO_TRY(iso_lp_grow(counts->lp, reterr));
    for (int32_t j = before; j < counts->mip.n_columns; j++)
        ISO_TRY(iso_lp_add_column(counts->lp, j, reterr));
    return ISO_OK;
}

/* Whether a fractional packing exists, or time is up; adds the cut where none does. */
static enum iso_status relax(struct iso_counts *counts, const int32_t *left, const int32_t *x,
                             bool *ret_packs, struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(counts->search);
    ISO_AUTO_MEM double *duals = iso_calloc((size_t)counts->mip.n_rows, sizeof(*duals));
    enum iso_lp_outcome outcome;
    bool any = true;
    int32_t n = counts->n;

    if (!duals)
        return no_memory(reterr);
    for (int32_t i = 0; i < n; i++)
        ISO_TRY(iso_lp_set_bounds(counts->lp, 2 * i + 1, left[i], left[i], reterr));
    for (int32_t k = 0; k < counts->n_kinds; k++)
        ISO_TRY(iso_lp_set_bounds(counts->lp, 2 * n + k, x[k], x[k], reterr));
    for (*ret_packs = true; any && !iso_counts_stops(counts); counts->work--) {
        ISO_TRY(iso_lp_solve(counts->lp, &control, &counts->search->iterations, &outcome, reterr));
        if (outcome != ISO_LP_OPTIMAL || iso_lp_objective(counts->lp) <= NOTHING)
            return ISO_OK;
        iso_lp_duals(counts->lp, duals);
        for (int32_t i = 0; i < n; i++)
            duals[i] = fmax(0, duals[i]);
        const double *worth = iso_counts_price(counts, duals);
        if (iso_counts_next_cuts(counts, left, x)) {
            iso_counts_keep(counts);
            *ret_packs = false;
            return ISO_OK;
        }
        ISO_TRY(price(counts, duals, worth, &any, reterr));
    }
    return ISO_OK;
}

/* Drops fillings from `from` on that some cut forbids. */
static void drop_forbidden(struct iso_counts *counts, int32_t kind, int32_t from, const int32_t *x)
{
    int32_t n = counts->n, kept = from;

    for (int32_t p = from; p < counts->n_numbers / n; p++) {
        const int32_t *content = &counts->fillings[p * n];
        if (!iso_counts_loses_too_much(counts, kind, content, x))
            memmove(&counts->fillings[kept++ * n], content, (size_t)n * sizeof(*content));
    }
    counts->n_numbers = kept * n;
}

struct ranked {
    double worth;
    const int32_t *content;
};

static int worthiest_first(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->worth != b->worth)
        return a->worth > b->worth ? -1 : 1;
    return (a->content > b->content) - (a->content < b->content);
}

/* Puts fillings from `from` on in the order of what the relaxation gives for them. */
static bool rank(struct iso_counts *counts, int32_t from)
{
    int32_t n = counts->n, n_ranked = counts->n_numbers / n - from;
    size_t n_numbers = (size_t)n_ranked * (size_t)n;
    ISO_AUTO_MEM struct ranked *ranked = iso_calloc((size_t)n_ranked, sizeof(*ranked));
    ISO_AUTO_MEM int32_t *copy = iso_calloc(n_numbers, sizeof(*copy));

    if (!ranked || !copy)
        return false;
    if (n_ranked == 0)
        return true;
    memcpy(copy, &counts->fillings[from * n], n_numbers * sizeof(*copy));
    for (int32_t p = 0; p < n_ranked; p++) {
        ranked[p].content = &copy[p * n];
        for (int32_t i = 0; i < n; i++)
            ranked[p].worth += counts->multipliers[i] * ranked[p].content[i];
    }
    qsort(ranked, (size_t)n_ranked, sizeof(*ranked), worthiest_first);
    for (int32_t p = 0; p < n_ranked; p++)
        memcpy(&counts->fillings[(from + p) * n], ranked[p].content, (size_t)n * sizeof(*copy));
    return true;
}

/* Lists what a packing of the demand into x may use: a filling may lose the slack of each cut at
 * most. *ret_complete: that is all. */
static enum iso_status list_fillings(struct iso_counts *counts, const int32_t *x,
                                     bool *ret_complete, struct iso_error *reterr)
{
    int32_t n = counts->n;
    ISO_AUTO_MEM double *worth = iso_calloc((size_t)counts->n_kinds, sizeof(*worth));

    if (!worth)
        return no_memory(reterr);
    iso_counts_table_fill(counts->table, counts->multipliers, worth); /* the relaxation's */
    counts->n_numbers = 0;
    *ret_complete = true;
    for (int32_t k = 0; k < counts->n_kinds; k++) {
        counts->first[k] = counts->n_numbers / n;
        if (x[k] == 0 || iso_counts_stops(counts))
            continue;
        double asked = worth[k] - iso_counts_slack(counts, 0, x);
        *ret_complete &= iso_counts_table_list(counts->table, k, asked, &counts->fillings,
                                               &counts->n_numbers, &counts->work);
        drop_forbidden(counts, k, counts->first[k], x);
        if (!rank(counts, counts->first[k]))
            return no_memory(reterr);
    }
    counts->first[counts->n_kinds] = counts->n_numbers / n;
    return ISO_OK;
}

/* The slot of a state; *ret_found: it is there. */
static size_t find_failed(const struct iso_counts *counts, const int32_t *left, const int32_t *x,
                          bool *ret_found)
{
    size_t n = (size_t)counts->n, size = n + (size_t)counts->n_kinds;
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint64_t)(i < n ? left[i] : x[i - n])) * 1099511628211u;
    size_t slot = (size_t)(hash ^ (hash >> 29)) & (FAILED_SLOTS - 1);
    const int32_t *state = &counts->failed->state[slot * size];
    *ret_found = counts->failed->used[slot] && memcmp(state, left, n * sizeof(*left)) == 0 &&
                 memcmp(state + n, x, (size - n) * sizeof(*x)) == 0;
    return slot;
}

static void remember(struct iso_counts *counts, size_t slot, const int32_t *left, const int32_t *x)
{
    size_t n = (size_t)counts->n, size = n + (size_t)counts->n_kinds;

    counts->failed->used[slot] = 1;
    memcpy(&counts->failed->state[slot * size], left, n * sizeof(*left));
    memcpy(&counts->failed->state[slot * size + n], x, (size - n) * sizeof(*x));
}

/* Packs what is left into what is left of x, from instance `at` on. At the start there is a
 * fractional packing. */
static enum iso_status pack(struct iso_counts *counts, const int32_t *left, int32_t *x, int32_t at,
                            int32_t *used, enum iso_check *ret_check, struct iso_error *reterr)
{
    int32_t n = counts->n, k = counts->n_kinds - 1;
    bool packs = true, done = true, found;

    for (int32_t i = 0; i < n && done; i++)
        done = left[i] == 0;
    used[at] = -1;
    *ret_check = ISO_CHECK_PACKS;
    if (done)
        return ISO_OK;
    *ret_check = ISO_CHECK_STOPPED;
    if (iso_counts_stops(counts))
        return ISO_OK;
    *ret_check = ISO_CHECK_FAILS;
    while (k >= 0 && x[k] == 0)
        k--;
    if (k < 0 || iso_counts_is_cut(counts, left, x))
        return ISO_OK;
    size_t slot = find_failed(counts, left, x, &found);
    if (found)
        return ISO_OK;
    if (at > 0)
        ISO_TRY(relax(counts, left, x, &packs, reterr));
    ISO_AUTO_MEM int32_t *rest = iso_calloc((size_t)n, sizeof(*rest));
    if (!rest)
        return no_memory(reterr);
    for (int32_t p = counts->first[k]; p < counts->first[k + 1] && packs; p++) {
        for (int32_t i = 0; i < n; i++) {
            int32_t held = counts->fillings[p * n + i];
            rest[i] = left[i] > held ? left[i] - held : 0;
        }
        used[at] = p;
        x[k]--;
        if (!iso_counts_is_cut(counts, rest, x))
            ISO_TRY(pack(counts, rest, x, at + 1, used, ret_check, reterr));
        x[k]++;
        if (*ret_check != ISO_CHECK_FAILS)
            return ISO_OK;
    }
    remember(counts, slot, left, x);
    return ISO_OK;
}

enum iso_status iso_counts_check(struct iso_counts *counts, const int32_t *x, int32_t *ret_used,
                                 enum iso_check *ret_check, struct iso_error *reterr)
{
    ISO_AUTO_MEM int32_t *rest = iso_calloc((size_t)counts->n_kinds, sizeof(*rest));
    bool packs, complete = false;

    if (!rest)
        return no_memory(reterr);
    ISO_TRY(relax(counts, counts->demand, x, &packs, reterr));
    *ret_check = ISO_CHECK_FAILS;
    if (!packs)
        return ISO_OK;
    ISO_TRY(list_fillings(counts, x, &complete, reterr));
    memset(counts->failed->used, 0, FAILED_SLOTS); /* told by other fillings */
    memcpy(rest, x, (size_t)counts->n_kinds * sizeof(*x));
    ISO_TRY(pack(counts, counts->demand, rest, 0, ret_used, ret_check, reterr));
    if (*ret_check == ISO_CHECK_FAILS && !complete)
        *ret_check = ISO_CHECK_STOPPED;
    return ISO_OK;
}
