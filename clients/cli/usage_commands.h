/* `isocost usage …`. */
#ifndef ISOCOST_CLI_USAGE_COMMANDS_H
#define ISOCOST_CLI_USAGE_COMMANDS_H

#include "command.h"

struct iso_usage_options {
    struct iso_common_options common;
    const char *from, *to, *source, *provider, *account, *service, *region, *category, *resource,
        *metric;
    struct iso_texts by, kinds;
    long limit;
};

extern const struct iso_option iso_usage_refresh_option_rows[];
extern const struct iso_option iso_usage_refreshes_option_rows[];
extern const struct iso_option iso_usage_costs_option_rows[];
extern const struct iso_option iso_usage_query_option_rows[];
extern const struct iso_option iso_usage_running_option_rows[];

enum iso_exit_code iso_usage_refresh_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands);
enum iso_exit_code iso_usage_refreshes_run(struct iso_cli *cli, const void *values, int n,
                                           char **operands);
enum iso_exit_code iso_usage_costs_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_usage_query_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands);
enum iso_exit_code iso_usage_running_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands);

#endif
