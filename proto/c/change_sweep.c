/* Parameters of sweeps: `budget.total=8000..16000USD:9`. */
#include <string.h>

#include "change_text.h"

#define MAXIMUM_POINTS 1000

/* `[+-*]digits[unit]`: the number with its sign, and what is around it. */
struct end {
    iso_decimal value;
    bool factor, percent;
    struct part rest; /* currency, or nothing */
};

static enum iso_status read_end(const struct change_reader *reader, struct part part,
                                struct end *ret_end)
{
    struct end end = {0};
    struct part digits = part;
    char *text;

    if (digits.begin < digits.end && *digits.begin == '*') {
        end.factor = true;
        digits.begin++;
    }
    struct part number = digits;
    if (number.begin < number.end && (*number.begin == '-' || *number.begin == '+'))
        number.begin++;
    while (number.begin < number.end && strchr("0123456789.", *number.begin))
        number.begin++;
    ISO_TRY(iso_part_copy(
        reader, (struct part){digits.begin + (*digits.begin == '+'), number.begin}, &text));
    if (iso_decimal_parse(text, &end.value, NULL) != ISO_OK)
        return iso_change_fail(reader, part, "\"%.*s\" is not a number", ISO_PART(part));
    end.rest = iso_part_trim((struct part){number.begin, part.end});
    if (iso_part_is(end.rest, "%")) {
        end.percent = true;
        end.rest.begin = end.rest.end;
    }
    *ret_end = end;
    return ISO_OK;
}

static enum iso_status read_points(const struct change_reader *reader, struct part part,
                                   size_t *ret_n)
{
    size_t n = 0;

    for (const char *c = part.begin; c < part.end && n <= MAXIMUM_POINTS; c++) {
        if (*c < '0' || *c > '9') {
            n = 0;
            break;
        }
        n = 10 * n + (size_t)(*c - '0');
    }
    if (n < 1 || n > MAXIMUM_POINTS)
        return iso_change_fail(reader, part, "\"%.*s\" is not a number of points in [1, %d]",
                               ISO_PART(part), MAXIMUM_POINTS);
    *ret_n = n;
    return ISO_OK;
}

static enum iso_status read_unit(const struct change_reader *reader, const struct end *from,
                                 const struct end *to, struct part whole, char **ret_unit)
{
    if (to->percent && !from->factor && !to->factor)
        *ret_unit = iso_arena_strdup(reader->arena, "%");
    else if (from->factor && to->factor && !from->percent && !to->percent)
        *ret_unit = iso_arena_strdup(reader->arena, "*");
    else if (from->factor || to->factor || from->percent || to->percent)
        return iso_change_fail(reader, whole, "\"%.*s\": both ends must be of one sort",
                               ISO_PART(whole));
    else
        return iso_part_copy(reader, to->rest, ret_unit);
    return *ret_unit ? ISO_OK : iso_change_full(reader);
}

/* The i-th of n values that are evenly spaced, each rounded half to even to 9 places. */
static double value_at(iso_decimal from, iso_decimal to, size_t i, size_t n)
{
    iso_wide step = ((iso_wide)to - from) * (iso_wide)i;
    iso_decimal value = from;

    if (n > 1)
        iso_wide_to_decimal(from + iso_wide_divide(step, (iso_wide)(n - 1), ISO_ROUND_HALF_EVEN),
                            &value);
    return iso_decimal_to_double(value);
}

static enum iso_status read_range(const struct change_reader *reader, struct part range,
                                  Isocost__V1__SweepParameter *parameter)
{
    const char *colon = iso_part_last(range, ':');
    struct part ends = {range.begin, colon ? colon : range.end};
    const char *dots = strstr(ends.begin, "..");
    struct end from, to;
    size_t n = 0;

    if (!colon || !dots || dots >= ends.end)
        return iso_change_fail(reader, range,
                               "\"%.*s\" is not FROM..TO:POINTS, such as 8000..16000:9",
                               ISO_PART(range));
    ISO_TRY(read_end(reader, iso_part_trim((struct part){ends.begin, dots}), &from));
    ISO_TRY(read_end(reader, iso_part_trim((struct part){dots + 2, ends.end}), &to));
    ISO_TRY(read_points(reader, iso_part_trim((struct part){colon + 1, range.end}), &n));
    ISO_TRY(read_unit(reader, &from, &to, range, &parameter->unit));
    parameter->values = iso_arena_calloc(reader->arena, n, sizeof(*parameter->values));
    if (!parameter->values)
        return iso_change_full(reader);
    parameter->n_values = n;
    for (size_t i = 0; i < n; i++)
        parameter->values[i] = value_at(from.value, to.value, i, n);
    return ISO_OK;
}

enum iso_status iso_sweep_read(const char *text, struct iso_arena *arena,
                               Isocost__V1__SweepParameter **ret_parameter,
                               struct iso_text_place *ret_place, struct iso_error *reterr)
{
    struct change_reader reader = {
        .text = text, .arena = arena, .place = ret_place, .reterr = reterr, .kind = "a sweep"};
    struct part whole = iso_part_trim((struct part){text, text + strlen(text)});
    const char *equals = iso_part_last(whole, '=');
    Isocost__V1__SweepParameter *parameter =
        iso_change_message(&reader, &isocost__v1__sweep_parameter__descriptor);

    if (!parameter)
        return iso_change_full(&reader);
    if (!equals)
        return iso_change_fail(&reader, whole,
                               "there is no `=`; a sweep is TARGET=FROM..TO:POINTS, such as "
                               "budget.total=8000..16000:9");
    struct part target = iso_part_trim((struct part){whole.begin, equals});
    parameter->target =
        iso_arena_printf(arena, "%.*s", (int)(target.end - target.begin), target.begin);
    if (!parameter->target)
        return iso_change_full(&reader);
    ISO_TRY(read_range(&reader, iso_part_trim((struct part){equals + 1, whole.end}), parameter));
    *ret_parameter = parameter;
    return ISO_OK;
}

char *iso_sweep_change(const Isocost__V1__SweepParameter *parameter, double value,
                       struct iso_arena *arena)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal = 0;
    const char *unit = parameter->unit;

    if (iso_decimal_from_double(value, &decimal, NULL) != ISO_OK)
        return iso_arena_printf(arena, "%s=%.17g%s", parameter->target, value, unit);
    iso_decimal_format(decimal, text);
    if (strcmp(unit, "%") == 0)
        return iso_arena_printf(arena, "%s=%s%s%%", parameter->target, decimal < 0 ? "" : "+",
                                text);
    if (strcmp(unit, "*") == 0)
        return iso_arena_printf(arena, "%s=*%s", parameter->target, text);
    return iso_arena_printf(arena, "%s=%s%s", parameter->target, text, unit);
}
