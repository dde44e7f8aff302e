/* `isocost plan …` and `isocost validate`. */
#ifndef ISOCOST_CLI_PLAN_COMMANDS_H
#define ISOCOST_CLI_PLAN_COMMANDS_H

#include "command.h"

struct iso_plan_options {
    struct iso_common_options common;
    const char *file, *format, *filter, *tier, *request_id, *note;
    long limit;
    bool why;
};

extern const struct iso_option iso_validate_option_rows[];
extern const struct iso_option iso_plan_list_option_rows[];
extern const struct iso_option iso_plan_get_option_rows[];
extern const struct iso_option iso_plan_lines_option_rows[];
extern const struct iso_option iso_plan_export_option_rows[];
extern const struct iso_option iso_plan_create_option_rows[];

enum iso_exit_code iso_validate_run(struct iso_cli *cli, const void *values, int n,
                                    char **operands);
enum iso_exit_code iso_plan_list_run(struct iso_cli *cli, const void *values, int n,
                                     char **operands);
enum iso_exit_code iso_plan_get_run(struct iso_cli *cli, const void *values, int n,
                                    char **operands);
enum iso_exit_code iso_plan_lines_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands);
enum iso_exit_code iso_plan_export_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_plan_create_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_plan_watch_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands);
enum iso_exit_code iso_plan_cancel_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_plan_rm_run(struct iso_cli *cli, const void *values, int n, char **operands);

#endif
