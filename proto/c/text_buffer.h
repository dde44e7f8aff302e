/* A text that grows; a failed allocation is remembered, so callers check once at the end. */
#ifndef ISOCOST_PROTO_TEXT_BUFFER_H
#define ISOCOST_PROTO_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct iso_text_buffer {
    char *bytes; /* owned; ends with NUL when n > 0 */
    size_t n, capacity;
    bool failed;
};

void iso_text_buffer_add(struct iso_text_buffer *buffer, const char *bytes, size_t n_bytes);
void iso_text_buffer_puts(struct iso_text_buffer *buffer, const char *text);
void iso_text_buffer_fill(struct iso_text_buffer *buffer, char c, size_t n);

/* Adds `text` as a JSON string in quotes; bytes that are no UTF-8 become U+FFFD. */
void iso_text_buffer_quote(struct iso_text_buffer *buffer, const char *text, size_t n_bytes);

#endif
