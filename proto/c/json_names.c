#include "json_names.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COMPARED_BYTES 64 /* longer names are no typing mistakes */
#define ZERO_SUFFIX "UNSPECIFIED"

char *iso_json_name(const char *snake_case, char buffer[ISO_JSON_NAME_SIZE])
{
    size_t n = 0;
    bool upper = false;

    for (const char *c = snake_case; *c && n + 1 < ISO_JSON_NAME_SIZE; c++) {
        if (*c == '_') {
            upper = true;
            continue;
        }
        buffer[n++] = (char)(upper && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        upper = false;
    }
    buffer[n] = '\0';
    return buffer;
}

const ProtobufCFieldDescriptor *iso_json_field(const ProtobufCMessageDescriptor *descriptor,
                                               const char *name)
{
    char camel[ISO_JSON_NAME_SIZE];

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (strcmp(field->name, name) == 0 || strcmp(iso_json_name(field->name, camel), name) == 0)
            return field;
    }
    return NULL;
}

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

/* Least number of insertions, deletions and replacements. */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t n_b = strlen(b);
    unsigned row[COMPARED_BYTES + 1];

    if (strlen(a) > COMPARED_BYTES || n_b > COMPARED_BYTES)
        return UINT32_MAX;
    for (size_t j = 0; j <= n_b; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n_b; j++) {
            unsigned best = diagonal + (folded(a[i]) != folded(b[j]));
            diagonal = row[j + 1];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[n_b];
}

/* Chooses among names one at a time. */
struct nearest {
    const char *name;
    unsigned distance;
};

static void consider(struct nearest *nearest, const char *candidate, const char *spelling,
                     const char *given)
{
    unsigned distance = edit_distance(spelling, given);
    size_t allowed = strlen(given) / 3;

    if (distance <= (allowed > 0 ? allowed : 1) && (!nearest->name || distance < nearest->distance))
        *nearest = (struct nearest){.name = candidate, .distance = distance};
}

/* Adds one name to a list; a list that is too long ends with "...". */
static void list_name(char buffer[ISO_JSON_HINT_SIZE], const char *name, bool first)
{
    size_t length = strlen(buffer);

    if (length + strlen(name) + 8 < ISO_JSON_HINT_SIZE)
        snprintf(buffer + length, ISO_JSON_HINT_SIZE - length, "%s%s", first ? "" : ", ", name);
    else if (buffer[length - 1] != '.')
        snprintf(buffer + length, ISO_JSON_HINT_SIZE - length, ", ...");
}

char *iso_json_field_hint(const ProtobufCMessageDescriptor *descriptor, const char *name,
                          char buffer[ISO_JSON_HINT_SIZE])
{
    struct nearest nearest = {0};

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        char camel[ISO_JSON_NAME_SIZE];
        const char *candidate = descriptor->fields[i].name;
        consider(&nearest, candidate, candidate, name);
        consider(&nearest, candidate, iso_json_name(candidate, camel), name);
    }
    if (nearest.name) {
        snprintf(buffer, ISO_JSON_HINT_SIZE, "; did you mean \"%s\"?", nearest.name);
        return buffer;
    }
    snprintf(buffer, ISO_JSON_HINT_SIZE, "; known are: %s", descriptor->n_fields ? "" : "none");
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        list_name(buffer, descriptor->fields[i].name, i == 0);
    return buffer;
}

/* Length of "PURCHASE_" in PURCHASE_UNSPECIFIED; 0 when the enum has no such value. */
static size_t prefix_length(const ProtobufCEnumDescriptor *descriptor)
{
    const char *zero = iso_json_enum_name(descriptor, 0);
    size_t suffix = strlen(ZERO_SUFFIX), length = zero ? strlen(zero) : 0;

    return length > suffix && strcmp(zero + length - suffix, ZERO_SUFFIX) == 0 ? length - suffix
                                                                               : 0;
}

static const char *short_name(const char *name, const char *zero, size_t prefix)
{
    return zero && strncmp(name, zero, prefix) == 0 ? name + prefix : name;
}

static bool equal_folded(const char *a, const char *b)
{
    while (*a && folded(*a) == folded(*b))
        a++, b++;
    return *a == '\0' && *b == '\0';
}

bool iso_json_enum_value(const ProtobufCEnumDescriptor *descriptor, const char *text,
                         int *ret_value)
{
    const char *zero = iso_json_enum_name(descriptor, 0);
    size_t prefix = prefix_length(descriptor);

    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const char *name = descriptor->values[i].name;
        if (strcmp(name, text) == 0 || equal_folded(short_name(name, zero, prefix), text)) {
            *ret_value = descriptor->values[i].value;
            return true;
        }
    }
    return false;
}

char *iso_json_enum_hint(const ProtobufCEnumDescriptor *descriptor, const char *text,
                         char buffer[ISO_JSON_HINT_SIZE])
{
    const char *zero = iso_json_enum_name(descriptor, 0);
    size_t prefix = prefix_length(descriptor);
    struct nearest nearest = {0};
    bool first = true;

    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const char *name = descriptor->values[i].name, *brief = short_name(name, zero, prefix);
        consider(&nearest, brief, brief, text);
        consider(&nearest, name, name, text);
    }
    if (nearest.name)
        snprintf(buffer, ISO_JSON_HINT_SIZE, "; did you mean \"%s\"? Known are: ", nearest.name);
    else
        snprintf(buffer, ISO_JSON_HINT_SIZE, "; known are: ");
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        if (prefix > 0 && descriptor->values[i].value == 0)
            continue;
        list_name(buffer, short_name(descriptor->values[i].name, zero, prefix), first);
        first = false;
    }
    return buffer;
}

const char *iso_json_enum_name(const ProtobufCEnumDescriptor *descriptor, int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

    return found ? found->name : NULL;
}
