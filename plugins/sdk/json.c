#include "isocost/sdk/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

static const json_t *json_of(const struct iso_json *value)
{
    return (const json_t *)value;
}

static const struct iso_json *value_of(const json_t *value)
{
    return (const struct iso_json *)value;
}

enum iso_json_kind iso_json_kind(const struct iso_json *value)
{
    if (!value)
        return ISO_JSON_ABSENT;
    switch (json_typeof(json_of(value))) {
    case JSON_OBJECT:
        return ISO_JSON_OBJECT;
    case JSON_ARRAY:
        return ISO_JSON_ARRAY;
    case JSON_STRING:
        return ISO_JSON_TEXT;
    case JSON_INTEGER:
    case JSON_REAL:
        return ISO_JSON_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return ISO_JSON_BOOL;
    default:
        return ISO_JSON_ABSENT;
    }
}

const struct iso_json *iso_json_member(const struct iso_json *object, const char *name)
{
    return value_of(json_object_get(json_of(object), name));
}

size_t iso_json_length(const struct iso_json *array)
{
    return json_array_size(json_of(array));
}

const struct iso_json *iso_json_item(const struct iso_json *array, size_t index)
{
    return value_of(json_array_get(json_of(array), index));
}

/* jansson's iterators take what they only read without const. */
static json_t *unconst(const struct iso_json *value)
{
    union {
        const struct iso_json *in;
        json_t *out;
    } both = {.in = value};
    return both.out;
}

void *iso_json_first(const struct iso_json *object)
{
    return json_object_iter(unconst(object));
}

void *iso_json_next(const struct iso_json *object, void *member)
{
    return json_object_iter_next(unconst(object), member);
}

const char *iso_json_name(void *member)
{
    return json_object_iter_key(member);
}

const struct iso_json *iso_json_value(void *member)
{
    return value_of(json_object_iter_value(member));
}

const char *iso_json_scalar(const struct iso_json *value, struct iso_scratch *scratch)
{
    char text[40];

    switch (iso_json_kind(value)) {
    case ISO_JSON_TEXT:
        return json_string_value(json_of(value));
    case ISO_JSON_BOOL:
        return json_is_true(json_of(value)) ? "true" : "false";
    case ISO_JSON_NUMBER:
        break;
    default:
        return NULL;
    }
    if (json_is_integer(json_of(value)))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(json_of(value)));
    for (int n = 1; n <= 17 && json_is_real(json_of(value)); n++) {
        snprintf(text, sizeof(text), "%.*g", n, json_real_value(json_of(value)));
        if (strtod(text, NULL) == json_real_value(json_of(value)))
            break;
    }
    return iso_scratch_text(scratch, text, strlen(text));
}
