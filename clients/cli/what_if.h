/* `isocost whatif`: variants of a model, and what each costs. */
#ifndef ISOCOST_CLI_WHAT_IF_H
#define ISOCOST_CLI_WHAT_IF_H

#include "evaluation_stream.h"

struct iso_what_if_options {
    struct iso_common_options common;
    const char *file;
    struct iso_texts sets, scenarios, sweeps;
    const char *scenario_file, *frontier;
    bool local;
};

extern const struct iso_option iso_what_if_option_rows[];
enum iso_exit_code iso_what_if_run(struct iso_cli *cli, const void *values, int n, char **operands);

/* What is asked of one model; texts are borrowed. */
struct iso_what_if {
    const Isocost__V1__ModelRef *model; /* without the changes of --set */
    char *const *sets;
    size_t n_sets;
    char *const *scenarios; /* NAME:CHANGE,CHANGE... */
    size_t n_scenarios;
    char *const *sweeps; /* at most 2 */
    size_t n_sweeps;
    const char *frontier; /* or NULL */
};

/* Asks and shows the answer as cli->output says. The exit code is that of the changed plan when
 * only
 * --set is given; else 0 when every scenario has an answer. */
enum iso_exit_code iso_what_if_ask(struct iso_cli *cli, const struct iso_what_if *asked);

#endif
