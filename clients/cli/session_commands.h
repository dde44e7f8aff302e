/* `isocost session …`. */
#ifndef ISOCOST_CLI_SESSION_COMMANDS_H
#define ISOCOST_CLI_SESSION_COMMANDS_H

#include "command.h"

struct iso_session_options {
    struct iso_common_options common;
    const char *session, *file, *name, *note;
    bool no_solve, plan, why;
};

extern const struct iso_option iso_session_start_option_rows[];
extern const struct iso_option iso_session_change_option_rows[];
extern const struct iso_option iso_session_show_option_rows[];
extern const struct iso_option iso_session_option_rows[];
extern const struct iso_option iso_session_fork_option_rows[];
extern const struct iso_option iso_session_save_option_rows[];

typedef enum iso_exit_code iso_session_command(struct iso_cli *cli, const void *values, int n,
                                               char **operands);
iso_session_command iso_session_start_run, iso_session_list_run, iso_session_set_run,
    iso_session_undo_run, iso_session_redo_run, iso_session_goto_run, iso_session_show_run,
    iso_session_compare_run, iso_session_fork_run, iso_session_save_run, iso_session_end_run,
    iso_session_shell_run;

#endif
