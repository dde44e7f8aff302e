/* isocost-solver FD PARENT_PID MEMORY_BYTES [PROCESSES [PAST_BYTES]]
 *
 * The process that solves: takes jobs from its supervisor over the socket FD, one at a time, and
 * may work on parts of one in so many processes (1). Of what earlier solves have found it keeps at
 * most so many bytes (0). It holds nothing that matters and may be killed at any instant. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "isocost/solve.h"
#include "solver_job.h"

/* Sanitizers reserve far more address space than they use. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_LIMIT_ADDRESS_SPACE 0
#else
#define CAN_LIMIT_ADDRESS_SPACE 1
#endif

#define KEPT_BYTES (64 << 20)    /* of freed memory, while there is nothing to do */
#define SERIES_BYTES (192 << 20) /* of freed memory, from one job of a series to the next */
#define SERIES_MS 500            /* within which the next job of a series comes */

/* Dies with the supervisor, never writes a core, never takes more memory than it may. */
static bool harden(pid_t parent, rlim_t memory_bytes)
{
    const struct rlimit none = {0, 0}, memory = {memory_bytes, memory_bytes};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        return false;
    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return false;
    return !CAN_LIMIT_ADDRESS_SPACE || setrlimit(RLIMIT_AS, &memory) == 0;
}

/* One job after the other needs about as much memory: what one frees is kept for the next rather
 * than given back and faulted in again page by page. Single blocks from 32 MiB on are not kept.
 * Threads take turns here, so they share one heap: another would reserve 64 MiB of what may be
 * used. */
static void keep_freed_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, SERIES_BYTES);
}

/* What jobs left in pieces goes back too: at once after one that needed far more than others, else
 * when no other follows, as jobs of a series would fault it in again page by page. */
static void trim_memory(const struct iso_solver_connection *connection)
{
    if (mallinfo2().fordblks > SERIES_BYTES)
        malloc_trim(SERIES_BYTES);
    if (mallinfo2().fordblks > KEPT_BYTES && iso_solver_is_idle(connection, SERIES_MS))
        malloc_trim(KEPT_BYTES);
}

static bool read_number(const char *text, long long *ret_value)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0)
        return false;
    *ret_value = value;
    return true;
}

static int serve(int fd, size_t memory_bytes, int n_processes, size_t past_bytes)
{
    struct iso_solver_connection connection = {.n_processes = n_processes,
                                               .arena_ceiling = memory_bytes};
    struct iso_solver_kept kept = {.cache = iso_resolve_cache_new(ISO_RESOLVE_CACHE_BYTES),
                                   .past = past_bytes > 0 ? iso_past_new(past_bytes) : NULL};
    struct iso_error error = {0};

    if (iso_solver_connection_init(&connection, fd, &error) != ISO_OK)
        fprintf(stderr, "isocost-solver: %s\n", error.text);
    while (connection.reader && connection.writer && !connection.lost) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(connection.arena_ceiling);
        Isocost__Internal__V1__SolveRequest *request;
        int snapshot_fd;

        if (!arena || !iso_solver_next_job(&connection, arena, &request, &snapshot_fd))
            break;
        iso_solver_run_job(&connection, &kept, request, snapshot_fd, iso_solver_now(), arena);
        iso_arena_free(ISO_STEAL(arena));
        trim_memory(&connection);
    }
    iso_snapshot_free(kept.snapshot);
    iso_resolve_cache_free(kept.cache);
    iso_past_free(kept.past);
    iso_solver_connection_fini(&connection);
    return 0;
}

int main(int argc, char **argv)
{
    long long fd, parent, memory_bytes, n_processes = 1, past_bytes = 0;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("isocost-solver %s (GLPK %s)\n", ISO_VERSION, iso_glpk_version());
        return 0;
    }
    if (argc < 4 || argc > 6 || !read_number(argv[1], &fd) || !read_number(argv[2], &parent) ||
        !read_number(argv[3], &memory_bytes) || fd > INT32_MAX ||
        (argc >= 5 &&
         (!read_number(argv[4], &n_processes) || n_processes < 1 || n_processes > INT32_MAX)) ||
        (argc == 6 && !read_number(argv[5], &past_bytes))) {
        fprintf(stderr, "usage: isocost-solver FD PARENT_PID MEMORY_BYTES [PROCESSES [PAST_BYTES]] "
                        "(isocostd starts it)\n");
        return 2;
    }
    if (!harden((pid_t)parent, (rlim_t)memory_bytes)) {
        fprintf(stderr, "isocost-solver: the process that started it is not %lld\n", parent);
        return 1;
    }
    keep_freed_memory();
    return serve((int)fd, (size_t)memory_bytes, (int)n_processes, (size_t)past_bytes);
}
