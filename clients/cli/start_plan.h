/* A stored plan as what a model starts from. */
#ifndef ISOCOST_CLI_START_PLAN_H
#define ISOCOST_CLI_START_PLAN_H

#include "command.h"

/* Asks the server for the plan and puts its instances of workloads and its purchases into
 * `model->start`, in place of what is there. Says on stderr what went wrong. */
enum iso_exit_code iso_start_from_plan(struct iso_cli *cli, const char *plan_id,
                                       Isocost__V1__Model *model);

#endif
