/* What the files behind glpk_lp.h share: which columns and rows of a program GLPK has, and where.
 */
#ifndef ISOCOST_GLPK_LP_STATE_H
#define ISOCOST_GLPK_LP_STATE_H

#include "glpk_lp.h"

enum iso_lp_place_kind { ISO_PLACE_COLUMN, ISO_PLACE_ARTIFICIAL, ISO_PLACE_BUNDLE };

/* What one of GLPK's columns stands for. */
struct iso_lp_place {
    enum iso_lp_place_kind kind;
    int32_t index; /* column or row of the mip, or bundle */
};

struct iso_lp_bundle {
    int32_t purchase; /* column */
    int32_t place;    /* GLPK's column */
    int32_t first_part, n_parts;
};

struct glp_prob;

struct iso_lp {
    const struct iso_mip *mip;
    struct glp_prob *prob;
    unsigned generation;
    int32_t n_columns, n_rows; /* of the mip, as last seen */
    int32_t n_places, places_room;
    struct iso_lp_place *places; /* [GLPK column], from 1 on */
    int32_t *place;              /* [mip column]: GLPK's column, 0 = inactive */
    int32_t n_artificials;
    int32_t *artificial;      /* [mip row]: GLPK's artificial column, 0 = none */
    double *artificial_costs; /* [mip row]: a unit; NULL = artificial columns are out */
    int32_t *row_place;       /* [mip row]: GLPK's row, 0 = not loaded */
    uint8_t *young;           /* [mip row]: loaded after columns that have an entry in it */
    int32_t *instances; /* [mip row]: of cover links, the column that counts them; -1 = none, -2 =
                         * several */
    int32_t *partner;   /* [mip column]: the instances that a coverage column covers, or -1 */
    uint8_t *dissolved; /* [mip row]: a cover link that partners make superfluous */
    double *sum;        /* [mip row]: scratch, 0 in between */
    bool any_young;
    int32_t period; /* the one that it is about, -1 = all */
    bool patient;   /* some rows wait until a point breaks them (glpk_rows.c) */
    int32_t scratch_room;
    int *rows; /* scratch for one column */
    double *coefficients;
    bool precise; /* points keep their rows to PRECISE */
    bool fresh;   /* not solved since it was made */
    bool foreign; /* its basis comes from another program and has not been gone on from yet */
    bool grown;   /* has new columns since the last solve: its basis is primal feasible */
    int32_t n_bundles, n_parts;
    struct iso_lp_bundle *bundles;
    struct iso_lp_part *parts;
    int32_t *purchase_row; /* [mip column]: GLPK's row that holds bundles down to it, 0 = none */
};

/* Room for everything that the mip has now. Errors: ISO_E_NOMEM. */
enum iso_status iso_lp_make_room(struct iso_lp *lp, struct iso_error *reterr);

/* Makes partners of the columns from `before` on. */
void iso_lp_find_partners(struct iso_lp *lp, int32_t before);

/* GLPK's next column stands for this; false when memory is short. */
bool iso_lp_take_place(struct iso_lp *lp, enum iso_lp_place_kind kind, int32_t index);

/* Called under the guard: a row, an active column. The latter may leave rows young. */
void iso_lp_load_row(struct iso_lp *lp, int32_t row);
bool iso_lp_load_column(struct iso_lp *lp, int32_t column);

/* Whether a row is of the periods that the program is about. */
bool iso_lp_row_counts(const struct iso_lp *lp, int32_t row);

/* Whether a row waits until a point breaks it. */
bool iso_lp_row_waits(const struct iso_lp *lp, int32_t row);

/* Called under the guard, after a solve: loads the rows that wait and that the point breaks, all
 * that wait when `all`. Gives their number, -1 when memory is short. */
int32_t iso_lp_load_broken(struct iso_lp *lp, bool all);

/* Called under the guard: an artificial column for a loaded row that does not hold at 0 and has
 * none; false when memory is short. */
bool iso_lp_add_artificial(struct iso_lp *lp, int32_t row);

/* Completes rows that came after columns of theirs. */
void iso_lp_complete_rows(struct iso_lp *lp);

/* Objective of what a place stands for, artificial columns aside. */
double iso_lp_place_objective(const struct iso_lp *lp, struct iso_lp_place place);

#endif
