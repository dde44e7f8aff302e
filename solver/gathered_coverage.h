/* Coverage gathered: in a small program one column stands for all that a product covers in a
 * period.
 *
 * Let product c cover v_k of the instances behind link k, each using nu_k of it:
 *
 *     v_k <= s_k,   s_k = instances behind k less what other products cover of them,
 *     sum_k nu_k v_k <= K.
 *
 * Where a unit of c is worth the same everywhere (all entries of v_k other than in its link, and
 * its objective, are nu_k times those of one column), only w = sum_k nu_k v_k matters. What w can
 * be is exactly 0 <= w <= sum_k nu_k s_k as long as s_k >= 0: any such w is dealt out link by link.
 * So n columns and the links' say in them become one column and one row. A link is dealt out by one
 * product only; coverage by others stays as it is and in s_k. */
#ifndef ISOCOST_GATHERED_COVERAGE_H
#define ISOCOST_GATHERED_COVERAGE_H

#include "mip.h"

struct iso_gathered {
    int32_t commit_row; /* of the product and period */
    int32_t n_members;
    int32_t model; /* the column of coverage that the others are multiples of */
    double use;    /* nu of the model */
};

struct iso_gathering {
    const struct iso_mip *mip;
    int32_t n_groups, n_claimed;
    struct iso_gathered *groups;
    int32_t *group_of_row; /* n_rows: of a commit row its group, or -1 */
    int32_t *claim;        /* n_rows: of a link the group that deals it out, or -1 */
    int32_t *claimed;      /* the links that are dealt out */
    int32_t *member;       /* of each claimed link: the column of coverage */
    double *use;           /* n_rows: nu_k of a link that is dealt out */
    uint8_t *is_open;      /* n_rows flags: a link with coverage that is not gathered */
};

/* Errors: ISO_E_NOMEM. To be freed by iso_gathering_fini() also then. */
enum iso_status iso_gathering_init(struct iso_gathering *gathering, const struct iso_mip *mip,
                                   struct iso_error *reterr);
void iso_gathering_fini(struct iso_gathering *gathering);

/* Groups the coverage among n columns; groups of one are left alone. */
void iso_gathering_look(struct iso_gathering *gathering, const int32_t *columns, int32_t n);

/* Whether a column is gathered: of those that were looked at. */
bool iso_gathering_has(const struct iso_gathering *gathering, int32_t column);

#endif
