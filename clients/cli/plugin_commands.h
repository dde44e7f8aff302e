/* `isocost plugin …`. */
#ifndef ISOCOST_CLI_PLUGIN_COMMANDS_H
#define ISOCOST_CLI_PLUGIN_COMMANDS_H

#include "command.h"

enum iso_exit_code iso_plugin_list_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_plugin_info_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_plugin_check_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands);

#endif
