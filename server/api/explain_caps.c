#include "explain_caps.h"

#include <math.h>

#include "limit_weight.h"
#include "message_new.h"
#include "provider_alias.h"

/* --- finding --- */

static bool counts(const struct iso_cap *cap, const struct iso_snapshot_offering *row)
{
    if (cap->quota &&
        (strcmp(cap->provider, row->provider) != 0 ||
         (strcmp(cap->region, "*") != 0 && strcasecmp(cap->region, row->region) != 0)))
        return false;
    return iso_selector_matches(cap->scope, row);
}

static bool is_named(char *const *only, size_t n_only, const char *id)
{
    for (size_t i = 0; i < n_only; i++)
        if (strcmp(only[i], id) == 0)
            return true;
    return n_only == 0;
}

static void keep(struct iso_explanation *e, struct iso_caps *caps, const struct iso_cap *cap,
                 char *const *only, size_t n_only)
{
    bool any = false;

    for (size_t i = 0; i < e->catalog->n && !any; i++)
        any = counts(cap, &e->catalog->rows[i]);
    if (!any || !is_named(only, n_only, cap->id))
        return;
    if (caps->n < ISO_CAPS_MAX)
        caps->items[caps->n++] = *cap;
    caps->n_all++;
}

static enum iso_status find_limits(struct iso_explanation *e, struct iso_caps *caps,
                                   char *const *only, size_t n_only, struct iso_error *reterr)
{
    for (size_t i = 0; i < e->model->n_limits; i++) {
        const Isocost__V1__Limit *limit = e->model->limits[i];
        struct iso_cap cap = {.id = limit->id,
                              .place = i,
                              .current = limit->maximum,
                              .resource = iso_weight_of_metric(limit->metric),
                              .periods = limit->periods,
                              .n_periods = limit->n_periods};
        if (limit->disabled || limit->bound_case != ISOCOST__V1__LIMIT__BOUND_MAXIMUM ||
            (limit->policy && limit->policy->kind > ISOCOST__V1__POLICY_KIND__POLICY_KIND_HARD))
            continue;
        cap.scope = iso_selector_compile(limit->scope, e->study->arena);
        if (!cap.scope)
            return iso_explain_no_memory(reterr);
        keep(e, caps, &cap, only, n_only);
    }
    return ISO_OK;
}

static enum iso_status find_quotas(struct iso_explanation *e, struct iso_caps *caps,
                                   char *const *only, size_t n_only, struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = e->catalog->catalog;
    struct iso_arena *arena = e->study->arena;

    for (size_t i = 0; i < catalog->n_quotas; i++) {
        const Isocost__V1__Quota *quota = catalog->quotas[i];
        char buffer[ISO_PROVIDER_BUFFER_SIZE];
        const char *provider = iso_provider_fold(quota->provider, buffer);
        struct iso_cap cap = {.quota = true,
                              .place = i,
                              .current = quota->limit,
                              .used = quota->used,
                              .resource = (int)quota->resource - 1};
        if (quota->unlimited || !quota->opt_limit_case)
            continue;
        cap.provider = iso_arena_strdup(arena, provider ? provider : quota->provider);
        cap.region = quota->region[0] ? quota->region : "*";
        cap.scope = iso_selector_compile(quota->scope, arena);
        cap.id = cap.provider
                     ? iso_arena_printf(arena, "%s/%s/%s", cap.provider, cap.region, quota->code)
                     : NULL;
        if (!cap.scope || !cap.id)
            return iso_explain_no_memory(reterr);
        keep(e, caps, &cap, only, n_only);
    }
    return ISO_OK;
}

enum iso_status iso_caps_find(struct iso_explanation *e, char *const *only, size_t n_only,
                              struct iso_caps **ret_caps, struct iso_error *reterr)
{
    struct iso_caps *caps = iso_arena_calloc(e->study->arena, 1, sizeof(*caps));

    if (!caps)
        return iso_explain_no_memory(reterr);
    ISO_TRY(find_limits(e, caps, only, n_only, reterr));
    ISO_TRY(find_quotas(e, caps, only, n_only, reterr));
    *ret_caps = caps;
    return ISO_OK;
}

/* --- lifting --- */

static void *own(struct iso_explanation *e, const void *bytes, size_t n)
{
    void *copy = iso_arena_calloc(e->study->arena, n + sizeof(void *), 1);

    if (copy && n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

static bool lift_limit(struct iso_explanation *e, Isocost__V1__Model *model, size_t place)
{
    Isocost__V1__Limit *limit = own(e, model->limits[place], sizeof(*limit));

    if (limit)
        limit->disabled = true;
    model->limits[place] = limit;
    return limit != NULL;
}

static bool lift_quota(struct iso_explanation *e, Isocost__V1__Catalog *catalog, size_t place)
{
    Isocost__V1__Quota *quota = own(e, catalog->quotas[place], sizeof(*quota));

    if (quota) {
        quota->opt_limit_case = ISOCOST__V1__QUOTA__OPT_LIMIT__NOT_SET;
        quota->unlimited = true;
    }
    catalog->quotas[place] = quota;
    return quota != NULL;
}

const Isocost__V1__Model *iso_caps_lift(struct iso_explanation *e, const struct iso_caps *caps,
                                        uint64_t set)
{
    const Isocost__V1__Catalog *flat = e->catalog->catalog;
    Isocost__V1__Model *model = iso_study_model(e->study, e->model);
    Isocost__V1__Catalog *catalog = own(e, e->model->catalog, sizeof(*catalog));

    if (!model || !catalog)
        return NULL;
    model->limits = own(e, model->limits, model->n_limits * sizeof(*model->limits));
    /* all quotas that hold, as those of the model: they replace the snapshot's */
    catalog->quotas = own(e, flat->quotas, flat->n_quotas * sizeof(*catalog->quotas));
    catalog->n_quotas = flat->n_quotas;
    model->catalog = catalog;
    if (!model->limits || !catalog->quotas)
        return NULL;
    for (size_t i = 0; i < caps->n; i++) {
        const struct iso_cap *cap = &caps->items[i];
        if (!(set >> i & 1))
            continue;
        if (cap->quota ? !lift_quota(e, catalog, cap->place) : !lift_limit(e, model, cap->place))
            return NULL;
    }
    return model;
}

/* --- what a plan uses --- */

static double weight(const struct iso_cap *cap, const struct iso_snapshot_offering *row)
{
    iso_decimal amount = iso_weight_of_instance(row, cap->resource);

    return amount == ISO_UNKNOWN ? 0 : iso_decimal_to_double(amount);
}

/* Periods of scenarios are SCENARIO/PERIOD. */
static bool holds_in(const struct iso_cap *cap, const char *period)
{
    const char *slash = strrchr(period, '/');

    for (size_t i = 0; i < cap->n_periods; i++)
        if (strcmp(cap->periods[i], slash ? slash + 1 : period) == 0)
            return true;
    return cap->n_periods == 0;
}

bool iso_cap_use(struct iso_explanation *e, const struct iso_cap *cap,
                 const Isocost__V1__Plan *plan, double *ret_use)
{
    size_t n = plan->n_cost_by_period;
    double *sums;

    if ((size_t)plan->line_count != plan->n_lines)
        return false;
    sums = iso_arena_calloc(e->study->arena, n + 1, sizeof(*sums));
    if (!sums)
        return false;
    for (size_t i = 0; i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        int64_t row = line->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE
                          ? iso_flat_catalog_find(e->catalog, line->offering)
                          : -1;
        if (row < 0 || line->place < 0 || !counts(cap, &e->catalog->rows[row]))
            continue;
        for (int32_t t = 0; t < line->periods && (size_t)(line->place + t) < n; t++)
            sums[line->place + t] += line->quantity * weight(cap, &e->catalog->rows[row]);
    }
    *ret_use = 0;
    for (size_t t = 0; t < n; t++)
        if (holds_in(cap, plan->cost_by_period[t]->name))
            *ret_use = fmax(*ret_use, sums[t]);
    *ret_use = round((*ret_use + cap->used) * 1e9) / 1e9;
    return true;
}
