/* Help, made from the command table. */
#ifndef ISOCOST_CLI_HELP_H
#define ISOCOST_CLI_HELP_H

#include "command.h"

void iso_help_overview(FILE *stream);
void iso_help_command(const struct iso_command *command, FILE *stream);

/* Whether commands begin with the word `group`; they are listed on `stream` unless it is NULL. */
bool iso_help_group(const char *group, FILE *stream);

/* A completion script for bash. */
void iso_help_bash_completion(FILE *stream);

#endif
