/* A document, JSON or YAML, before its meaning is known. Nodes live in the request's arena. */
#ifndef ISOCOST_PROTO_TREE_H
#define ISOCOST_PROTO_TREE_H

#include <stddef.h>

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"

#define ISO_TREE_MAX_DEPTH 64

enum iso_tree_kind {
    ISO_TREE_NULL,
    ISO_TREE_BOOL,   /* text is "true" or "false" */
    ISO_TREE_NUMBER, /* text is a number, or ".inf" and the like */
    ISO_TREE_STRING,
    ISO_TREE_LIST,
    ISO_TREE_OBJECT,
};

struct iso_tree {
    enum iso_tree_kind kind;
    long line;        /* from 1; 0: not known */
    const char *key;  /* in an object */
    const char *text; /* of a scalar; NUL-terminated */
    size_t n_bytes;   /* of the text; more than strlen() when it holds a NUL */
    size_t n;         /* children */
    struct iso_tree *first, *last, *next;
};

/* Errors of both: ISO_E_INVALID ("line N: ..."), ISO_E_LIMIT (arena), ISO_E_NOMEM. */
enum iso_status iso_tree_from_json(const char *text, size_t n_bytes, struct iso_arena *arena,
                                   struct iso_tree **ret_tree, struct iso_error *reterr);
enum iso_status iso_tree_from_yaml(const char *text, size_t n_bytes, struct iso_arena *arena,
                                   struct iso_tree **ret_tree, struct iso_error *reterr);

/* A node with a copy of the text, NULL when the arena is full. */
struct iso_tree *iso_tree_new(struct iso_arena *arena, enum iso_tree_kind kind, const char *text,
                              size_t n_bytes);
void iso_tree_append(struct iso_tree *parent, struct iso_tree *child);

/* Reports that the arena is full. */
enum iso_status iso_tree_fail_full(struct iso_error *reterr);

/* "a number", "a list" ... */
const char *iso_tree_kind_text(enum iso_tree_kind kind);

#endif
