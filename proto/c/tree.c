#include "tree.h"

struct iso_tree *iso_tree_new(struct iso_arena *arena, enum iso_tree_kind kind, const char *text,
                              size_t n_bytes)
{
    struct iso_tree *node = iso_arena_calloc(arena, 1, sizeof(*node));
    char *copy = text ? iso_arena_calloc(arena, n_bytes + 1, 1) : NULL;

    if (!node || (text && !copy))
        return NULL;
    if (n_bytes > 0)
        memcpy(copy, text, n_bytes);
    node->kind = kind;
    node->text = copy;
    node->n_bytes = n_bytes;
    return node;
}

void iso_tree_append(struct iso_tree *parent, struct iso_tree *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->n++;
}

enum iso_status iso_tree_fail_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "",
                    "the document needs too much memory when read; use UploadModel");
}

const char *iso_tree_kind_text(enum iso_tree_kind kind)
{
    static const char *const texts[] = {
        [ISO_TREE_NULL] = "null",       [ISO_TREE_BOOL] = "true or false",
        [ISO_TREE_NUMBER] = "a number", [ISO_TREE_STRING] = "text",
        [ISO_TREE_LIST] = "a list",     [ISO_TREE_OBJECT] = "an object",
    };

    return texts[kind];
}
