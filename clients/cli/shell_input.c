#include "shell_input.h"

#include <readline/history.h>
#include <readline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "isocost/base/memory.h"

#define HISTORY_LINES 1000
#define CONTROL_C 3

struct iso_shell_input {
    iso_shell_words *words;
    void *context;
    bool on_terminal;
    char *line;
    size_t room;
    char history[4096]; /* path; "": none */
};

/* The line editor has no context of its own. */
static struct iso_shell_input *current;

static char *next_word(const char *word, int state)
{
    static const char *const *at;

    if (state == 0)
        at = current->words(current->context, word, rl_point - (int)strlen(word) == 0);
    return at && *at ? strdup(*at++) : NULL;
}

static char **complete(const char *word, int start, int end)
{
    (void)start, (void)end;
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    return rl_completion_matches(word, next_word);
}

/* Ctrl-C gives up the line. It comes as a character, since the program's own thread waits for the
 * signal and would end the program with the terminal as the editor has set it. */
static int give_up_line(int count, int key)
{
    (void)count, (void)key;
    fputs("^C\n", rl_outstream);
    rl_replace_line("", 0);
    rl_on_new_line();
    rl_redisplay();
    return 0;
}

static void prepare_terminal(int meta)
{
    struct termios mode;

    rl_prep_terminal(meta);
    if (tcgetattr(STDIN_FILENO, &mode) == 0) {
        mode.c_lflag &= ~(tcflag_t)ISIG;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    }
}

static void open_history(struct iso_shell_input *input)
{
    const char *home = getenv("HOME");

    using_history();
    if (!home || !*home ||
        snprintf(input->history, sizeof(input->history), "%s/.isocost", home) >=
            (int)sizeof(input->history) - 16) {
        input->history[0] = '\0';
        return;
    }
    mkdir(input->history, 0700); /* it may be there */
    strcat(input->history, "/history");
    read_history(input->history);
}

struct iso_shell_input *iso_shell_input_new(iso_shell_words *words, void *context)
{
    struct iso_shell_input *input = iso_calloc(1, sizeof(*input));

    if (!input)
        return NULL;
    input->words = words;
    input->context = context;
    input->on_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (!input->on_terminal)
        return input;
    current = input;
    rl_readline_name = "isocost";
    rl_catch_signals = 0;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = (char *)" \t";
    rl_prep_term_function = prepare_terminal;
    rl_initialize();
    rl_bind_key(CONTROL_C, give_up_line);
    open_history(input);
    return input;
}

void iso_shell_input_free(struct iso_shell_input *input)
{
    if (!input)
        return;
    if (input->on_terminal && input->history[0]) {
        stifle_history(HISTORY_LINES);
        write_history(input->history);
    }
    if (input->on_terminal)
        clear_history();
    current = NULL;
    free(input->line);
    free(input);
}

const char *iso_shell_input_line(struct iso_shell_input *input, const char *prompt)
{
    if (input->on_terminal) {
        free(input->line);
        input->line = readline(prompt);
        if (input->line && *input->line)
            add_history(input->line);
        return input->line;
    }
    ssize_t n = getline(&input->line, &input->room, stdin);
    if (n < 0)
        return NULL;
    while (n > 0 && strchr("\r\n", input->line[n - 1]))
        input->line[--n] = '\0';
    return input->line;
}
