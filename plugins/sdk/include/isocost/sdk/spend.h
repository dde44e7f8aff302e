/* Commitments of money an hour, as clouds price them: a rate in the place of the price, for each
 * type and region that a plan covers.
 *
 * What an instance uses of a plan is its rate, so its share of the on-demand price, which a product
 * wants, is rate / price. Types of a region with equal shares become one rate of the product. */
#ifndef ISOCOST_SDK_SPEND_H
#define ISOCOST_SDK_SPEND_H

#include "isocost/plugin.h"

struct iso_spend; /* any number of plans */

/* One plan; copied. */
struct iso_spend_plan {
    const char *id, *provider, *display_name, *source, *currency; /* required */
    int64_t term_hours;                                           /* > 0 */
    iso_decimal lot;           /* money an hour in one lot, > 0 */
    iso_decimal upfront_share; /* of the whole term, paid once: in [0, 1] */
};

struct iso_spend *iso_spend_new(void);        /* NULL when memory is short */
void iso_spend_free(struct iso_spend *spend); /* accepts NULL */
ISO_DEFINE_FREEP(iso_spend)

/* Adds what a type costs under the plan of that id, which is made by the first call. Linux only.
 * Errors: ISO_E_INVALID when the share is not in (0, 1], ISO_E_NOMEM. */
enum iso_status iso_spend_add(struct iso_spend *spend, const struct iso_spend_plan *plan,
                              const char *region, const char *type, iso_decimal price,
                              iso_decimal rate, struct iso_error *reterr);

/* Sends the plans as products; one that is too large for a row is told as a diagnostic instead.
 * Errors: those of the sink; ISO_E_NOMEM. */
enum iso_status iso_spend_send(const struct iso_spend *spend, struct iso_sink *sink,
                               struct iso_error *reterr);

#endif
