#include <jansson.h>
#include <stdio.h>

#include "double_text.h"
#include "tree.h"

/* Bytes that one value takes in jansson and in the tree together, without its text. */
#define VALUE_BYTES 256

/* jansson allocates outside of the arena: refuse beforehand what would not fit into it. */
static bool fits(const char *text, size_t n_bytes, const struct iso_arena *arena)
{
    size_t n_values = 1;

    for (size_t i = 0; i < n_bytes; i++)
        n_values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    return n_bytes <= iso_arena_left(arena) / 4 && n_values <= iso_arena_left(arena) / VALUE_BYTES;
}

static struct iso_tree *scalar_from_json(const json_t *json, struct iso_arena *arena)
{
    char text[ISO_DOUBLE_TEXT_SIZE];

    switch (json_typeof(json)) {
    case JSON_STRING:
        return iso_tree_new(arena, ISO_TREE_STRING, json_string_value(json),
                            json_string_length(json));
    case JSON_INTEGER:
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return iso_tree_new(arena, ISO_TREE_NUMBER, text, strlen(text));
    case JSON_REAL:
        iso_double_text(json_real_value(json), text);
        return iso_tree_new(arena, ISO_TREE_NUMBER, text, strlen(text));
    case JSON_TRUE:
        return iso_tree_new(arena, ISO_TREE_BOOL, "true", 4);
    case JSON_FALSE:
        return iso_tree_new(arena, ISO_TREE_BOOL, "false", 5);
    default:
        return iso_tree_new(arena, ISO_TREE_NULL, "null", 4);
    }
}

static enum iso_status convert(json_t *json, int depth, struct iso_arena *arena,
                               struct iso_tree **ret_tree, struct iso_error *reterr)
{
    struct iso_tree *node, *child;
    const char *key;
    json_t *value;
    size_t i;

    if (depth > ISO_TREE_MAX_DEPTH)
        return iso_fail(reterr, ISO_E_INVALID, "", "lists and objects are nested deeper than %d",
                        ISO_TREE_MAX_DEPTH);
    if (json_is_object(json))
        node = iso_tree_new(arena, ISO_TREE_OBJECT, NULL, 0);
    else if (json_is_array(json))
        node = iso_tree_new(arena, ISO_TREE_LIST, NULL, 0);
    else
        node = scalar_from_json(json, arena);
    if (!node)
        return iso_tree_fail_full(reterr);

    json_object_foreach(json, key, value)
    {
        ISO_TRY(convert(value, depth + 1, arena, &child, reterr));
        child->key = iso_arena_strdup(arena, key);
        if (!child->key)
            return iso_tree_fail_full(reterr);
        iso_tree_append(node, child);
    }
    json_array_foreach(json, i, value)
    {
        ISO_TRY(convert(value, depth + 1, arena, &child, reterr));
        iso_tree_append(node, child);
    }
    *ret_tree = node;
    return ISO_OK;
}

enum iso_status iso_tree_from_json(const char *text, size_t n_bytes, struct iso_arena *arena,
                                   struct iso_tree **ret_tree, struct iso_error *reterr)
{
    json_error_t error;

    if (!fits(text, n_bytes, arena))
        return iso_tree_fail_full(reterr);
    json_auto_t *json = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json && json_error_code(&error) == json_error_out_of_memory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a document of %zu bytes", n_bytes);
    if (!json)
        return iso_fail(reterr, ISO_E_INVALID, "", "line %d: %s", error.line > 0 ? error.line : 1,
                        error.text);
    return convert(json, 1, arena, ret_tree, reterr);
}
