/* The key of a tree is the digest of every number that the tree reads: sides of rows, bounds,
 * objective and entries of columns, and the limits at which it ends. What rows and columns stand
 * for is not in it, so equal programs of other cells and periods are one. */
#include "tree_once.h"

#include <math.h>
#include <stdlib.h>

#include "past_entries.h"

/* As it is kept; n_columns values follow when there is a point. */
struct kept {
    struct iso_mip_result result;
    int32_t n_columns;
};

/* Without the padding of structs, which may hold anything. */
static void key_of(const struct iso_past *past, const struct iso_mip *mip,
                   const struct iso_mip_limits *limits, struct iso_past_key *ret_key)
{
    const double ends[] = {limits->relative_gap, limits->absolute_gap, (double)limits->nodes,
                           limits->plans, limits->no_cuts};
    const int32_t sizes[] = {mip->n_rows, mip->n_columns};
    struct iso_sha256 sha;

    iso_past_key_begin(past, "tree", &sha);
    iso_sha256_update(&sha, ends, sizeof(ends));
    iso_sha256_update(&sha, sizes, sizeof(sizes));
    for (int32_t i = 0; i < mip->n_rows; i++) {
        const double sides[] = {mip->rows[i].lower, mip->rows[i].upper};
        iso_sha256_update(&sha, sides, sizeof(sides));
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        const double numbers[] = {column->lower, column->upper, column->integer, mip->objective[j],
                                  column->n_entries};
        iso_sha256_update(&sha, numbers, sizeof(numbers));
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            const double pair[] = {entry->row, entry->coefficient};
            iso_sha256_update(&sha, pair, sizeof(pair));
        }
    }
    iso_past_key_end(&sha, ret_key);
}

static bool find(struct iso_past *past, const struct iso_past_key *key, const struct iso_mip *mip,
                 struct iso_mip_result *ret_result, double *ret_x)
{
    size_t n_bytes, n_values = (size_t)mip->n_columns * sizeof(*ret_x);
    const unsigned char *bytes = iso_past_find(past, key, &n_bytes);
    struct kept kept;

    if (!bytes)
        return false;
    memcpy(&kept, bytes, sizeof(kept));
    ISO_ASSERT(kept.n_columns == mip->n_columns);
    *ret_result = kept.result;
    ret_result->nodes = ret_result->iterations = 0; /* of work there was none */
    if (kept.result.has_x)
        memcpy(ret_x, bytes + sizeof(kept), n_values);
    else
        memset(ret_x, 0, n_values);
    return true;
}

static void keep(struct iso_past *past, const struct iso_past_key *key, const struct iso_mip *mip,
                 const struct iso_mip_result *result, const double *x)
{
    size_t n_values = result->has_x ? (size_t)mip->n_columns * sizeof(*x) : 0;
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(1, sizeof(struct kept) + n_values);
    struct kept kept = {.result = *result, .n_columns = mip->n_columns};

    if (!bytes)
        return;
    memcpy(bytes, &kept, sizeof(kept));
    memcpy(bytes + sizeof(kept), x, n_values);
    iso_past_keep(past, key, bytes, sizeof(kept) + n_values);
}

bool iso_mip_find_once(struct iso_past *past, const struct iso_mip *mip,
                       const struct iso_mip_limits *limits, struct iso_mip_result *ret_result,
                       double *ret_x)
{
    struct iso_past_key key;

    if (!past)
        return false;
    key_of(past, mip, limits, &key);
    return find(past, &key, mip, ret_result, ret_x);
}

enum iso_status iso_mip_solve_once(struct iso_past *past, const struct iso_mip *mip,
                                   const struct iso_mip_limits *limits,
                                   const struct iso_control *control,
                                   struct iso_mip_result *ret_result, double *ret_x,
                                   bool *ret_known, struct iso_error *reterr)
{
    struct iso_past_key key;

    *ret_known = false;
    if (past) {
        key_of(past, mip, limits, &key);
        *ret_known = find(past, &key, mip, ret_result, ret_x);
        if (*ret_known)
            return ISO_OK;
    }
    ISO_TRY(iso_mip_solve(mip, NULL, INFINITY, limits, control, ret_result, ret_x, reterr));
    bool ended = ret_result->outcome != ISO_MIP_STOPPED ||
                 (limits->nodes > 0 && ret_result->nodes > limits->nodes);
    if (past && ended)
        keep(past, &key, mip, ret_result, ret_x);
    return ISO_OK;
}
