/* Solving one model and showing the answer; what `solve` and `demo` share. */
#ifndef ISOCOST_CLI_SOLVE_H
#define ISOCOST_CLI_SOLVE_H

#include "command.h"

struct iso_solve_options {
    struct iso_common_options common;
    const char *file;
    const char *start;    /* id of a stored plan, or NULL */
    struct iso_share gap; /* not given: as the model says */
    double time_limit_s;  /* 0: as the model says */
    bool watch, why, local, keep;
};

/* Reads the model at `path`, solves it on cli's server and prints the plan. */
enum iso_exit_code iso_solve_file(struct iso_cli *cli, const struct iso_solve_options *options,
                                  const char *path);

enum iso_exit_code iso_solve_run(struct iso_cli *cli, const void *values, int n, char **operands);
enum iso_exit_code iso_demo_run(struct iso_cli *cli, const void *values, int n, char **operands);

extern const struct iso_option iso_solve_option_rows[];
extern const struct iso_option iso_demo_option_rows[];

struct iso_demo_options {
    struct iso_common_options common;
    bool exit;
};

/* Writes one plan in the form that -o asks. */
enum iso_exit_code iso_solve_print(struct iso_cli *cli, const Isocost__V1__Plan *plan, bool why);

#endif
