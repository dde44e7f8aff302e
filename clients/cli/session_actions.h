/* What can be done with a session: the commands of `isocost session` and of its shell. */
#ifndef ISOCOST_CLI_SESSION_ACTIONS_H
#define ISOCOST_CLI_SESSION_ACTIONS_H

#include "evaluation_stream.h"

/* Where to go; one of the members is set. */
struct iso_session_move {
    int undo, redo; /* steps; 0: not asked */
    bool goes;      /* to `revision` */
    int revision;
};

/* The id of the session that is meant: `given`, else ISOCOST_SESSION, else the newest one. */
enum iso_exit_code iso_session_find(struct iso_cli *cli, const char *given, char **ret_id);

enum iso_exit_code iso_session_get(struct iso_cli *cli, const char *id, bool with_targets,
                                   Isocost__V1__GetSessionResponse **ret_response);

/* Begins one; *ret_session may be NULL. */
enum iso_exit_code iso_session_start(struct iso_cli *cli, Isocost__V1__ModelRef *model,
                                     const char *name, Isocost__V1__Session **ret_session);

/* Makes a revision of the texts and, if asked, says what it costs and how that differs from the
 * revision before it. */
enum iso_exit_code iso_session_set(struct iso_cli *cli, const char *id, char *const *texts,
                                   size_t n_texts, bool solve);
/* Undoes, redoes or goes to a revision. */
enum iso_exit_code iso_session_go(struct iso_cli *cli, const char *id,
                                  const struct iso_session_move *move, bool solve);

/* Says at which revision a session is now and, if asked, what that costs and how it differs from
 * the revision `before`. */
enum iso_exit_code iso_session_tell(struct iso_cli *cli, const Isocost__V1__Session *session,
                                    int32_t before, bool solve);
/* Prints the session and its revisions. */
enum iso_exit_code iso_session_show(struct iso_cli *cli, const char *id);
/* Solves its model and prints the plan. */
enum iso_exit_code iso_session_plan(struct iso_cli *cli, const char *id, bool why);
/* Prints what revisions cost; none given: the first and the one at which it is. */
enum iso_exit_code iso_session_compare(struct iso_cli *cli, const char *id, char *const *revisions,
                                       size_t n);
enum iso_exit_code iso_session_fork(struct iso_cli *cli, const char *id, const char *name,
                                    char **ret_id);
/* Queues a durable plan of its model and prints the plan's id. */
enum iso_exit_code iso_session_save(struct iso_cli *cli, const char *id, const char *note);
enum iso_exit_code iso_session_end(struct iso_cli *cli, const char *id);

/* The shell (session_shell.c), on a terminal with history and completion; else it reads lines. */
enum iso_exit_code iso_session_shell(struct iso_cli *cli, char *id);

#endif
