/* A real number known up to an error: the truth lies in [value - 2 error, value + 2 error].
 *
 * Each operation adds its own rounding (at most LDBL_EPSILON of its result) to `error`. The errors
 * are themselves sums of positive rounded numbers, good to a relative n * LDBL_EPSILON after n
 * operations; the factor 2 covers that for any n below 2^60. */
#ifndef ISOCOST_VERIFY_BOUNDED_H
#define ISOCOST_VERIFY_BOUNDED_H

#include <float.h>
#include <math.h>

#include "isocost/base/decimal.h"

struct iso_bounded {
    long double value, error;
};

/* A double, taken as exact. */
static inline struct iso_bounded iso_bounded_exact(double value)
{
    return (struct iso_bounded){value, 0};
}

static inline struct iso_bounded iso_bounded_decimal(iso_decimal decimal)
{
    long double value = (long double)decimal / 1e9L;
    return (struct iso_bounded){value, 2 * LDBL_EPSILON * fabsl(value)};
}

static inline struct iso_bounded iso_bounded_add(struct iso_bounded a, struct iso_bounded b)
{
    long double value = a.value + b.value;
    return (struct iso_bounded){value, a.error + b.error + LDBL_EPSILON * fabsl(value)};
}

static inline struct iso_bounded iso_bounded_subtract(struct iso_bounded a, struct iso_bounded b)
{
    return iso_bounded_add(a, (struct iso_bounded){-b.value, b.error});
}

static inline struct iso_bounded iso_bounded_multiply(struct iso_bounded a, struct iso_bounded b)
{
    long double value = a.value * b.value;
    return (struct iso_bounded){value, fabsl(a.value) * b.error + fabsl(b.value) * a.error +
                                           a.error * b.error + LDBL_EPSILON * fabsl(value)};
}

/* b must be surely above 0. */
static inline struct iso_bounded iso_bounded_divide(struct iso_bounded a, struct iso_bounded b)
{
    long double value = a.value / b.value, least = b.value - 2 * b.error;
    return (struct iso_bounded){value, (a.error + fabsl(value) * b.error) / least +
                                           LDBL_EPSILON * fabsl(value)};
}

/* decimal * number. */
static inline struct iso_bounded iso_bounded_scale(iso_decimal decimal, struct iso_bounded number)
{
    return iso_bounded_multiply(iso_bounded_decimal(decimal), number);
}

/* Surely not above the truth. */
static inline long double iso_bounded_low(struct iso_bounded a)
{
    return a.value - 2 * a.error;
}

/* Surely not below the truth. */
static inline long double iso_bounded_high(struct iso_bounded a)
{
    return a.value + 2 * a.error;
}

#endif
