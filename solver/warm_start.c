#include "warm_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unlisted.h"

#define DIGITS 1e-9 /* relative: by so much multipliers differ that are the same */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a start");
}

static struct iso_mip_name column_name(const struct iso_mip_column *column)
{
    return (struct iso_mip_name){(int32_t)column->kind, column->a, column->b, column->c, column->d};
}

static struct iso_mip_name row_name(const struct iso_mip_row *row)
{
    return (struct iso_mip_name){row->kind, row->a, row->b, row->c, row->d};
}

/* The best plan's whole columns, by name. */
static bool name_plan(const struct iso_search *search, struct iso_value_list *plan)
{
    const struct iso_mip *mip = &search->formulation->mip;
    bool ok = true;

    free(plan->items);
    *plan = (struct iso_value_list){0};
    for (int32_t j = 0; j < mip->n_columns && search->has_best && ok; j++) {
        const struct iso_named_value value = {column_name(&mip->columns[j]), search->best[j]};
        if (mip->columns[j].integer && search->best[j] != 0)
            ok = iso_append(&plan->items, &plan->n, sizeof(value), &value);
    }
    return ok;
}

enum iso_status iso_warm_start_end(const struct iso_search *search, struct iso_warm_start *start,
                                   struct iso_error *reterr)
{
    if (!search->past || !search->has_best)
        return ISO_OK;
    if (!name_plan(search, &start->plan))
        return no_memory(reterr);
    return iso_warm_start_keep(search->past, search->problem, start, reterr);
}

/* --- from names to places --- */

/* Places by name: open addressing; 0 is free, otherwise place + 1. */
struct places {
    const struct iso_mip *mip;
    bool rows;
    uint32_t n_slots;
    int32_t *slots;
};

static struct iso_mip_name name_at(const struct places *places, int32_t place)
{
    return places->rows ? row_name(&places->mip->rows[place])
                        : column_name(&places->mip->columns[place]);
}

static uint32_t slot_of(const struct places *places, const struct iso_mip_name *name)
{
    const int32_t parts[] = {name->kind, name->a, name->b, name->c, name->d};
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(parts); i++)
        hash = (hash ^ (uint32_t)parts[i]) * 16777619u;
    hash ^= hash >> 15;
    for (hash &= places->n_slots - 1; places->slots[hash] != 0;
         hash = (hash + 1) & (places->n_slots - 1)) {
        struct iso_mip_name other = name_at(places, places->slots[hash] - 1);
        if (memcmp(&other, name, sizeof(other)) == 0)
            break;
    }
    return hash;
}

static bool places_init(struct places *places, const struct iso_mip *mip, bool rows)
{
    int32_t n = rows ? mip->n_rows : mip->n_columns;

    *places = (struct places){.mip = mip, .rows = rows, .n_slots = 16};
    while (places->n_slots < 2 * (uint32_t)n)
        places->n_slots *= 2;
    places->slots = iso_calloc(places->n_slots, sizeof(*places->slots));
    for (int32_t i = 0; i < n && places->slots; i++) {
        struct iso_mip_name name = name_at(places, i);
        places->slots[slot_of(places, &name)] = i + 1;
    }
    return places->slots;
}

static void places_fini(struct places *places)
{
    free(places->slots);
}

/* -1: there is none. */
static int32_t place_of(const struct places *places, const struct iso_mip_name *name)
{
    return places->slots[slot_of(places, name)] - 1;
}

/* --- beginning --- */

/* Instances that are not listed yet are, if the problem has them. False when memory is short. */
static bool list(struct iso_formulation *f, const struct iso_mip_name *name)
{
    const struct iso_problem *problem = f->problem;

    if (f->complete || name->kind != ISO_COLUMN_USE || name->a >= problem->n_workloads ||
        name->b >= problem->workloads[name->a].n_options || name->c >= problem->n_periods ||
        !f->reduction->options[name->a] || !f->reduction->options[name->a][name->b] ||
        !iso_formulation_useful(f, &problem->workloads[name->a], name->c))
        return true;
    return iso_formulation_list_use(f, name->a, name->b, name->c) >= 0;
}

static bool list_all(struct iso_formulation *f, const struct iso_warm_start *start)
{
    for (int32_t i = 0; i < start->plan.n; i++)
        if (!list(f, &start->plan.items[i].name))
            return false;
    for (int32_t i = 0; i < start->columns_in.n; i++)
        if (!list(f, &start->columns_in.items[i]))
            return false;
    return true;
}

static bool append_places(const struct places *places, const struct iso_name_list *names,
                          int32_t **io_list, int32_t *io_n)
{
    for (int32_t i = 0; i < names->n; i++) {
        int32_t place = place_of(places, &names->items[i]);
        if (place >= 0 && !iso_append(io_list, io_n, sizeof(place), &place))
            return false;
    }
    return true;
}

static enum iso_status offer_plan(struct iso_search *search, const struct places *columns,
                                  const struct iso_warm_start *start, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));

    if (!x)
        return no_memory(reterr);
    for (int32_t i = 0; i < start->plan.n; i++) {
        int32_t j = place_of(columns, &start->plan.items[i].name);
        if (j >= 0)
            x[j] = fmin(start->plan.items[i].value, mip->columns[j].upper);
    }
    return iso_first_plans(search, x, NULL, 1, reterr);
}

enum iso_status iso_warm_start_begin(struct iso_search *search, const struct iso_warm_start *start,
                                     struct iso_error *reterr)
{
    struct places rows __attribute__((cleanup(places_fini))) = {0};
    struct places columns __attribute__((cleanup(places_fini))) = {0};
    struct iso_formulation *f = search->formulation;
    int32_t n_columns = f->mip.n_columns;
    struct iso_simplex_basis *basis = &search->basis;

    if (!list_all(f, start))
        return no_memory(reterr);
    ISO_TRY(iso_search_grow(search, n_columns, reterr));
    if (search->unlisted)
        ISO_TRY(iso_unlisted_see(search->unlisted, reterr));
    if (!places_init(&columns, &f->mip, false) || !places_init(&rows, &f->mip, true) ||
        !append_places(&columns, &start->columns_in, &basis->columns, &basis->n_columns) ||
        !append_places(&rows, &start->rows_out, &basis->rows, &basis->n_rows))
        return no_memory(reterr);
    return offer_plan(search, &columns, start, reterr);
}

/* --- multipliers and the basis --- */

enum iso_status iso_warm_start_snap(const struct iso_search *search,
                                    const struct iso_warm_start *start, double *duals,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct places rows __attribute__((cleanup(places_fini))) = {0};
    ISO_AUTO_MEM double *old = iso_calloc((size_t)mip->n_rows, sizeof(*old));

    if (!old || !places_init(&rows, mip, true))
        return no_memory(reterr);
    for (int32_t i = 0; i < start->duals.n; i++) {
        int32_t place = place_of(&rows, &start->duals.items[i].name);
        if (place >= 0)
            old[place] = start->duals.items[i].value;
    }
    for (int32_t i = 0; i < mip->n_rows; i++)
        if (fabs(duals[i] - old[i]) <= DIGITS * fabs(old[i]))
            duals[i] = old[i];
    return ISO_OK;
}

static bool name_basis(const struct iso_mip *mip, const struct iso_simplex_basis *basis,
                       struct iso_warm_start *start)
{
    bool ok = true;

    for (int32_t i = 0; i < basis->n_columns && ok; i++) {
        struct iso_mip_name name = column_name(&mip->columns[basis->columns[i]]);
        ok = iso_append(&start->columns_in.items, &start->columns_in.n, sizeof(name), &name);
    }
    for (int32_t i = 0; i < basis->n_rows && ok; i++) {
        struct iso_mip_name name = row_name(&mip->rows[basis->rows[i]]);
        ok = iso_append(&start->rows_out.items, &start->rows_out.n, sizeof(name), &name);
    }
    return ok;
}

enum iso_status iso_warm_start_note(const struct iso_search *search, const struct iso_lp *lp,
                                    const double *duals, struct iso_warm_start *start,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_simplex_basis basis __attribute__((cleanup(iso_simplex_basis_fini))) = {0};
    struct iso_warm_start noted = {.known = start->known};
    bool ok = true;

    if (!search->past)
        return ISO_OK;
    ISO_TRY(iso_lp_add_basis(lp, &basis, reterr));
    iso_warm_start_fini(start);
    *start = noted;
    for (int32_t i = 0; i < mip->n_rows && ok; i++) {
        const struct iso_named_value value = {row_name(&mip->rows[i]), duals[i]};
        if (duals[i] != 0)
            ok = iso_append(&start->duals.items, &start->duals.n, sizeof(value), &value);
    }
    return ok && name_basis(mip, &basis, start) ? ISO_OK : no_memory(reterr);
}
