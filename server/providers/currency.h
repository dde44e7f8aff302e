/* The currencies that a price may have. */
#ifndef ISOCOST_SERVER_CURRENCY_H
#define ISOCOST_SERVER_CURRENCY_H

#include <stdbool.h>

/* Whether `code` is an alphabetic code of ISO 4217 (List One, 2024) that money is paid in: without
 * metals, bond units, test codes and "no currency". */
bool iso_currency_known(const char *code);

#endif
