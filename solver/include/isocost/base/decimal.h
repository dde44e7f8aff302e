/* Decimals: every amount of money, quantity, performance, rate and share in the contract and
 * in the store is an integer count of 1e-9, so sums are exact and order does not matter.
 *
 * Range: [-9223372036.854775807, 9223372036.854775807]. Products are formed in 128 bits and
 * rounded once, half to even. */
#ifndef ISOCOST_BASE_DECIMAL_H
#define ISOCOST_BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"

typedef int64_t iso_decimal;             /* in units of 1e-9 */
__extension__ typedef __int128 iso_wide; /* sums and products of decimals */

#define ISO_DECIMAL_ONE ((iso_decimal)1000000000)
#define ISO_DECIMAL_MAX INT64_MAX
#define ISO_DECIMAL_PLACES 9
#define ISO_DECIMAL_TEXT_SIZE 24 /* bytes that iso_decimal_format() may write, NUL included */

enum iso_round {
    ISO_ROUND_HALF_EVEN,
    ISO_ROUND_DOWN,
    ISO_ROUND_UP
}; /* DOWN: to -inf; UP: to +inf */

/* Reads "12", "-0.5", "1e-3". Errors: ISO_E_INVALID (field "") when it is not a finite decimal
 * number, has more than 9 places after the point, or is out of range. */
ISO_EXPORT enum iso_status iso_decimal_parse(const char *text, iso_decimal *ret_value,
                                             struct iso_error *reterr);

/* Takes a binary64 from the wire: its shortest text that reads back equal must have at most 9
 * places. Errors: ISO_E_INVALID for NaN, infinities, more places, or out of range. */
ISO_EXPORT enum iso_status iso_decimal_from_double(double value, iso_decimal *ret_value,
                                                   struct iso_error *reterr);

/* Nearest binary64. */
ISO_EXPORT double iso_decimal_to_double(iso_decimal value);

/* Writes the shortest exact text ("0.5", "850", "-0.000000001") and returns `buffer`. */
ISO_EXPORT char *iso_decimal_format(iso_decimal value, char buffer[ISO_DECIMAL_TEXT_SIZE]);

/* numerator / denominator as a quotient rounded as asked. denominator > 0. */
ISO_EXPORT iso_wide iso_wide_divide(iso_wide numerator, iso_wide denominator, enum iso_round round);

/* Narrows; returns false (and leaves *ret_value alone) when out of range. */
static inline bool iso_wide_to_decimal(iso_wide value, iso_decimal *ret_value)
{
    if (value > (iso_wide)ISO_DECIMAL_MAX || value < -(iso_wide)ISO_DECIMAL_MAX)
        return false;
    *ret_value = (iso_decimal)value;
    return true;
}

/* a * b, rounded once; saturation is not silent: returns false when out of range. */
ISO_EXPORT bool iso_decimal_multiply(iso_decimal a, iso_decimal b, enum iso_round round,
                                     iso_decimal *ret_value);

/* a / b, rounded once; b != 0. Returns false when out of range. */
ISO_EXPORT bool iso_decimal_divide(iso_decimal a, iso_decimal b, enum iso_round round,
                                   iso_decimal *ret_value);

/* The product of up to four decimals, formed exactly (256 bits inside) and rounded once, half
 * to even: a line's cost is price * quantity * hours * rate. Returns false when out of range. */
ISO_EXPORT bool iso_decimal_product(const iso_decimal *factors, int n_factors,
                                    iso_decimal *ret_value);

#endif
