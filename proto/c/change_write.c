/* The text of a change that came as a message. */
#include <stdio.h>
#include <string.h>

#include "change_text.h"
#include "isocost/proto/json.h"
#include "isocost/proto/money.h"

static char *number_text(double value, struct iso_arena *arena)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (iso_decimal_from_double(value, &decimal, NULL) != ISO_OK)
        return iso_arena_printf(arena, "%.17g", value);
    return iso_arena_strdup(arena, iso_decimal_format(decimal, text));
}

static char *money_text(const Google__Type__Money *money, struct iso_arena *arena)
{
    Google__Type__Money known = *money;
    char text[ISO_DECIMAL_TEXT_SIZE], any[] = "USD";
    iso_decimal amount;

    if (!known.currency_code[0])
        known.currency_code = any;
    if (iso_money_to_decimal(&known, &amount, NULL) != ISO_OK)
        return NULL;
    return iso_arena_printf(arena, "%s%s", iso_decimal_format(amount, text), money->currency_code);
}

static char *factor_text(double factor, struct iso_arena *arena)
{
    char *number = number_text(factor, arena);

    return number ? iso_arena_printf(arena, "*%s", number) : NULL;
}

/* In quotes when it has a character that means something in a selector. */
static char *quoted(const char *text, struct iso_arena *arena)
{
    size_t n = 0;
    char *copy;

    if (!text[strcspn(text, "=&|,:@\"{}[] \t\\")])
        return iso_arena_strdup(arena, text);
    copy = iso_arena_calloc(arena, 2 * strlen(text) + 3, 1);
    if (!copy)
        return NULL;
    copy[n++] = '"';
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            copy[n++] = '\\';
        copy[n++] = *c;
    }
    copy[n] = '"';
    return copy;
}

static char *joined(char **texts, size_t n, char *before, struct iso_arena *arena)
{
    char *all = before;

    for (size_t i = 0; all && i < n; i++) {
        char *text = quoted(texts[i], arena);
        all = text ? iso_arena_printf(arena, "%s%s%s", all, i ? "|" : "", text) : NULL;
    }
    return all;
}

static char *enum_word(const ProtobufCEnumDescriptor *type, int value, size_t n_prefix,
                       struct iso_arena *arena)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    char *word = known ? iso_arena_strdup(arena, known->name + n_prefix) : NULL;

    for (char *c = word; c && *c; c++)
        *c = *c == '_' ? '-' : (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return word;
}

static char *add_field(char *all, const char *name, char **texts, size_t n, struct iso_arena *arena)
{
    if (n == 0 || !all)
        return all;
    all = iso_arena_printf(arena, "%s%s%s:", all, all[0] ? "&" : "", name);
    return all ? joined(texts, n, all, arena) : NULL;
}

static char *add_words(char *all, const char *name, const ProtobufCEnumDescriptor *type,
                       const int *values, size_t n, struct iso_arena *arena)
{
    char **words = iso_arena_calloc(arena, n, sizeof(*words));
    size_t n_prefix = strcmp(name, "kind") == 0 ? strlen("OFFERING_KIND_") : strlen("PURCHASE_");

    for (size_t i = 0; i < n; i++)
        if (!words || !(words[i] = enum_word(type, values[i], n_prefix, arena)))
            return NULL;
    return add_field(all, name, words, n, arena);
}

static char *selector_text(const Isocost__V1__SelectorTerm *term, struct iso_arena *arena)
{
    char *all = iso_arena_strdup(arena, "");

    if (!term)
        return iso_arena_strdup(arena, "*");
    all = add_field(all, "provider", term->provider, term->n_provider, arena);
    all = add_field(all, "region", term->region, term->n_region, arena);
    all = add_field(all, "zone", term->zone, term->n_zone, arena);
    all = add_field(all, "family", term->family, term->n_family, arena);
    all = add_field(all, "type", term->type, term->n_type, arena);
    all = add_field(all, "arch", term->arch, term->n_arch, arena);
    all = add_field(all, "os", term->os, term->n_os, arena);
    all = add_words(all, "purchase", &isocost__v1__purchase__descriptor,
                    (const int *)(const void *)term->purchase, term->n_purchase, arena);
    all = add_words(all, "kind", &isocost__v1__offering_kind__descriptor,
                    (const int *)(const void *)term->kind, term->n_kind, arena);
    for (size_t i = 0; all && i < term->n_labels; i++) {
        char *name = iso_arena_printf(arena, "label.%s", term->labels[i]->key);
        all = name ? add_field(all, name, &term->labels[i]->value, 1, arena) : NULL;
    }
    all = add_field(all, "offering", term->offering, term->n_offering, arena);
    return all && !all[0] ? iso_arena_strdup(arena, "*") : all;
}

static char *with_ids(char *target, char **ids, size_t n, struct iso_arena *arena)
{
    char *text = target && n > 0 ? iso_arena_printf(arena, "%s@", target) : target;

    return text ? joined(ids, n, text, arena) : NULL;
}

static char *object_text(const ProtobufCMessage *message, struct iso_arena *arena)
{
    ISO_AUTO_MEM char *text = NULL;

    return iso_json_write(message, 0, &text, NULL) == ISO_OK ? iso_arena_strdup(arena, text) : NULL;
}

static char *offering_id(const Isocost__V1__Offering *offering, struct iso_arena *arena)
{
    return iso_arena_printf(
        arena, "%s/%s/%s/%s/%s/%s", offering->provider,
        offering->region[0] ? offering->region : "*", offering->zone[0] ? offering->zone : "*",
        offering->type, offering->os[0] ? offering->os : "linux",
        offering->purchase == ISOCOST__V1__PURCHASE__PURCHASE_SPOT ? "spot" : "on-demand");
}

static char *put(const char *kind, const char *target, const char *value, struct iso_arena *arena)
{
    return target && value ? iso_arena_printf(arena, "%s.%s=%s", kind, target, value) : NULL;
}

static char *write_price(const Isocost__V1__PriceChange *c, struct iso_arena *arena)
{
    return put("price", selector_text(c->offerings, arena),
               c->change_case == ISOCOST__V1__PRICE_CHANGE__CHANGE_PRICE
                   ? money_text(c->price, arena)
                   : factor_text(c->factor, arena),
               arena);
}

static char *write_budget(const Isocost__V1__BudgetChange *c, struct iso_arena *arena)
{
    char *target = c->opt_window_case ? iso_arena_printf(arena, "%s@%d", c->budget, c->window)
                                      : iso_arena_strdup(arena, c->budget);

    return put(c->cash ? "cash" : "budget", target,
               c->change_case == ISOCOST__V1__BUDGET_CHANGE__CHANGE_AMOUNT
                   ? money_text(c->amount, arena)
                   : factor_text(c->factor, arena),
               arena);
}

static char *write_offering(const Isocost__V1__OfferingChange *c, struct iso_arena *arena)
{
    if (c->change_case == ISOCOST__V1__OFFERING_CHANGE__CHANGE_ADD)
        return put("offering", offering_id(c->add, arena), object_text(&c->add->base, arena),
                   arena);
    return put("offering", selector_text(c->remove, arena),
               c->change_case == ISOCOST__V1__OFFERING_CHANGE__CHANGE_RESTORE ? "on" : "off",
               arena);
}

static char *write_commitment(const Isocost__V1__CommitmentChange *c, struct iso_arena *arena)
{
    if (c->change_case == ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_ADD)
        return put("commitment", c->add->id, object_text(&c->add->base, arena), arena);
    if (c->change_case == ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_HOLD)
        return put("commitment", c->hold->product, number_text(c->hold->quantity, arena), arena);
    return put("commitment", c->remove, "off", arena);
}

static char *write_workload(const Isocost__V1__WorkloadChange *c, struct iso_arena *arena)
{
    if (c->change_case == ISOCOST__V1__WORKLOAD_CHANGE__CHANGE_ADD)
        return put("workload", c->add->id, object_text(&c->add->base, arena), arena);
    return put("workload", c->remove, "off", arena);
}

static char *amount_text(bool is_factor, double value, struct iso_arena *arena)
{
    return is_factor ? factor_text(value, arena) : number_text(value, arena);
}

char *iso_change_write(const Isocost__V1__Change *c, struct iso_arena *arena)
{
    if (c->text[0])
        return iso_arena_strdup(arena, c->text);
    switch (c->change_case) {
    case ISOCOST__V1__CHANGE__CHANGE_PRICE:
        return write_price(c->price, arena);
    case ISOCOST__V1__CHANGE__CHANGE_DEMAND:
        return put("demand",
                   with_ids(c->demand->workload, c->demand->periods, c->demand->n_periods, arena),
                   amount_text(c->demand->change_case == ISOCOST__V1__DEMAND_CHANGE__CHANGE_FACTOR,
                               c->demand->factor, arena),
                   arena);
    case ISOCOST__V1__CHANGE__CHANGE_LIMIT:
        return put("limit", c->limit->limit,
                   amount_text(c->limit->change_case == ISOCOST__V1__LIMIT_CHANGE__CHANGE_FACTOR,
                               c->limit->factor, arena),
                   arena);
    case ISOCOST__V1__CHANGE__CHANGE_BUDGET:
        return write_budget(c->budget, arena);
    case ISOCOST__V1__CHANGE__CHANGE_RATE:
        return put("rate", with_ids(c->rate->pair, c->rate->periods, c->rate->n_periods, arena),
                   amount_text(c->rate->change_case == ISOCOST__V1__RATE_CHANGE__CHANGE_FACTOR,
                               c->rate->factor, arena),
                   arena);
    case ISOCOST__V1__CHANGE__CHANGE_OUTAGE:
        return put("outage",
                   iso_arena_printf(arena, "%s%s%s", c->outage->provider,
                                    c->outage->region[0] ? "/" : "", c->outage->region),
                   c->outage->over ? "off" : "on", arena);
    case ISOCOST__V1__CHANGE__CHANGE_OFFERING:
        return write_offering(c->offering, arena);
    case ISOCOST__V1__CHANGE__CHANGE_FORBID:
        return put("forbid",
                   with_ids(selector_text(c->forbid->offerings, arena), c->forbid->workloads,
                            c->forbid->n_workloads, arena),
                   c->forbid->lifted ? "off" : "on", arena);
    case ISOCOST__V1__CHANGE__CHANGE_REQUIRE:
        return put("require",
                   with_ids(selector_text(c->require->offerings, arena), c->require->periods,
                            c->require->n_periods, arena),
                   number_text(c->require->minimum, arena), arena);
    case ISOCOST__V1__CHANGE__CHANGE_WORKLOAD:
        return write_workload(c->workload, arena);
    case ISOCOST__V1__CHANGE__CHANGE_COMMITMENT:
        return write_commitment(c->commitment, arena);
    case ISOCOST__V1__CHANGE__CHANGE_RULE:
        return put("rule", c->rule->rule, c->rule->on ? "on" : "off", arena);
    default:
        return NULL;
    }
}
