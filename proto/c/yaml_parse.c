#include <stdbool.h>
#include <stdlib.h>
#include <yaml.h>

#include "double_text.h"
#include "tree.h"

struct reader {
    yaml_parser_t parser;
    const char *text;
    size_t n_bytes;
    struct iso_arena *arena;
    struct iso_error *reterr;
};

static enum iso_status fail_at(struct reader *reader, const yaml_mark_t *mark, const char *what)
{
    return iso_fail(reader->reterr, ISO_E_INVALID, "", "line %zu: %s", mark->line + 1, what);
}

static enum iso_status fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    size_t line = parser->problem_mark.line + 1;

    if (parser->error == YAML_MEMORY_ERROR)
        return iso_fail(reader->reterr, ISO_E_NOMEM, "", "no memory to read the document");
    if (parser->error == YAML_READER_ERROR) {
        line = 1; /* such errors have a place in bytes only */
        for (size_t i = 0; i < parser->problem_offset && i < reader->n_bytes; i++)
            line += reader->text[i] == '\n';
    }
    return iso_fail(reader->reterr, ISO_E_INVALID, "", "line %zu: %s%s%s", line,
                    parser->context ? parser->context : "", parser->context ? ": " : "",
                    parser->problem ? parser->problem : "no YAML");
}

static enum iso_status next_event(struct reader *reader, yaml_event_t *ret_event)
{
    if (!yaml_parser_parse(&reader->parser, ret_event))
        return fail_syntax(reader);
    return ISO_OK;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* The core schema of YAML 1.2, decimal numbers only: `no` and `on` are text. */
static enum iso_tree_kind resolve_plain(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    static const char *const not_finite[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
                                             "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
                                             ".NaN",  ".NAN",  NULL};

    if (is_one_of(text, nulls))
        return ISO_TREE_NULL;
    if (is_one_of(text, bools))
        return ISO_TREE_BOOL;
    if (is_one_of(text, not_finite) || iso_is_number(text))
        return ISO_TREE_NUMBER;
    return ISO_TREE_STRING;
}

static enum iso_status build_scalar(struct reader *reader, const yaml_event_t *event,
                                    struct iso_tree **ret_tree)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t n_bytes = event->data.scalar.length;
    enum iso_tree_kind kind = ISO_TREE_STRING;

    if (event->data.scalar.anchor || event->data.scalar.tag)
        return fail_at(reader, &event->start_mark, "anchors and tags are not allowed");
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        kind = resolve_plain(text);
    if (kind == ISO_TREE_BOOL) {
        text = *text == 't' || *text == 'T' ? "true" : "false";
        n_bytes = strlen(text);
    }
    struct iso_tree *node = iso_tree_new(reader->arena, kind, text, n_bytes);
    if (!node)
        return iso_tree_fail_full(reader->reterr);
    node->line = (long)event->start_mark.line + 1;
    *ret_tree = node;
    return ISO_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const struct iso_tree *node_a = *(const struct iso_tree *const *)a;
    const struct iso_tree *node_b = *(const struct iso_tree *const *)b;
    int order = strcmp(node_a->key, node_b->key);

    return order != 0 ? order : (node_a->line > node_b->line) - (node_a->line < node_b->line);
}

static enum iso_status refuse_duplicates(struct reader *reader, const struct iso_tree *object)
{
    ISO_AUTO_MEM const struct iso_tree **sorted = iso_calloc(object->n, sizeof(*sorted));
    size_t n = 0;

    if (!sorted)
        return iso_fail(reader->reterr, ISO_E_NOMEM, "", "no memory for %zu keys", object->n);
    for (const struct iso_tree *child = object->first; child; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof(const struct iso_tree *), compare_keys);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            return iso_fail(reader->reterr, ISO_E_INVALID, "",
                            "line %ld: duplicate key \"%.60s\", first on line %ld", sorted[i]->line,
                            sorted[i]->key, sorted[i - 1]->line);
    return ISO_OK;
}

static enum iso_status build_node(struct reader *reader, const yaml_event_t *event, int depth,
                                  struct iso_tree **ret_tree);

/* Reads one event and the node that begins with it; *ret_node is NULL at the end of the collection
 * that `parent` is. */
static enum iso_status build_next(struct reader *reader, const struct iso_tree *parent, int depth,
                                  struct iso_tree **ret_node)
{
    yaml_event_t event;

    ISO_TRY(next_event(reader, &event));
    bool ends = (parent->kind == ISO_TREE_LIST && event.type == YAML_SEQUENCE_END_EVENT) ||
                (parent->kind == ISO_TREE_OBJECT && event.type == YAML_MAPPING_END_EVENT);
    enum iso_status status = ISO_OK;
    if (ends)
        *ret_node = NULL;
    else
        status = build_node(reader, &event, depth, ret_node);
    yaml_event_delete(&event);
    return status;
}

static enum iso_status build_object(struct reader *reader, struct iso_tree *node, int depth)
{
    for (;;) {
        struct iso_tree *key, *value;

        ISO_TRY(build_next(reader, node, depth, &key));
        if (!key)
            break;
        if (key->kind == ISO_TREE_LIST || key->kind == ISO_TREE_OBJECT ||
            strlen(key->text) != key->n_bytes)
            return iso_fail(reader->reterr, ISO_E_INVALID, "", "line %ld: a key must be text",
                            key->line);
        ISO_TRY(build_next(reader, node, depth, &value));
        value->key = key->text;
        value->line = key->line;
        iso_tree_append(node, value);
    }
    return refuse_duplicates(reader, node);
}

static enum iso_status build_list(struct reader *reader, struct iso_tree *node, int depth)
{
    for (;;) {
        struct iso_tree *child;

        ISO_TRY(build_next(reader, node, depth, &child));
        if (!child)
            return ISO_OK;
        iso_tree_append(node, child);
    }
}

static enum iso_status build_node(struct reader *reader, const yaml_event_t *event, int depth,
                                  struct iso_tree **ret_tree)
{
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;

    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(reader, &event->start_mark, "aliases are not allowed");
    if (event->type == YAML_SCALAR_EVENT)
        return build_scalar(reader, event, ret_tree);
    if (is_list ? event->data.sequence_start.anchor || event->data.sequence_start.tag
                : event->data.mapping_start.anchor || event->data.mapping_start.tag)
        return fail_at(reader, &event->start_mark, "anchors and tags are not allowed");
    if (depth > ISO_TREE_MAX_DEPTH)
        return fail_at(reader, &event->start_mark, "lists and objects are nested deeper than 64");

    struct iso_tree *node =
        iso_tree_new(reader->arena, is_list ? ISO_TREE_LIST : ISO_TREE_OBJECT, NULL, 0);
    if (!node)
        return iso_tree_fail_full(reader->reterr);
    node->line = (long)event->start_mark.line + 1;
    ISO_TRY(is_list ? build_list(reader, node, depth + 1) : build_object(reader, node, depth + 1));
    *ret_tree = node;
    return ISO_OK;
}

static enum iso_status expect_event(struct reader *reader, yaml_event_type_t type,
                                    const char *otherwise)
{
    yaml_event_t event;

    ISO_TRY(next_event(reader, &event));
    enum iso_status status =
        event.type == type ? ISO_OK : fail_at(reader, &event.start_mark, otherwise);
    yaml_event_delete(&event);
    return status;
}

static enum iso_status build_document(struct reader *reader, struct iso_tree **ret_tree)
{
    yaml_event_t event;

    ISO_TRY(expect_event(reader, YAML_STREAM_START_EVENT, "no YAML"));
    ISO_TRY(expect_event(reader, YAML_DOCUMENT_START_EVENT, "the document is empty"));
    ISO_TRY(next_event(reader, &event));
    enum iso_status status = build_node(reader, &event, 1, ret_tree);
    yaml_event_delete(&event);
    ISO_TRY(status);
    ISO_TRY(expect_event(reader, YAML_DOCUMENT_END_EVENT, "no end of the document"));
    return expect_event(reader, YAML_STREAM_END_EVENT, "there is more than one document");
}

enum iso_status iso_tree_from_yaml(const char *text, size_t n_bytes, struct iso_arena *arena,
                                   struct iso_tree **ret_tree, struct iso_error *reterr)
{
    struct reader reader = {.text = text, .n_bytes = n_bytes, .arena = arena, .reterr = reterr};

    if (!yaml_parser_initialize(&reader.parser))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read the document");
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, n_bytes);
    enum iso_status status = build_document(&reader, ret_tree);
    yaml_parser_delete(&reader.parser);
    return status;
}
