#include "isocost/sdk/number.h"

#include <strings.h>

static bool is_one_of(const char *text, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

enum iso_number iso_number_read(const char *text, struct iso_amount *ret_amount,
                                struct iso_error *reterr)
{
    static const char *const for_nothing[] = {"", "null", "none", "n/a", "-"};
    static const char *const non_finite[] = {"nan", "inf", "infinity"};
    iso_decimal value;

    if (!text || is_one_of(text, for_nothing, ISO_ARRAY_LENGTH(for_nothing))) {
        *ret_amount = (struct iso_amount){0};
        return ISO_NUMBER_MISSING;
    }
    if (is_one_of(text + strspn(text, "+-"), non_finite, ISO_ARRAY_LENGTH(non_finite))) {
        iso_fail(reterr, ISO_E_INVALID, "", "%.64s is not a finite number", text);
        return ISO_NUMBER_NON_FINITE;
    }
    if (iso_decimal_parse(text, &value, reterr) != ISO_OK)
        return ISO_NUMBER_INVALID;
    *ret_amount = (struct iso_amount){.present = true, .value = value};
    return ISO_NUMBER_READ;
}
