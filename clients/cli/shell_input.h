/* Lines from a person at a terminal, with history and completion, or from a file. */
#ifndef ISOCOST_CLI_SHELL_INPUT_H
#define ISOCOST_CLI_SHELL_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct iso_shell_input;

/* Gives the words that what stands before the cursor may become: each is a whole word that begins
 * with `word`. `first`: nothing stands before it. Ends with NULL; borrowed until the next call. */
typedef const char *const *iso_shell_words(void *context, const char *word, bool first);

/* On a terminal (standard input and output) history is kept in ~/.isocost/history. NULL when memory
 * is short. One at a time. */
struct iso_shell_input *iso_shell_input_new(iso_shell_words *words, void *context);
void iso_shell_input_free(struct iso_shell_input *input); /* accepts NULL; writes the history */

/* The next line, without its end; NULL at the end of input. Borrowed until the next call. */
const char *iso_shell_input_line(struct iso_shell_input *input, const char *prompt);

#endif
