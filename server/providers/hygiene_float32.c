#include <math.h>
#include <stdio.h>

#include "hygiene.h"

#define FLOAT32_DIGITS 9 /* that tell any two float32 apart (IEEE 754: ceil(1 + 24 log10 2)) */
#define DIGITS_SAVED 3   /* less is no proof: many prices have seven digits by themselves */

static int n_digits(iso_decimal value)
{
    int n = 0;

    while (value > 0 && value % 10 == 0)
        value /= 10;
    for (; value > 0; value /= 10)
        n++;
    return n;
}

/* The shortest text that reads as `value` in float32, as a decimal. */
static bool shortest(float value, iso_decimal *ret_decimal)
{
    char text[40];

    for (int n = 1; n <= FLOAT32_DIGITS; n++) {
        snprintf(text, sizeof(text), "%.*g", n, (double)value);
        if (strtof(text, NULL) == value)
            return iso_decimal_from_double(strtod(text, NULL), ret_decimal, NULL) == ISO_OK;
    }
    return false;
}

bool iso_hygiene_float32(iso_decimal price, iso_decimal *ret_meant)
{
    float as_float = (float)iso_decimal_to_double(price);
    iso_decimal meant, back = llround((double)as_float * 1e9);

    if (price <= 0 || back != price || !shortest(as_float, &meant) || meant == price)
        return false;
    if (n_digits(price) < n_digits(meant) + DIGITS_SAVED)
        return false;
    *ret_meant = meant;
    return true;
}
