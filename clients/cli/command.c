#include "command.h"

#include <stddef.h>
#include <string.h>

#include "help.h"
#include "isocost/proto/json.h"

const struct iso_option iso_common_options[] = {ISO_COMMON_OPTIONS, {0}};

static const struct {
    const char *name;
    enum iso_output output;
} outputs[] = {{"table", ISO_OUTPUT_TABLE},
               {"json", ISO_OUTPUT_JSON},
               {"yaml", ISO_OUTPUT_YAML},
               {"csv", ISO_OUTPUT_CSV}};

/* Number of leading words of argv that make up `name`; 0 if they do not. */
static int matched_words(const char *name, int argc, char **argv)
{
    int words = 0;

    while (*name) {
        size_t length = strcspn(name, " ");
        if (words >= argc || strlen(argv[words]) != length || strncmp(argv[words], name, length))
            return 0;
        words++;
        name += length + (name[length] == ' ');
    }
    return words;
}

const struct iso_command *iso_command_find(int argc, char **argv, int *ret_words)
{
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        int words = matched_words(command->name, argc - 1, argv + 1);
        if (words > 0) {
            *ret_words = words;
            return command;
        }
    }
    return NULL;
}

void iso_cli_complain(struct iso_cli *cli, const struct iso_error *error)
{
    fprintf(cli->err, "isocost: %s%s%s\n", error->field, *error->field ? ": " : "", error->text);
}

static enum iso_exit_code usage_error(struct iso_cli *cli, const struct iso_command *command,
                                      const struct iso_error *error)
{
    iso_cli_complain(cli, error);
    fprintf(cli->err, "`isocost help%s%s` explains.\n", command ? " " : "",
            command ? command->name : "");
    return ISO_EXIT_USAGE;
}

static enum iso_status choose_output(struct iso_cli *cli, const struct iso_command *command,
                                     const char *name, struct iso_error *reterr)
{
    char allowed[64] = "";

    cli->output = ISO_OUTPUT_TABLE;
    if (!name)
        return ISO_OK;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(outputs); i++) {
        if (!(command->outputs & outputs[i].output))
            continue;
        if (strcmp(outputs[i].name, name) == 0) {
            cli->output = outputs[i].output;
            return ISO_OK;
        }
        size_t n = strlen(allowed);
        snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n ? ", " : "", outputs[i].name);
    }
    if (!*allowed)
        return iso_fail(reterr, ISO_E_INVALID, "--output", "%s has only one form of output",
                        command->name);
    return iso_fail(reterr, ISO_E_INVALID, "--output", "\"%s\" is not one of %s", name, allowed);
}

static enum iso_status check_operands(const struct iso_command *command, int n, char **operands,
                                      struct iso_error *reterr)
{
    if (n < command->min_operands)
        return iso_fail(reterr, ISO_E_INVALID, command->name, "%s is missing", command->operands);
    if (n > command->max_operands)
        return iso_fail(reterr, ISO_E_INVALID, command->name, "\"%s\" is one word too many",
                        operands[command->max_operands]);
    return ISO_OK;
}

static enum iso_exit_code run_found(struct iso_cli *cli, const struct iso_command *command,
                                    int argc, char **argv)
{
    ISO_AUTO_MEM void *values = iso_calloc(1, command->values_bytes);
    struct iso_error error = {0};
    int first;

    if (!values) {
        fputs("isocost: out of memory\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    struct iso_common_options *common = values;
    if (iso_options_parse(command->options, argc, argv, values, &first, &error) != ISO_OK)
        return usage_error(cli, command, &error);
    if (common->help) {
        iso_help_command(command, cli->out);
        return ISO_EXIT_OK;
    }
    if (check_operands(command, argc - first, argv + first, &error) != ISO_OK ||
        choose_output(cli, command, common->output, &error) != ISO_OK)
        return usage_error(cli, command, &error);
    if (common->address)
        cli->address = common->address;
    if (common->project)
        cli->project = common->project;
    return command->run(cli, values, argc - first, argv + first);
}

enum iso_exit_code iso_command_run(struct iso_cli *cli, int argc, char **argv)
{
    struct iso_error error = {0};
    int words;

    if (argc < 2) {
        iso_help_overview(cli->err);
        return ISO_EXIT_USAGE;
    }
    const struct iso_command *command = iso_command_find(argc, argv, &words);
    if (command && !command->options) {
        cli->passed_on = argv + 1 + words;
        return command->run(cli, NULL, argc - 1 - words, argv + 1 + words);
    }
    if (command)
        return run_found(cli, command, argc - words, argv + words);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        iso_help_overview(cli->out);
        return ISO_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        fputs("isocost " ISO_VERSION "\n", cli->out);
        return ISO_EXIT_OK;
    }
    if (iso_help_group(argv[1], argc > 2 ? NULL : cli->err))
        iso_fail(&error, ISO_E_INVALID, argv[1], "%s",
                 argc > 2 ? "no such command in this group" : "one more word must follow");
    else
        iso_fail(&error, ISO_E_INVALID, argv[1], "no such command");
    return usage_error(cli, NULL, &error);
}

struct iso_view iso_cli_view(struct iso_cli *cli)
{
    return (struct iso_view){.stream = cli->out, .arena = cli->arena, .color = cli->color};
}

enum iso_exit_code iso_cli_print_message(struct iso_cli *cli, const ProtobufCMessage *message)
{
    ISO_AUTO_MEM char *text = NULL;
    struct iso_error error = {0};
    enum iso_status status = cli->output == ISO_OUTPUT_YAML
                                 ? iso_yaml_write(message, 0, &text, &error)
                                 : iso_json_write(message, ISO_JSON_INDENT, &text, &error);

    if (status != ISO_OK) {
        iso_cli_complain(cli, &error);
        return iso_exit_code_of_status(status);
    }
    fputs(text, cli->out);
    if (!*text || text[strlen(text) - 1] != '\n')
        fputc('\n', cli->out);
    return ISO_EXIT_OK;
}
