#include "isocost/proto/yaml_place.h"

#include <ctype.h>
#include <stdbool.h>
#include <yaml.h>

/* Whether the first n bytes of `name` and the key say the same, `_` and case aside. */
static bool same_name(const char *name, size_t n, const yaml_node_t *key)
{
    const unsigned char *text = key->data.scalar.value;
    size_t length = key->data.scalar.length, i = 0, k = 0;

    for (;;) {
        while (i < n && name[i] == '_')
            i++;
        while (k < length && text[k] == '_')
            k++;
        if (i == n || k == length)
            return i == n && k == length;
        if (tolower((unsigned char)name[i++]) != tolower(text[k++]))
            return false;
    }
}

/* The value under a name; *line becomes the line of its key. */
static yaml_node_t *step_name(yaml_document_t *document, yaml_node_t *node, const char *name,
                              size_t n, int *line)
{
    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (key && key->type == YAML_SCALAR_NODE && same_name(name, n, key)) {
            *line = (int)key->start_mark.line + 1;
            return yaml_document_get_node(document, pair->value);
        }
    }
    return NULL;
}

/* The item of a list; a scalar or mapping stands for a list of one. */
static yaml_node_t *step_index(yaml_document_t *document, yaml_node_t *node, long index, int *line)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return index == 0 ? node : NULL;
    if (index < 0 || index >= node->data.sequence.items.top - node->data.sequence.items.start)
        return NULL;
    node = yaml_document_get_node(document, node->data.sequence.items.start[index]);
    if (node)
        *line = (int)node->start_mark.line + 1;
    return node;
}

static int line_in(yaml_document_t *document, const char *path)
{
    yaml_node_t *node = yaml_document_get_root_node(document);
    int line = node ? (int)node->start_mark.line + 1 : 0;

    while (node && *path) {
        if (*path == '[') {
            node = step_index(document, node, strtol(path + 1, NULL, 10), &line);
            path += strcspn(path, "]");
            path += *path == ']';
        } else {
            path += *path == '.';
            size_t n = strcspn(path, ".[");
            node = step_name(document, node, path, n, &line);
            path += n;
        }
    }
    return line;
}

int iso_yaml_line_of(const char *text, size_t n_bytes, const char *path)
{
    yaml_parser_t parser;
    yaml_document_t document;
    int line = 0;

    if (!yaml_parser_initialize(&parser))
        return 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n_bytes);
    if (yaml_parser_load(&parser, &document)) {
        line = line_in(&document, path);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return line;
}
