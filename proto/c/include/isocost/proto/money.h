/* google.type.Money and decimals. */
#ifndef ISOCOST_PROTO_MONEY_H
#define ISOCOST_PROTO_MONEY_H

#include "google/type/money.pb-c.h"
#include "isocost/base/decimal.h"
#include "isocost/proto/arena.h"

/* Errors: ISO_E_INVALID with field "units", "nanos" or "currency_code" (must be 3 letters A-Z). */
ISO_EXPORT enum iso_status iso_money_to_decimal(const Google__Type__Money *money,
                                                iso_decimal *ret_amount, struct iso_error *reterr);

/* NULL when the arena is full. */
ISO_EXPORT Google__Type__Money *iso_money_from_decimal(iso_decimal amount, const char *currency,
                                                       struct iso_arena *arena);

#endif
