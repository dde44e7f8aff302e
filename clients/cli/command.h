/* The commands of the program: one table row each, one handler each. */
#ifndef ISOCOST_CLI_COMMAND_H
#define ISOCOST_CLI_COMMAND_H

#include <stdio.h>

#include "exit_code.h"
#include "isocost/client.h"
#include "isocost/proto/arena.h"
#include "option.h"
#include "view_text.h"

enum iso_output {
    ISO_OUTPUT_TABLE = 1u << 0,
    ISO_OUTPUT_JSON = 1u << 1,
    ISO_OUTPUT_YAML = 1u << 2,
    ISO_OUTPUT_CSV = 1u << 3,
};

/* Options of every command; the first member of the struct of each command's options. */
struct iso_common_options {
    const char *address, *project, *output;
    bool help;
};

/* One run of the program. */
struct iso_cli {
    FILE *out, *err;         /* data; everything else */
    struct iso_arena *arena; /* everything that lives as long as the run */
    bool color;
    enum iso_output output;
    const char *address; /* NULL: the client library's default */
    const char *project; /* NULL: the server's default */
    struct iso_client *client;
    char **passed_on; /* `serve` only: what follows the command */
};

struct iso_command {
    const char *name;     /* "plan get" */
    const char *operands; /* "PLAN", "" when there are none */
    const char *summary;  /* one sentence without full stop */
    const struct iso_option *options;
    size_t values_bytes; /* of the struct that `options` fill */
    unsigned outputs;    /* the values of -o that it can do; 0: it has no -o */
    int min_operands, max_operands;
    enum iso_exit_code (*run)(struct iso_cli *cli, const void *values, int n_operands,
                              char **operands);
};

/* Every command, in the order of the help; ends with a row without name. */
extern const struct iso_command iso_commands[];

/* The command that argv[1...] names; *ret_words is how many words its name has. NULL if none. */
const struct iso_command *iso_command_find(int argc, char **argv, int *ret_words);

/* Finds, parses, runs; returns the exit code. Nothing but the command's data goes to cli->out. */
enum iso_exit_code iso_command_run(struct iso_cli *cli, int argc, char **argv);

/* Rows that come first in the options of each command. */
#define ISO_COMMON_OPTIONS                                                             \
    {"address",       0,                                                               \
     ISO_OPTION_TEXT, offsetof(struct iso_common_options, address),                    \
     "ADDRESS",       "the server: unix:/path or host:port (or ISOCOST_ADDRESS)"},     \
        {"project",       0,                                                           \
         ISO_OPTION_TEXT, offsetof(struct iso_common_options, project),                \
         "NAME",          "the project (or ISOCOST_PROJECT)"},                         \
        {"output",        'o',                                                         \
         ISO_OPTION_TEXT, offsetof(struct iso_common_options, output),                 \
         "FORMAT",        "form of the data; see below"},                              \
    {                                                                                  \
        "help", 'h', ISO_OPTION_FLAG, offsetof(struct iso_common_options, help), NULL, \
            "explain the command"                                                      \
    }

/* The options of commands that have no others. */
extern const struct iso_option iso_common_options[];

/* A view of the run's standard output. */
struct iso_view iso_cli_view(struct iso_cli *cli);

/* Writes "isocost: field: text" to cli->err. */
void iso_cli_complain(struct iso_cli *cli, const struct iso_error *error);

/* Writes a message as JSON or YAML, as cli->output asks. */
enum iso_exit_code iso_cli_print_message(struct iso_cli *cli, const ProtobufCMessage *message);

#endif
