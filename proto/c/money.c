#include "isocost/proto/money.h"

#define NANOS_MAX 999999999

static bool currency_code_is_valid(const char *code)
{
    for (int i = 0; i < 3; i++)
        if (code[i] < 'A' || code[i] > 'Z')
            return false;
    return code[3] == '\0';
}

enum iso_status iso_money_to_decimal(const Google__Type__Money *money, iso_decimal *ret_amount,
                                     struct iso_error *reterr)
{
    const char *code = money->currency_code ? money->currency_code : "";
    iso_decimal amount;

    if (!currency_code_is_valid(code))
        return iso_fail(reterr, ISO_E_INVALID, "currency_code",
                        "\"%.16s\" is no currency: three letters A-Z are needed", code);
    if (money->nanos < -NANOS_MAX || money->nanos > NANOS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "nanos", "%d is outside of [-999999999, 999999999]",
                        money->nanos);
    if ((money->units > 0 && money->nanos < 0) || (money->units < 0 && money->nanos > 0))
        return iso_fail(reterr, ISO_E_INVALID, "nanos", "%d has another sign than units, %lld",
                        money->nanos, (long long)money->units);
    if (!iso_wide_to_decimal((iso_wide)money->units * ISO_DECIMAL_ONE + money->nanos, &amount))
        return iso_fail(reterr, ISO_E_INVALID, "units",
                        "%lld is outside of [-9223372036, 9223372036]", (long long)money->units);
    *ret_amount = amount;
    return ISO_OK;
}

Google__Type__Money *iso_money_from_decimal(iso_decimal amount, const char *currency,
                                            struct iso_arena *arena)
{
    Google__Type__Money *money = iso_arena_calloc(arena, 1, sizeof(*money));
    char *code = iso_arena_strdup(arena, currency);

    if (!money || !code)
        return NULL;
    google__type__money__init(money);
    money->currency_code = code;
    money->units = amount / ISO_DECIMAL_ONE;
    money->nanos = (int32_t)(amount % ISO_DECIMAL_ONE);
    return money;
}
