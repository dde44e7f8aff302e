#include "hygiene.h"

#include <stdio.h>

#define INFO ISOCOST__V1__DIAGNOSTIC_SEVERITY__DIAGNOSTIC_SEVERITY_INFO
#define WARNING ISOCOST__V1__DIAGNOSTIC_SEVERITY__DIAGNOSTIC_SEVERITY_WARNING
#define ERROR ISOCOST__V1__DIAGNOSTIC_SEVERITY__DIAGNOSTIC_SEVERITY_ERROR

/* The findings whose decision is an operator's to change, and what else is known by its code. */
static const struct finding {
    const char *code;
    Isocost__V1__DiagnosticSeverity severity;
    enum iso_decision decision;
    bool can_change;
} findings[] = {
    {"spot_above_on_demand", WARNING, ISO_DECISION_KEEP, true},
    {"spot_equals_on_demand", INFO, ISO_DECISION_KEEP, true},
    {"price_spread", WARNING, ISO_DECISION_KEEP, true},
    {"price_outlier", ERROR, ISO_DECISION_QUARANTINE, true},
    {"stale_price", WARNING, ISO_DECISION_KEEP, true},
    {"float32_price", INFO, ISO_DECISION_REPAIR, true},
    {"null_spelling", INFO, ISO_DECISION_REPAIR, false},
    {"term_total_as_hourly", ERROR, ISO_DECISION_QUARANTINE, true},
    {"resources_unknown", INFO, ISO_DECISION_KEEP, false},
    {"refresh_failed", ERROR, ISO_DECISION_KEEP, false},
    {"source_unchanged", INFO, ISO_DECISION_KEEP, false},
    /* of bills: read by a rule that is known to be right */
    {"time_without_zone", INFO, ISO_DECISION_KEEP, false},
    {"mixed_periods", INFO, ISO_DECISION_KEEP, false},
    {"mixed_nulls", INFO, ISO_DECISION_KEEP, false},
    {"negative_cost", INFO, ISO_DECISION_KEEP, false},
    {"rounded_amount", INFO, ISO_DECISION_REPAIR, false},
    {"spelled_otherwise", INFO, ISO_DECISION_REPAIR, false},
    {"external_region", INFO, ISO_DECISION_KEEP, false},
    {"region_from_name", INFO, ISO_DECISION_REPAIR, false},
    {"translated_header", INFO, ISO_DECISION_KEEP, false},
    {"unknown_column", INFO, ISO_DECISION_KEEP, false},
};

static const struct finding *find(const char *code)
{
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(findings); i++)
        if (strcmp(findings[i].code, code) == 0)
            return &findings[i];
    return NULL;
}

/* ---- Decisions ---- */

static const char *const words[] = {
    [ISO_DECISION_KEEP] = "keep",
    [ISO_DECISION_REPAIR] = "repair",
    [ISO_DECISION_QUARANTINE] = "quarantine",
    [ISO_DECISION_IGNORE] = "ignore",
};

static bool read_decision(const char *word, enum iso_decision *ret_decision)
{
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_decision = (enum iso_decision)i;
            return true;
        }
    }
    return false;
}

enum iso_decision iso_hygiene_decision(const Isocost__Internal__V1__HygieneSettings *settings,
                                       const char *code)
{
    const struct finding *finding = find(code);
    enum iso_decision decision = finding ? finding->decision : ISO_DECISION_KEEP;

    for (size_t i = 0; settings && i < settings->n_decisions; i++)
        if (strcmp(settings->decisions[i]->key, code) == 0)
            read_decision(settings->decisions[i]->value, &decision);
    return decision;
}

Isocost__V1__DiagnosticSeverity iso_hygiene_severity(const char *code, bool quarantined)
{
    const struct finding *finding = find(code);

    if (quarantined)
        return ERROR;
    return finding ? finding->severity : WARNING;
}

static void check_decision(const char *code, const char *word, struct iso_violations *violations)
{
    const struct finding *finding = find(code);
    enum iso_decision decision;
    char field[128];

    snprintf(field, sizeof(field), "hygiene.decisions.%.64s", code);
    if (!finding || !finding->can_change)
        iso_violations_add(violations, field,
                           "\"%.64s\" is no finding whose decision can be changed; price_outlier, "
                           "price_spread, spot_above_on_demand, spot_equals_on_demand, "
                           "stale_price, float32_price and term_total_as_hourly are",
                           code);
    else if (!read_decision(word, &decision) ||
             (decision == ISO_DECISION_REPAIR && finding->decision != ISO_DECISION_REPAIR))
        iso_violations_add(violations, field,
                           "\"%.32s\" is not allowed; keep, quarantine%s or "
                           "ignore is",
                           word, finding->decision == ISO_DECISION_REPAIR ? ", repair" : "");
}

static void check_limit(double limit, double minimum, double maximum, const char *field,
                        struct iso_violations *violations)
{
    if (!(limit >= minimum && limit <= maximum))
        iso_violations_add(violations, field, "%g is not allowed; it must be in [%g, %g]", limit,
                           minimum, maximum);
}

void iso_hygiene_fill_defaults(Isocost__Internal__V1__HygieneSettings *settings)
{
    settings->spread_factor = settings->spread_factor != 0 ? settings->spread_factor : 4;
    settings->outlier_factor = settings->outlier_factor != 0 ? settings->outlier_factor : 20;
    settings->stale_days = settings->stale_days != 0 ? settings->stale_days : 30;
}

void iso_hygiene_check_settings(Isocost__Internal__V1__HygieneSettings *settings,
                                struct iso_violations *violations)
{
    iso_hygiene_fill_defaults(settings);
    for (size_t i = 0; i < settings->n_decisions; i++)
        check_decision(settings->decisions[i]->key, settings->decisions[i]->value, violations);
    check_limit(settings->spread_factor, 1, 1e6, "hygiene.spread_factor", violations);
    check_limit(settings->outlier_factor, 1, 1e6, "hygiene.outlier_factor", violations);
    check_limit(settings->stale_days, 1, 36500, "hygiene.stale_days", violations);
}
