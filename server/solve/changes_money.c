/* Budgets and exchange rates. */
#include <stdio.h>
#include <string.h>

#include "changes_internal.h"
#include "isocost/proto/money.h"
#include "message_new.h"

/* --- budgets --- */

static bool change_amount(struct iso_change_run *run, Isocost__V1__BudgetWindow *window)
{
    const Isocost__V1__BudgetChange *change = run->change->budget;
    iso_decimal amount = 0, factor = 0;

    if (change->change_case == ISOCOST__V1__BUDGET_CHANGE__CHANGE_AMOUNT) {
        Google__Type__Money *money = iso_change_copy(run, change->amount, sizeof(*money));
        if (money && !money->currency_code[0])
            money->currency_code = window->amount->currency_code;
        window->amount = money;
        return money != NULL;
    }
    if (iso_money_to_decimal(window->amount, &amount, NULL) != ISO_OK ||
        iso_decimal_from_double(change->factor, &factor, NULL) != ISO_OK || factor < 0 ||
        !iso_decimal_multiply(amount, factor, ISO_ROUND_HALF_EVEN, &amount)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE,
                         "the amount times %.17g is out of range; it must be at least 0 and at "
                         "most 9223372036",
                         change->factor);
        return true;
    }
    window->amount = iso_money_from_decimal(amount, window->amount->currency_code, run->arena);
    return window->amount != NULL;
}

enum iso_status iso_apply_budget(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__BudgetChange *change = run->change->budget;
    Isocost__V1__Model *model = run->model;
    size_t i = 0;

    if (change->change_case == ISOCOST__V1__BUDGET_CHANGE__CHANGE__NOT_SET) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "a factor or an amount is required");
        return ISO_OK;
    }
    while (i < model->n_budgets && strcmp(model->budgets[i]->id, change->budget) != 0)
        i++;
    if (i == model->n_budgets) {
        iso_change_unknown(run, "budget", change->budget, &model->budgets, model->n_budgets,
                           offsetof(Isocost__V1__Budget, id));
        return ISO_OK;
    }
    Isocost__V1__Budget *budget = iso_change_own(run, &model->budgets, model->n_budgets, i);
    if (!budget)
        return iso_change_no_memory(reterr);
    if (change->cash && budget->basis != ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_CASH) {
        iso_change_wrong(run, ISO_CHANGE_TARGET,
                         "the budget %.64s does not have basis CASH; write budget.%.64s",
                         budget->id, budget->id);
        return ISO_OK;
    }
    if (change->opt_window_case &&
        (change->window < 0 || (size_t)change->window >= budget->n_windows)) {
        iso_change_wrong(run, ISO_CHANGE_TARGET, "the budget %.64s has windows 0 to %zu, not %d",
                         budget->id, budget->n_windows - 1, change->window);
        return ISO_OK;
    }
    for (size_t w = 0; w < budget->n_windows; w++) {
        if (change->opt_window_case && (size_t)change->window != w)
            continue;
        Isocost__V1__BudgetWindow *window =
            iso_change_own(run, &budget->windows, budget->n_windows, w);
        if (!window || !change_amount(run, window))
            return iso_change_no_memory(reterr);
    }
    return ISO_OK;
}

/* --- rates --- */

/* 1: the entry is about AAA/BBB, -1: about BBB/AAA, 0: about other currencies. */
static int direction(const Isocost__V1__ExchangeRate *entry, const char *pair)
{
    if (strlen(entry->pair) != 7)
        return 0;
    if (strcmp(entry->pair, pair) == 0)
        return 1;
    return strncmp(entry->pair, pair + 4, 3) == 0 && strncmp(entry->pair + 4, pair, 3) == 0 ? -1
                                                                                            : 0;
}

static bool names_period(char *const *periods, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(periods[i], id) == 0)
            return true;
    return false;
}

/* AAA/BBB times the factor. Of an entry BBB/AAA the rate is divided. */
static bool scale_rate(struct iso_change_run *run, Isocost__V1__ExchangeRate *entry)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    iso_decimal rate, factor;

    entry->observed_at = NULL;
    if (direction(entry, change->pair) > 0)
        return iso_change_multiply(run, entry->rate, change->factor, ISO_ROUND_HALF_EVEN,
                                   &entry->rate);
    if (iso_decimal_from_double(entry->rate, &rate, NULL) != ISO_OK ||
        iso_decimal_from_double(change->factor, &factor, NULL) != ISO_OK ||
        !iso_decimal_divide(rate, factor, ISO_ROUND_HALF_EVEN, &rate)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "the rate %s leaves the range of numbers",
                         entry->pair);
        return false;
    }
    entry->rate = iso_decimal_to_double(rate);
    return true;
}

/* The entry that holds in a period: one that names it, else one for all; NULL: none. */
static const Isocost__V1__ExchangeRate *rate_in(const Isocost__V1__Currency *currency,
                                                const char *pair, const char *period)
{
    const Isocost__V1__ExchangeRate *found = NULL;

    for (size_t i = 0; i < currency->n_rates; i++) {
        const Isocost__V1__ExchangeRate *entry = currency->rates[i];
        if (direction(entry, pair) == 0)
            continue;
        if (names_period(entry->periods, entry->n_periods, period))
            return entry;
        if (entry->n_periods == 0)
            found = entry;
    }
    return found;
}

/* Takes the change's periods out of entries of the pair; all of them without periods. */
static bool clear_rates(struct iso_change_run *run, Isocost__V1__Currency *currency)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    Isocost__V1__ExchangeRate **kept =
        iso_arena_calloc(run->arena, currency->n_rates + 1, sizeof(*kept));
    size_t n_kept = 0;

    for (size_t i = 0; kept && i < currency->n_rates; i++) {
        Isocost__V1__ExchangeRate *entry = currency->rates[i];
        if (direction(entry, change->pair) == 0 ||
            (change->n_periods > 0 && entry->n_periods == 0)) {
            kept[n_kept++] = entry;
            continue;
        }
        if (change->n_periods == 0)
            continue;
        entry = iso_change_copy(run, entry, sizeof(*entry));
        char **periods =
            iso_arena_calloc(run->arena, currency->rates[i]->n_periods, sizeof(char *));
        if (!entry || !periods)
            return false;
        entry->n_periods = 0;
        for (size_t k = 0; k < currency->rates[i]->n_periods; k++) {
            char *period = currency->rates[i]->periods[k];
            if (!names_period(change->periods, change->n_periods, period))
                periods[entry->n_periods++] = period;
        }
        entry->periods = periods;
        if (entry->n_periods > 0)
            kept[n_kept++] = entry;
    }
    currency->rates = kept;
    currency->n_rates = n_kept;
    return kept != NULL;
}

/* A rate for the change's periods (all, when it has none) beside what else there is. */
static bool set_rate(struct iso_change_run *run, Isocost__V1__Currency *currency)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    Isocost__V1__ExchangeRate *entry =
        iso_message_new(run->arena, &isocost__v1__exchange_rate__descriptor);

    if (!entry || !clear_rates(run, currency))
        return false;
    entry->pair = change->pair;
    entry->rate = change->value;
    entry->periods = change->periods;
    entry->n_periods = change->n_periods;
    return iso_change_append(run, &currency->rates, &currency->n_rates, entry);
}

static bool scale_all(struct iso_change_run *run, Isocost__V1__Currency *currency)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    bool found = false;

    for (size_t i = 0; i < currency->n_rates; i++) {
        if (direction(currency->rates[i], change->pair) == 0)
            continue;
        found = true;
        Isocost__V1__ExchangeRate *entry =
            iso_change_own(run, &currency->rates, currency->n_rates, i);
        if (!entry)
            return false;
        if (!scale_rate(run, entry))
            return true; /* told */
    }
    if (!found)
        iso_change_wrong(run, ISO_CHANGE_TARGET, "the model has no rate of %s to change",
                         change->pair);
    return true;
}

/* Each period gets an entry of its own, made of the one that holds there. */
static bool scale_some(struct iso_change_run *run, Isocost__V1__Currency *currency)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    Isocost__V1__ExchangeRate **made =
        iso_arena_calloc(run->arena, change->n_periods, sizeof(*made));

    for (size_t k = 0; made && k < change->n_periods; k++) {
        const Isocost__V1__ExchangeRate *entry =
            rate_in(currency, change->pair, change->periods[k]);
        if (!entry) {
            iso_change_wrong(run, ISO_CHANGE_TARGET, "the model has no rate of %s in period %.64s",
                             change->pair, change->periods[k]);
            return true;
        }
        made[k] = iso_change_copy(run, entry, sizeof(*entry));
        if (!made[k])
            return false;
        made[k]->periods = &change->periods[k];
        made[k]->n_periods = 1;
        if (!scale_rate(run, made[k]))
            return true;
    }
    if (!made || !clear_rates(run, currency))
        return false;
    for (size_t k = 0; k < change->n_periods; k++)
        if (!iso_change_append(run, &currency->rates, &currency->n_rates, made[k]))
            return false;
    return true;
}

enum iso_status iso_apply_rate(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__RateChange *change = run->change->rate;
    Isocost__V1__Model *model = run->model;
    Isocost__V1__Currency *currency =
        model->currency ? iso_change_copy(run, model->currency, sizeof(*currency))
                        : iso_message_new(run->arena, &isocost__v1__currency__descriptor);
    bool enough;

    if (!currency)
        return iso_change_no_memory(reterr);
    if (strlen(change->pair) != 7 || change->pair[3] != '/' ||
        change->change_case == ISOCOST__V1__RATE_CHANGE__CHANGE__NOT_SET || !(change->factor > 0)) {
        iso_change_wrong(run, ISO_CHANGE_VALUE,
                         "a pair such as CNY/USD and a factor or rate above 0 are required");
        return ISO_OK;
    }
    model->currency = currency;
    if (change->change_case == ISOCOST__V1__RATE_CHANGE__CHANGE_VALUE)
        enough = set_rate(run, currency);
    else
        enough = change->n_periods == 0 ? scale_all(run, currency) : scale_some(run, currency);
    return enough ? ISO_OK : iso_change_no_memory(reterr);
}
