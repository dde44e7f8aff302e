/* Writes a tree of objects, lists and scalars as JSON or block-style YAML. */
#ifndef ISOCOST_PROTO_EMITTER_H
#define ISOCOST_PROTO_EMITTER_H

#include <stdbool.h>
#include <stddef.h>

#include "text_buffer.h"

#define ISO_EMITTER_MAX_DEPTH 128

enum iso_emitter_style { ISO_EMIT_COMPACT, ISO_EMIT_INDENTED, ISO_EMIT_YAML };

struct iso_emitter {
    enum iso_emitter_style style;
    struct iso_text_buffer text;
    int depth; /* open objects and lists */
    struct {
        bool is_list;
        size_t n; /* members written */
    } levels[ISO_EMITTER_MAX_DEPTH];
    bool after_dash; /* YAML: the line holds "- " and nothing after it */
    int n_too_deep;  /* open ones that have no level */
    bool too_deep;   /* the text is of no use */
};

void iso_emit_open(struct iso_emitter *emitter, bool is_list);
void iso_emit_close(struct iso_emitter *emitter);

/* Begins a member of an object; its value comes next. Elements of lists begin with their value. */
void iso_emit_key(struct iso_emitter *emitter, const char *key);

/* A number, true or false. */
void iso_emit_bare(struct iso_emitter *emitter, const char *text);

/* A text; quoted where it has to be. */
void iso_emit_text(struct iso_emitter *emitter, const char *text);

#endif
