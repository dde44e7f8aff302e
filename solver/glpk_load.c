/* Columns and rows on their way into GLPK. */
#include <glpk.h>
#include <math.h>
#include <string.h>

#include "glpk_guard.h"
#include "glpk_lp_state.h"
#include "search.h"

#define NOTHING 1e-12 /* of a sum of entries that cancel */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
}

/* Makes an array longer; what is new is `fill` in every byte. */
static bool lengthen(void *array_pointer, int32_t before, int32_t n, size_t size, int fill)
{
    void *array;
    memcpy(&array, array_pointer, sizeof(array));
    char *moved = iso_realloc(array, (size_t)n + 1, size);
    if (!moved)
        return false;
    memset(moved + (size_t)before * size, fill, ((size_t)n + 1 - (size_t)before) * size);
    memcpy(array_pointer, &moved, sizeof(moved));
    return true;
}

enum iso_status iso_lp_make_room(struct iso_lp *lp, struct iso_error *reterr)
{
    int32_t columns = lp->n_columns, rows = lp->n_rows;
    int32_t n_columns = lp->mip->n_columns, n_rows = lp->mip->n_rows;

    if (!lengthen(&lp->place, columns, n_columns, sizeof(*lp->place), 0) ||
        !lengthen(&lp->partner, columns, n_columns, sizeof(*lp->partner), 0xff) ||
        !lengthen(&lp->purchase_row, columns, n_columns, sizeof(*lp->purchase_row), 0) ||
        !lengthen(&lp->row_place, rows, n_rows, sizeof(*lp->row_place), 0) ||
        !lengthen(&lp->young, rows, n_rows, sizeof(*lp->young), 0) ||
        !lengthen(&lp->dissolved, rows, n_rows, sizeof(*lp->dissolved), 0) ||
        !lengthen(&lp->instances, rows, n_rows, sizeof(*lp->instances), 0xff) ||
        !lengthen(&lp->artificial, rows, n_rows, sizeof(*lp->artificial), 0) ||
        !lengthen(&lp->sum, rows, n_rows, sizeof(*lp->sum), 0))
        return no_memory(reterr);
    lp->n_columns = n_columns;
    lp->n_rows = n_rows;
    return ISO_OK;
}

/* Coverage of instances that one column counts stands for "covered instances": the entries of both
 * columns together. What the instances' own column then counts are those that are paid, so the link
 * between both falls away. */
void iso_lp_find_partners(struct iso_lp *lp, int32_t before)
{
    const struct iso_mip *mip = lp->mip;

    for (int32_t j = before; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries && iso_column_runs(column); k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (mip->rows[row].kind == ISO_ROW_LINK_COVER)
                lp->instances[row] = column->kind == ISO_COLUMN_USE ? j : -2;
        }
    }
    for (int32_t j = before; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries && column->kind == ISO_COLUMN_COVER; k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (mip->rows[row].kind != ISO_ROW_LINK_COVER || lp->instances[row] < 0)
                continue;
            lp->partner[j] = lp->instances[row];
            lp->dissolved[row] = 1;
        }
    }
}

bool iso_lp_take_place(struct iso_lp *lp, enum iso_lp_place_kind kind, int32_t index)
{
    int32_t at = lp->n_places + 1;

    if (at >= lp->places_room) {
        int32_t room = 2 * lp->places_room + 64;
        struct iso_lp_place *moved = iso_realloc(lp->places, (size_t)room, sizeof(*moved));
        if (!moved)
            return false;
        lp->places = moved;
        lp->places_room = room;
    }
    lp->places[at] = (struct iso_lp_place){kind, index};
    lp->n_places = at;
    return true;
}

void iso_lp_load_row(struct iso_lp *lp, int32_t i)
{
    const struct iso_mip_row *row = &lp->mip->rows[i];
    int at = glp_add_rows(lp->prob, 1);

    glp_set_row_bnds(lp->prob, at, iso_glpk_bound_type(row->lower, row->upper), row->lower,
                     row->upper);
    lp->row_place[i] = at;
}

/* Whether a column that is at least `lower` can break a row that holds at 0. */
static bool can_break(double lower, double coefficient, const struct iso_mip_row *row)
{
    return lower < 0 || (coefficient > 0 ? !isinf(row->upper) : !isinf(row->lower));
}

/* Room in the scratch lists for n entries more than are there. */
static bool reserve(struct iso_lp *lp, int n)
{
    if (n + 2 <= lp->scratch_room)
        return true;
    int32_t room = 2 * n + 64;
    int *rows = iso_realloc(lp->rows, (size_t)room, sizeof(*rows));
    lp->rows = rows ? rows : lp->rows;
    double *coefficients = iso_realloc(lp->coefficients, (size_t)room, sizeof(*coefficients));
    lp->coefficients = coefficients ? coefficients : lp->coefficients;
    if (!rows || !coefficients)
        return false;
    lp->scratch_room = room;
    return true;
}

/* Adds the entries of so many of a column, its partner's too, to the scratch list; *io_n is its
 * length. */
static bool gather(struct iso_lp *lp, struct iso_lp_part part, int *io_n)
{
    for (int32_t j = part.column; j >= 0; j = lp->partner[j]) {
        const struct iso_mip_column *column = &lp->mip->columns[j];
        if (!reserve(lp, *io_n + column->n_entries))
            return false;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &lp->mip->entries[column->first_entry + k];
            if (lp->sum[entry->row] == 0)
                lp->rows[++*io_n] = entry->row;
            lp->sum[entry->row] += part.multiple * entry->coefficient;
        }
    }
    return true;
}

/* Turns the scratch list into GLPK's: entries in loaded rows, those of commitments only when
 * `commits`. Rows that the column can break are loaded on the way when it is `new`. Gives the
 * length. */
static int sift(struct iso_lp *lp, int n, bool is_new, bool commits, double lower)
{
    int n_set = 0;

    for (int k = 1; k <= n; k++) {
        int32_t i = lp->rows[k];
        const struct iso_mip_row *row = &lp->mip->rows[i];
        double coefficient = lp->sum[i];
        lp->sum[i] = 0;
        if (fabs(coefficient) < NOTHING || (row->kind == ISO_ROW_COMMIT && !commits))
            continue; /* twice in the list, or nothing left */
        if (is_new && lp->row_place[i] == 0 && !lp->dissolved[i] && !iso_lp_row_waits(lp, i) &&
            iso_lp_row_counts(lp, i) && can_break(lower, coefficient, row)) {
            iso_lp_load_row(lp, i);
            lp->young[i] = 1;
            lp->any_young = true;
        }
        if (lp->row_place[i] == 0)
            continue;
        lp->rows[++n_set] = lp->row_place[i];
        lp->coefficients[n_set] = coefficient;
    }
    return n_set;
}

/* Hands GLPK the entries of a place in loaded rows. */
static bool set_entries(struct iso_lp *lp, int32_t at, bool is_new)
{
    struct iso_lp_place place = lp->places[at];
    int n = 0, n_set;

    if (place.kind == ISO_PLACE_BUNDLE) {
        const struct iso_lp_bundle *bundle = &lp->bundles[place.index];
        for (int32_t k = 0; k < bundle->n_parts; k++)
            if (!gather(lp, lp->parts[bundle->first_part + k], &n))
                return false;
        n_set = sift(lp, n, is_new, false, 0);
        lp->rows[++n_set] = lp->purchase_row[bundle->purchase];
        lp->coefficients[n_set] = -1;
    } else {
        int32_t j = place.index;
        if (!gather(lp, (struct iso_lp_part){j, 1}, &n))
            return false;
        n_set = sift(lp, n, is_new, true, lp->mip->columns[j].lower);
        if (lp->purchase_row[j] != 0) {
            lp->rows[++n_set] = lp->purchase_row[j];
            lp->coefficients[n_set] = 1;
        }
    }
    glp_set_mat_col(lp->prob, at, n_set, lp->rows, lp->coefficients);
    return true;
}

double iso_lp_place_objective(const struct iso_lp *lp, struct iso_lp_place place)
{
    struct iso_lp_part alone = {place.index, 1};
    const struct iso_lp_bundle *bundle =
        place.kind == ISO_PLACE_BUNDLE ? &lp->bundles[place.index] : NULL;
    double sum = 0;

    for (int32_t k = 0; k < (bundle ? bundle->n_parts : 1); k++) {
        const struct iso_lp_part *part = bundle ? &lp->parts[bundle->first_part + k] : &alone;
        double own = lp->mip->objective[part->column];
        if (lp->partner[part->column] >= 0)
            own += lp->mip->objective[lp->partner[part->column]];
        sum += part->multiple * own;
    }
    return sum;
}

bool iso_lp_load_column(struct iso_lp *lp, int32_t j)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];
    int at = glp_add_cols(lp->prob, 1);

    if (!reserve(lp, 0) || !iso_lp_take_place(lp, ISO_PLACE_COLUMN, j) ||
        !set_entries(lp, at, true))
        return false;
    lp->place[j] = at;
    glp_set_col_bnds(lp->prob, at, iso_glpk_bound_type(column->lower, column->upper), column->lower,
                     column->upper);
    glp_set_obj_coef(lp->prob, at, iso_lp_place_objective(lp, lp->places[at]));
    return true;
}

static bool has_young_entry(const struct iso_lp *lp, int32_t column)
{
    for (int32_t j = column; j >= 0; j = lp->partner[j]) {
        const struct iso_mip_column *c = &lp->mip->columns[j];
        for (int32_t k = 0; k < c->n_entries; k++)
            if (lp->young[lp->mip->entries[c->first_entry + k].row])
                return true;
    }
    return false;
}

void iso_lp_complete_rows(struct iso_lp *lp)
{
    for (int32_t at = 1; at <= lp->n_places && lp->any_young; at++) {
        struct iso_lp_place place = lp->places[at];
        bool young = place.kind == ISO_PLACE_COLUMN && has_young_entry(lp, place.index);
        if (place.kind == ISO_PLACE_BUNDLE)
            for (int32_t k = 0; k < lp->bundles[place.index].n_parts && !young; k++)
                young =
                    has_young_entry(lp, lp->parts[lp->bundles[place.index].first_part + k].column);
        if (young)
            set_entries(lp, at, false); /* there was room for it before */
    }
    if (lp->any_young)
        memset(lp->young, 0, (size_t)lp->mip->n_rows);
    lp->any_young = false;
}

enum iso_status iso_lp_grow(struct iso_lp *lp, struct iso_error *reterr)
{
    int32_t columns = lp->n_columns;

    ISO_TRY(iso_lp_make_room(lp, reterr));
    iso_lp_find_partners(lp, columns);
    return ISO_OK;
}

/* The row that holds bundles down to what is bought; the purchase comes in with it. */
static bool open_purchase(struct iso_lp *lp, int32_t purchase)
{
    if (lp->purchase_row[purchase] != 0)
        return true;
    lp->purchase_row[purchase] = glp_add_rows(lp->prob, 1);
    glp_set_row_bnds(lp->prob, lp->purchase_row[purchase], GLP_LO, 0, 0);
    return lp->place[purchase] != 0 ? set_entries(lp, lp->place[purchase], false)
                                    : iso_lp_load_column(lp, purchase);
}

enum iso_status iso_lp_add_bundle(struct iso_lp *lp, int32_t purchase,
                                  const struct iso_lp_part *parts, int32_t n,
                                  struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    struct iso_lp_bundle bundle = {purchase, 0, lp->n_parts, n};

    for (int32_t k = 0; k < n; k++)
        if (!iso_append(&lp->parts, &lp->n_parts, sizeof(parts[k]), &parts[k]))
            return no_memory(reterr);
    if (!open_purchase(lp, purchase))
        return no_memory(reterr);
    int at = bundle.place = glp_add_cols(lp->prob, 1);
    if (!iso_append(&lp->bundles, &lp->n_bundles, sizeof(bundle), &bundle) ||
        !iso_lp_take_place(lp, ISO_PLACE_BUNDLE, lp->n_bundles - 1) || !set_entries(lp, at, true))
        return no_memory(reterr);
    glp_set_col_bnds(lp->prob, at, GLP_LO, 0, 0);
    glp_set_obj_coef(lp->prob, at, iso_lp_place_objective(lp, lp->places[at]));
    lp->grown = true;
    return ISO_OK;
}

double iso_lp_purchase_price(const struct iso_lp *lp, int32_t purchase)
{
    int32_t row = lp->purchase_row[purchase];

    return row ? glp_get_row_dual(lp->prob, row) : INFINITY;
}
