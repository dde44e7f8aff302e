#include "model_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "isocost/problem.h"
#include "isocost/proto/money.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve.h"
#include "selector.h"

#define MAXIMUM_STEPS 16

void iso_check_fail(struct iso_model_check *check, const char *path, const char *field,
                    const char *format, ...)
{
    char whole[ISO_PATH_SIZE + 64], text[384];
    va_list arguments;

    snprintf(whole, sizeof(whole), "%s%s%s", path, field[0] && path[0] ? "." : "", field);
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    iso_violations_add(check->violations, whole, "%s", text);
}

void iso_check_path(char place[ISO_PATH_SIZE], const char *path, const char *list, size_t index)
{
    snprintf(place, ISO_PATH_SIZE, "%.128s.%s[%zu]", path, list, index); /* paths are shorter */
}

void iso_check_not_served(struct iso_model_check *check, const char *path, const char *field,
                          const char *rule)
{
    iso_check_fail(check, path, field, ISO_NOT_SERVED, rule);
}

bool iso_check_number(struct iso_model_check *check, const char *path, const char *field,
                      double value, enum iso_range range)
{
    static const char *const allowed[] = {
        [ISO_AT_LEAST_ZERO] = "at least 0",
        [ISO_ABOVE_ZERO] = "above 0",
        [ISO_SHARE] = "in [0, 1]",
        [ISO_POSITIVE_SHARE] = "in (0, 1]",
    };
    struct iso_error error = {0};
    iso_decimal number = 0;
    bool above = range == ISO_ABOVE_ZERO || range == ISO_POSITIVE_SHARE;
    bool share = range == ISO_SHARE || range == ISO_POSITIVE_SHARE;

    if (iso_number_read(value, &number, &error) != ISO_OK) {
        iso_check_fail(check, path, field, "%s", error.text);
        return false;
    }
    if (number < (above ? 1 : 0) || (share && number > ISO_DECIMAL_ONE)) {
        char text[ISO_DECIMAL_TEXT_SIZE];
        iso_check_fail(check, path, field, "%s; it must be %s", iso_decimal_format(number, text),
                       allowed[range]);
        return false;
    }
    return true;
}

bool iso_check_whole(struct iso_model_check *check, const char *path, const char *field,
                     double value)
{
    if (!iso_check_number(check, path, field, value, ISO_AT_LEAST_ZERO))
        return false;
    if (value != floor(value)) {
        iso_check_fail(check, path, field, "%.9g; it must be a whole number", value);
        return false;
    }
    return true;
}

bool iso_check_money(struct iso_model_check *check, const char *path, const char *field,
                     const Google__Type__Money *money, enum iso_range range, bool required)
{
    char whole[ISO_PATH_SIZE];
    struct iso_error error = {0};
    iso_decimal amount = 0;

    if (!money) {
        if (required)
            iso_check_fail(check, path, field, "is missing; an amount of money is required");
        return !required;
    }
    snprintf(whole, sizeof(whole), "%s.%s", path, field);
    if (iso_money_to_decimal(money, &amount, &error) != ISO_OK) {
        iso_check_fail(check, whole, error.field, "%s", error.text);
        return false;
    }
    if (amount < (range == ISO_ABOVE_ZERO ? 1 : 0)) {
        iso_check_fail(check, path, field, "must be %s 0",
                       range == ISO_ABOVE_ZERO ? "above" : "at least");
        return false;
    }
    return true;
}

static bool is_id(const char *id)
{
    size_t n = strlen(id);

    return n >= 1 && n <= 64 && id[0] != '-' && id[0] != '_' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

void iso_check_new_id(struct iso_model_check *check, const char *path, const char *id,
                      struct iso_names *names)
{
    if (!is_id(id))
        iso_check_fail(check, path, "id",
                       id[0] ? "\"%.64s\" is not an id; [a-z0-9][a-z0-9_-]{0,63} is allowed"
                             : "is empty%.0s; [a-z0-9][a-z0-9_-]{0,63} is allowed",
                       id);
    else if (!iso_names_add_new(names, id))
        iso_check_fail(check, path, "id", "\"%s\" is there twice; ids must be unique", id);
}

void iso_check_period_ids(struct iso_model_check *check, const char *path, const char *field,
                          char **ids, size_t n)
{
    char place[64];

    for (size_t i = 0; i < n; i++) {
        if (!check->model || iso_names_find(&check->periods, ids[i]) >= 0)
            continue;
        snprintf(place, sizeof(place), "%s[%zu]", field, i);
        iso_check_fail(check, path, place,
                       check->model->load_levels
                           ? "\"%.64s\": with load_levels there are no periods to name"
                           : "\"%.64s\" is not the id of a period",
                       ids[i]);
    }
}

bool iso_check_provider(struct iso_model_check *check, const char *path, const char *field,
                        const char *provider)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];

    if (iso_provider_fold(provider, buffer))
        return true;
    iso_check_fail(check, path, field,
                   provider[0]
                       ? "\"%.64s\" is not a provider; a word [a-z0-9][a-z0-9_-]{0,63} is allowed"
                       : "is empty%.0s; a provider such as aws is required",
                   provider);
    return false;
}

static void check_patterns(struct iso_model_check *check, const char *path, const char *field,
                           char **values, size_t n)
{
    char place[32];

    for (size_t i = 0; i < n; i++) {
        const char *star = strchr(values[i], '*');
        snprintf(place, sizeof(place), "%s[%zu]", field, i);
        if (values[i][0] == '\0')
            iso_check_fail(check, path, place, "is empty; leave it out to allow everything");
        else if (star && star[1] != '\0' && strcmp(field, "offering") != 0)
            iso_check_fail(check, path, place, "\"%.64s\": `*` is allowed at the end only",
                           values[i]);
    }
}

static void check_term(struct iso_model_check *check, const char *path,
                       const Isocost__V1__SelectorTerm *term)
{
    char place[32];

    check_patterns(check, path, "provider", term->provider, term->n_provider);
    check_patterns(check, path, "region", term->region, term->n_region);
    check_patterns(check, path, "zone", term->zone, term->n_zone);
    check_patterns(check, path, "family", term->family, term->n_family);
    check_patterns(check, path, "type", term->type, term->n_type);
    check_patterns(check, path, "arch", term->arch, term->n_arch);
    check_patterns(check, path, "os", term->os, term->n_os);
    check_patterns(check, path, "offering", term->offering, term->n_offering);
    for (size_t i = 0; i < term->n_purchase; i++)
        if (term->purchase[i] == ISOCOST__V1__PURCHASE__PURCHASE_UNSPECIFIED) {
            snprintf(place, sizeof(place), "purchase[%zu]", i);
            iso_check_fail(check, path, place, "must be ON_DEMAND or SPOT");
        }
}

void iso_check_selector(struct iso_model_check *check, const char *path, const char *field,
                        const Isocost__V1__Selector *selector)
{
    char owner[ISO_PATH_SIZE], place[ISO_PATH_SIZE];

    snprintf(owner, sizeof(owner), "%s.%s", path, field);
    for (size_t i = 0; selector && i < selector->n_include; i++) {
        iso_check_path(place, owner, "include", i);
        check_term(check, place, selector->include[i]);
    }
    for (size_t i = 0; selector && i < selector->n_exclude; i++) {
        iso_check_path(place, owner, "exclude", i);
        check_term(check, place, selector->exclude[i]);
    }
}

static const char *const resource_names[ISO_N_RESOURCES] = {
    "vcpu",           "memory_gib", "gpu",          "gpu_memory_gib",
    "local_disk_gib", "disk_gib",   "network_gbps", "iops",
};

const char *iso_resource_name(int k)
{
    return resource_names[k];
}

bool iso_resource_amount(const Isocost__V1__Resources *resources, int k, double *ret_amount)
{
    static const double none = 0;
    const Isocost__V1__Resources *r = resources;
    const double *amounts[ISO_N_RESOURCES] = {NULL};

    if (!r)
        return false;
    amounts[ISO_RESOURCE_VCPU] = r->opt_vcpu_case ? &r->vcpu : NULL;
    amounts[ISO_RESOURCE_MEMORY_GIB] = r->opt_memory_gib_case ? &r->memory_gib : NULL;
    amounts[ISO_RESOURCE_GPU] = r->opt_gpu_case ? &r->gpu : NULL;
    amounts[ISO_RESOURCE_GPU_MEMORY_GIB] = r->opt_gpu_memory_gib_case ? &r->gpu_memory_gib : NULL;
    amounts[ISO_RESOURCE_LOCAL_DISK_GIB] = r->opt_local_disk_gib_case ? &r->local_disk_gib : NULL;
    amounts[ISO_RESOURCE_DISK_GIB] = r->opt_disk_gib_case ? &r->disk_gib : NULL;
    amounts[ISO_RESOURCE_NETWORK_GBPS] = r->opt_network_gbps_case ? &r->network_gbps : NULL;
    amounts[ISO_RESOURCE_IOPS] = r->opt_iops_case ? &r->iops : NULL;
    *ret_amount = amounts[k] ? *amounts[k] : none;
    return amounts[k] != NULL;
}

void iso_check_resources(struct iso_model_check *check, const char *path, const char *field,
                         const Isocost__V1__Resources *resources)
{
    char place[ISO_PATH_SIZE];
    double amount;

    snprintf(place, sizeof(place), "%s.%s", path, field);
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (iso_resource_amount(resources, k, &amount))
            iso_check_number(check, place, resource_names[k], amount, ISO_AT_LEAST_ZERO);
}

/* The price, if there, is the step that begins at 0. */
static void check_steps(struct iso_model_check *check, const char *path,
                        const Isocost__V1__Policy *policy)
{
    const Google__Type__Money *before = policy->price;
    char place[ISO_PATH_SIZE];

    if (policy->n_steps > MAXIMUM_STEPS)
        iso_check_fail(check, path, "steps", "%zu steps; at most %d are allowed", policy->n_steps,
                       MAXIMUM_STEPS);
    for (size_t i = 0; i < policy->n_steps; i++) {
        const Isocost__V1__PenaltyStep *step = policy->steps[i];
        iso_check_path(place, path, "steps", i);
        if (!iso_check_number(check, place, "from", step->from, ISO_AT_LEAST_ZERO) ||
            !iso_check_money(check, place, "price", step->price, ISO_ABOVE_ZERO, true))
            return;
        if (i == 0 && !policy->price && step->from > 0)
            iso_check_fail(check, place, "from", "%.9g; without a price the first step is at 0",
                           step->from);
        else if (i == 0 && policy->price && step->from == 0)
            iso_check_fail(check, place, "from", "0; the policy's price holds there already");
        else if (i > 0 && step->from <= policy->steps[i - 1]->from)
            iso_check_fail(check, place, "from",
                           "%.9g; it must be above %.9g, where the step "
                           "before begins",
                           step->from, policy->steps[i - 1]->from);
        if (before && strcmp(before->currency_code, step->price->currency_code) != 0)
            iso_check_fail(check, place, "price.currency_code", "%s; it must be %s as before",
                           step->price->currency_code, before->currency_code);
        else if (before &&
                 (before->units > step->price->units ||
                  (before->units == step->price->units && before->nanos > step->price->nanos)))
            iso_check_fail(check, place, "price", "is below the price before; it must not fall");
        before = step->price;
    }
}

void iso_check_policy(struct iso_model_check *check, const char *path,
                      const Isocost__V1__Policy *policy)
{
    char place[ISO_PATH_SIZE];

    if (!policy)
        return;
    snprintf(place, sizeof(place), "%s.policy", path);
    if (policy->kind == ISOCOST__V1__POLICY_KIND__POLICY_KIND_SOFT) {
        if (policy->price || policy->n_steps == 0)
            iso_check_money(check, place, "price", policy->price, ISO_ABOVE_ZERO, true);
        check_steps(check, place, policy);
        return;
    }
    if (policy->price)
        iso_check_fail(check, place, "price", "is for policy SOFT only");
    if (policy->n_steps > 0)
        iso_check_fail(check, place, "steps", "are for policy SOFT only");
}

static void check_names(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Model *model = check->model;
    char place[ISO_PATH_SIZE];

    if (strlen(model->display_name) > 256)
        iso_check_fail(check, path, "display_name", "is longer than 256 bytes");
    if (model->n_labels > 64)
        iso_check_fail(check, path, "labels", "%zu labels; at most 64 are allowed",
                       model->n_labels);
    for (size_t i = 0; i < model->n_teams; i++) {
        iso_check_path(place, path, "teams", i);
        iso_check_new_id(check, place, model->teams[i]->id, &check->teams);
        iso_check_resources(check, place, "overhead", model->teams[i]->overhead);
    }
    if (model->n_workloads == 0)
        iso_check_fail(check, path, "workloads", "is empty; at least one workload is required");
    for (size_t i = 0; i < model->n_workloads; i++) {
        iso_check_path(place, path, "workloads", i);
        iso_check_new_id(check, place, model->workloads[i]->id, &check->workloads);
    }
}

static void check_rules(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Model *model = check->model;
    struct iso_names limits = {.arena = check->violations->arena};
    struct iso_names budgets = {.arena = check->violations->arena};
    struct iso_names prices = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < model->n_workloads; i++) {
        iso_check_path(place, path, "workloads", i);
        iso_check_workload(check, place, model->workloads[i]);
    }
    for (size_t i = 0; i < model->n_limits; i++) {
        iso_check_path(place, path, "limits", i);
        iso_check_new_id(check, place, model->limits[i]->id, &limits);
        iso_check_limit(check, place, model->limits[i]);
    }
    for (size_t i = 0; i < model->n_budgets; i++) {
        iso_check_path(place, path, "budgets", i);
        iso_check_new_id(check, place, model->budgets[i]->id, &budgets);
        iso_check_budget(check, place, model->budgets[i]);
    }
    for (size_t i = 0; i < model->n_volume_prices; i++) {
        iso_check_path(place, path, "volume_prices", i);
        iso_check_new_id(check, place, model->volume_prices[i]->id, &prices);
        iso_check_volume_price(check, place, model->volume_prices[i]);
    }
    for (size_t i = 0; i < model->n_egress_prices; i++) {
        iso_check_path(place, path, "egress_prices", i);
        iso_check_egress_price(check, place, model->egress_prices[i]);
    }
    if (model->current) {
        snprintf(place, sizeof(place), "%s.current", path);
        iso_check_current(check, place, model->current);
    }
    if (model->start) {
        snprintf(place, sizeof(place), "%s.start", path);
        iso_check_start(check, place, model->start);
    }
}

void iso_model_check(const Isocost__V1__Model *model, const char *path,
                     struct iso_violations *violations)
{
    struct iso_model_check check = {
        .violations = violations,
        .model = model,
        .periods.arena = violations->arena,
        .teams.arena = violations->arena,
        .workloads.arena = violations->arena,
        .rules.arena = violations->arena,
    };

    check_names(&check, path);
    iso_check_time(&check, path);
    iso_check_catalog(&check, path);
    iso_check_currency(&check, path);
    check_rules(&check, path);
    iso_check_options(&check, path);
    iso_check_uncertainty(&check, path);
}
