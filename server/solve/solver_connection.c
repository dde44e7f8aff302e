#include "solver_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

typedef Isocost__Internal__V1__SolverCommand SolverCommand;

enum iso_status iso_solver_connection_init(struct iso_solver_connection *connection, int fd,
                                           struct iso_error *reterr)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return iso_fail(reterr, ISO_E_IO, "", "descriptor %d cannot be used: %s", fd,
                        strerrordesc_np(errno));
    connection->fd = fd;
    connection->reader = iso_frame_reader_new(fd, ISO_FRAME_MAX_BYTES);
    connection->writer = iso_frame_writer_new(fd);
    if (!connection->reader || !connection->writer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a connection");
    return ISO_OK;
}

void iso_solver_connection_fini(struct iso_solver_connection *connection)
{
    iso_frame_reader_free(connection->reader);
    iso_frame_writer_free(connection->writer);
}

static void wait_for(const struct iso_solver_connection *connection, short events)
{
    struct pollfd entry = {.fd = connection->fd, .events = events};
    while (poll(&entry, 1, -1) < 0 && errno == EINTR)
        ;
}

/* Reads a frame; *ret_ready is false when there is none yet. */
static bool read_frame(struct iso_solver_connection *connection, struct iso_frame *ret_frame,
                       bool *ret_ready)
{
    *ret_ready = false;
    if (!connection->lost &&
        iso_frame_read(connection->reader, ret_frame, ret_ready, NULL) != ISO_OK)
        connection->lost = true;
    return !connection->lost;
}

static SolverCommand *decode(const struct iso_frame *frame, struct iso_arena *arena)
{
    SolverCommand *command = isocost__internal__v1__solver_command__unpack(
        iso_arena_allocator(arena), frame->n_bytes, frame->payload);
    return command && (uint32_t)command->command_case == frame->type ? command : NULL;
}

bool iso_solver_is_idle(const struct iso_solver_connection *connection, int milliseconds)
{
    struct pollfd poller = {.fd = connection->fd, .events = POLLIN};

    return poll(&poller, 1, milliseconds) == 0;
}

bool iso_solver_next_job(struct iso_solver_connection *connection, struct iso_arena *arena,
                         Isocost__Internal__V1__SolveRequest **ret_request, int *ret_snapshot_fd)
{
    struct iso_frame frame;
    bool ready;

    connection->request_id = 0;
    connection->stop = 0;
    while (read_frame(connection, &frame, &ready)) {
        if (!ready) {
            wait_for(connection, POLLIN);
            continue;
        }
        /* A stop that crossed the end of its job. */
        if (frame.type == ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_STOP &&
            frame.passed_fd < 0)
            continue;
        SolverCommand *command = decode(&frame, arena);
        if (!command ||
            command->command_case != ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_SOLVE ||
            !command->solve->model) {
            connection->lost = true;
            if (frame.passed_fd >= 0)
                close(frame.passed_fd);
            return false;
        }
        connection->request_id = frame.request_id;
        *ret_request = command->solve;
        *ret_snapshot_fd = frame.passed_fd;
        return true;
    }
    return false;
}

enum iso_stop iso_solver_poll_stop(struct iso_solver_connection *connection)
{
    struct iso_frame frame;
    bool ready = false;

    while (!connection->stop && read_frame(connection, &frame, &ready) && ready) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(4096);
        const SolverCommand *command = arena ? decode(&frame, arena) : NULL;
        if (frame.passed_fd >= 0)
            close(frame.passed_fd);
        if (!command ||
            command->command_case != ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_STOP)
            connection->lost = true;
        else if (frame.request_id == connection->request_id)
            connection->stop = (enum iso_stop)command->stop->stop;
    }
    if (connection->lost)
        return ISO_STOP_CANCEL;
    return connection->stop;
}

enum iso_status iso_solver_send(struct iso_solver_connection *connection,
                                const Isocost__Internal__V1__SolverEvent *event,
                                struct iso_error *reterr)
{
    bool empty = false;

    if (connection->lost)
        return ISO_OK;
    ISO_TRY(iso_frame_write(connection->writer, (uint32_t)event->event_case, connection->request_id,
                            &event->base, -1, reterr));
    while (!connection->lost && !empty) {
        if (iso_frame_flush(connection->writer, &empty, NULL) != ISO_OK)
            connection->lost = true;
        else if (!empty)
            wait_for(connection, POLLOUT);
    }
    return ISO_OK;
}
