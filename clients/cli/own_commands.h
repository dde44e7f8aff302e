/* Commands about the program and its server: doctor, serve, version, completion, help. */
#ifndef ISOCOST_CLI_OWN_COMMANDS_H
#define ISOCOST_CLI_OWN_COMMANDS_H

#include "command.h"

enum iso_exit_code iso_doctor_run(struct iso_cli *cli, const void *values, int n, char **operands);
enum iso_exit_code iso_serve_run(struct iso_cli *cli, const void *values, int n, char **operands);
enum iso_exit_code iso_version_run(struct iso_cli *cli, const void *values, int n, char **operands);
enum iso_exit_code iso_completion_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands);
enum iso_exit_code iso_help_run(struct iso_cli *cli, const void *values, int n, char **operands);

#endif
