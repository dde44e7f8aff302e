#include "local_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "folder.h"
#include "interrupt.h"

#define FOLDER_BYTES 80 /* a socket's path has at most 107 */
#define START_SECONDS 30
#define STOP_SECONDS 10
#define POLLS_PER_SECOND 50

struct iso_local_server {
    pid_t pid;
    char folder[FOLDER_BYTES];
    char socket[FOLDER_BYTES + 16];
    char target[FOLDER_BYTES + 32];
    char log[FOLDER_BYTES + 16];
};

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000000 / POLLS_PER_SECOND}, NULL);
}

static bool own_folder(char *buffer, size_t n_bytes)
{
    ssize_t n = readlink("/proc/self/exe", buffer, n_bytes - 1);

    if (n <= 0)
        return false;
    buffer[n] = 0;
    *strrchr(buffer, '/') = 0;
    return true;
}

bool iso_local_program(const char *name, char *buffer, size_t n_bytes)
{
    char folder[PATH_MAX];

    return own_folder(folder, sizeof(folder)) &&
           (size_t)snprintf(buffer, n_bytes, "%s/%s", folder, name) < n_bytes &&
           access(buffer, X_OK) == 0;
}

bool iso_local_examples(char *buffer, size_t n_bytes)
{
    const char *source = getenv("ISO_SOURCE");
    char folder[PATH_MAX];

    if (own_folder(folder, sizeof(folder)) &&
        (size_t)snprintf(buffer, n_bytes, "%s/../share/isocost/examples", folder) < n_bytes &&
        access(buffer, R_OK) == 0)
        return true;
    if (source && (size_t)snprintf(buffer, n_bytes, "%s/docs/examples", source) < n_bytes &&
        access(buffer, R_OK) == 0)
        return true;
    return (size_t)snprintf(buffer, n_bytes, "%s", ISO_EXAMPLES_FOLDER) < n_bytes &&
           access(buffer, R_OK) == 0;
}

static _Noreturn void become_server(const struct iso_local_server *server, const char *program,
                                    pid_t parent)
{
    sigset_t none;
    int log = open(server->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int nothing = open("/dev/null", O_RDONLY);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* Ctrl-C is for us alone */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (log < 0 || nothing < 0 || getppid() != parent)
        _exit(127);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl(program, program, "--listen", server->target, "--data-dir", server->folder, (char *)NULL);
    _exit(127);
}

/* The last line of the log, or "". */
static void last_line(const char *path, char *buffer, size_t n_bytes)
{
    FILE *stream = fopen(path, "re");

    *buffer = 0;
    if (!stream)
        return;
    char line[300];
    while (fgets(line, sizeof(line), stream)) {
        line[strcspn(line, "\n")] = 0;
        if (*line)
            snprintf(buffer, n_bytes, "%s", line);
    }
    fclose(stream);
}

/* A socket's file is there before the socket listens, so only a connection tells. */
static bool listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    bool answered = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return answered;
}

static enum iso_status wait_until_it_listens(struct iso_local_server *server,
                                             struct iso_error *reterr)
{
    char line[300];

    for (int i = 0; i < START_SECONDS * POLLS_PER_SECOND; i++) {
        if (listens(server->socket))
            return ISO_OK;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            last_line(server->log, line, sizeof(line));
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "isocostd", "it ended at once: %s",
                            *line ? line : "it did not say why");
        }
        pause_briefly();
    }
    last_line(server->log, line, sizeof(line));
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "isocostd", "it does not listen after %d s: %s",
                    START_SECONDS, line);
}

static enum iso_status make_folder(char folder[FOLDER_BYTES], struct iso_error *reterr)
{
    const char *base = getenv("TMPDIR");

    if (!base || !*base ||
        snprintf(folder, FOLDER_BYTES, "%s/isocost-XXXXXX", base) >= FOLDER_BYTES) {
        base = "/tmp";
        snprintf(folder, FOLDER_BYTES, "/tmp/isocost-XXXXXX");
    }
    if (mkdtemp(folder))
        return ISO_OK;
    *folder = 0;
    return iso_fail(reterr, ISO_E_IO, base, "no folder can be made there: %s", strerror(errno));
}

enum iso_status iso_local_server_start(struct iso_local_server **ret_server,
                                       struct iso_error *reterr)
{
    ISO_AUTO(iso_local_server) server = iso_calloc(1, sizeof(*server));
    char program[PATH_MAX];

    if (!server)
        return iso_fail(reterr, ISO_E_NOMEM, "isocostd", "no memory to start it");
    if (!iso_local_program("isocostd", program, sizeof(program)))
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "isocostd",
                        "the server's program is not beside this one; build or install it");
    ISO_TRY(make_folder(server->folder, reterr));
    snprintf(server->socket, sizeof(server->socket), "%s/socket", server->folder);
    snprintf(server->target, sizeof(server->target), "unix:%s", server->socket);
    snprintf(server->log, sizeof(server->log), "%s/log", server->folder);

    pid_t parent = getpid();
    server->pid = fork();
    if (server->pid == 0)
        become_server(server, program, parent);
    if (server->pid < 0)
        return iso_fail(reterr, ISO_E_IO, "isocostd", "it cannot be started: %s", strerror(errno));
    iso_interrupt_child(server->pid, server->folder);
    ISO_TRY(wait_until_it_listens(server, reterr));
    *ret_server = ISO_STEAL(server);
    return ISO_OK;
}

static void stop(pid_t pid)
{
    kill(pid, SIGTERM);
    for (int i = 0; i < STOP_SECONDS * POLLS_PER_SECOND; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        pause_briefly();
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void iso_local_server_free(struct iso_local_server *server)
{
    if (!server)
        return;
    if (server->pid > 0)
        stop(server->pid);
    iso_interrupt_child(0, NULL);
    if (*server->folder)
        iso_folder_remove(server->folder);
    free(server);
}

const char *iso_local_server_target(const struct iso_local_server *server)
{
    return server->target;
}

pid_t iso_local_server_pid(const struct iso_local_server *server)
{
    return server->pid;
}
