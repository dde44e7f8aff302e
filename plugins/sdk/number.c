#include "isocost/sdk/number.h"

#include <ctype.h>
#include <strings.h>

#define MAX_DIGITS 27 /* of a number that is rounded; 128 bits hold them and more */

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

/* digits * 10^exponent billionths, rounded half to even; false when out of range. */
static bool scaled(iso_wide digits, int64_t exponent, iso_decimal *ret_value)
{
    iso_wide power = 1;

    if (exponent < -MAX_DIGITS)
        digits = 0; /* less than a tenth of a billionth */
    for (; exponent > 0 && digits != 0; exponent--)
        if (__builtin_mul_overflow(digits, (iso_wide)10, &digits))
            return false;
    for (; exponent < 0 && digits != 0; exponent++)
        power *= 10;
    return iso_wide_to_decimal(iso_wide_divide(digits, power, ISO_ROUND_HALF_EVEN), ret_value);
}

/* [sign] digits [. digits] [e [sign] digits]; digits beyond MAX_DIGITS cannot change the ninth
 * place of a number in range by more than the rounding does. */
static bool read_long(const char *text, iso_decimal *ret_value)
{
    bool negative = *text == '-', point = false, any = false;
    iso_wide digits = 0;
    int64_t exponent = ISO_DECIMAL_PLACES, n_digits = 0;
    char *end;

    text += *text == '-' || *text == '+';
    for (; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        any = true;
        if (n_digits < MAX_DIGITS) {
            digits = digits * 10 + (*text - '0');
            n_digits += digits != 0;
            exponent -= point;
        } else {
            exponent += !point;
        }
    }
    if (any && (*text == 'e' || *text == 'E')) {
        long power = strtol(text + 1, &end, 10);
        if (end == text + 1 || power < -1000 || power > 1000)
            return false;
        exponent += power;
        text = end;
    }
    return any && !*text && scaled(negative ? -digits : digits, exponent, ret_value);
}

enum iso_number iso_number_read_rounded(const char *text, struct iso_amount *ret_amount,
                                        struct iso_error *reterr)
{
    struct iso_error exact = {0};
    enum iso_number how = iso_number_read(text, ret_amount, &exact);
    iso_decimal value;

    if (how == ISO_NUMBER_INVALID && read_long(text, &value)) {
        *ret_amount = (struct iso_amount){.present = true, .value = value};
        return ISO_NUMBER_READ;
    }
    if (exact.status != ISO_OK)
        iso_fail(reterr, exact.status, "", "%s", exact.text);
    return how;
}

struct iso_price_fault iso_price_fault_of(enum iso_number how, const struct iso_error *error)
{
    if (how == ISO_NUMBER_MISSING)
        return (struct iso_price_fault){"missing_price", "no price; that is not a price of 0"};
    return (struct iso_price_fault){
        how == ISO_NUMBER_NON_FINITE ? "non_finite_price" : "invalid_price", error->text};
}

struct iso_amount iso_amount_multiply(struct iso_amount a, struct iso_amount b)
{
    struct iso_amount amount = {a.present && b.present, 0};

    amount.present = amount.present &&
                     iso_decimal_multiply(a.value, b.value, ISO_ROUND_HALF_EVEN, &amount.value);
    return amount;
}

struct iso_amount iso_amount_divide(struct iso_amount amount, iso_decimal by)
{
    amount.present =
        amount.present && iso_decimal_divide(amount.value, by, ISO_ROUND_HALF_EVEN, &amount.value);
    return amount;
}
