/* What a plan has committed to, as purses that instances of pools draw on: see purses.c. */
#ifndef ISOCOST_PURSES_H
#define ISOCOST_PURSES_H

#include "search.h"

/* How one instance behind a LINK_COVER row is covered. */
struct iso_coverage {
    int32_t commit; /* row of the product in the period; -1 = nothing covers it */
    double use;     /* units of it, > 0 */
    double saving;  /* what coverage takes off the price of the instance */
};

struct iso_purses {
    struct iso_coverage *cover; /* n_rows: of links */
    double *price;              /* n_rows: multiplier of a unit of a COMMIT row, >= 0 */
    double *room;               /* n_rows: units that are left of a COMMIT row; may be below 0 */
    double *behind;             /* scratch: n_rows */
    int32_t n_rows;
};

/* For the rows at hand; where several products cover an instance, the one that saves most beyond
 * its multiplier. Errors: ISO_E_NOMEM. To be freed by iso_purses_fini() also then. */
enum iso_status iso_purses_init(struct iso_purses *purses, const struct iso_search *search,
                                const double *duals, struct iso_error *reterr);
void iso_purses_fini(struct iso_purses *purses);

/* Sets the rooms to what is held and bought in a point (of n_columns values; purchases are rounded
 * up) less what its instances use, but for those of a team's pool; a team of -1 leaves none out. */
void iso_purses_open(struct iso_purses *purses, const struct iso_search *search,
                     const double *point, int32_t team);

/* What an instance of a price behind a link costs now: coverage that there is room for is charged
 * at its multiplier, or at a little where that is less. */
double iso_purses_charge(const struct iso_purses *purses, int32_t link, double price);

#endif
