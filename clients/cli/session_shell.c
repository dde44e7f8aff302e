/* The shell of `isocost session`. A line is a command with words, or changes. */
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/change.h"
#include "session_actions.h"
#include "shell_input.h"
#include "what_if.h"

#define WORDS_MAX 64

struct shell {
    struct iso_cli *cli;
    char *id;
    Isocost__V1__ChangeTargets *targets; /* NULL: not known */
    const char **matches;                /* of the last completion */
    bool quits;
};

typedef enum iso_exit_code shell_command(struct shell *shell, char **words, int n);

/* --- commands --- */

static enum iso_exit_code do_set(struct shell *shell, char **words, int n)
{
    shell->targets = NULL; /* a change may bring new ones */
    return iso_session_set(shell->cli, shell->id, words, (size_t)n, /* solve= */ true);
}

static int count_of(char **words, int n)
{
    return n > 0 ? atoi(words[0]) : 1;
}

static enum iso_exit_code do_undo(struct shell *shell, char **words, int n)
{
    return iso_session_go(shell->cli, shell->id,
                          &(struct iso_session_move){.undo = count_of(words, n)}, true);
}

static enum iso_exit_code do_redo(struct shell *shell, char **words, int n)
{
    return iso_session_go(shell->cli, shell->id,
                          &(struct iso_session_move){.redo = count_of(words, n)}, true);
}

static enum iso_exit_code do_goto(struct shell *shell, char **words, int n)
{
    return iso_session_go(shell->cli, shell->id,
                          &(struct iso_session_move){.goes = true, .revision = count_of(words, n)},
                          true);
}

static enum iso_exit_code do_show(struct shell *shell, char **words, int n)
{
    (void)words, (void)n;
    return iso_session_show(shell->cli, shell->id);
}

static enum iso_exit_code do_plan(struct shell *shell, char **words, int n)
{
    return iso_session_plan(shell->cli, shell->id, n > 0 && strcmp(words[0], "why") == 0);
}

static enum iso_exit_code do_compare(struct shell *shell, char **words, int n)
{
    return iso_session_compare(shell->cli, shell->id, words, (size_t)n);
}

/* A question about the session's model that does not change it. */
static enum iso_exit_code ask(struct shell *shell, struct iso_what_if *asked)
{
    Isocost__V1__ModelRef model = ISOCOST__V1__MODEL_REF__INIT;
    Isocost__V1__SessionRef session = ISOCOST__V1__SESSION_REF__INIT;

    session.id = shell->id;
    model.ref_case = ISOCOST__V1__MODEL_REF__REF_SESSION;
    model.session = &session;
    asked->model = &model;
    return iso_what_if_ask(shell->cli, asked);
}

static enum iso_exit_code do_try(struct shell *shell, char **words, int n)
{
    return ask(shell, &(struct iso_what_if){.sets = words, .n_sets = (size_t)n});
}

static enum iso_exit_code do_sweep(struct shell *shell, char **words, int n)
{
    return ask(shell, &(struct iso_what_if){.sweeps = words, .n_sweeps = (size_t)n});
}

static enum iso_exit_code do_frontier(struct shell *shell, char **words, int n)
{
    (void)n;
    return ask(shell, &(struct iso_what_if){.frontier = words[0]});
}

static enum iso_exit_code do_fork(struct shell *shell, char **words, int n)
{
    return iso_session_fork(shell->cli, shell->id, n > 0 ? words[0] : NULL, &shell->id);
}

static enum iso_exit_code do_save(struct shell *shell, char **words, int n)
{
    return iso_session_save(shell->cli, shell->id, n > 0 ? words[0] : NULL);
}

static enum iso_exit_code do_quit(struct shell *shell, char **words, int n)
{
    (void)words, (void)n;
    shell->quits = true;
    return ISO_EXIT_OK;
}

static shell_command do_help;

static const struct {
    const char *name, *words, *summary;
    int least, most;
    shell_command *run;
} commands[] = {
    {"set", "CHANGE...", "makes a revision; a line of changes alone does the same", 1, WORDS_MAX,
     do_set},
    {"try", "CHANGE...", "what the model would cost with changes; the session stays", 1, WORDS_MAX,
     do_try},
    {"undo", "[N]", "goes back", 0, 1, do_undo},
    {"redo", "[N]", "goes forward again", 0, 1, do_redo},
    {"goto", "REVISION", "goes to a revision", 1, 1, do_goto},
    {"show", "", "the revisions", 0, 0, do_show},
    {"plan", "[why]", "the plan of the session's model", 0, 1, do_plan},
    {"compare", "[REVISION...]", "what revisions cost", 0, WORDS_MAX, do_compare},
    {"sweep", "RANGE [RANGE]", "varies numbers: budget.total=8000..16000:9", 1, 2, do_sweep},
    {"frontier", "RANGE", "service=0.5..1.2:8 or budget=8000..16000:9", 1, 1, do_frontier},
    {"fork", "[NAME]", "goes on in a session of its own", 0, 1, do_fork},
    {"save", "[NOTE]", "queues a plan that is kept", 0, 1, do_save},
    {"help", "", "this", 0, 0, do_help},
    {"quit", "", "leaves; the session stays", 0, 0, do_quit},
};

static enum iso_exit_code do_help(struct shell *shell, char **words, int n)
{
    (void)words, (void)n;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(commands); i++)
        fprintf(shell->cli->out, "  %-8s %-14s %s\n", commands[i].name, commands[i].words,
                commands[i].summary);
    return ISO_EXIT_OK;
}

/* --- lines --- */

/* Splits at blanks outside quotes and braces, in place. */
static int split(char *line, char *words[WORDS_MAX])
{
    bool quoted = false;
    int n = 0, depth = 0;
    char *begin = NULL;

    for (char *c = line;; c++) {
        bool blank = *c == ' ' || *c == '\t';
        if (!*c || (blank && !quoted && depth == 0)) {
            bool end = !*c;
            *c = '\0';
            if (begin && n < WORDS_MAX)
                words[n++] = begin;
            begin = NULL;
            if (end)
                return n;
            continue;
        }
        begin = begin ? begin : c;
        if (*c == '\\' && quoted && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (*c == '{') - (*c == '}' && depth > 0);
    }
}

static enum iso_exit_code run_line(struct shell *shell, const char *text)
{
    char *line = iso_arena_strdup(shell->cli->arena, text), *words[WORDS_MAX];
    int n = line ? split(line, words) : 0;

    if (n == 0 || words[0][0] == '#')
        return ISO_EXIT_OK;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(commands); i++) {
        if (strcmp(words[0], commands[i].name) != 0)
            continue;
        if (n - 1 < commands[i].least || n - 1 > commands[i].most) {
            fprintf(shell->cli->err, "isocost: it is %s %s\n", commands[i].name, commands[i].words);
            return ISO_EXIT_USAGE;
        }
        return commands[i].run(shell, words + 1, n - 1);
    }
    if (strchr(words[0], '.') && strchr(words[0], '='))
        return do_set(shell, words, n);
    fprintf(shell->cli->err, "isocost: \"%.40s\" is no command and no change; try help\n",
            words[0]);
    return ISO_EXIT_USAGE;
}

/* --- completion --- */

static void offer(struct shell *shell, size_t *n, size_t room, const char *word, const char *match)
{
    if (match && *n + 1 < room && strncmp(match, word, strlen(word)) == 0)
        shell->matches[(*n)++] = match;
}

static void offer_targets(struct shell *shell, size_t *n, size_t room, const char *word,
                          const char *kind, char *const *ids, size_t n_ids)
{
    size_t n_kind = strlen(kind);

    if (strncmp(word, kind, n_kind) != 0 || word[n_kind] != '.')
        return;
    for (size_t i = 0; i < n_ids; i++)
        offer(shell, n, room, word, iso_arena_printf(shell->cli->arena, "%s.%s=", kind, ids[i]));
}

static void load_targets(struct shell *shell)
{
    Isocost__V1__GetSessionResponse *response;

    if (!shell->targets &&
        iso_session_get(shell->cli, shell->id, /* with_targets= */ true, &response) == ISO_EXIT_OK)
        shell->targets = response->targets;
}

static const char *const *matching_words(void *context, const char *word, bool first)
{
    struct shell *shell = context;
    size_t n = 0, room = 256;

    load_targets(shell);
    const Isocost__V1__ChangeTargets *t = shell->targets;
    if (t)
        room += t->n_workloads + t->n_limits + 2 * t->n_budgets + t->n_rules + t->n_commitments +
                t->n_pairs + 5 * t->n_places;
    shell->matches = iso_arena_calloc(shell->cli->arena, room, sizeof(*shell->matches));
    if (!shell->matches)
        return NULL;
    for (size_t i = 0; first && i < ISO_ARRAY_LENGTH(commands); i++)
        offer(shell, &n, room, word, iso_arena_printf(shell->cli->arena, "%s ", commands[i].name));
    if (!strchr(word, '.'))
        for (size_t i = 0; iso_change_kinds[i]; i++)
            offer(shell, &n, room, word,
                  iso_arena_printf(shell->cli->arena, "%s.", iso_change_kinds[i]));
    if (!t)
        return shell->matches;
    offer_targets(shell, &n, room, word, "demand", t->workloads, t->n_workloads);
    offer_targets(shell, &n, room, word, "workload", t->workloads, t->n_workloads);
    offer_targets(shell, &n, room, word, "limit", t->limits, t->n_limits);
    offer_targets(shell, &n, room, word, "budget", t->budgets, t->n_budgets);
    offer_targets(shell, &n, room, word, "cash", t->budgets, t->n_budgets);
    offer_targets(shell, &n, room, word, "rule", t->rules, t->n_rules);
    offer_targets(shell, &n, room, word, "commitment", t->commitments, t->n_commitments);
    offer_targets(shell, &n, room, word, "rate", t->pairs, t->n_pairs);
    offer_targets(shell, &n, room, word, "price", t->places, t->n_places);
    offer_targets(shell, &n, room, word, "outage", t->places, t->n_places);
    offer_targets(shell, &n, room, word, "offering", t->places, t->n_places);
    offer_targets(shell, &n, room, word, "forbid", t->places, t->n_places);
    offer_targets(shell, &n, room, word, "require", t->places, t->n_places);
    return shell->matches;
}

enum iso_exit_code iso_session_shell(struct iso_cli *cli, char *id)
{
    struct shell shell = {.cli = cli, .id = id};
    struct iso_shell_input *input = iso_shell_input_new(matching_words, &shell);
    enum iso_exit_code code = ISO_EXIT_OK;
    const char *line;

    if (!input) {
        fputs("isocost: out of memory\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    code = iso_session_show(cli, id);
    while (code != ISO_EXIT_UNREACHABLE && !shell.quits &&
           (line = iso_shell_input_line(input, "isocost> ")))
        code = run_line(&shell, line);
    iso_shell_input_free(input);
    return code;
}
