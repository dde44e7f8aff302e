/* Moves of commitments: one unit more, one less, or some of one for one of another.
 *
 * With everything else optimal the relaxation says what a move is worth at first order: its cost
 * less lot * sum_t |psi_ct| over its term. Levels are convex in the commitment, so that is an
 * underestimate of the true change. Moves are tried in that order: each level that the term covers
 * is optimised again for the cells that may use the product, and the move is dropped as soon as
 * what it has cost so far is more than the remaining levels can give back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "improve.h"

#define WORTH_TRYING 0.002 /* of the best value: first-order loss up to which a move is tried */
#define LEAST_TRIED 4      /* in a round */
#define PARTNERS 8         /* of each side that are paired */
#define MOVE_COLUMNS 60
#define MOVE_NODES 60
#define MOVE_GAP 0.0005

struct move {
    int32_t more, less; /* columns of purchases; -1 = none */
    double n_less;
    double estimate;
};

static int best_first(const void *left, const void *right)
{
    const struct move *a = left, *b = right;

    if (a->estimate != b->estimate)
        return a->estimate < b->estimate ? -1 : 1;
    if (a->more != b->more)
        return a->more < b->more ? -1 : 1;
    return (a->less > b->less) - (a->less < b->less);
}

/* Moves of one purchase, by estimate; gives their number. `up`: one more. */
static int32_t single_moves(const struct iso_improver *improver, bool up, struct move *ret_moves)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    double most = WORTH_TRYING * fabs(improver->search->best_value);
    int32_t n = 0;

    for (int32_t i = 0; i < improver->followers.n_purchases; i++) {
        int32_t j = improver->followers.purchases[i];
        double reduced_cost = improver->blocks.reduced_cost[j];
        double estimate = up ? reduced_cost : -reduced_cost;
        bool possible = up ? improver->n.x[j] + 1 <= mip->columns[j].upper : improver->n.x[j] >= 1;
        if (possible && estimate < most)
            ret_moves[n++] =
                (struct move){.more = up ? j : -1, .less = up ? -1 : j, .n_less = 1, estimate};
    }
    qsort(ret_moves, (size_t)n, sizeof(*ret_moves), best_first);
    return n;
}

/* How many units of `less` one of `more` stands for, by what both are worth at the multipliers. */
static double exchange(const struct iso_improver *improver, int32_t more, int32_t less)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    double worth_more = mip->objective[more] - improver->blocks.reduced_cost[more];
    double worth_less = mip->objective[less] - improver->blocks.reduced_cost[less];

    return worth_less > 0 && worth_more > worth_less ? round(worth_more / worth_less) : 1;
}

static bool share_a_cell(const struct iso_problem *problem, int32_t c, int32_t other)
{
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++)
        if (problem->products[c].cells[cell] && problem->products[other].cells[cell])
            return true;
    return false;
}

/* All moves that are worth trying, best estimate first; gives their number. */
static int32_t find_moves(const struct iso_improver *improver, struct move *moves)
{
    const struct iso_formulation *f = improver->search->formulation;
    int32_t n_more = single_moves(improver, true, moves);
    int32_t n = n_more + single_moves(improver, false, moves + n_more), n_single = n;

    for (int32_t i = 0; i < n_more && i < PARTNERS; i++)
        for (int32_t k = n_more; k < n_single && k < n_more + PARTNERS; k++) {
            struct move move = {.more = moves[i].more, .less = moves[k].less};
            move.n_less = exchange(improver, move.more, move.less);
            move.estimate = moves[i].estimate + move.n_less * moves[k].estimate;
            if (move.more != move.less && improver->n.x[move.less] >= move.n_less &&
                share_a_cell(f->problem, f->mip.columns[move.more].a, f->mip.columns[move.less].a))
                moves[n++] = move;
        }
    qsort(moves, (size_t)n, sizeof(*moves), best_first);
    return n;
}

static bool in_term(const struct iso_improver *improver, int32_t column, int32_t period)
{
    const struct iso_formulation *f = improver->search->formulation;

    if (column < 0)
        return false;
    const struct iso_mip_column *c = &f->mip.columns[column];
    return f->problem->products[c->a].starts[c->b].window[period];
}

/* What the relaxation expects a level to change by. */
static double expected(const struct iso_improver *improver, const struct move *move, int32_t period)
{
    const struct iso_formulation *f = improver->search->formulation;
    double change = 0;

    for (int side = 0; side < 2; side++) {
        int32_t column = side == 0 ? move->more : move->less;
        if (!in_term(improver, column, period))
            continue;
        int32_t c = f->mip.columns[column].a;
        double worth = -improver->duals[iso_formulation_commit_row(f, c, period)] *
                       iso_value(f->problem->products[c].lot);
        change += side == 0 ? -worth : move->n_less * worth;
    }
    return change;
}

/* Frees the blocks of a level that may use what moves. */
static void free_level(struct iso_improver *improver, const struct move *move, int32_t period)
{
    const struct iso_formulation *f = improver->search->formulation;
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n_cells = 0;

    iso_neighbourhood_clear(&improver->n);
    for (int pass = 0; pass < 2; pass++)
        for (int32_t cell = 0; cell < blocks->n_cells; cell++) {
            int32_t b = cell * blocks->n_periods + period;
            bool uses = false;
            for (int side = 0; side < 2; side++) {
                int32_t column = side == 0 ? move->more : move->less;
                uses |= in_term(improver, column, period) &&
                        f->problem->products[f->mip.columns[column].a].cells[cell];
            }
            if (!uses || blocks->first[b] == blocks->first[b + 1])
                continue;
            if (pass == 0)
                n_cells++;
            else
                iso_improver_free_block(improver, b, MOVE_COLUMNS / n_cells, INFINITY);
        }
    iso_followers_free(&improver->followers, &improver->n);
}

/* Carries a move out on the point at hand; *ret_change is what it changes, INFINITY when some level
 * has no point or it costs too much. */
static enum iso_status carry_out(struct iso_improver *improver, const struct move *move,
                                 double *ret_change, struct iso_error *reterr)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    struct iso_neighbourhood *n = &improver->n;
    struct iso_mip_limits limits = iso_improver_limits(improver, MOVE_GAP, 1, MOVE_NODES);
    double change = 0, to_come = 0;

    for (int32_t t = 0; t < improver->blocks.n_periods; t++)
        to_come += expected(improver, move, t);
    if (move->more >= 0) {
        iso_neighbourhood_set(n, move->more, n->x[move->more] + 1);
        change += mip->objective[move->more];
    }
    if (move->less >= 0) {
        iso_neighbourhood_set(n, move->less, n->x[move->less] - move->n_less);
        change -= move->n_less * mip->objective[move->less];
    }
    iso_followers_look(&improver->followers, n);
    for (int32_t t = 0; t < improver->blocks.n_periods; t++) {
        bool found, solved;
        if (!in_term(improver, move->more, t) && !in_term(improver, move->less, t))
            continue;
        to_come -= expected(improver, move, t);
        free_level(improver, move, t);
        double before = iso_neighbourhood_value(n);
        ISO_TRY(iso_neighbourhood_solve(n, before - change - to_come, &limits, &found, &solved,
                                        reterr));
        if (!found) {
            *ret_change = INFINITY;
            return ISO_OK;
        }
        change += iso_neighbourhood_value(n) - before;
    }
    *ret_change = change;
    return ISO_OK;
}

static void mark_changed(struct iso_improver *improver)
{
    improver->clock++;
    for (int32_t b = 0; b < improver->blocks.n_blocks; b++)
        improver->changed[b] = improver->clock;
}

enum iso_status iso_move_commitments(struct iso_improver *improver, struct iso_error *reterr)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    size_t n_purchases = (size_t)improver->followers.n_purchases;
    ISO_AUTO_MEM struct move *moves =
        iso_calloc(2 * n_purchases + (size_t)PARTNERS * PARTNERS, sizeof(*moves));
    ISO_AUTO_MEM double *before = iso_calloc((size_t)mip->n_columns, sizeof(*before));
    double least = 1e-7 * (1 + fabs(improver->search->best_value));

    if (!moves || !before)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to move commitments");
    int32_t n = find_moves(improver, moves);
    bool gained = false;
    for (int32_t i = 0; i < n && i < improver->n_moves && !iso_search_stops(improver->search);
         i++) {
        double change;
        if (moves[i].less >= 0 && improver->n.x[moves[i].less] < moves[i].n_less)
            continue; /* an earlier move took it */
        memcpy(before, improver->n.x, (size_t)mip->n_columns * sizeof(*before));
        ISO_TRY(carry_out(improver, &moves[i], &change, reterr));
        if (change < -least) {
            improver->gain -= change;
            gained = true;
            mark_changed(improver);
        } else {
            iso_neighbourhood_move(&improver->n, before);
        }
    }
    iso_followers_look(&improver->followers, &improver->n);
    improver->n_moves = gained ? ISO_MOVES_A_ROUND : improver->n_moves / 4;
    if (improver->n_moves < LEAST_TRIED)
        improver->n_moves = LEAST_TRIED;
    return ISO_OK;
}
