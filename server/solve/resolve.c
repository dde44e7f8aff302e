#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "isocost/proto/digest.h"
#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"

enum iso_status iso_resolve_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "",
                    "the model needs more memory than one request may have");
}

void iso_resolve_check_size(struct iso_resolve *r, const char *list, int32_t index,
                            const char *field)
{
    int64_t n = iso_problem_n_columns(r->problem);
    char path[ISO_PATH_SIZE];

    if (n <= ISO_PLAIN_MIP_COLUMNS)
        return;
    snprintf(path, sizeof(path), "model.%s[%d]%s%s", list, index, field[0] ? "." : "", field);
    iso_violations_add(r->violations, path,
                       "is served up to %d columns (offerings that a workload may use, times "
                       "periods); this model has %lld",
                       ISO_PLAIN_MIP_COLUMNS, (long long)n);
}

void iso_resolve_warn(struct iso_resolve *r, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (r->out->n_warnings == r->warnings_capacity) {
        int32_t capacity = 2 * r->warnings_capacity + 8;
        const char **larger = iso_arena_calloc(r->arena, (size_t)capacity, sizeof(*larger));
        if (!larger)
            return; /* the arena stays full, which the end of iso_resolve() sees */
        if (r->out->n_warnings > 0)
            memcpy(larger, r->out->warnings, (size_t)r->out->n_warnings * sizeof(*larger));
        r->out->warnings = larger;
        r->warnings_capacity = capacity;
    }
    r->out->warnings[r->out->n_warnings] = iso_arena_strdup(r->arena, text);
    if (r->out->warnings[r->out->n_warnings])
        r->out->n_warnings++;
}

enum iso_status iso_resolve_reserve(void *address_of_array, size_t *capacity, size_t needed,
                                    size_t size, struct iso_error *reterr)
{
    void *array;

    if (needed <= *capacity)
        return ISO_OK;
    size_t larger = needed + needed / 2 + 64;
    memcpy(&array, address_of_array, sizeof(array));
    array = iso_realloc(array, larger, size);
    if (!array)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to resolve a model");
    memcpy(address_of_array, &array, sizeof(array));
    *capacity = larger;
    return ISO_OK;
}

double iso_resolve_series(const struct iso_resolve *r, const double *values, size_t n, int32_t t)
{
    if (n == 1)
        return values[0];
    if (!r->level_hour)
        return values[t];
    double most = values[r->level_hour[t]];
    if (!r->next_hour)
        return most;
    for (int32_t h = r->next_hour[r->level_hour[t]]; h >= 0; h = r->next_hour[h])
        if (values[h] > most)
            most = values[h];
    return most;
}

uint8_t *iso_resolve_period_flags(struct iso_resolve *r, char **ids, size_t n)
{
    size_t n_periods = (size_t)r->problem->n_periods;
    uint8_t *flags = iso_arena_calloc(r->arena, n_periods, 1);

    if (!flags)
        return NULL;
    if (n == 0)
        memset(flags, 1, n_periods);
    for (size_t i = 0; i < n; i++) {
        int32_t t = iso_names_find(&r->periods, ids[i]);
        if (t >= 0)
            flags[t] = 1;
    }
    return flags;
}

static enum iso_status compile_limits(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;

    r->limit_rules = iso_arena_calloc(r->scratch, model->n_limits, sizeof(*r->limit_rules));
    if (!r->limit_rules)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < model->n_limits; i++) {
        const Isocost__V1__Limit *limit = model->limits[i];
        Isocost__V1__PolicyKind kind = limit->policy ? limit->policy->kind : 0;
        if (limit->disabled)
            continue;
        struct iso_limit_rule *rule = &r->limit_rules[r->n_limit_rules++];
        *rule = (struct iso_limit_rule){
            .message = limit,
            .index = (int32_t)i,
            .scope = iso_selector_compile(limit->scope, r->scratch),
            .resource = iso_weight_of_metric(limit->metric),
            .hard_maximum = limit->bound_case == ISOCOST__V1__LIMIT__BOUND_MAXIMUM &&
                            kind <= ISOCOST__V1__POLICY_KIND__POLICY_KIND_HARD,
        };
        if (!rule->scope)
            return iso_resolve_full(reterr);
    }
    return ISO_OK;
}

enum iso_status iso_resolve_names(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    struct iso_names *sets[] = {&r->periods,   &r->teams,   &r->workloads, &r->currencies,
                                &r->providers, &r->regions, &r->zones,     &r->current_ids};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(sets); i++)
        sets[i]->arena = r->arena;
    for (size_t i = 0; i < model->n_teams; i++)
        iso_names_add(&r->teams, model->teams[i]->id);
    for (size_t i = 0; i < model->n_workloads; i++) {
        const char *team = model->workloads[i]->team;
        iso_names_add(&r->workloads, model->workloads[i]->id);
        iso_names_add(&r->teams, team[0] ? team : "default");
    }
    for (size_t i = 0; model->current && i < model->current->n_instances; i++) {
        const Isocost__V1__CurrentInstances *instances = model->current->instances[i];
        const char *id = iso_offering_id_fold(instances->offering, r->arena);
        if (id)
            iso_names_add(&r->current_ids, id);
        if (instances->user_case == ISOCOST__V1__CURRENT_INSTANCES__USER_TEAM)
            iso_names_add(&r->teams, instances->team); /* "default" need not be declared */
    }
    for (size_t i = 0; i < model->n_budgets; i++)
        if (model->budgets[i]->scope_case == ISOCOST__V1__BUDGET__SCOPE_TEAM)
            iso_names_add(&r->teams, model->budgets[i]->team);
    r->problem->n_workloads = (int32_t)model->n_workloads;
    r->problem->n_teams = r->teams.n;

    struct iso_team *teams = iso_arena_calloc(r->arena, (size_t)r->teams.n, sizeof(*teams));
    if (!teams || iso_arena_full(r->arena))
        return iso_resolve_full(reterr);
    for (int32_t g = 0; g < r->teams.n; g++) {
        teams[g].id = r->teams.texts[g];
        if ((size_t)g >= model->n_teams)
            continue;
        const Isocost__V1__Resources *overhead = model->teams[g]->overhead;
        Isocost__V1__Resources none = ISOCOST__V1__RESOURCES__INIT;
        double amount;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (iso_resource_amount(overhead ? overhead : &none, k, &amount))
                teams[g].overhead[k] = iso_number(amount);
    }
    r->problem->teams = teams;
    return compile_limits(r, reterr);
}

void iso_resolve_options(const Isocost__V1__Options *message, struct iso_options *options)
{
    static const unsigned bits[] = {
        [ISOCOST__V1__WANT__WANT_BASELINES] = ISO_WANT_BASELINES,
        [ISOCOST__V1__WANT__WANT_RUNNERS_UP] = ISO_WANT_RUNNERS_UP,
        [ISOCOST__V1__WANT__WANT_DUALS] = ISO_WANT_DUALS,
        [ISOCOST__V1__WANT__WANT_CONFLICTS] = ISO_WANT_CONFLICTS,
        [ISOCOST__V1__WANT__WANT_ALTERNATIVES] = ISO_WANT_ALTERNATIVES,
    };

    /* Conflicts cost nothing unless the model is infeasible, and then nothing else helps. */
    *options = (struct iso_options){.time_limit_s = 60,
                                    .gap = 0.001,
                                    .want = ISO_WANT_CONFLICTS,
                                    .maximum_alternatives = 3,
                                    .alternative_tolerance = 0.05};
    if (!message)
        return;
    if (message->time_limit_seconds > 0)
        options->time_limit_s = message->time_limit_seconds;
    if (message->opt_gap_case)
        options->gap = message->gap;
    options->work_limit = message->work_limit;
    options->seed = message->seed;
    options->deterministic = message->deterministic;
    if (message->opt_tier_tolerance_case)
        options->tier_tolerance = message->tier_tolerance;
    if (message->maximum_conflicts > 0)
        options->maximum_conflicts = message->maximum_conflicts;
    if (message->maximum_alternatives > 0)
        options->maximum_alternatives = message->maximum_alternatives;
    if (message->opt_alternative_tolerance_case)
        options->alternative_tolerance = message->alternative_tolerance;
    for (size_t i = 0; i < message->n_want; i++)
        if ((size_t)message->want[i] < ISO_ARRAY_LENGTH(bits))
            options->want |= bits[message->want[i]];
}

enum iso_status iso_resolve_digests(const Isocost__V1__Model *model, const char *model_digest,
                                    struct iso_resolved *resolved, struct iso_error *reterr)
{
    unsigned char bytes[ISO_SHA256_BYTES];
    struct iso_sha256 sha;

    if (model_digest[0])
        snprintf(resolved->model_digest, sizeof(resolved->model_digest), "%s", model_digest);
    else
        ISO_TRY(iso_message_digest(&model->base, NULL, resolved->model_digest, reterr));
    iso_sha256_init(&sha);
    iso_sha256_update(&sha, resolved->model_digest, strlen(resolved->model_digest));
    iso_sha256_update(&sha, "\n", 1);
    iso_sha256_update(&sha, resolved->snapshot_digest, strlen(resolved->snapshot_digest));
    if (resolved->depends_on_today) {
        iso_sha256_update(&sha, "\n", 1);
        iso_sha256_update(&sha, resolved->price_date, strlen(resolved->price_date));
    }
    iso_sha256_final(&sha, bytes);
    iso_digest_text(bytes, resolved->problem_digest);
    return ISO_OK;
}

static enum iso_status check_snapshot(struct iso_resolve *r, const struct iso_snapshot *snapshot,
                                      struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    const char *wanted = catalog->snapshot_digest;

    if (catalog->n_selectors == 0 && catalog->n_snapshot_products == 0)
        return ISO_OK;
    if (!snapshot)
        iso_violations_add(r->violations, "model.catalog.selectors",
                           "the server has no price snapshot yet; import or refresh a catalog, or "
                           "give offerings in the model");
    else if (wanted[0] && strcmp(wanted, iso_snapshot_digest(snapshot)) != 0)
        iso_violations_add(r->violations, "model.catalog.snapshot_digest",
                           "%.80s is not the snapshot that was found, %s", wanted,
                           iso_snapshot_digest(snapshot));
    r->snapshot = snapshot;
    return iso_violations_status(r->violations, reterr);
}

/* What is only served for small models. */
static enum iso_status check_size(struct iso_resolve *r, struct iso_error *reterr)
{
    int64_t n_columns = iso_problem_n_columns(r->problem);

    for (size_t i = 0; r->model->options && i < r->model->options->n_want; i++) {
        if (r->model->options->want[i] != ISOCOST__V1__WANT__WANT_ALTERNATIVES ||
            n_columns <= ISO_ALTERNATIVES_COLUMNS)
            continue;
        char path[64];
        snprintf(path, sizeof(path), "model.options.want[%zu]", i);
        iso_violations_add(r->violations, path,
                           "WANT_ALTERNATIVES is served for at most %d usable offerings times "
                           "periods, over the workloads; this model has %lld",
                           ISO_ALTERNATIVES_COLUMNS, (long long)n_columns);
    }
    return iso_violations_status(r->violations, reterr);
}

static enum iso_status run_stages(struct iso_resolve *r, struct iso_error *reterr)
{
    static enum iso_status (*const stages[])(struct iso_resolve *, struct iso_error *) = {
        iso_resolve_names,     iso_resolve_records,    iso_resolve_time,      iso_resolve_choosers,
        iso_resolve_offerings, iso_resolve_currencies, iso_resolve_workloads, iso_resolve_current,
        iso_resolve_products,  iso_resolve_limits,     iso_resolve_reliances, iso_resolve_budgets,
        iso_resolve_volumes,   iso_resolve_scenarios,  iso_resolve_start,
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(stages); i++) {
        ISO_TRY(stages[i](r, reterr));
        if (iso_arena_full(r->arena) || iso_arena_full(r->scratch))
            return iso_resolve_full(reterr);
    }
    ISO_TRY(iso_violations_status(r->violations, reterr));
    iso_resolve_options(r->model->options, &r->problem->options);
    ISO_TRY(check_size(r, reterr));
    iso_days_tell(r);
    snprintf(r->out->snapshot_digest, sizeof(r->out->snapshot_digest), "%s",
             r->snapshot ? iso_snapshot_digest(r->snapshot) : "");
    return iso_problem_check(r->problem, reterr);
}

enum iso_status iso_resolve(const Isocost__V1__Model *model, const struct iso_snapshot *snapshot,
                            int32_t today, struct iso_resolve_cache *cache, struct iso_arena *arena,
                            struct iso_violations *violations, struct iso_resolved **ret_resolved,
                            struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = iso_arena_new(iso_arena_left(arena));
    ISO_AUTO(iso_resolve_cache) own = cache ? NULL : iso_resolve_cache_new(0);
    struct iso_resolve r = {.model = model,
                            .today = today,
                            .cache = cache ? cache : own,
                            .arena = arena,
                            .scratch = scratch,
                            .violations = violations};

    if (!model->catalog) {
        iso_violations_add(violations, "model.catalog", "is missing");
        return iso_violations_status(violations, reterr);
    }
    r.out = iso_arena_calloc(arena, 1, sizeof(*r.out));
    if (!r.out || !scratch || !r.cache)
        return iso_resolve_full(reterr);
    r.problem = &r.out->problem;
    enum iso_status status = check_snapshot(&r, snapshot, reterr);
    if (status == ISO_OK)
        status = run_stages(&r, reterr);

    iso_rows_close(&r);
    for (int32_t a = 0; r.choosers && a < r.problem->n_workloads; a++)
        free(r.choosers[a].options);
    free(r.zone_region);
    free(r.kept);
    free(r.offerings);
    free(r.exceptions);
    if (status == ISO_OK)
        *ret_resolved = r.out;
    return status;
}
