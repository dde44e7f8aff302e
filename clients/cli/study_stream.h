/* Calls that compare or explain plans: progress, and then what was found. */
#ifndef ISOCOST_CLI_STUDY_STREAM_H
#define ISOCOST_CLI_STUDY_STREAM_H

#include "command.h"
#include "isocost/v1/explanation.pb-c.h"

/* What came until the end; all in cli->arena. */
struct iso_study_results {
    struct iso_cli *cli;
    Isocost__V1__PlanComparison *comparison; /* NULL: none came */
    size_t n, room;
    Isocost__V1__Answer **answers; /* in the order of the questions */
    bool failed;                   /* memory was short */
    bool on_terminal;
};

/* Makes the call and waits for its end; progress goes to a terminal, Ctrl-C ends it. What went
 * wrong is on cli->err. What came before a failure is in *ret_results all the same. */
enum iso_exit_code iso_study_run(struct iso_cli *cli, const struct iso_client_method *method,
                                 const ProtobufCMessage *request,
                                 struct iso_study_results *ret_results);

#endif
