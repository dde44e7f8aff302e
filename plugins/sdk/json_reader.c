/* Cuts a JSON object of arrays into its elements; jansson reads each. */
#include <jansson.h>
#include <stdbool.h>

#include "isocost/sdk/json.h"
#include "json_load.h"

#define MAX_MEMBERS 64 /* of the whole object */

enum state {
    BEFORE_OBJECT,
    BEFORE_MEMBER, /* or the object's end */
    AFTER_COMMA,   /* a member must follow */
    IN_NAME,
    BEFORE_COLON,
    BEFORE_VALUE,
    BEFORE_ELEMENT, /* or the array's end */
    AFTER_ELEMENT_COMMA,
    IN_ELEMENT, /* or in the value of a member that is no array */
    AFTER_ELEMENT,
    AFTER_MEMBER,
    DONE
};

struct iso_json_reader {
    iso_json_on_element on_element;
    void *context;
    enum state state;
    bool in_array, in_text, escaped;
    int depth; /* inside the element */
    char *bytes;
    size_t n_bytes, capacity;
    char *names[MAX_MEMBERS]; /* of the members so far; the last is under way */
    size_t n_names;
    int64_t index, line, element_line;
    size_t n_mark; /* bytes of a byte-order mark so far */
};

struct iso_json_reader *iso_json_reader_new(iso_json_on_element on_element, void *context)
{
    struct iso_json_reader *reader = iso_calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->on_element = on_element;
    reader->context = context;
    reader->line = 1;
    return reader;
}

void iso_json_reader_free(struct iso_json_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->n_names; i++)
        free(reader->names[i]);
    free(reader->bytes);
    free(reader);
}

static enum iso_status unexpected(const struct iso_json_reader *reader, unsigned char byte,
                                  const char *wanted, struct iso_error *reterr)
{
    if (byte > ' ' && byte < 0x7f)
        return iso_fail(reterr, ISO_E_INVALID, "", "line %lld: '%c' where %s must stand",
                        (long long)reader->line, byte, wanted);
    return iso_fail(reterr, ISO_E_INVALID, "", "line %lld: byte 0x%02x where %s must stand",
                    (long long)reader->line, byte, wanted);
}

static enum iso_status keep(struct iso_json_reader *reader, const unsigned char *bytes, size_t n,
                            struct iso_error *reterr)
{
    if (reader->n_bytes + n > ISO_JSON_ELEMENT_BYTES)
        return iso_fail(reterr, ISO_E_LIMIT, "", "line %lld: an element has more than %zu bytes",
                        (long long)reader->element_line, ISO_JSON_ELEMENT_BYTES);
    if (reader->n_bytes + n > reader->capacity) {
        size_t capacity = 2 * (reader->n_bytes + n) + 1024;
        char *grown = iso_realloc(reader->bytes, capacity, 1);
        if (!grown)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an element");
        reader->bytes = grown;
        reader->capacity = capacity;
    }
    memcpy(reader->bytes + reader->n_bytes, bytes, n);
    reader->n_bytes += n;
    return ISO_OK;
}

/* The name of the member under way is in `bytes`, quotes included. */
static enum iso_status end_name(struct iso_json_reader *reader, struct iso_error *reterr)
{
    json_error_t why;
    bool no_memory;
    json_t *text = iso_json_load(reader->bytes, reader->n_bytes, JSON_DECODE_ANY, &why, &no_memory);
    char *name = iso_strdup(json_string_value(text));

    json_decref(text);
    if (no_memory || (text && !name))
        return iso_fail(reterr, ISO_E_NOMEM, "", "line %lld: no memory for a name",
                        (long long)reader->line);
    if (!text)
        return iso_fail(reterr, ISO_E_INVALID, "", "line %lld: %s", (long long)reader->line,
                        why.text);
    if (reader->n_names == MAX_MEMBERS) {
        free(name);
        return iso_fail(reterr, ISO_E_LIMIT, "", "line %lld: more than %d members",
                        (long long)reader->line, MAX_MEMBERS);
    }
    if (iso_json_has_member(reader, name)) {
        iso_fail(reterr, ISO_E_INVALID, "", "line %lld: a second member \"%.64s\"",
                 (long long)reader->line, name);
        free(name);
        return ISO_E_INVALID;
    }
    reader->names[reader->n_names++] = name;
    reader->n_bytes = 0;
    reader->state = BEFORE_COLON;
    return ISO_OK;
}

static enum iso_status end_element(struct iso_json_reader *reader, struct iso_error *reterr)
{
    struct iso_json_element element = {
        .member = reader->names[reader->n_names - 1],
        .index = reader->in_array ? reader->index : -1,
        .line = reader->element_line,
    };
    json_error_t why = {.text = ""};
    bool no_memory;
    json_t *value = iso_json_load(reader->bytes, reader->n_bytes,
                                  JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why, &no_memory);

    if (no_memory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "line %lld: no memory for an element",
                        (long long)reader->element_line);
    element.value = (const struct iso_json *)value;
    element.problem = value ? NULL : why.text;
    enum iso_status status = reader->on_element(reader->context, &element, reterr);
    json_decref(value);
    reader->n_bytes = 0;
    reader->index++;
    reader->state = reader->in_array ? AFTER_ELEMENT : AFTER_MEMBER;
    return status;
}

static enum iso_status begin_element(struct iso_json_reader *reader, unsigned char byte,
                                     struct iso_error *reterr)
{
    if (strchr(",:]}", byte)) /* NUL too */
        return unexpected(reader, byte, "a value", reterr);
    reader->element_line = reader->line;
    reader->depth = byte == '{' || byte == '[';
    reader->in_text = byte == '"';
    reader->escaped = false;
    reader->state = IN_ELEMENT;
    return keep(reader, &byte, 1, reterr);
}

/* A scalar ends before the byte that follows it, everything else with its last byte. *ret_again
 * tells that the byte is still to be looked at. */
static enum iso_status in_element(struct iso_json_reader *reader, unsigned char byte,
                                  bool *ret_again, struct iso_error *reterr)
{
    bool was_text = reader->in_text;

    if (!was_text && reader->depth == 0 && strchr(",]} \t\r\n", byte)) {
        *ret_again = true;
        return end_element(reader, reterr);
    }
    ISO_TRY(keep(reader, &byte, 1, reterr));
    if (was_text) {
        reader->in_text = reader->escaped || byte != '"';
        reader->escaped = !reader->escaped && byte == '\\';
    } else if (byte == '"') {
        reader->in_text = true;
    } else if (byte == '{' || byte == '[') {
        if (++reader->depth > ISO_JSON_DEPTH)
            return iso_fail(reterr, ISO_E_LIMIT, "", "line %lld: more than %d levels",
                            (long long)reader->line, ISO_JSON_DEPTH);
    } else if (byte == '}' || byte == ']') {
        reader->depth--;
    }
    bool ended = reader->depth == 0 && (was_text ? !reader->in_text : byte == '}' || byte == ']');
    return ended ? end_element(reader, reterr) : ISO_OK;
}

static enum iso_status in_name(struct iso_json_reader *reader, unsigned char byte,
                               struct iso_error *reterr)
{
    ISO_TRY(keep(reader, &byte, 1, reterr));
    if (byte == '"' && !reader->escaped)
        return end_name(reader, reterr);
    reader->escaped = !reader->escaped && byte == '\\';
    return ISO_OK;
}

static enum iso_status begin_value(struct iso_json_reader *reader, unsigned char byte,
                                   struct iso_error *reterr)
{
    reader->in_array = byte == '[';
    reader->index = 0;
    if (!reader->in_array)
        return begin_element(reader, byte, reterr);
    reader->state = BEFORE_ELEMENT;
    return ISO_OK;
}

/* Between the values: one byte moves to one state, everything else is an error. */
static enum iso_status between(struct iso_json_reader *reader, unsigned char byte,
                               struct iso_error *reterr)
{
    switch (reader->state) {
    case BEFORE_OBJECT:
        if (byte != '{')
            return unexpected(reader, byte, "'{' of an object of arrays", reterr);
        reader->state = BEFORE_MEMBER;
        return ISO_OK;
    case BEFORE_MEMBER:
    case AFTER_COMMA:
        if (byte == '}' && reader->state == BEFORE_MEMBER) {
            reader->state = DONE;
            return ISO_OK;
        }
        if (byte != '"')
            return unexpected(reader, byte, "a member's name", reterr);
        reader->state = IN_NAME;
        reader->escaped = false;
        reader->element_line = reader->line;
        return keep(reader, &byte, 1, reterr);
    case BEFORE_COLON:
        if (byte != ':')
            return unexpected(reader, byte, "':'", reterr);
        reader->state = BEFORE_VALUE;
        return ISO_OK;
    case BEFORE_VALUE:
        return begin_value(reader, byte, reterr);
    case BEFORE_ELEMENT:
    case AFTER_ELEMENT_COMMA:
        if (byte != ']' || reader->state == AFTER_ELEMENT_COMMA)
            return begin_element(reader, byte, reterr);
        reader->state = AFTER_MEMBER;
        return ISO_OK;
    case AFTER_ELEMENT:
        if (byte != ',' && byte != ']')
            return unexpected(reader, byte, "',' or ']'", reterr);
        reader->state = byte == ',' ? AFTER_ELEMENT_COMMA : AFTER_MEMBER;
        return ISO_OK;
    case AFTER_MEMBER:
        if (byte != ',' && byte != '}')
            return unexpected(reader, byte, "',' or '}'", reterr);
        reader->state = byte == ',' ? AFTER_COMMA : DONE;
        return ISO_OK;
    default:
        return unexpected(reader, byte, "the end of the file", reterr);
    }
}

enum iso_status iso_json_feed(struct iso_json_reader *reader, const unsigned char *bytes,
                              size_t n_bytes, struct iso_error *reterr)
{
    static const unsigned char utf8_mark[] = {0xef, 0xbb, 0xbf};

    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = bytes[i];
        bool again = false;

        if (reader->state == BEFORE_OBJECT && reader->n_mark < sizeof(utf8_mark) &&
            byte == utf8_mark[reader->n_mark]) {
            reader->n_mark++;
            continue;
        }
        if (reader->state == IN_NAME)
            ISO_TRY(in_name(reader, byte, reterr));
        else if (reader->state == IN_ELEMENT)
            ISO_TRY(in_element(reader, byte, &again, reterr));
        else
            again = true;
        if (again && !memchr(" \t\r\n", byte, 4))
            ISO_TRY(between(reader, byte, reterr));
        reader->line += byte == '\n';
    }
    return ISO_OK;
}

enum iso_status iso_json_finish(struct iso_json_reader *reader, struct iso_error *reterr)
{
    if (reader->state != DONE)
        return iso_fail(reterr, ISO_E_INVALID, "", "line %lld: the file ends too early",
                        (long long)reader->line);
    return ISO_OK;
}

bool iso_json_has_member(const struct iso_json_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->n_names; i++)
        if (strcmp(reader->names[i], name) == 0)
            return true;
    return false;
}

size_t iso_json_n_members(const struct iso_json_reader *reader)
{
    return reader->n_names;
}
