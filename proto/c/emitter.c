#include "emitter.h"

#include <string.h>
#include <strings.h>

#include "isocost/base/memory.h"

#define INDENT 2
#define SHORT_KEY_BYTES 150 /* with escapes, far below the 1024 characters that YAML allows */

static void new_line(struct iso_emitter *emitter, int depth)
{
    iso_text_buffer_puts(&emitter->text, "\n");
    iso_text_buffer_fill(&emitter->text, ' ', (size_t)(depth * INDENT));
}

/* Puts the comma, the line and the dash before the next member of the innermost level. */
static void begin_member(struct iso_emitter *emitter)
{
    int depth = emitter->depth;
    bool is_list = emitter->levels[depth - 1].is_list;
    size_t n = emitter->levels[depth - 1].n++;

    if (emitter->style != ISO_EMIT_YAML) {
        if (n > 0)
            iso_text_buffer_puts(&emitter->text, ",");
        if (emitter->style == ISO_EMIT_INDENTED)
            new_line(emitter, depth);
        return;
    }
    if (!emitter->after_dash && emitter->text.n > 0)
        new_line(emitter, depth - 1);
    emitter->after_dash = is_list;
    if (is_list)
        iso_text_buffer_puts(&emitter->text, "- ");
}

/* Puts what separates a value from what is before it on the line. */
static void begin_value(struct iso_emitter *emitter, bool is_scalar)
{
    if (emitter->depth > 0 && emitter->levels[emitter->depth - 1].is_list)
        begin_member(emitter);
    else if (emitter->style == ISO_EMIT_YAML && emitter->depth > 0 && is_scalar)
        iso_text_buffer_puts(&emitter->text, " ");
    if (is_scalar)
        emitter->after_dash = false;
}

void iso_emit_open(struct iso_emitter *emitter, bool is_list)
{
    begin_value(emitter, /* is_scalar= */ false);
    if (emitter->depth == ISO_EMITTER_MAX_DEPTH) {
        emitter->too_deep = true;
        emitter->n_too_deep++;
        return;
    }
    if (emitter->style != ISO_EMIT_YAML)
        iso_text_buffer_puts(&emitter->text, is_list ? "[" : "{");
    emitter->levels[emitter->depth].is_list = is_list;
    emitter->levels[emitter->depth++].n = 0;
}

void iso_emit_close(struct iso_emitter *emitter)
{
    if (emitter->n_too_deep > 0) {
        emitter->n_too_deep--;
        return;
    }
    emitter->depth--;
    bool is_list = emitter->levels[emitter->depth].is_list;
    bool is_empty = emitter->levels[emitter->depth].n == 0;

    if (emitter->style == ISO_EMIT_INDENTED && !is_empty)
        new_line(emitter, emitter->depth);
    if (emitter->style != ISO_EMIT_YAML)
        iso_text_buffer_puts(&emitter->text, is_list ? "]" : "}");
    else if (is_empty) {
        bool in_object = emitter->depth > 0 && !emitter->levels[emitter->depth - 1].is_list;
        iso_text_buffer_puts(&emitter->text, in_object ? " " : "");
        iso_text_buffer_puts(&emitter->text, is_list ? "[]" : "{}");
        emitter->after_dash = false;
    }
    if (emitter->style == ISO_EMIT_YAML && emitter->depth == 0)
        iso_text_buffer_puts(&emitter->text, "\n");
}

/* Whether YAML readers of every age take the text for itself without quotes. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};

    if (!((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z')))
        return false;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./") ==
           strlen(text);
}

static void put_text(struct iso_emitter *emitter, const char *text)
{
    if (emitter->style == ISO_EMIT_YAML && is_plain(text))
        iso_text_buffer_puts(&emitter->text, text);
    else
        iso_text_buffer_quote(&emitter->text, text, strlen(text));
}

void iso_emit_key(struct iso_emitter *emitter, const char *key)
{
    bool is_long = emitter->style == ISO_EMIT_YAML && strlen(key) > SHORT_KEY_BYTES;

    begin_member(emitter);
    if (is_long)
        iso_text_buffer_puts(&emitter->text, "? ");
    put_text(emitter, key);
    if (is_long)
        new_line(emitter, emitter->depth - 1);
    iso_text_buffer_puts(&emitter->text, emitter->style == ISO_EMIT_INDENTED ? ": " : ":");
}

void iso_emit_bare(struct iso_emitter *emitter, const char *text)
{
    begin_value(emitter, /* is_scalar= */ true);
    iso_text_buffer_puts(&emitter->text, text);
}

void iso_emit_text(struct iso_emitter *emitter, const char *text)
{
    begin_value(emitter, /* is_scalar= */ true);
    put_text(emitter, text);
}
