/* Numbers as people and exporters write them. */
#ifndef ISOCOST_SDK_NUMBER_H
#define ISOCOST_SDK_NUMBER_H

#include "isocost/plugin.h"

enum iso_number {
    ISO_NUMBER_READ,       /* *ret_amount is present */
    ISO_NUMBER_MISSING,    /* nothing, or a word for nothing; *ret_amount is absent */
    ISO_NUMBER_NON_FINITE, /* NaN or an infinity */
    ISO_NUMBER_INVALID,    /* anything else, more than 9 places, or out of range */
};

/* Reads a decimal number; NULL, "", "null", "none", "n/a" and "-" are missing. *ret_amount is
 * written when read or missing, *reterr when not. Thousands separators and currency signs are
 * refused: what they mean depends on the country. */
enum iso_number iso_number_read(const char *text, struct iso_amount *ret_amount,
                                struct iso_error *reterr);

/* The same, but places after the ninth are rounded, half to even: for costs, which sources compute
 * and write with as many places as they have. A price is read exactly. */
enum iso_number iso_number_read_rounded(const char *text, struct iso_amount *ret_amount,
                                        struct iso_error *reterr);

/* Why a price that was not read is none, as a diagnostic tells it. `text` is of *error, or static.
 */
struct iso_price_fault {
    const char *code; /* missing_price, non_finite_price or invalid_price */
    const char *text;
};
struct iso_price_fault iso_price_fault_of(enum iso_number how, const struct iso_error *error);

/* The product and the quotient by what is not 0, rounded half to even; absent when an operand is,
 * or out of range. */
struct iso_amount iso_amount_multiply(struct iso_amount a, struct iso_amount b);
struct iso_amount iso_amount_divide(struct iso_amount amount, iso_decimal by);

#endif
