/* The solver process's end of its socket. One job at a time; a stop may come while it runs.
 *
 * The type of a frame is the number of the oneof member that its payload (a SolverCommand or a
 * SolverEvent) holds. */
#ifndef ISOCOST_SERVER_SOLVER_CONNECTION_H
#define ISOCOST_SERVER_SOLVER_CONNECTION_H

#include <stdbool.h>

#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/plan.h"
#include "isocost/proto/arena.h"
#include "isocost/proto/frame.h"

struct iso_solver_connection {
    int fd;
    struct iso_frame_reader *reader;
    struct iso_frame_writer *writer;
    uint64_t request_id;  /* of the job at hand; 0: none */
    enum iso_stop stop;   /* asked for the job at hand; 0: go on */
    bool lost;            /* the supervisor is gone or speaks nonsense: end the process */
    int n_processes;      /* in which one solve may work on parts at once, >= 1 */
    size_t arena_ceiling; /* bytes of one request */
};

/* Takes over the socket (not its closing). Errors: ISO_E_NOMEM, ISO_E_IO. */
enum iso_status iso_solver_connection_init(struct iso_solver_connection *connection, int fd,
                                           struct iso_error *reterr);
void iso_solver_connection_fini(struct iso_solver_connection *connection);

/* Waits for the next job. The request lives in the arena; *ret_snapshot_fd is -1 or owned by the
 * caller. False: the connection is lost. */
bool iso_solver_next_job(struct iso_solver_connection *connection, struct iso_arena *arena,
                         Isocost__Internal__V1__SolveRequest **ret_request, int *ret_snapshot_fd);

/* Whether nothing comes for so long. Between jobs. */
bool iso_solver_is_idle(const struct iso_solver_connection *connection, int milliseconds);

/* Reads what has come meanwhile, without waiting, and gives what it asks for: a reason to stop the
 * job at hand, or 0. */
enum iso_stop iso_solver_poll_stop(struct iso_solver_connection *connection);

/* Sends one event of the job at hand; waits until the socket took it. Errors: ISO_E_LIMIT and
 * ISO_E_NOMEM, with nothing sent. A socket that fails is not an error but a lost connection. */
enum iso_status iso_solver_send(struct iso_solver_connection *connection,
                                const Isocost__Internal__V1__SolverEvent *event,
                                struct iso_error *reterr);

#endif
