#include "help.h"

#include <string.h>

void iso_help_overview(FILE *stream)
{
    fputs("isocost finds the cheapest mix of cloud resources that serves a demand within limits "
          "and budgets.\n\nUsage: isocost COMMAND [OPTIONS]\n\n",
          stream);
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", command->name, command->operands);
        fprintf(stream, "  %-28s %s\n", usage, command->summary);
    }
    fputs("\n`isocost help COMMAND` explains one command. Exit codes: 0 ok, 1 other, 2 usage, "
          "3 invalid input,\n4 infeasible, 5 stopped with a plan, 6 stopped without one, "
          "7 unreachable, 8 denied, 9 conflict, 130 interrupted.\n",
          stream);
}

void iso_help_command(const struct iso_command *command, FILE *stream)
{
    fprintf(stream, "Usage: isocost %s%s%s%s\n\n%s.\n", command->name,
            command->options ? " [OPTIONS]" : "", *command->operands ? " " : "", command->operands,
            command->summary);
    if (command->options) {
        fputs("\nOptions:\n", stream);
        iso_options_print(command->options, stream);
    }
    if (command->outputs)
        fprintf(stream, "\nForms of -o:%s%s%s%s\n",
                command->outputs & ISO_OUTPUT_TABLE ? " table" : "",
                command->outputs & ISO_OUTPUT_JSON ? " json" : "",
                command->outputs & ISO_OUTPUT_YAML ? " yaml" : "",
                command->outputs & ISO_OUTPUT_CSV ? " csv" : "");
}

bool iso_help_group(const char *group, FILE *stream)
{
    size_t length = strlen(group);
    bool found = false;

    for (const struct iso_command *command = iso_commands; command->name; command++) {
        if (strncmp(command->name, group, length) != 0 || command->name[length] != ' ')
            continue;
        found = true;
        if (stream)
            fprintf(stream, "  isocost %-24s %s\n", command->name, command->summary);
    }
    return found;
}

/* The second words of the commands whose first word is that of `first`. */
static void print_second_words(const struct iso_command *first, FILE *stream)
{
    size_t length = strcspn(first->name, " ");

    for (const struct iso_command *command = first; command->name; command++)
        if (strncmp(command->name, first->name, length) == 0 && command->name[length] == ' ')
            fprintf(stream, " %s", command->name + length + 1);
}

static bool is_first_of_group(const struct iso_command *command)
{
    size_t length = strcspn(command->name, " ");

    for (const struct iso_command *before = iso_commands; before < command; before++)
        if (strncmp(before->name, command->name, length) == 0 && before->name[length] == ' ')
            return false;
    return true;
}

static void print_long_options(const struct iso_command *command, FILE *stream)
{
    for (const struct iso_option *option = command->options; option && option->name; option++)
        fprintf(stream, " --%s", option->name);
}

void iso_help_bash_completion(FILE *stream)
{
    fputs("_isocost() {\n"
          "    local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
          "    local one=\"${COMP_WORDS[1]}\" two=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"",
          stream);
    const char *blank = "";
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        if (!is_first_of_group(command))
            continue;
        fprintf(stream, "%s%.*s", blank, (int)strcspn(command->name, " "), command->name);
        blank = " ";
    }
    fputs("\"\n    else\n        case \"$one\" in\n", stream);
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        size_t length = strcspn(command->name, " ");
        if (!is_first_of_group(command) || !command->name[length])
            continue;
        fprintf(stream, "        %.*s) [ \"$COMP_CWORD\" -eq 2 ] && words=\"", (int)length,
                command->name);
        print_second_words(command, stream);
        fputs("\" ;;\n", stream);
    }
    fputs("        esac\n        case \"$one\" in\n", stream);
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        if (strchr(command->name, ' ') || !command->options)
            continue;
        fprintf(stream, "        %s) words=\"", command->name);
        print_long_options(command, stream);
        fputs("\" ;;\n", stream);
    }
    fputs("        esac\n        case \"$two\" in\n", stream);
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        if (!strchr(command->name, ' ') || !command->options)
            continue;
        fprintf(stream, "        \"%s\") words=\"", command->name);
        print_long_options(command, stream);
        fputs("\" ;;\n", stream);
    }
    fputs("        esac\n    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "}\n"
          "complete -o default -F _isocost isocost\n",
          stream);
}
