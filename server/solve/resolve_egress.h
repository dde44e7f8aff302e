/* Which tariff of the snapshot prices a pair of places: looked up once for each pair. */
#ifndef ISOCOST_SERVER_RESOLVE_EGRESS_H
#define ISOCOST_SERVER_RESOLVE_EGRESS_H

#include "resolve_internal.h"

/* Zero-initialise; iso_egress_pairs_fini() in the end. */
struct iso_egress_pairs {
    struct iso_egress_pair {
        bool used;
        int32_t from, to;
        const struct iso_egress_tariff *tariff; /* NULL: none covers it */
    } * slots; /* heap; open addressing, n_slots is a power of two */
    size_t n_slots, n;
};

/* The tariff of a pair, or NULL. Errors: ISO_E_NOMEM. */
enum iso_status iso_egress_pairs_find(struct iso_egress_pairs *pairs, const struct iso_resolve *r,
                                      int32_t from, int32_t to, const char *from_name,
                                      const char *to_name,
                                      const struct iso_egress_tariff **ret_tariff,
                                      struct iso_error *reterr);

/* Tells where the prices of the pairs are from (r->out->egress_notes), and what is wrong with
 * steps. */
enum iso_status iso_egress_pairs_tell(const struct iso_egress_pairs *pairs, struct iso_resolve *r,
                                      struct iso_error *reterr);

static inline void iso_egress_pairs_fini(struct iso_egress_pairs *pairs)
{
    free(pairs->slots);
}

#endif
