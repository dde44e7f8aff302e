/* Periods, load levels, currencies and options of a model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "isocost/problem.h"
#include "model_check.h"
#include "number.h"

bool iso_check_timestamp(struct iso_model_check *check, const char *path, const char *field,
                         const Google__Protobuf__Timestamp *time)
{
    if (!time)
        return true;
    /* Years 1970 to 2262: what nanoseconds in 64 bits can hold. */
    if (time->seconds >= 0 && time->seconds < INT64_C(9214646400) && time->nanos >= 0 &&
        time->nanos < 1000000000)
        return true;
    iso_check_fail(check, path, field, "is not a time between 1970 and 2262");
    return false;
}

/* Whether `later` begins before `earlier` ends. */
static bool overlap(const Isocost__V1__Period *earlier, const Isocost__V1__Period *later)
{
    iso_wide gap = (iso_wide)(later->start->seconds - earlier->start->seconds) * 1000000000 +
                   (later->start->nanos - earlier->start->nanos);
    iso_wide length = (iso_wide)iso_number(earlier->hours) * 3600; /* in nanoseconds */

    return gap < length;
}

static void check_periods(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Model *model = check->model;
    char place[ISO_PATH_SIZE];
    bool in_range = true, mixed = false;

    for (size_t t = 0; t < model->n_periods; t++) {
        const Isocost__V1__Period *period = model->periods[t];
        iso_check_path(place, path, "periods", t);
        iso_check_new_id(check, place, period->id, &check->periods);
        in_range &= iso_check_number(check, place, "hours", period->hours, ISO_ABOVE_ZERO);
        mixed |= !period->start != !model->periods[0]->start;
        if (period->start)
            in_range &= iso_check_timestamp(check, place, "start", period->start);
        if (in_range && !mixed && t > 0 && period->start && overlap(model->periods[t - 1], period))
            iso_check_fail(check, place, "start",
                           "is before the end of the period before it; periods with a start must "
                           "be in order and must not overlap");
    }
    snprintf(place, sizeof(place), "%s.periods", path);
    if (mixed)
        iso_check_fail(check, place, "", "either every period has a start or none has");
    if (model->n_periods > ISO_HOURS_MAX)
        iso_check_fail(check, place, "", "%zu periods; at most %d are allowed", model->n_periods,
                       ISO_HOURS_MAX);
    check->n_values = (int32_t)model->n_periods;
    check->chronological = model->n_periods > 0 && model->periods[0]->start && !mixed;
}

static void check_load_levels(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__LoadLevels *levels = check->model->load_levels;
    char place[ISO_PATH_SIZE];

    snprintf(place, sizeof(place), "%s.load_levels", path);
    if (levels->hours < 1 || levels->hours > ISO_HOURS_MAX)
        iso_check_fail(check, place, "hours", "%d; it must be in [1, %d]", levels->hours,
                       ISO_HOURS_MAX);
    if (levels->merge_case == ISOCOST__V1__LOAD_LEVELS__MERGE_LEVELS)
        if (levels->levels < 1 || levels->levels > levels->hours)
            iso_check_fail(check, place, "levels", "%d; it must be in [1, hours]", levels->levels);
    if (levels->merge_case == ISOCOST__V1__LOAD_LEVELS__MERGE_LOSSLESS && !levels->lossless)
        iso_check_fail(check, place, "lossless", "must be true, or be left out");
    check->chronological =
        levels->start && iso_check_timestamp(check, place, "start", levels->start);
    check->n_values = levels->hours;
}

void iso_check_time(struct iso_model_check *check, const char *path)
{
    if (check->model->n_periods > 0 && check->model->load_levels)
        iso_check_fail(check, path, "load_levels",
                       "periods are given too; exactly one of periods and load_levels is allowed");
    else if (check->model->load_levels)
        check_load_levels(check, path);
    else if (check->model->n_periods > 0)
        check_periods(check, path);
    else
        iso_check_fail(check, path, "periods",
                       "is empty; exactly one of periods and load_levels is required");
}

static bool is_currency(const char *code, size_t length)
{
    return length == 3 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= 3;
}

void iso_check_currency(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Currency *currency = check->model->currency;
    struct iso_names seen = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];

    if (!currency)
        return;
    const char *base = currency->base_currency[0] ? currency->base_currency : "USD";
    snprintf(place, sizeof(place), "%s.currency", path);
    if (!is_currency(base, strlen(base)))
        iso_check_fail(check, place, "base_currency", "\"%.16s\" is not 3 letters A-Z", base);
    for (size_t i = 0; i < currency->n_rates; i++) {
        const Isocost__V1__ExchangeRate *rate = currency->rates[i];
        iso_check_path(place, path, "currency.rates", i);
        iso_check_number(check, place, "rate", rate->rate, ISO_ABOVE_ZERO);
        iso_check_period_ids(check, place, "periods", rate->periods, rate->n_periods);
        iso_check_timestamp(check, place, "observed_at", rate->observed_at);
        if (strlen(rate->pair) != 7 || rate->pair[3] != '/' || !is_currency(rate->pair, 3) ||
            !is_currency(rate->pair + 4, 3)) {
            iso_check_fail(check, place, "pair", "\"%.16s\" is not a pair such as CNY/USD",
                           rate->pair);
            continue;
        }
        bool from_base = strncmp(rate->pair, base, 3) == 0;
        bool to_base = strcmp(rate->pair + 4, base) == 0;
        if (from_base == to_base) {
            iso_check_fail(check, place, "pair",
                           "\"%s\": exactly one of the two must be the base currency %s",
                           rate->pair, base);
            continue;
        }
        const char *other = from_base ? rate->pair + 4 : rate->pair;
        for (size_t j = 0; j < (rate->n_periods ? rate->n_periods : 1); j++) {
            char *key = iso_arena_printf(check->violations->arena, "%.3s %s", other,
                                         rate->n_periods ? rate->periods[j] : "");
            if (key && !iso_names_add_new(&seen, key))
                iso_check_fail(check, place, "pair", "%.3s has a rate for %s%s already", other,
                               rate->n_periods ? "period " : "all periods",
                               rate->n_periods ? rate->periods[j] : "");
        }
    }
}

void iso_check_options(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Options *options = check->model->options;
    char place[ISO_PATH_SIZE], item[32];

    if (!options)
        return;
    snprintf(place, sizeof(place), "%s.options", path);
    /* Negated, so that NaN is refused. */
    if (!(options->time_limit_seconds >= 0 && options->time_limit_seconds <= 86400))
        iso_check_fail(check, place, "time_limit_seconds",
                       "%g; it must be in (0, 86400], or 0 for 60", options->time_limit_seconds);
    if (options->opt_gap_case == ISOCOST__V1__OPTIONS__OPT_GAP_GAP &&
        !(options->gap >= 0 && options->gap <= 1))
        iso_check_fail(check, place, "gap", "%g; it must be in [0, 1]", options->gap);
    if (options->work_limit < 0)
        iso_check_fail(check, place, "work_limit", "must be at least 0; 0 means no limit");
    if (options->opt_tier_tolerance_case &&
        !(options->tier_tolerance >= 0 && options->tier_tolerance <= 1))
        iso_check_fail(check, place, "tier_tolerance", "%g; it must be in [0, 1]",
                       options->tier_tolerance);
    if (options->maximum_conflicts < 0 || options->maximum_conflicts > ISO_MOST_CONFLICTS)
        iso_check_fail(check, place, "maximum_conflicts", "%d; it must be in [0, %d]",
                       options->maximum_conflicts, ISO_MOST_CONFLICTS);
    if (options->maximum_alternatives < 0 || options->maximum_alternatives > ISO_MOST_ALTERNATIVES)
        iso_check_fail(check, place, "maximum_alternatives", "%d; it must be in [0, %d]",
                       options->maximum_alternatives, ISO_MOST_ALTERNATIVES);
    if (options->opt_alternative_tolerance_case &&
        !(options->alternative_tolerance >= 0 && options->alternative_tolerance <= 1))
        iso_check_fail(check, place, "alternative_tolerance", "%g; it must be in [0, 1]",
                       options->alternative_tolerance);
    for (size_t i = 0; i < options->n_want; i++) {
        snprintf(item, sizeof(item), "want[%zu]", i);
        if (options->want[i] == ISOCOST__V1__WANT__WANT_UNSPECIFIED)
            iso_check_fail(check, place, item, "must say what is wanted, e.g. BASELINES");
    }
}
