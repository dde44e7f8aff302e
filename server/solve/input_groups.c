/* Which members of a model belong to which group, in two ways that must agree: to compare, a copy
 * of a message keeps only the members of the group; to mix, they are taken from the other one. */
#include "input_groups.h"

#include <stdio.h>
#include <string.h>

#include "message_new.h"

#define RATES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RATES
#define LIST_PRICES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_LIST_PRICES
#define CATALOG ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_CATALOG
#define DEMAND ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_DEMAND
#define COMMITMENTS ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_COMMITMENTS
#define RULES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RULES

typedef Isocost__V1__Model Model;
typedef Isocost__V1__Offering Offering;
typedef Isocost__V1__CommitmentProduct Product;
typedef Isocost__V1__Workload Workload;
typedef Isocost__V1__CurrentPlacement Placement;
typedef Isocost__V1__Options Options;

/* --- members of messages by group --- */

static void set_price(Offering *offering, const Offering *from)
{
    offering->opt_lot_case = from->opt_lot_case;
    offering->lot = from->lot;
    offering->price_unit = from->price_unit;
    offering->price = from->price;
    offering->period_prices = from->period_prices;
    offering->n_period_prices = from->n_period_prices;
}

static void set_fee(Product *product, const Product *from)
{
    product->hourly_fee = from->hourly_fee;
    product->upfront = from->upfront;
    product->opt_lot_case = from->opt_lot_case;
    product->lot = from->lot;
}

/* What is asked of a workload, and what serving it is worth. */
static void set_demand(Workload *workload, const Workload *from)
{
    workload->team = from->team;
    workload->account = from->account;
    workload->service_case = from->service_case;
    workload->penalty = from->penalty; /* the widest member of a union with the others */
    workload->opt_weight_case = from->opt_weight_case;
    workload->weight = from->weight;
    workload->demand_case = from->demand_case;
    workload->throughput = from->throughput; /* replicas: the same member of a union */
    workload->headroom = from->headroom;
    workload->fair = from->fair;
}

static void set_move_costs(Placement *placement, const Placement *from)
{
    placement->start_cost = from->start_cost;
    placement->stop_cost = from->stop_cost;
    placement->move_cost = from->move_cost;
}

/* Options that decide what is allowed; the others say how to search. */
static void set_rules(Options *options, const Options *from)
{
    options->unknown_quota = from->unknown_quota;
    options->horizon_repeats = from->horizon_repeats;
    options->opt_tier_tolerance_case = from->opt_tier_tolerance_case;
    options->tier_tolerance = from->tier_tolerance;
}

/* --- comparing --- */

struct comparison {
    struct iso_arena *arena;
    const struct iso_inputs *before, *after;
    struct iso_differences *groups;
    bool full; /* the arena */
};

static struct iso_differences *of(struct comparison *c, int group)
{
    return &c->groups[group];
}

/* Gives a list of copies of n messages, each as `trim` leaves it. */
static void *trimmed(struct comparison *c, void *list, size_t n, void (*trim)(void *message))
{
    ProtobufCMessage **messages = list,
                     **copies = iso_arena_calloc(c->arena, n + 1, sizeof(*copies));

    for (size_t i = 0; copies && i < n; i++) {
        size_t size = messages[i]->descriptor->sizeof_message;
        copies[i] = iso_arena_calloc(c->arena, 1, size);
        if (!copies[i])
            break;
        memcpy(copies[i], messages[i], size);
        trim(copies[i]);
    }
    c->full = c->full || iso_arena_full(c->arena);
    return copies;
}

static void without_time(void *message)
{
    ((Isocost__V1__ExchangeRate *)message)->observed_at = NULL;
}

static void quota_without_time(void *message)
{
    ((Isocost__V1__Quota *)message)->observed_at = NULL;
}

static void team_without_name(void *message)
{
    ((Isocost__V1__Team *)message)->display_name = NULL;
}

static void product_without_fee(void *message)
{
    Product *product = message;
    const Product none = ISOCOST__V1__COMMITMENT_PRODUCT__INIT;

    set_fee(product, &none);
    product->display_name = product->source = NULL;
}

static void only_demand(void *message)
{
    Workload *workload = message, kept = ISOCOST__V1__WORKLOAD__INIT;

    set_demand(&kept, workload);
    kept.id = workload->id;
    *workload = kept;
}

static void compare_rates(struct comparison *c)
{
    const Isocost__V1__Currency none = ISOCOST__V1__CURRENCY__INIT;
    Isocost__V1__Currency before = none, after = none;

    if (c->before->model->currency)
        before = *c->before->model->currency;
    if (c->after->model->currency)
        after = *c->after->model->currency;
    before.rates = trimmed(c, before.rates, before.n_rates, without_time);
    after.rates = trimmed(c, after.rates, after.n_rates, without_time);
    before.base_currency = after.base_currency; /* "" and USD are the same; others are refused */
    if (!c->full)
        iso_differences_add(of(c, RATES), "currency", &before.base, &after.base);
}

static void compare_offering(struct comparison *c, const Offering *before, const Offering *after,
                             const char *id)
{
    Offering left = ISOCOST__V1__OFFERING__INIT, right = left, none = left;

    set_price(&left, before);
    set_price(&right, after);
    iso_differences_add(of(c, LIST_PRICES), id, &left.base, &right.base);
    left = *before;
    right = *after;
    set_price(&left, &none);
    set_price(&right, &none);
    left.observed_at = right.observed_at = NULL;
    left.source = right.source = left.native_id = right.native_id = NULL;
    iso_differences_add(of(c, CATALOG), id, &left.base, &right.base);
}

/* Both lists are sorted by id. */
static void compare_offerings(struct comparison *c)
{
    const struct iso_flat_catalog *before = c->before->catalog, *after = c->after->catalog;
    size_t i = 0, k = 0;

    while (i < before->n || k < after->n) {
        int order = i == before->n  ? 1
                    : k == after->n ? -1
                                    : strcmp(before->rows[i].id, after->rows[k].id);
        if (order == 0)
            compare_offering(c, before->catalog->offerings[i], after->catalog->offerings[k],
                             before->rows[i].id);
        else
            iso_differences_say(of(c, CATALOG), "%s %s",
                                order < 0 ? before->rows[i].id : after->rows[k].id,
                                order < 0 ? "is gone" : "is new");
        i += order <= 0;
        k += order >= 0;
    }
}

static Product *find_product(const Isocost__V1__Catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->n_products; i++)
        if (strcmp(catalog->products[i]->id, id) == 0)
            return catalog->products[i];
    return NULL;
}

static void compare_products(struct comparison *c, const Isocost__V1__Catalog *before,
                             const Isocost__V1__Catalog *after)
{
    Isocost__V1__Catalog left = ISOCOST__V1__CATALOG__INIT, right = left;

    for (size_t i = 0; i < before->n_products; i++) {
        const Product *other = find_product(after, before->products[i]->id);
        Product fee = ISOCOST__V1__COMMITMENT_PRODUCT__INIT, other_fee = fee;
        if (!other)
            continue;
        set_fee(&fee, before->products[i]);
        set_fee(&other_fee, other);
        iso_differences_add(of(c, LIST_PRICES), before->products[i]->id, &fee.base,
                            &other_fee.base);
    }
    left.products = trimmed(c, before->products, before->n_products, product_without_fee);
    right.products = trimmed(c, after->products, after->n_products, product_without_fee);
    left.n_products = before->n_products;
    right.n_products = after->n_products;
    if (!c->full)
        iso_differences_add(of(c, COMMITMENTS), "", &left.base, &right.base);
}

static void compare_catalogs(struct comparison *c)
{
    const Isocost__V1__Catalog *before = c->before->catalog->catalog;
    const Isocost__V1__Catalog *after = c->after->catalog->catalog;
    Isocost__V1__Catalog left = ISOCOST__V1__CATALOG__INIT, right = left;

    compare_offerings(c);
    compare_products(c, before, after);
    left.quotas = trimmed(c, before->quotas, before->n_quotas, quota_without_time);
    right.quotas = trimmed(c, after->quotas, after->n_quotas, quota_without_time);
    left.n_quotas = before->n_quotas;
    right.n_quotas = after->n_quotas;
    if (!c->full)
        iso_differences_add(of(c, RULES), "", &left.base, &right.base);
}

static void compare_demand(struct comparison *c)
{
    const Model *before = c->before->model, *after = c->after->model;
    Model left = ISOCOST__V1__MODEL__INIT, right = left;

    left.periods = before->periods, left.n_periods = before->n_periods;
    right.periods = after->periods, right.n_periods = after->n_periods;
    left.load_levels = before->load_levels, right.load_levels = after->load_levels;
    left.uncertainty = before->uncertainty, right.uncertainty = after->uncertainty;
    left.teams = trimmed(c, before->teams, before->n_teams, team_without_name);
    left.n_teams = before->n_teams;
    right.teams = trimmed(c, after->teams, after->n_teams, team_without_name);
    right.n_teams = after->n_teams;
    left.workloads = trimmed(c, before->workloads, before->n_workloads, only_demand);
    left.n_workloads = before->n_workloads;
    right.workloads = trimmed(c, after->workloads, after->n_workloads, only_demand);
    right.n_workloads = after->n_workloads;
    if (!c->full)
        iso_differences_add(of(c, DEMAND), "", &left.base, &right.base);
}

static const Workload *find_workload(const Model *model, const char *id)
{
    for (size_t i = 0; i < model->n_workloads; i++)
        if (strcmp(model->workloads[i]->id, id) == 0)
            return model->workloads[i];
    return NULL;
}

/* Rules of the workloads that both have: one that is new comes with its rules. */
static void compare_workload_rules(struct comparison *c)
{
    const Workload none = ISOCOST__V1__WORKLOAD__INIT;

    for (size_t i = 0; i < c->before->model->n_workloads; i++) {
        Workload before = *c->before->model->workloads[i], after;
        const Workload *other = find_workload(c->after->model, before.id);
        char path[100];
        if (!other)
            continue;
        after = *other;
        set_demand(&before, &none);
        set_demand(&after, &none);
        before.display_name = after.display_name = NULL;
        snprintf(path, sizeof(path), "workloads[%.70s]", before.id);
        iso_differences_add(of(c, RULES), path, &before.base, &after.base);
    }
}

static void compare_placements(struct comparison *c)
{
    const Placement none = ISOCOST__V1__CURRENT_PLACEMENT__INIT;
    const Placement *given_before = c->before->model->current,
                    *given_after = c->after->model->current;
    Placement before = none, after = none;

    if (given_before && given_after) {
        set_move_costs(&before, given_before);
        set_move_costs(&after, given_after);
        iso_differences_add(of(c, LIST_PRICES), "current", &before.base, &after.base);
        before = *given_before;
        after = *given_after;
        set_move_costs(&before, &none);
        set_move_costs(&after, &none);
        iso_differences_add(of(c, RULES), "current", &before.base, &after.base);
    } else {
        iso_differences_add(of(c, RULES), "current", given_before ? &given_before->base : NULL,
                            given_after ? &given_after->base : NULL);
    }
}

static void compare_rules(struct comparison *c)
{
    const Model *before = c->before->model, *after = c->after->model;
    Model left = ISOCOST__V1__MODEL__INIT, right = left;
    Options options = ISOCOST__V1__OPTIONS__INIT, other_options = options;

    left.limits = before->limits, left.n_limits = before->n_limits;
    left.budgets = before->budgets, left.n_budgets = before->n_budgets;
    right.limits = after->limits, right.n_limits = after->n_limits;
    right.budgets = after->budgets, right.n_budgets = after->n_budgets;
    if (before->options)
        set_rules(&options, before->options);
    if (after->options)
        set_rules(&other_options, after->options);
    left.options = &options;
    right.options = &other_options;
    iso_differences_add(of(c, RULES), "", &left.base, &right.base);
    compare_workload_rules(c);
    compare_placements(c);
}

/* What egress costs: by the model, or, where the catalogs are written out, by the snapshot too. */
static void set_egress(Model *model, const struct iso_inputs *from)
{
    model->egress_prices =
        from->catalog ? from->catalog->egress_prices : from->model->egress_prices;
    model->n_egress_prices =
        from->catalog ? from->catalog->n_egress_prices : from->model->n_egress_prices;
}

static void compare_prices(struct comparison *c)
{
    const Model *before = c->before->model, *after = c->after->model;
    Model left = ISOCOST__V1__MODEL__INIT, right = left;

    left.volume_prices = before->volume_prices, left.n_volume_prices = before->n_volume_prices;
    set_egress(&left, c->before);
    right.volume_prices = after->volume_prices, right.n_volume_prices = after->n_volume_prices;
    set_egress(&right, c->after);
    iso_differences_add(of(c, LIST_PRICES), "", &left.base, &right.base);
}

enum iso_status iso_input_groups_compare(const struct iso_inputs *before,
                                         const struct iso_inputs *after, struct iso_arena *arena,
                                         struct iso_differences ret[ISO_N_INPUT_GROUPS],
                                         struct iso_error *reterr)
{
    struct comparison c = {.arena = arena, .before = before, .after = after, .groups = ret};

    for (int group = 0; group < ISO_N_INPUT_GROUPS; group++)
        ret[group] = (struct iso_differences){.arena = arena};
    compare_rates(&c);
    compare_prices(&c);
    if (before->catalog && after->catalog)
        compare_catalogs(&c);
    compare_demand(&c);
    compare_rules(&c);
    return iso_arena_full(arena)
               ? iso_fail(reterr, ISO_E_LIMIT, "", "no memory to compare two models")
               : ISO_OK;
}

/* --- mixing --- */

static void *copy_of(struct iso_arena *arena, const ProtobufCMessage *message)
{
    void *copy = iso_arena_calloc(arena, 1, message->descriptor->sizeof_message);

    if (copy)
        memcpy(copy, message, message->descriptor->sizeof_message);
    return copy;
}

/* What the first sells, at the second's prices where that sells it too. */
static bool mix_offerings(const struct iso_flat_catalog *before,
                          const struct iso_flat_catalog *after, struct iso_arena *arena,
                          Isocost__V1__Catalog *mixed)
{
    mixed->offerings = iso_arena_calloc(arena, before->n + 1, sizeof(*mixed->offerings));
    for (size_t i = 0; mixed->offerings && i < before->n; i++) {
        int64_t k = iso_flat_catalog_find(after, before->rows[i].id);
        mixed->offerings[i] = before->catalog->offerings[i];
        if (k < 0)
            continue;
        mixed->offerings[i] = copy_of(arena, &before->catalog->offerings[i]->base);
        if (!mixed->offerings[i])
            return false;
        set_price(mixed->offerings[i], after->catalog->offerings[k]);
    }
    return mixed->offerings != NULL;
}

static bool mix_products(const Isocost__V1__Catalog *before, const Isocost__V1__Catalog *after,
                         struct iso_arena *arena, Isocost__V1__Catalog *mixed)
{
    mixed->products = iso_arena_calloc(arena, before->n_products + 1, sizeof(*mixed->products));
    mixed->n_products = before->n_products;
    for (size_t i = 0; mixed->products && i < before->n_products; i++) {
        const Product *other = find_product(after, before->products[i]->id);
        mixed->products[i] = copy_of(arena, &before->products[i]->base);
        if (!mixed->products[i])
            return false;
        if (other)
            set_fee(mixed->products[i], other);
    }
    return mixed->products != NULL;
}

static Isocost__V1__Catalog *mix_catalogs(const struct iso_inputs *before,
                                          const struct iso_inputs *after, int last,
                                          struct iso_arena *arena)
{
    const struct iso_flat_catalog *sold = last >= CATALOG ? after->catalog : before->catalog;
    const struct iso_flat_catalog *held = last >= COMMITMENTS ? after->catalog : before->catalog;
    const struct iso_flat_catalog *capped = last >= RULES ? after->catalog : before->catalog;
    Isocost__V1__Catalog *mixed;
    bool enough = true;

    if (!before->catalog || !after->catalog)
        return before->model->catalog;
    mixed = copy_of(arena, &sold->catalog->base);
    if (!mixed)
        return NULL;
    mixed->products = held->catalog->products;
    mixed->n_products = held->catalog->n_products;
    mixed->quotas = capped->catalog->quotas;
    mixed->n_quotas = capped->catalog->n_quotas;
    if (last == LIST_PRICES)
        enough = mix_offerings(before->catalog, after->catalog, arena, mixed);
    if (last >= LIST_PRICES && last < COMMITMENTS)
        enough =
            enough && mix_products(before->catalog->catalog, after->catalog->catalog, arena, mixed);
    return enough ? mixed : NULL;
}

/* What the second asks, under the first's rules. */
static bool mix_workloads(const Model *before, const Model *after, struct iso_arena *arena,
                          Model *mixed)
{
    mixed->n_workloads = after->n_workloads;
    mixed->workloads = iso_arena_calloc(arena, after->n_workloads + 1, sizeof(*mixed->workloads));
    for (size_t i = 0; mixed->workloads && i < after->n_workloads; i++) {
        const Workload *ruled = find_workload(before, after->workloads[i]->id);
        mixed->workloads[i] = after->workloads[i];
        if (!ruled)
            continue;
        mixed->workloads[i] = copy_of(arena, &ruled->base);
        if (!mixed->workloads[i])
            return false;
        set_demand(mixed->workloads[i], after->workloads[i]);
    }
    return mixed->workloads != NULL;
}

static void take_demand(Model *mixed, const Model *after)
{
    mixed->periods = after->periods;
    mixed->n_periods = after->n_periods;
    mixed->load_levels = after->load_levels;
    mixed->teams = after->teams;
    mixed->n_teams = after->n_teams;
    mixed->uncertainty = after->uncertainty;
}

static void take_rules(Model *mixed, const Model *after)
{
    mixed->limits = after->limits;
    mixed->n_limits = after->n_limits;
    mixed->budgets = after->budgets;
    mixed->n_budgets = after->n_budgets;
    mixed->workloads = after->workloads;
    mixed->n_workloads = after->n_workloads;
    mixed->current = after->current;
}

/* How to search is the second's, what is allowed is that of whose turn it is. */
static bool mix_options(const Model *before, const Model *after, int last, struct iso_arena *arena,
                        Model *mixed)
{
    const Options none = ISOCOST__V1__OPTIONS__INIT;
    const Options *rules = last >= RULES ? after->options : before->options;

    mixed->options = copy_of(arena, after->options ? &after->options->base : &none.base);
    if (!mixed->options)
        return false;
    set_rules(mixed->options, rules ? rules : &none);
    mixed->options->n_want = 0;
    return true;
}

static bool mix_prices(const struct iso_inputs *inputs, struct iso_arena *arena, Model *mixed)
{
    const Model *after = inputs->model;

    mixed->volume_prices = after->volume_prices;
    mixed->n_volume_prices = after->n_volume_prices;
    set_egress(mixed, inputs);
    if (!mixed->current || !after->current)
        return true;
    mixed->current = copy_of(arena, &mixed->current->base);
    if (mixed->current)
        set_move_costs(mixed->current, after->current);
    return mixed->current != NULL;
}

Isocost__V1__Model *iso_input_groups_mix(const struct iso_inputs *before,
                                         const struct iso_inputs *after, int last,
                                         struct iso_arena *arena)
{
    Model *mixed = copy_of(arena, &before->model->base);
    bool enough = mixed != NULL;

    if (!mixed)
        return NULL;
    mixed->start = NULL;
    mixed->catalog = mix_catalogs(before, after, last, arena);
    enough = mixed->catalog && mix_options(before->model, after->model, last, arena, mixed);
    if (last >= RATES)
        mixed->currency = after->model->currency;
    set_egress(mixed, before);
    if (last >= LIST_PRICES)
        enough = mix_prices(after, arena, mixed) && enough;
    if (last >= DEMAND) {
        take_demand(mixed, after->model);
        enough = mix_workloads(before->model, after->model, arena, mixed) && enough;
    }
    if (last >= RULES)
        take_rules(mixed, after->model);
    return enough ? mixed : NULL;
}
