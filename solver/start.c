/* Plans to start from: one that was given, and what runs today, kept on through all periods. They
 * are rounded, filled up and mended like any other first plan (incumbent.c), so it does not matter
 * whether they keep the rules. */
#include <stdlib.h>

#include "search.h"

static int by_place(const void *left, const void *right)
{
    const struct iso_use *a = left, *b = right;
    const int32_t keys[][2] = {
        {a->workload, b->workload}, {a->offering, b->offering}, {a->period, b->period}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

/* The point of the formulation in which the uses (by place) run and the purchases are made. */
static void place(const struct iso_formulation *f, const struct iso_use *uses, int32_t n_uses,
                  const struct iso_start_point *start, double *x)
{
    for (int32_t j = 0; j < f->mip.n_columns; j++) {
        const struct iso_mip_column *column = &f->mip.columns[j];
        x[j] = 0;
        if (column->kind == ISO_COLUMN_USE) {
            const struct iso_use key = {
                column->a, f->problem->workloads[column->a].options[column->b].offering, column->c,
                0};
            const struct iso_use *use =
                bsearch(&key, uses, (size_t)n_uses, sizeof(*uses), by_place);
            x[j] = use ? (double)use->count : 0;
        }
        for (int32_t i = 0; i < start->n_purchases && column->kind == ISO_COLUMN_BUY; i++)
            if (start->purchases[i].product == column->a && start->purchases[i].start == column->b)
                x[j] = (double)start->purchases[i].quantity;
        if (x[j] > column->upper)
            x[j] = column->upper;
    }
}

static enum iso_status try_point(struct iso_search *search, struct iso_use *uses, int32_t n_uses,
                                 const struct iso_start_point *start, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(*x));

    if (!x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan to start from");
    if (n_uses > 0)
        qsort(uses, (size_t)n_uses, sizeof(*uses), by_place);
    place(search->formulation, uses, n_uses, start, x);
    return iso_first_plans(search, x, NULL, 1, reterr);
}

/* What runs today, in every period. Pools are left out: what their instances hold is not known. */
static enum iso_status try_today(struct iso_search *search, struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_start_point nothing = {0};
    size_t n = (size_t)problem->moves.n_current * (size_t)problem->n_periods;
    ISO_AUTO_MEM struct iso_use *uses = iso_calloc(n, sizeof(*uses));
    int32_t n_uses = 0;

    if (!uses)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan to start from");
    for (int32_t i = 0; i < problem->moves.n_current; i++) {
        const struct iso_current *current = &problem->moves.current[i];
        for (int32_t t = 0; t < problem->n_periods && current->cell < problem->n_workloads; t++)
            uses[n_uses++] = (struct iso_use){current->cell, current->offering, t, current->count};
    }
    return try_point(search, uses, n_uses, &nothing, reterr);
}

enum iso_status iso_start_plans(struct iso_search *search, struct iso_error *reterr)
{
    const struct iso_start_point *start = &search->problem->start;
    ISO_AUTO_MEM struct iso_use *uses = iso_calloc((size_t)start->n_uses, sizeof(*uses));

    if (!uses)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan to start from");
    for (int32_t i = 0; i < start->n_uses; i++)
        uses[i] = start->uses[i];
    if (start->n_uses + start->n_purchases > 0)
        ISO_TRY(try_point(search, uses, start->n_uses, start, reterr));
    return search->problem->moves.n_current > 0 ? try_today(search, reterr) : ISO_OK;
}
