/* How the program ends. The numbers are part of the command line's contract. */
#ifndef ISOCOST_CLI_EXIT_CODE_H
#define ISOCOST_CLI_EXIT_CODE_H

#include "isocost/base/status.h"
#include "isocost/v1/plan.pb-c.h"

enum iso_exit_code {
    ISO_EXIT_OK = 0,
    ISO_EXIT_OTHER = 1,
    ISO_EXIT_USAGE = 2,
    ISO_EXIT_INVALID = 3,
    ISO_EXIT_INFEASIBLE = 4,
    ISO_EXIT_STOPPED_WITH_PLAN = 5,
    ISO_EXIT_STOPPED_WITHOUT_PLAN = 6,
    ISO_EXIT_UNREACHABLE = 7,
    ISO_EXIT_DENIED = 8,
    ISO_EXIT_CONFLICT = 9,
    ISO_EXIT_DIFFERENT = 10, /* what was compared is not the same */
    ISO_EXIT_INTERRUPTED = 130,
};

/* The code for a failed call. */
enum iso_exit_code iso_exit_code_of_status(enum iso_status status);

/* The code for a plan that has ended: a plan is OK, stopped, infeasible or failed. */
enum iso_exit_code iso_exit_code_of_plan(const Isocost__V1__Plan *plan);

#endif
