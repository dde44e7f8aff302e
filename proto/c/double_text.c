#include "double_text.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17
#define PLAIN_EXPONENT_MIN (-7) /* smaller and larger numbers are written with an exponent */
#define PLAIN_EXPONENT_MAX 17   /* larger ones look like integers that fit no 64 bits */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double iso_double_parse(const char *text)
{
    pthread_once(&c_locale_once, make_c_locale);
    return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9')
        text++;
    return text;
}

bool iso_is_number(const char *text)
{
    const char *at = text + (*text == '+' || *text == '-');
    const char *whole = skip_digits(at), *fraction = whole;

    if (*whole == '.')
        fraction = skip_digits(whole + 1);
    if (whole == at && fraction - whole < 2)
        return false;
    at = fraction;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        const char *end = skip_digits(at);
        if (end == at)
            return false;
        at = end;
    }
    return *at == '\0';
}

/* |value| = 0.d1d2d3... * 10^point, without trailing zeros. */
struct digits {
    char text[DIGITS_MAX + 1];
    int n, point;
};

/* Rounds to n digits; false when the result does not read back equal. */
static bool round_to(double value, int n, struct digits *ret_digits)
{
    char text[DIGITS_MAX + 16];
    struct digits digits = {.n = 0};
    const char *at = text;

    /* Both calls use the locale's decimal point, whatever it is. */
    snprintf(text, sizeof(text), "%.*e", n - 1, value);
    if (strtod(text, NULL) != value)
        return false;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && digits.n < DIGITS_MAX)
            digits.text[digits.n++] = *at;
    digits.point = atoi(at + 1) + 1;
    while (digits.n > 1 && digits.text[digits.n - 1] == '0')
        digits.n--;
    digits.text[digits.n] = '\0';
    *ret_digits = digits;
    return true;
}

static struct digits shortest_digits(double value)
{
    struct digits digits = {.n = 0};

    /* Up to DBL_DIG digits survive the way to binary64 and back, so trimming zeros is enough. */
    if (value >= DBL_MIN && round_to(value, DBL_DIG, &digits))
        return digits;
    for (int n = value >= DBL_MIN ? DBL_DIG + 1 : 1; n <= DIGITS_MAX; n++)
        if (round_to(value, n, &digits))
            break;
    return digits;
}

char *iso_double_text(double value, char buffer[ISO_DOUBLE_TEXT_SIZE])
{
    const char *sign = value < 0 ? "-" : "";

    if (!isfinite(value)) {
        snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s%s", isnan(value) ? "" : sign,
                 isnan(value) ? "NaN" : "Infinity");
        return buffer;
    }
    if (value == 0.0)
        return strcpy(buffer, "0");

    struct digits d = shortest_digits(fabs(value));
    if (d.point - 1 < PLAIN_EXPONENT_MIN || d.point - 1 > PLAIN_EXPONENT_MAX)
        snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s%.1s%s%se%+03d", sign, d.text, d.n > 1 ? "." : "",
                 d.text + 1, d.point - 1);
    else if (d.point <= 0)
        snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s0.%.*s%s", sign, -d.point, "0000000", d.text);
    else if (d.point >= d.n)
        snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s%s%.*s", sign, d.text, d.point - d.n,
                 "00000000000000000");
    else
        snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s%.*s.%s", sign, d.point, d.text,
                 d.text + d.point);
    return buffer;
}

/* Whole numbers below 1e15: no shorter text than their digits is theirs, as decimals of up to 15
 * digits have distinct doubles. */
static char *whole_canonical(int64_t whole, char buffer[ISO_DOUBLE_TEXT_SIZE])
{
    char digits[20] = {0}, *out = buffer;
    uint64_t left = (uint64_t)(whole < 0 ? -whole : whole);
    int n = 0, exponent = 0;

    for (; left % 10 == 0; left /= 10)
        exponent++;
    for (; left > 0; left /= 10)
        digits[n++] = (char)('0' + left % 10);
    if (whole < 0)
        *out++ = '-';
    while (n > 0)
        *out++ = digits[--n];
    *out++ = 'e';
    if (exponent >= 10)
        *out++ = '1';
    *out++ = (char)('0' + exponent % 10);
    *out = 0;
    return buffer;
}

char *iso_double_canonical(double value, char buffer[ISO_DOUBLE_TEXT_SIZE])
{
    const char *sign = value < 0 ? "-" : "";

    if (isnan(value))
        return strcpy(buffer, "nan");
    if (isinf(value))
        return strcpy(buffer, value < 0 ? "-inf" : "inf");
    if (value == 0.0)
        return strcpy(buffer, "0");
    if (fabs(value) < 1e15 && value == (double)(int64_t)value)
        return whole_canonical((int64_t)value, buffer);
    struct digits d = shortest_digits(fabs(value));
    snprintf(buffer, ISO_DOUBLE_TEXT_SIZE, "%s%se%d", sign, d.text, d.point - d.n);
    return buffer;
}
