/* Numbers of the contract as decimals. */
#ifndef ISOCOST_SERVER_NUMBER_H
#define ISOCOST_SERVER_NUMBER_H

#include "isocost/base/decimal.h"

/* As iso_decimal_from_double(), fast for the numbers that models are full of. */
enum iso_status iso_number_read(double value, iso_decimal *ret_value, struct iso_error *reterr);

/* For numbers that passed iso_model_check(): the decimal, or 0. */
iso_decimal iso_number(double value);

#endif
