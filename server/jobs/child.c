/* One solver process: its start, its death and what is known of it. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parts.h"

#define CHILD_FD 3

/* The child has its socket as descriptor 3, nothing to read or print to, and our stderr, so that
 * the last words of an abort are not lost. It has no other descriptor, no environment of ours, no
 * signal dispositions of ours, and a process group of its own, by which it is killed. */
static int spawn(const struct iso_supervisor *supervisor, int socket_fd, pid_t *ret_pid)
{
    static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C", fd[] = "3";
    char *environment[] = {path, locale, NULL};
    char parent[24], memory[24], processes[24], past[24];
    char *arguments[] = {supervisor->solver_path, fd, parent, memory, processes, past, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    snprintf(parent, sizeof(parent), "%ld", (long)getpid());
    snprintf(memory, sizeof(memory), "%lld", (long long)supervisor->memory_bytes);
    snprintf(processes, sizeof(processes), "%d", supervisor->n_processes);
    snprintf(past, sizeof(past), "%lld", (long long)supervisor->past_bytes);
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int failure = posix_spawn_file_actions_adddup2(&actions, socket_fd, CHILD_FD);
    if (!failure)
        failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failure)
        failure = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failure)
        failure = posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_FD + 1);
    if (!failure) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        failure = posix_spawn(ret_pid, supervisor->solver_path, &actions, &attributes, arguments,
                              environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static void close_child(struct child *child)
{
    iso_frame_reader_free(child->reader);
    iso_frame_writer_free(child->writer);
    if (child->fd >= 0)
        close(child->fd);
    if (child->pid_fd >= 0)
        close(child->pid_fd);
    *child = (struct child){.fd = -1, .pid_fd = -1, .kill_at_s = INFINITY};
}

enum iso_status iso_child_spawn(struct iso_supervisor *supervisor, struct child *child,
                                struct iso_error *reterr)
{
    int ends[2];

    *child = (struct child){.fd = -1, .pid_fd = -1, .kill_at_s = INFINITY};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "no socket for a solver: %s",
                        strerrordesc_np(errno));
    child->fd = ends[0];
    child->reader = iso_frame_reader_new(child->fd, ISO_FRAME_MAX_BYTES);
    child->writer = iso_frame_writer_new(child->fd);
    bool ready = child->reader && child->writer && fcntl(child->fd, F_SETFL, O_NONBLOCK) == 0;
    int failure = ready ? spawn(supervisor, ends[1], &child->pid) : ENOMEM;
    close(ends[1]);
    if (failure) {
        close_child(child);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "%s cannot be started: %s",
                        supervisor->solver_path, strerrordesc_np(failure));
    }
    child->pid_fd = pidfd_open(child->pid, 0);
    child->state = CHILD_IDLE;
    child->spawned_s = child->used_s = iso_supervisor_now();
    if (child->pid_fd < 0) {
        iso_child_kill(supervisor, child, "could not be watched");
        iso_child_reap(supervisor, child, true);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "no descriptor to watch a solver");
    }
    return ISO_OK;
}

void iso_child_kill(struct iso_supervisor *supervisor, struct child *child, const char *cause)
{
    (void)supervisor;
    if (child->state == CHILD_DYING)
        return;
    child->state = CHILD_DYING;
    child->asked_to_die = cause != NULL;
    snprintf(child->cause, sizeof(child->cause), "%s", cause ? cause : "");
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
}

/* Aborted with at least half of its ceiling in use: most likely an allocation failed. */
static bool hit_memory_limit(const struct iso_supervisor *supervisor, int status,
                             const struct rusage *usage)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           usage->ru_maxrss * 1024ll >= supervisor->memory_bytes / 2;
}

static void describe_death(struct child *child, int status, char *ret_cause, size_t n_bytes)
{
    if (child->asked_to_die)
        snprintf(ret_cause, n_bytes, "%s", child->cause);
    else if (WIFSIGNALED(status))
        snprintf(ret_cause, n_bytes, "died (signal %d)", WTERMSIG(status));
    else
        snprintf(ret_cause, n_bytes, "ended (exit status %d)", WEXITSTATUS(status));
}

/* Tells the job, if there is one. Returns whether the death was reported. */
static void report_death(struct iso_supervisor *supervisor, struct child *child, int status,
                         const struct rusage *usage)
{
    char cause[sizeof(child->cause)];
    struct iso_job *job = child->job;

    describe_death(child, status, cause, sizeof(cause));
    iso_supervisor_log(supervisor, child->asked_to_die ? LEVEL_INFO : LEVEL_WARNING,
                       "solver %ld %s after %d solves", (long)child->pid, cause, child->n_solved);
    if (!job || job->state == JOB_ANSWERED)
        return;
    struct mail *mail = iso_mail_new(0);
    if (mail) {
        mail->kind = MAIL_DEATH;
        mail->memory = hit_memory_limit(supervisor, status, usage);
        mail->by_itself = !child->asked_to_die;
        memcpy(mail->cause, cause, sizeof(cause));
        iso_job_post(job, mail);
    } else {
        job->stop_asked = job->stop_asked ? job->stop_asked : ISO_STOP_MEMORY;
        job->stop_sent = job->answer_given = true;
        iso_job_list_answer(job);
    }
}

/* Failed starts in a row wait 0.1 s, 0.2 s, ... 10 s between them. */
void iso_supervisor_delay_spawn(struct iso_supervisor *supervisor)
{
    const double first_s = 0.1, most_s = 10;
    int doublings = supervisor->n_failed_starts < 10 ? supervisor->n_failed_starts : 10;

    supervisor->n_failed_starts++;
    supervisor->spawn_not_before_s =
        iso_supervisor_now() + fmin(first_s * (double)(1 << doublings), most_s);
}

/* A child that dies young and idle will do so again. */
static void judge_start(struct iso_supervisor *supervisor, const struct child *child)
{
    if (!child->job && child->n_solved == 0 && iso_supervisor_now() - child->spawned_s <= AT_ONCE_S)
        iso_supervisor_delay_spawn(supervisor);
}

bool iso_child_reap(struct iso_supervisor *supervisor, struct child *child, bool wait)
{
    struct rusage usage = {0};
    int status = 0;
    pid_t pid;

    /* While the child is not reaped, the group is surely its own; nothing of it may stay. */
    kill(-child->pid, SIGKILL);
    do
        pid = wait4(child->pid, &status, wait ? 0 : WNOHANG, &usage);
    while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return false;
    struct iso_job *job = child->job;
    report_death(supervisor, child, status, &usage);
    judge_start(supervisor, child);
    if (job) {
        job->child = NULL;
        iso_job_drop(job);
    }
    close_child(child);
    return true;
}

void iso_child_gone(struct iso_supervisor *supervisor, struct child *child)
{
    iso_child_read(supervisor, child);
    iso_child_kill(supervisor, child, NULL);
    iso_child_reap(supervisor, child, false);
}

int64_t iso_child_own_bytes(const struct child *child)
{
    char path[40];
    long long size, resident, shared;

    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)child->pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int n = fscanf(file, "%lld %lld %lld", &size, &resident, &shared);
    fclose(file);
    return n == 3 ? (resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}
