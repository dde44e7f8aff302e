/* Parts of texts of changes: quotes, blanks, places. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "change_text.h"

static int n_characters(const char *begin, const char *end)
{
    int n = 0;

    for (const char *c = begin; c < end; c++)
        n += ((unsigned char)*c & 0xC0) != 0x80; /* not a byte that goes on */
    return n;
}

static struct iso_text_place place_of(const char *text, struct part part)
{
    int length = n_characters(part.begin, part.end);

    return (struct iso_text_place){.column = 1 + n_characters(text, part.begin),
                                   .length = length > 0 ? length : 1};
}

enum iso_status iso_change_fail(const struct change_reader *reader, struct part where,
                                const char *format, ...)
{
    struct iso_text_place place = place_of(reader->text, where);
    char text[320];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (reader->place)
        *reader->place = place;
    return iso_fail(reader->reterr, ISO_E_INVALID, "", "column %d: %s", place.column, text);
}

enum iso_status iso_change_full(const struct change_reader *reader)
{
    return iso_fail(reader->reterr, ISO_E_LIMIT, "", "no memory for a change");
}

struct part iso_part_trim(struct part part)
{
    while (part.begin < part.end && (*part.begin == ' ' || *part.begin == '\t'))
        part.begin++;
    while (part.begin < part.end && (part.end[-1] == ' ' || part.end[-1] == '\t'))
        part.end--;
    return part;
}

/* The next unquoted `c` from `at` on. Braces: also not inside of them. */
static const char *find(const char *at, const char *end, char c, bool braces)
{
    bool quoted = false;
    int depth = 0;

    for (; at < end; at++) {
        if (quoted && *at == '\\' && at + 1 < end) {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            if (*at == c && depth == 0)
                return at;
            depth += braces && (*at == '{' || *at == '[');
            depth -= braces && depth > 0 && (*at == '}' || *at == ']');
        }
    }
    return NULL;
}

const char *iso_part_first(struct part part, char c)
{
    return find(part.begin, part.end, c, /* braces= */ false);
}

const char *iso_part_last(struct part part, char c)
{
    const char *last = NULL;

    for (const char *at = part.begin; (at = find(at, part.end, c, /* braces= */ false)); at++)
        last = at;
    return last;
}

bool iso_part_next(struct part *rest, char c, struct part *ret_part)
{
    const char *end;

    if (!rest->begin)
        return false;
    end = iso_part_first(*rest, c);
    *ret_part = iso_part_trim((struct part){rest->begin, end ? end : rest->end});
    rest->begin = end ? end + 1 : NULL;
    return true;
}

bool iso_part_is(struct part part, const char *text)
{
    size_t n = (size_t)(part.end - part.begin);

    return strlen(text) == n && memcmp(part.begin, text, n) == 0;
}

enum iso_status iso_part_copy(const struct change_reader *reader, struct part part, char **ret_text)
{
    size_t n = (size_t)(part.end - part.begin), n_copied = 0;
    char *copy = iso_arena_calloc(reader->arena, n + 1, 1);
    bool quoted = n > 0 && *part.begin == '"';
    const char *c = part.begin + quoted;

    if (!copy)
        return iso_change_full(reader);
    for (; c < part.end && *c != '"'; c++) {
        if (quoted && *c == '\\' && c + 1 < part.end)
            c++;
        copy[n_copied++] = *c;
    }
    /* a quote ends the part where one began it, and stands nowhere else */
    if (quoted ? c != part.end - 1 : c != part.end)
        return iso_change_fail(reader, part, "quotes must be around all of %.*s", ISO_PART(part));
    *ret_text = copy;
    return ISO_OK;
}

void *iso_change_message(const struct change_reader *reader,
                         const ProtobufCMessageDescriptor *descriptor)
{
    void *message = iso_arena_calloc(reader->arena, 1, descriptor->sizeof_message);

    if (message)
        protobuf_c_message_init(descriptor, message);
    return message;
}

struct iso_text_place iso_change_place(const char *text, enum iso_change_part which)
{
    struct part whole = {text, text + strlen(text)}, part;
    const char *dot = strchr(text, '.'), *equals = iso_part_last(whole, '=');

    if (!dot || !equals || equals < dot)
        return (struct iso_text_place){0};
    part = which == ISO_CHANGE_TARGET ? (struct part){dot + 1, equals}
                                      : (struct part){equals + 1, whole.end};
    return place_of(text, iso_part_trim(part));
}

char *iso_change_next(const char **text, struct iso_arena *arena)
{
    const char *begin = *text, *end = begin + strlen(begin);
    const char *comma = find(begin, end, ',', /* braces= */ true);
    char *copy;

    if (!*begin)
        return NULL;
    copy = iso_arena_printf(arena, "%.*s", (int)((comma ? comma : end) - begin), begin);
    if (copy)
        *text = comma ? comma + 1 : end;
    return copy;
}
