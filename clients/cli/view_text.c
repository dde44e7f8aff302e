#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "cents.h"
#include "view_text.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

void iso_view_title(const struct iso_view *view, const char *format, ...)
{
    va_list arguments;

    fputs(view->color ? "\n\033[1m" : "\n", view->stream);
    va_start(arguments, format);
    vfprintf(view->stream, format, arguments);
    va_end(arguments);
    fputs(view->color ? "\033[0m\n" : "\n", view->stream);
}

char *iso_view_line_string(const Isocost__V1__LineTable *lines, const uint32_t *column, size_t n,
                           size_t row)
{
    return row < n && column[row] < lines->n_strings ? lines->strings[column[row]] : (char *)"";
}

const char *iso_view_number(const struct iso_view *view, double value)
{
    char *text = iso_arena_printf(view->arena, "%.3f", value);

    if (!text)
        return "";
    char *end = text + strlen(text);
    while (end[-1] == '0')
        *--end = 0;
    if (end[-1] == '.')
        *--end = 0;
    return strcmp(text, "-0") == 0 ? "0" : text;
}

const char *iso_view_money(const struct iso_view *view, const Google__Type__Money *money)
{
    char digits[ISO_CENTS_TEXT_SIZE];

    if (!money)
        return "";
    iso_cents_format(iso_cents_round(iso_money_nanos(money)), digits);
    return or_empty(iso_arena_printf(view->arena, "%s %s", digits, money->currency_code));
}

const char *iso_view_exact(const struct iso_view *view, const Google__Type__Money *money)
{
    char digits[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal amount;

    if (!money)
        return "";
    if (!iso_wide_to_decimal(iso_money_nanos(money), &amount))
        return iso_view_money(view, money);
    iso_decimal_format(amount, digits);
    return or_empty(iso_arena_printf(view->arena, "%s %s", digits, money->currency_code));
}

const char *iso_view_percent(const struct iso_view *view, double share)
{
    return or_empty(iso_arena_printf(view->arena, "%s %%", iso_view_number(view, 100 * share)));
}

const char *iso_view_time(const struct iso_view *view, const Google__Protobuf__Timestamp *time)
{
    char text[32];
    struct tm parts;

    if (!time || !gmtime_r(&(time_t){time->seconds}, &parts))
        return "";
    strftime(text, sizeof(text), "%Y-%m-%d %H:%MZ", &parts);
    return or_empty(iso_arena_strdup(view->arena, text));
}

/* "TerminationReason" is the prefix "TERMINATION_REASON_". */
static size_t prefix_length(const char *type_name)
{
    size_t length = 1;

    for (const char *p = type_name; *p; p++)
        length += p > type_name && *p >= 'A' && *p <= 'Z' ? 2 : 1;
    return length;
}

const char *iso_view_enum(const struct iso_view *view, const ProtobufCEnumDescriptor *type,
                          int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

    if (!found)
        return or_empty(iso_arena_printf(view->arena, "%d", value));
    size_t skip = prefix_length(type->short_name);
    char *text =
        iso_arena_strdup(view->arena, found->name + (skip < strlen(found->name) ? skip : 0));
    for (char *p = text; p && *p; p++) {
        if (*p == '_')
            *p = '-';
        else if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return or_empty(text);
}

const char *iso_view_words(const struct iso_view *view, size_t n, char *const *words)
{
    const char *text = "";

    for (size_t i = 0; i < n; i++) {
        const char *longer = iso_arena_printf(view->arena, "%s%s%s", text, i ? " " : "", words[i]);
        text = longer ? longer : text;
    }
    return text;
}
