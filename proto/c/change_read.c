/* From the text of a change to the message: KIND ends at the first dot, TARGET at the last `=` that
 * is not in quotes. */
#include <stdio.h>
#include <string.h>

#include "change_text.h"
#include "isocost/proto/money.h"
#include "utf8.h"

typedef enum iso_status read_kind(const struct change_reader *reader, struct part target,
                                  struct part value, Isocost__V1__Change *change);

/* Makes the message of a kind and sets it as the change. */
#define BEGIN_CHANGE(type, member, MEMBER)                                                   \
    Isocost__V1__##type *message =                                                           \
        iso_change_message(reader, change_descriptor(ISOCOST__V1__CHANGE__CHANGE_##MEMBER)); \
    struct change_value value;                                                               \
    if (!message)                                                                            \
        return iso_change_full(reader);                                                      \
    change->change_case = ISOCOST__V1__CHANGE__CHANGE_##MEMBER;                              \
    change->member = message

static const ProtobufCMessageDescriptor *change_descriptor(Isocost__V1__Change__ChangeCase which)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&isocost__v1__change__descriptor, which);

    return field->descriptor;
}

/* A selector as the text of one; a list of them is the same as none. */
static enum iso_status read_price(const struct change_reader *reader, struct part target,
                                  struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(PriceChange, price, PRICE);
    ISO_TRY(iso_change_selector(reader, target, &message->offerings));
    ISO_TRY(iso_change_value(reader, text, VALUE_FACTOR | VALUE_MONEY, &value));
    ISO_TRY(iso_change_above_zero(reader, &value));
    if (value.kind == VALUE_FACTOR) {
        message->change_case = ISOCOST__V1__PRICE_CHANGE__CHANGE_FACTOR;
        message->factor = iso_decimal_to_double(value.number);
        return ISO_OK;
    }
    message->change_case = ISOCOST__V1__PRICE_CHANGE__CHANGE_PRICE;
    message->price = iso_money_from_decimal(value.number, value.currency, reader->arena);
    return message->price ? ISO_OK : iso_change_full(reader);
}

static enum iso_status read_demand(const struct change_reader *reader, struct part target,
                                   struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(DemandChange, demand, DEMAND);
    ISO_TRY(iso_change_ids(reader, &target, &message->n_periods, &message->periods));
    if (iso_part_is(target, "*"))
        ISO_TRY(iso_part_copy(reader, target, &message->workload));
    else
        ISO_TRY(iso_change_id(reader, target, /* product= */ false, &message->workload));
    ISO_TRY(iso_change_value(reader, text, VALUE_FACTOR | VALUE_NUMBER, &value));
    message->change_case = value.kind == VALUE_FACTOR ? ISOCOST__V1__DEMAND_CHANGE__CHANGE_FACTOR
                                                      : ISOCOST__V1__DEMAND_CHANGE__CHANGE_VALUE;
    message->factor = iso_decimal_to_double(value.number);
    return ISO_OK;
}

static enum iso_status read_limit(const struct change_reader *reader, struct part target,
                                  struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(LimitChange, limit, LIMIT);
    ISO_TRY(iso_change_id(reader, target, /* product= */ false, &message->limit));
    ISO_TRY(iso_change_value(reader, text, VALUE_FACTOR | VALUE_NUMBER, &value));
    message->change_case = value.kind == VALUE_FACTOR ? ISOCOST__V1__LIMIT_CHANGE__CHANGE_FACTOR
                                                      : ISOCOST__V1__LIMIT_CHANGE__CHANGE_VALUE;
    message->factor = iso_decimal_to_double(value.number);
    return ISO_OK;
}

static enum iso_status read_window(const struct change_reader *reader, struct part *target,
                                   Isocost__V1__BudgetChange *message)
{
    const char *at = iso_part_last(*target, '@');
    struct part digits;

    if (!at)
        return ISO_OK;
    digits = iso_part_trim((struct part){at + 1, target->end});
    size_t n = strspn(digits.begin, "0123456789");
    if (n == 0 || n > 6 || digits.begin + n != digits.end)
        return iso_change_fail(reader, digits,
                               "\"%.*s\" is not the place of a window, which is 0, 1, 2, ...",
                               ISO_PART(digits));
    message->opt_window_case = ISOCOST__V1__BUDGET_CHANGE__OPT_WINDOW_WINDOW;
    for (const char *c = digits.begin; c < digits.end; c++)
        message->window = 10 * message->window + (*c - '0');
    *target = iso_part_trim((struct part){target->begin, at});
    return ISO_OK;
}

static enum iso_status read_budget(const struct change_reader *reader, struct part target,
                                   struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(BudgetChange, budget, BUDGET);
    ISO_TRY(read_window(reader, &target, message));
    ISO_TRY(iso_change_id(reader, target, /* product= */ false, &message->budget));
    ISO_TRY(iso_change_value(reader, text, VALUE_FACTOR | VALUE_MONEY, &value));
    if (value.kind == VALUE_FACTOR) {
        message->change_case = ISOCOST__V1__BUDGET_CHANGE__CHANGE_FACTOR;
        message->factor = iso_decimal_to_double(value.number);
        return ISO_OK;
    }
    message->change_case = ISOCOST__V1__BUDGET_CHANGE__CHANGE_AMOUNT;
    message->amount = iso_money_from_decimal(value.number, value.currency, reader->arena);
    return message->amount ? ISO_OK : iso_change_full(reader);
}

static enum iso_status read_cash(const struct change_reader *reader, struct part target,
                                 struct part text, Isocost__V1__Change *change)
{
    ISO_TRY(read_budget(reader, target, text, change));
    change->budget->cash = true;
    return ISO_OK;
}

static bool is_pair(const char *text)
{
    return strlen(text) == 7 && text[3] == '/' && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 &&
           strspn(text + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static enum iso_status read_rate(const struct change_reader *reader, struct part target,
                                 struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(RateChange, rate, RATE);
    ISO_TRY(iso_change_ids(reader, &target, &message->n_periods, &message->periods));
    ISO_TRY(iso_part_copy(reader, target, &message->pair));
    if (!is_pair(message->pair))
        return iso_change_fail(reader, target,
                               "\"%.*s\" is not a pair of currencies such as CNY/USD",
                               ISO_PART(target));
    ISO_TRY(iso_change_value(reader, text, VALUE_FACTOR | VALUE_NUMBER, &value));
    ISO_TRY(iso_change_above_zero(reader, &value));
    message->change_case = value.kind == VALUE_FACTOR ? ISOCOST__V1__RATE_CHANGE__CHANGE_FACTOR
                                                      : ISOCOST__V1__RATE_CHANGE__CHANGE_VALUE;
    message->factor = iso_decimal_to_double(value.number);
    return ISO_OK;
}

static enum iso_status read_outage(const struct change_reader *reader, struct part target,
                                   struct part text, Isocost__V1__Change *change)
{
    struct part rest = target, provider, region;
    BEGIN_CHANGE(OutageChange, outage, OUTAGE);

    iso_part_next(&rest, '/', &provider);
    ISO_TRY(iso_part_copy(reader, provider, &message->provider));
    if (iso_part_next(&rest, '/', &region))
        ISO_TRY(iso_part_copy(reader, region, &message->region));
    if (rest.begin || strchr(target.begin, '/') == target.end - 1 || !message->provider[0] ||
        iso_part_first(target, ':') || iso_part_first(target, '*'))
        return iso_change_fail(reader, target, "\"%.*s\" is neither a provider nor provider/region",
                               ISO_PART(target));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH, &value));
    message->over = !value.on;
    return ISO_OK;
}

/* The parts of an offering's id as those of the message, which must not say others. */
static enum iso_status name_offering(const struct change_reader *reader, struct part target,
                                     Isocost__V1__Offering *offering)
{
    char **const members[] = {&offering->provider, &offering->region, &offering->zone,
                              &offering->type, &offering->os};
    struct part rest = target, part;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(members); i++) {
        char *text;
        if (!iso_part_next(&rest, '/', &part) || !rest.begin || part.begin == part.end)
            return iso_change_fail(reader, target,
                                   "\"%.*s\" is not the id of an offering, "
                                   "provider/region/zone/type/os/purchase",
                                   ISO_PART(target));
        ISO_TRY(iso_part_copy(reader, part, &text));
        if ((*members[i])[0] && strcmp(*members[i], text) != 0)
            return iso_change_fail(reader, part, "\"%s\" is not what the object says, \"%.60s\"",
                                   text, *members[i]);
        *members[i] = text;
    }
    part = iso_part_trim(rest);
    if (!iso_part_is(part, "on-demand") && !iso_part_is(part, "spot"))
        return iso_change_fail(reader, part, "\"%.*s\" is none of on-demand, spot", ISO_PART(part));
    Isocost__V1__Purchase purchase = iso_part_is(part, "spot")
                                         ? ISOCOST__V1__PURCHASE__PURCHASE_SPOT
                                         : ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND;
    if (offering->purchase != ISOCOST__V1__PURCHASE__PURCHASE_UNSPECIFIED &&
        offering->purchase != purchase)
        return iso_change_fail(reader, part, "the object says another purchase");
    offering->purchase = purchase;
    return ISO_OK;
}

static enum iso_status read_offering(const struct change_reader *reader, struct part target,
                                     struct part text, Isocost__V1__Change *change)
{
    void *object;
    BEGIN_CHANGE(OfferingChange, offering, OFFERING);

    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH | VALUE_OBJECT, &value));
    if (value.kind == VALUE_OBJECT) {
        ISO_TRY(iso_change_object(reader, &value, &isocost__v1__offering__descriptor, &object));
        message->change_case = ISOCOST__V1__OFFERING_CHANGE__CHANGE_ADD;
        message->add = object;
        return name_offering(reader, target, message->add);
    }
    message->change_case = value.on ? ISOCOST__V1__OFFERING_CHANGE__CHANGE_RESTORE
                                    : ISOCOST__V1__OFFERING_CHANGE__CHANGE_REMOVE;
    return iso_change_selector(reader, target, &message->remove);
}

static enum iso_status read_forbid(const struct change_reader *reader, struct part target,
                                   struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(ForbidChange, forbid, FORBID);
    ISO_TRY(iso_change_ids(reader, &target, &message->n_workloads, &message->workloads));
    ISO_TRY(iso_change_selector(reader, target, &message->offerings));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH, &value));
    message->lifted = !value.on;
    return ISO_OK;
}

static enum iso_status read_require(const struct change_reader *reader, struct part target,
                                    struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(RequireChange, require, REQUIRE);
    ISO_TRY(iso_change_ids(reader, &target, &message->n_periods, &message->periods));
    ISO_TRY(iso_change_selector(reader, target, &message->offerings));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH | VALUE_NUMBER, &value));
    if (value.kind == VALUE_SWITCH)
        message->minimum = value.on ? 1 : 0;
    else
        message->minimum = iso_decimal_to_double(value.number);
    return ISO_OK;
}

static enum iso_status same_id(const struct change_reader *reader, struct part target,
                               const char *id, char **said)
{
    if ((*said)[0] && strcmp(*said, id) != 0)
        return iso_change_fail(reader, target, "\"%s\" is not what the object says, \"%.60s\"", id,
                               *said);
    *said = (char *)id;
    return ISO_OK;
}

static enum iso_status read_workload(const struct change_reader *reader, struct part target,
                                     struct part text, Isocost__V1__Change *change)
{
    void *object;
    char *id;
    BEGIN_CHANGE(WorkloadChange, workload, WORKLOAD);

    ISO_TRY(iso_change_id(reader, target, /* product= */ false, &id));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH | VALUE_OBJECT, &value));
    if (value.kind == VALUE_SWITCH && value.on)
        return iso_change_fail(reader, value.part,
                               "on: what the workload asks is not known; give an object in braces");
    if (value.kind == VALUE_SWITCH) {
        message->change_case = ISOCOST__V1__WORKLOAD_CHANGE__CHANGE_REMOVE;
        message->remove = id;
        return ISO_OK;
    }
    ISO_TRY(iso_change_object(reader, &value, &isocost__v1__workload__descriptor, &object));
    message->change_case = ISOCOST__V1__WORKLOAD_CHANGE__CHANGE_ADD;
    message->add = object;
    return same_id(reader, target, id, &message->add->id);
}

static enum iso_status read_commitment(const struct change_reader *reader, struct part target,
                                       struct part text, Isocost__V1__Change *change)
{
    void *object;
    char *id;
    BEGIN_CHANGE(CommitmentChange, commitment, COMMITMENT);

    ISO_TRY(iso_change_id(reader, target, /* product= */ true, &id));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH | VALUE_NUMBER | VALUE_OBJECT, &value));
    if (value.kind == VALUE_SWITCH && value.on)
        return iso_change_fail(reader, value.part,
                               "on: how much is held is not known; give the number of units");
    if (value.kind == VALUE_SWITCH) {
        message->change_case = ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_REMOVE;
        message->remove = id;
        return ISO_OK;
    }
    if (value.kind == VALUE_NUMBER) {
        message->change_case = ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_HOLD;
        message->hold = iso_change_message(reader, &isocost__v1__held_commitment__descriptor);
        if (!message->hold)
            return iso_change_full(reader);
        message->hold->product = id;
        message->hold->quantity = iso_decimal_to_double(value.number);
        return ISO_OK;
    }
    ISO_TRY(
        iso_change_object(reader, &value, &isocost__v1__commitment_product__descriptor, &object));
    message->change_case = ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_ADD;
    message->add = object;
    return same_id(reader, target, id, &message->add->id);
}

static enum iso_status read_rule(const struct change_reader *reader, struct part target,
                                 struct part text, Isocost__V1__Change *change)
{
    BEGIN_CHANGE(RuleChange, rule, RULE);
    ISO_TRY(iso_change_id(reader, target, /* product= */ false, &message->rule));
    ISO_TRY(iso_change_value(reader, text, VALUE_SWITCH, &value));
    message->on = value.on;
    return ISO_OK;
}

const char *const iso_change_kinds[] = {"budget",  "cash",     "commitment", "demand", "forbid",
                                        "limit",   "offering", "outage",     "price",  "rate",
                                        "require", "rule",     "workload",   NULL};

static read_kind *const readers[] = {read_budget,  read_cash,  read_commitment, read_demand,
                                     read_forbid,  read_limit, read_offering,   read_outage,
                                     read_price,   read_rate,  read_require,    read_rule,
                                     read_workload};

static enum iso_status find_kind(struct change_reader *reader, struct part kind,
                                 read_kind **ret_read)
{
    char known[160] = "";

    for (size_t i = 0; iso_change_kinds[i]; i++) {
        if (iso_part_is(kind, iso_change_kinds[i])) {
            reader->kind = iso_change_kinds[i];
            *ret_read = readers[i];
            return ISO_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "", iso_change_kinds[i]);
    }
    return iso_change_fail(reader, kind, "\"%.*s\" is no kind of change; there are %s",
                           ISO_PART(kind), known);
}

enum iso_status iso_change_read(const char *text, struct iso_arena *arena,
                                Isocost__V1__Change **ret_change, struct iso_text_place *ret_place,
                                struct iso_error *reterr)
{
    struct change_reader reader = {
        .text = text, .arena = arena, .place = ret_place, .reterr = reterr, .kind = "a change"};
    struct part whole = iso_part_trim((struct part){text, text + strlen(text)});
    Isocost__V1__Change *change = iso_change_message(&reader, &isocost__v1__change__descriptor);
    const char *dot = iso_part_first(whole, '.'), *equals = iso_part_last(whole, '=');
    read_kind *read = NULL;

    if (!change)
        return iso_change_full(&reader);
    if (iso_utf8_valid_bytes(text, strlen(text)) < strlen(text))
        return iso_change_fail(&reader, (struct part){whole.begin, whole.begin},
                               "the text is not UTF-8");
    if (!dot || (equals && equals < dot))
        return iso_change_fail(&reader, (struct part){whole.begin, equals ? equals : whole.end},
                               "there is no dot; a change is KIND.TARGET=VALUE, such as "
                               "demand.web=+30%%");
    ISO_TRY(find_kind(&reader, iso_part_trim((struct part){whole.begin, dot}), &read));
    if (!equals)
        return iso_change_fail(&reader, (struct part){whole.end, whole.end},
                               "there is no `=`; a change is KIND.TARGET=VALUE, such as "
                               "demand.web=+30%%");
    struct part target = iso_part_trim((struct part){dot + 1, equals});
    if (target.begin == target.end)
        return iso_change_fail(&reader, target, "a target is missing between `.` and `=`");
    ISO_TRY(read(&reader, target, iso_part_trim((struct part){equals + 1, whole.end}), change));
    change->text = iso_arena_printf(arena, "%.*s", (int)(whole.end - whole.begin), whole.begin);
    if (!change->text)
        return iso_change_full(&reader);
    *ret_change = change;
    return ISO_OK;
}
