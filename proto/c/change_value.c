/* Values of changes: factors, numbers, money, switches, objects. */
#include <stdio.h>
#include <string.h>

#include "change_text.h"
#include "isocost/proto/json.h"

#define PERCENT (ISO_DECIMAL_ONE / 100)

static const char *allowed_text(unsigned allowed)
{
    switch (allowed) {
    case VALUE_FACTOR | VALUE_MONEY:
        return "an amount such as 0.08USD, +10%, -10% or *1.1";
    case VALUE_FACTOR | VALUE_NUMBER:
        return "a number, +10%, -10% or *1.1";
    case VALUE_SWITCH:
        return "on or off";
    case VALUE_SWITCH | VALUE_OBJECT:
        return "on, off, or an object in braces";
    case VALUE_SWITCH | VALUE_NUMBER:
        return "on, off or a number";
    default:
        return "a number, off, or an object in braces";
    }
}

static enum iso_status refuse(const struct change_reader *reader, struct part part,
                              unsigned allowed)
{
    return iso_change_fail(reader, part, "\"%.*s\" is no value of %s, which takes %s",
                           ISO_PART(part), reader->kind, allowed_text(allowed));
}

/* Digits with at most one point. `*ret_end` is where they end. */
static enum iso_status read_number(const struct change_reader *reader, struct part part,
                                   const char **ret_end, iso_decimal *ret_number)
{
    char digits[64];
    size_t n = strspn(part.begin, "0123456789.");
    struct iso_error error = {0};

    if (n > (size_t)(part.end - part.begin))
        n = (size_t)(part.end - part.begin);
    if (n >= sizeof(digits))
        return iso_change_fail(reader, part, "the number has more than %zu digits",
                               sizeof(digits) - 1);
    memcpy(digits, part.begin, n);
    digits[n] = '\0';
    if (iso_decimal_parse(digits, ret_number, &error) != ISO_OK)
        return iso_change_fail(reader, part, "\"%.*s\": %s", ISO_PART(part), error.text);
    *ret_end = part.begin + n;
    return ISO_OK;
}

/* `+n%` and `-n%` are the factors 1 + n/100 and 1 - n/100. */
static enum iso_status read_factor(const struct change_reader *reader, struct part part,
                                   struct change_value *value)
{
    struct part digits = iso_part_trim((struct part){part.begin + 1, part.end});
    const char *end;
    iso_decimal n;

    if (digits.begin == digits.end || !strchr("0123456789.", *digits.begin))
        return iso_change_fail(reader, part, "\"%.*s\": a number must follow %c", ISO_PART(part),
                               *part.begin);
    ISO_TRY(read_number(reader, digits, &end, &n));
    if (*part.begin == '*') {
        if (end != digits.end)
            return iso_change_fail(reader, part, "\"%.*s\": nothing may follow the factor",
                                   ISO_PART(part));
        value->number = n;
        return ISO_OK;
    }
    if (!iso_part_is(iso_part_trim((struct part){end, digits.end}), "%"))
        return iso_change_fail(reader, part,
                               "\"%.*s\" is not a change in per cent; write %.*s%%, or the new "
                               "value without a sign",
                               ISO_PART(part), ISO_PART(((struct part){part.begin, end})));
    if (n % 100 != 0)
        return iso_change_fail(reader, part, "\"%.*s\" has more than 7 places", ISO_PART(part));
    if (*part.begin == '-' && n > 100 * ISO_DECIMAL_ONE)
        return iso_change_fail(reader, part, "\"%.*s\" takes away more than there is",
                               ISO_PART(part));
    n /= 100;
    value->number = *part.begin == '-' ? ISO_DECIMAL_ONE - n : ISO_DECIMAL_ONE + n;
    return ISO_OK;
}

static bool is_currency(struct part part)
{
    if (part.end - part.begin != 3)
        return false;
    for (const char *c = part.begin; c < part.end; c++)
        if (*c < 'A' || *c > 'Z')
            return false;
    return true;
}

static enum iso_status read_amount(const struct change_reader *reader, struct part part,
                                   unsigned allowed, struct change_value *value)
{
    const char *end;

    ISO_TRY(read_number(reader, part, &end, &value->number));
    struct part rest = iso_part_trim((struct part){end, part.end});
    if (rest.begin == rest.end)
        return ISO_OK;
    if (!(allowed & VALUE_MONEY))
        return iso_change_fail(reader, rest, "\"%.*s\": nothing may follow the number",
                               ISO_PART(rest));
    if (!is_currency(rest))
        return iso_change_fail(reader, rest, "\"%.*s\" is no currency, which has 3 letters A-Z",
                               ISO_PART(rest));
    memcpy(value->currency, rest.begin, 3);
    return ISO_OK;
}

enum iso_status iso_change_value(const struct change_reader *reader, struct part part,
                                 unsigned allowed, struct change_value *ret_value)
{
    struct change_value value = {.part = part};
    char first = *part.begin;

    if (part.begin == part.end)
        return iso_change_fail(reader, part, "a value is missing; %s takes %s", reader->kind,
                               allowed_text(allowed));
    if ((first == '+' || first == '-' || first == '*') && (allowed & VALUE_FACTOR)) {
        value.kind = VALUE_FACTOR;
        ISO_TRY(read_factor(reader, part, &value));
    } else if (first >= '0' && first <= '9' && (allowed & (VALUE_NUMBER | VALUE_MONEY))) {
        value.kind = allowed & VALUE_MONEY ? VALUE_MONEY : VALUE_NUMBER;
        ISO_TRY(read_amount(reader, part, allowed, &value));
    } else if ((iso_part_is(part, "on") || iso_part_is(part, "off")) && (allowed & VALUE_SWITCH)) {
        value.kind = VALUE_SWITCH;
        value.on = iso_part_is(part, "on");
    } else if (first == '{' && (allowed & VALUE_OBJECT)) {
        value.kind = VALUE_OBJECT;
    } else {
        return refuse(reader, part, allowed);
    }
    *ret_value = value;
    return ISO_OK;
}

enum iso_status iso_change_above_zero(const struct change_reader *reader,
                                      const struct change_value *value)
{
    if (value->number > 0)
        return ISO_OK;
    return iso_change_fail(reader, value->part, "\"%.*s\" makes a %s of 0; it must be above 0",
                           ISO_PART(value->part), reader->kind);
}

enum iso_status iso_change_object(const struct change_reader *reader,
                                  const struct change_value *value,
                                  const ProtobufCMessageDescriptor *descriptor, void **ret_message)
{
    struct iso_violations violations = {.arena = reader->arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;
    size_t n = (size_t)(value->part.end - value->part.begin);

    enum iso_status status = iso_json_read(descriptor, value->part.begin, n, reader->arena,
                                           &violations, &message, &error);
    if (status == ISO_E_INVALID && violations.n > 0)
        return iso_change_fail(reader, value->part, "%s: %s", violations.items[0].field,
                               violations.items[0].text);
    if (status == ISO_E_INVALID)
        return iso_change_fail(reader, value->part, "%s%s%s", error.field,
                               error.field[0] ? ": " : "", error.text);
    if (status != ISO_OK)
        return iso_fail(reader->reterr, status, "", "%s", error.text);
    *ret_message = message;
    return ISO_OK;
}
