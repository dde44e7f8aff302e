#include "number.h"

#include <math.h>

/* Below 2^22 the doubles lie so close that at most one multiple of 1e-9 reads back as `value`, so
 * whichever is found is the shortest text's value. */
#define CLOSE 4194304.0

enum iso_status iso_number_read(double value, iso_decimal *ret_value, struct iso_error *reterr)
{
    if (fabs(value) < CLOSE) {
        double scaled = nearbyint(value * 1e9); /* may be off by one; then the slow way decides */
        if (scaled / 1e9 == value && fabs(scaled) < 9007199254740992.0) {
            *ret_value = (iso_decimal)scaled;
            return ISO_OK;
        }
    }
    return iso_decimal_from_double(value, ret_value, reterr);
}

iso_decimal iso_number(double value)
{
    iso_decimal number = 0;

    return iso_number_read(value, &number, NULL) == ISO_OK ? number : 0;
}
