#include "postgres_cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sql.h"

#define PROGRAMS "/usr/lib/postgresql/15/bin/"
enum { START_S = 60 };

/* In the child: becomes user postgres (the server refuses root) and says nothing. */
static _Noreturn void run(const struct postgres_cluster *cluster, const char *const *arguments)
{
    char log[96];
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");
        if (!user || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
            _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGQUIT); /* setuid() undid it */
    }
    snprintf(log, sizeof(log), "%s/log", cluster->folder);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    if (chdir(cluster->folder) == 0)
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static bool make_data(const struct postgres_cluster *cluster)
{
    char data[96];
    const char *arguments[] = {PROGRAMS "initdb",
                               "-D",
                               data,
                               "-U",
                               "postgres",
                               "-A",
                               "trust",
                               "-E",
                               "UTF8",
                               "--locale=C.UTF-8",
                               "--no-sync",
                               "--no-instructions",
                               NULL};
    int status = 0;
    pid_t pid;

    snprintf(data, sizeof(data), "%s/data", cluster->folder);
    pid = fork();
    if (pid == 0)
        run(cluster, arguments);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static void address_of(const struct postgres_cluster *cluster, char *address, int size)
{
    snprintf(address, (size_t)size, "postgres:///postgres?host=%s&user=postgres", cluster->folder);
}

static bool is_ready(const struct postgres_cluster *cluster)
{
    char address[160];
    struct iso_sql *sql = NULL;

    address_of(cluster, address, sizeof(address));
    if (iso_sql_open(address, ISO_SQL_READER, &sql, NULL) != ISO_OK)
        return false;
    iso_sql_close(sql);
    return true;
}

/* After a crash it does not start until the processes of the one before have gone: again, then. */
static bool start_postmaster(struct postgres_cluster *cluster)
{
    char data[96];
    const char *arguments[] = {PROGRAMS "postgres",
                               "-D",
                               data,
                               "-k",
                               cluster->folder,
                               "-h",
                               "",
                               "-c",
                               "shared_buffers=16MB",
                               "-c",
                               "max_connections=60",
                               NULL};

    snprintf(data, sizeof(data), "%s/data", cluster->folder);
    cluster->pid = 0;
    for (int i = 0; i < START_S * 20; i++) {
        if (cluster->pid == 0 || waitpid(cluster->pid, NULL, WNOHANG) == cluster->pid) {
            cluster->pid = fork();
            if (cluster->pid == 0)
                run(cluster, arguments);
        }
        if (is_ready(cluster))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

bool postgres_cluster_start(struct postgres_cluster *cluster)
{
    const struct passwd *user = getpwnam("postgres");

    *cluster = (struct postgres_cluster){0};
    if (access(PROGRAMS "initdb", X_OK) != 0 || !user) {
        puts("PostgreSQL 15 is not installed: nothing is tested on it");
        return false;
    }
    strcpy(cluster->folder, "/tmp/isocost-pg-XXXXXX");
    if (!mkdtemp(cluster->folder) ||
        (geteuid() == 0 && chown(cluster->folder, user->pw_uid, user->pw_gid) != 0))
        return false;
    if (make_data(cluster) && start_postmaster(cluster))
        return true;
    printf("PostgreSQL did not start; see %s/log\n", cluster->folder);
    return false;
}

void postgres_cluster_new_database(struct postgres_cluster *cluster, char *address, int size)
{
    char text[64];
    struct iso_sql *sql = NULL;
    size_t n;

    address_of(cluster, address, size);
    snprintf(text, sizeof(text), "CREATE SCHEMA t%d", ++cluster->n_databases);
    if (iso_sql_open(address, ISO_SQL_WRITER, &sql, NULL) != ISO_OK ||
        iso_sql_script(sql, text, NULL) != ISO_OK)
        abort();
    iso_sql_close(sql);
    n = strlen(address);
    snprintf(address + n, (size_t)size - n, "&options=-csearch_path%%3Dt%d", cluster->n_databases);
}

bool postgres_cluster_crash(struct postgres_cluster *cluster)
{
    kill(cluster->pid, SIGKILL);
    waitpid(cluster->pid, NULL, 0);
    return start_postmaster(cluster);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void postgres_cluster_stop(struct postgres_cluster *cluster)
{
    if (cluster->pid > 0) {
        kill(cluster->pid, SIGINT); /* ends connections, writes all down */
        waitpid(cluster->pid, NULL, 0);
    }
    if (cluster->folder[0])
        nftw(cluster->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    cluster->pid = 0;
}
