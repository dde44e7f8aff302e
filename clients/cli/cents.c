#include "cents.h"

#include <inttypes.h>
#include <stdio.h>

#define NANOS_PER_UNIT ((iso_wide)1000000000)
#define NANOS_PER_CENT ((iso_wide)10000000)

iso_wide iso_money_nanos(const Google__Type__Money *money)
{
    return money ? (iso_wide)money->units * NANOS_PER_UNIT + money->nanos : 0;
}

static int64_t narrow(iso_wide value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t iso_cents_round(iso_wide amount)
{
    return narrow(iso_wide_divide(amount, NANOS_PER_CENT, ISO_ROUND_HALF_EVEN));
}

static iso_wide floor_cents(iso_wide amount)
{
    return iso_wide_divide(amount, NANOS_PER_CENT, ISO_ROUND_DOWN);
}

struct share {
    iso_wide rest;
    size_t index;
};

/* Largest remainder first; equal ones in order. */
static int compare_shares(const void *left, const void *right)
{
    const struct share *a = left, *b = right;

    if (a->rest != b->rest)
        return a->rest > b->rest ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

bool iso_cents_apportion(const iso_wide *amounts, size_t n, int64_t *ret_cents)
{
    ISO_AUTO_MEM struct share *shares = iso_calloc(n, sizeof(*shares));
    iso_wide sum = 0, floors = 0;

    if (!shares)
        return false;
    for (size_t i = 0; i < n; i++) {
        iso_wide floor = floor_cents(amounts[i]);
        sum += amounts[i];
        floors += floor;
        ret_cents[i] = narrow(floor);
        shares[i] = (struct share){.rest = amounts[i] - floor * NANOS_PER_CENT, .index = i};
    }
    qsort(shares, n, sizeof(*shares), compare_shares);

    iso_wide missing = iso_wide_divide(sum, NANOS_PER_CENT, ISO_ROUND_HALF_EVEN) - floors;
    for (iso_wide i = 0; i < missing; i++)
        ret_cents[shares[i].index]++;
    return true;
}

char *iso_cents_format(int64_t cents, char buffer[ISO_CENTS_TEXT_SIZE])
{
    uint64_t magnitude = cents < 0 ? (uint64_t)0 - (uint64_t)cents : (uint64_t)cents;
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, magnitude / 100);
    char *out = buffer;

    if (cents < 0)
        *out++ = '-';
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    snprintf(out, 4, ".%02u", (unsigned)(magnitude % 100));
    return buffer;
}
