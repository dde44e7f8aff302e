/* Is there a packing of the demand into so many instances of each kind?
 *
 * Kind by kind, dearest first, each instance takes one of the patterns. What is left, D, and the
 * instances that are left, X, must have a fractional packing,
 *
 *     min sum_j s_j :  sum_p n_pj l_p + s_j >= D_j,  sum_{p of k} l_p <= X_k,  l, s >= 0
 *
 * with value 0. A value above 0 gives multipliers v whose cut (counts.h) says why not, here and
 * wherever else it holds. States that failed are remembered: they are told by what is left. */
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

/* Columns in this order: s and D of each class, X of each kind, patterns. */
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
    for (int32_t k = 0; k < counts->n_kinds; k++)
        for (int32_t p = counts->first[k]; p < counts->first[k + 1] && ok; p++) {
            ok = add_column(mip, 0, INFINITY);
            for (int32_t i = 0; i < counts->n && ok; i++)
                ok = iso_mip_add_entry(mip, i, counts->counts[p * counts->n + i]);
            ok = ok && iso_mip_add_entry(mip, counts->n + k, -1);
        }
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

/* Whether a fractional packing exists; adds the cut where none does. */
static enum iso_status relax(struct iso_counts *counts, const int32_t *left, const int32_t *x,
                             bool *ret_packs, struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(counts->search);
    ISO_AUTO_MEM double *duals = iso_calloc((size_t)counts->mip.n_rows, sizeof(*duals));
    enum iso_lp_outcome outcome;
    int32_t n = counts->n;

    if (!duals)
        return no_memory(reterr);
    for (int32_t i = 0; i < n; i++)
        ISO_TRY(iso_lp_set_bounds(counts->lp, 2 * i + 1, left[i], left[i], reterr));
    for (int32_t k = 0; k < counts->n_kinds; k++)
        ISO_TRY(iso_lp_set_bounds(counts->lp, 2 * n + k, x[k], x[k], reterr));
    ISO_TRY(iso_lp_solve(counts->lp, &control, &counts->search->iterations, &outcome, reterr));
    *ret_packs = outcome != ISO_LP_OPTIMAL || iso_lp_objective(counts->lp) <= NOTHING;
    if (*ret_packs)
        return ISO_OK;
    iso_lp_duals(counts->lp, duals);
    for (int32_t i = 0; i < n; i++)
        duals[i] = fmax(0, duals[i]);
    ISO_TRY(iso_counts_cut(counts, duals, reterr));
    *ret_packs = !iso_counts_is_cut(counts, left, x);
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

/* Packs what is left into what is left of x, from instance `at` on. */
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
    if (counts->nodes-- <= 0 || iso_search_stops(counts->search))
        return ISO_OK;
    *ret_check = ISO_CHECK_FAILS;
    while (k >= 0 && x[k] == 0)
        k--;
    if (k < 0 || iso_counts_is_cut(counts, left, x))
        return ISO_OK;
    size_t slot = find_failed(counts, left, x, &found);
    if (found)
        return ISO_OK;
    ISO_TRY(relax(counts, left, x, &packs, reterr));
    ISO_AUTO_MEM int32_t *rest = iso_calloc((size_t)n, sizeof(*rest));
    if (!rest)
        return no_memory(reterr);
    for (int32_t p = counts->first[k]; p < counts->first[k + 1] && packs; p++) {
        for (int32_t i = 0; i < n; i++) {
            int32_t held = counts->counts[p * n + i];
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

    if (!rest)
        return no_memory(reterr);
    memcpy(rest, x, (size_t)counts->n_kinds * sizeof(*x));
    return pack(counts, counts->demand, rest, 0, ret_used, ret_check, reterr);
}
