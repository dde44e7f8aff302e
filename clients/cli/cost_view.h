/* Sums of costs as a table or CSV, with the columns that were asked for. */
#ifndef ISOCOST_CLI_COST_VIEW_H
#define ISOCOST_CLI_COST_VIEW_H

#include "command.h"
#include "isocost/v1/usage_service.pb-c.h"

enum iso_exit_code iso_cost_view_print(struct iso_cli *cli,
                                       const Isocost__V1__QueryCostsRequest *request,
                                       const Isocost__V1__QueryCostsResponse *response);

#endif
