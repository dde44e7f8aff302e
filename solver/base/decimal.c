#include "isocost/base/decimal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_DIGITS 40 /* digits kept while reading; more are refused */

static enum iso_status not_a_decimal(const char *text, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_INVALID, "", "\"%.64s\" is not a decimal number", text);
}

/* Scales `digits` (an integer) by 10^exponent into units of 1e-9. */
static enum iso_status scale(const char *text, iso_wide digits, long exponent, bool negative,
                             iso_decimal *ret_value, struct iso_error *reterr)
{
    for (exponent += ISO_DECIMAL_PLACES; exponent < 0 && digits % 10 == 0 && digits != 0;
         exponent++)
        digits /= 10;
    if (exponent < 0 && digits != 0)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "%.64s has more than 9 places after the decimal point", text);
    for (; exponent > 0 && digits != 0; exponent--) {
        digits *= 10;
        if (digits > (iso_wide)ISO_DECIMAL_MAX)
            break;
    }
    if (digits > (iso_wide)ISO_DECIMAL_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "%.64s is out of range; at most 9223372036.854775807 is allowed", text);
    *ret_value = (iso_decimal)(negative ? -digits : digits);
    return ISO_OK;
}

enum iso_status iso_decimal_parse(const char *text, iso_decimal *ret_value,
                                  struct iso_error *reterr)
{
    const char *next = text;
    bool negative = *next == '-', seen = false, point = false;
    iso_wide digits = 0;
    long exponent = 0, written = 0;
    int n_digits = 0;

    if (*next == '-' || *next == '+')
        next++;
    for (; isdigit((unsigned char)*next) || (*next == '.' && !point); next++) {
        if (*next == '.') {
            point = true;
            continue;
        }
        seen = true;
        if (digits == 0 && *next == '0') {
            exponent -= point;
            continue;
        }
        if (++n_digits > MAX_DIGITS - 3)
            return iso_fail(reterr, ISO_E_INVALID, "", "\"%.64s\" has too many digits", text);
        digits = digits * 10 + (*next - '0');
        exponent -= point;
    }
    if (!seen)
        return not_a_decimal(text, reterr);
    if (*next == 'e' || *next == 'E') {
        char *end;
        written = strtol(next + 1, &end, 10);
        if (end == next + 1 || isspace((unsigned char)next[1]) || written > 1000 || written < -1000)
            return not_a_decimal(text, reterr);
        next = end;
    }
    if (*next != '\0')
        return not_a_decimal(text, reterr);
    return scale(text, digits, exponent + written, negative, ret_value, reterr);
}

enum iso_status iso_decimal_from_double(double value, iso_decimal *ret_value,
                                        struct iso_error *reterr)
{
    char text[40];

    if (!isfinite(value))
        return iso_fail(reterr, ISO_E_INVALID, "", "%s is not a finite number",
                        isnan(value) ? "NaN"
                        : value > 0  ? "Infinity"
                                     : "-Infinity");
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return iso_decimal_parse(text, ret_value, reterr);
}

double iso_decimal_to_double(iso_decimal value)
{
    return (double)value / 1e9;
}

char *iso_decimal_format(iso_decimal value, char buffer[ISO_DECIMAL_TEXT_SIZE])
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int n = snprintf(buffer, ISO_DECIMAL_TEXT_SIZE, "%s%llu.%09llu", value < 0 ? "-" : "",
                     (unsigned long long)(magnitude / 1000000000u),
                     (unsigned long long)(magnitude % 1000000000u));

    while (buffer[n - 1] == '0')
        buffer[--n] = '\0';
    if (buffer[n - 1] == '.')
        buffer[n - 1] = '\0';
    return buffer;
}

iso_wide iso_wide_divide(iso_wide numerator, iso_wide denominator, enum iso_round round)
{
    iso_wide quotient = numerator / denominator, rest = numerator % denominator;

    if (rest < 0) { /* make it a floor division: 0 <= rest < denominator */
        quotient--;
        rest += denominator;
    }
    if (rest == 0 || round == ISO_ROUND_DOWN)
        return quotient;
    if (round == ISO_ROUND_UP)
        return quotient + 1;
    iso_wide other = denominator - rest;
    bool up = rest > other || (rest == other && quotient % 2 != 0);
    return quotient + up;
}

bool iso_decimal_multiply(iso_decimal a, iso_decimal b, enum iso_round round,
                          iso_decimal *ret_value)
{
    return iso_wide_to_decimal(iso_wide_divide((iso_wide)a * b, ISO_DECIMAL_ONE, round), ret_value);
}

bool iso_decimal_divide(iso_decimal a, iso_decimal b, enum iso_round round, iso_decimal *ret_value)
{
    iso_wide numerator = (iso_wide)a * ISO_DECIMAL_ONE;
    return iso_wide_to_decimal(
        iso_wide_divide(b < 0 ? -numerator : numerator, b < 0 ? -(iso_wide)b : b, round),
        ret_value);
}

/* A magnitude of 256 bits as eight 32-bit digits, least significant first. */
struct magnitude {
    uint32_t digits[8];
};

static void multiply_by(struct magnitude *m, uint64_t factor)
{
    uint32_t halves[2] = {(uint32_t)factor, (uint32_t)(factor >> 32)};
    struct magnitude product = {{0}};

    for (int h = 0; h < 2; h++) {
        uint64_t carry = 0;
        for (int i = 0; i + h < 8; i++) {
            uint64_t sum = (uint64_t)m->digits[i] * halves[h] + product.digits[i + h] + carry;
            product.digits[i + h] = (uint32_t)sum;
            carry = sum >> 32;
        }
    }
    *m = product;
}

/* Divides by 1e9 in place and returns the rest. */
static uint32_t divide_by_one(struct magnitude *m)
{
    uint64_t rest = 0;

    for (int i = 7; i >= 0; i--) {
        uint64_t dividend = rest << 32 | m->digits[i];
        m->digits[i] = (uint32_t)(dividend / 1000000000u);
        rest = dividend % 1000000000u;
    }
    return (uint32_t)rest;
}

static bool exact_product(const iso_decimal *factors, int n_factors, iso_decimal *ret_value)
{
    struct magnitude m = {{1}};
    bool negative = false, sticky = false;
    uint32_t rest = 0;

    for (int i = 0; i < n_factors; i++) {
        negative ^= factors[i] < 0;
        multiply_by(&m, factors[i] < 0 ? 0 - (uint64_t)factors[i] : (uint64_t)factors[i]);
    }
    for (int i = 1; i < n_factors; i++) {
        sticky |= rest != 0;
        rest = divide_by_one(&m);
    }
    for (int i = 2; i < 8; i++)
        if (m.digits[i] != 0)
            return false;
    uint64_t magnitude = (uint64_t)m.digits[1] << 32 | m.digits[0];
    uint32_t half = 500000000u;
    if (rest > half || (rest == half && (sticky || magnitude % 2 != 0)))
        magnitude++;
    if (magnitude > (uint64_t)INT64_MAX)
        return false;
    *ret_value = negative ? -(iso_decimal)magnitude : (iso_decimal)magnitude;
    return true;
}

/* Factors of 1, most rates and hours, change nothing; two others need no more than 128 bits, and no
 * rounding when one of them is a whole number, as most quantities are. */
bool iso_decimal_product(const iso_decimal *factors, int n_factors, iso_decimal *ret_value)
{
    iso_decimal others[4] = {ISO_DECIMAL_ONE, ISO_DECIMAL_ONE};
    int n_others = 0;

    ISO_ASSERT(n_factors >= 1 && n_factors <= 4);
    for (int i = 0; i < n_factors; i++)
        if (factors[i] != ISO_DECIMAL_ONE)
            others[n_others++] = factors[i];
    for (int i = 0; i < 2 && n_others <= 2; i++)
        if (others[i] % ISO_DECIMAL_ONE == 0)
            return iso_wide_to_decimal((iso_wide)(others[i] / ISO_DECIMAL_ONE) * others[1 - i],
                                       ret_value);
    if (n_others <= 2)
        return iso_decimal_multiply(others[0], others[1], ISO_ROUND_HALF_EVEN, ret_value);
    return exact_product(others, n_others, ret_value);
}
