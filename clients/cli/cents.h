/* Money as people read it: cents that add up. */
#ifndef ISOCOST_CLI_CENTS_H
#define ISOCOST_CLI_CENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "google/type/money.pb-c.h"
#include "isocost/base/decimal.h"

#define ISO_CENTS_TEXT_SIZE 40 /* bytes that iso_cents_format() may write, NUL included */

/* The exact amount in 1e-9 of the unit; 0 for NULL. */
iso_wide iso_money_nanos(const Google__Type__Money *money);

/* Rounds n amounts (in 1e-9) to cents by largest remainder: ret_cents[i] is amounts[i] rounded down
 * or up to a cent, and all of them add up to the rounded sum (half to even). Equal remainders are
 * rounded up in order. False when memory is short. */
bool iso_cents_apportion(const iso_wide *amounts, size_t n, int64_t *ret_cents);

/* One amount (in 1e-9) rounded to cents, half to even. */
int64_t iso_cents_round(iso_wide amount);

/* Writes "12,345.60" and returns `buffer`. */
char *iso_cents_format(int64_t cents, char buffer[ISO_CENTS_TEXT_SIZE]);

#endif
