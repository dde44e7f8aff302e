/* isocost-store: backup, restore, check and retention of a store, beside isocostd or without it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store.h"

static const char usage[] =
    "isocost-store: looks after a store. STORE is the data folder of isocostd, or the\n"
    "postgres:// address that it has as --store.\n\n"
    "Usage:\n"
    "  isocost-store backup STORE FOLDER    copies a store, also one in use, into a new folder\n"
    "  isocost-store restore FOLDER STORE   copies a backup into an empty store of either kind\n"
    "  isocost-store check STORE            pages, audit chain, plans, files of snapshots; of a\n"
    "                                       store in a folder, while isocostd is stopped\n"
    "  isocost-store prune STORE [--keep-plans-days N] [--keep-unused-days N]\n"
    "                            [--keep-records-days N]\n"
    "                                       removes what is older, as isocostd does every hour; a\n"
    "                                       store in a folder, while isocostd is stopped\n"
    "  isocost-store --version | --help\n\n"
    "A backup is a data folder: isocostd --data-dir FOLDER would start on it. Backup and restore\n"
    "are also the way from one kind of store to the other.\n";

static int fail(const struct iso_error *error)
{
    fprintf(stderr, "isocost-store: %s\n", error->text);
    return 1;
}

static int misuse(void)
{
    fputs(usage, stderr);
    return 2;
}

static int copy(const char *from, const char *to)
{
    struct iso_error error = {0};
    struct iso_copied copied;

    if (iso_store_copy(from, to, &copied, &error) != ISO_OK)
        return fail(&error);
    printf("copied %lld rows and %lld snapshots, and read them back\n", (long long)copied.rows,
           (long long)copied.files);
    return 0;
}

/* PostgreSQL's store needs a folder for files that it fetches. */
static enum iso_status open_store(const char *name, struct iso_store **ret_store,
                                  struct iso_error *reterr)
{
    const char *cache = getenv("CACHE_DIRECTORY"), *home = getenv("HOME");
    char folder[4096];

    if (!iso_store_is_shared(name)) {
        if (access(name, F_OK) != 0)
            return iso_fail(reterr, ISO_E_IO, "", "there is no folder %s", name);
        return iso_store_open(name, NULL, ret_store, reterr);
    }
    if (cache)
        snprintf(folder, sizeof(folder), "%s", cache);
    else
        snprintf(folder, sizeof(folder), "%s/.cache/isocost", home ? home : "/tmp");
    return iso_store_open(folder, name, ret_store, reterr);
}

static int check(const char *name)
{
    struct iso_error error = {0};
    struct iso_store *store = NULL;
    struct iso_check found = {0};
    struct iso_job_counts jobs = {0};
    enum iso_status status = open_store(name, &store, &error);

    if (status == ISO_OK)
        status = iso_store_check(store, &found, &error);
    if (status == ISO_OK)
        status = iso_store_count_jobs(store, &jobs, &error);
    iso_store_close(store);
    if (status != ISO_OK)
        return fail(&error);
    printf("%lld plans wait, the oldest for %.0f s; %lld run; %lld were given up\n",
           (long long)jobs.queued, jobs.oldest_s, (long long)jobs.running, (long long)jobs.dead);
    if (found.n_problems > 0) {
        printf("%d things are wrong; first: %s\n", found.n_problems, found.first);
        return 1;
    }
    printf("all is well: %lld audit rows in one chain, %lld snapshots\n",
           (long long)found.audit_rows, (long long)found.snapshots);
    return 0;
}

static bool parse_days(const char *text, double *ret_s)
{
    char *end = NULL;
    long days = strtol(text, &end, 10);

    *ret_s = 86400.0 * (double)days;
    return end != text && *end == '\0' && days >= 0 && days <= 36500;
}

static int prune(int n_arguments, char **arguments)
{
    struct iso_retention retention = ISO_RETENTION_INIT;
    struct iso_error error = {0};
    struct iso_store *store = NULL;
    struct iso_pruned n = {0};
    enum iso_status status;

    for (int i = 1; i + 1 < n_arguments; i += 2) {
        double *member = strcmp(arguments[i], "--keep-plans-days") == 0     ? &retention.plans_s
                         : strcmp(arguments[i], "--keep-unused-days") == 0  ? &retention.unused_s
                         : strcmp(arguments[i], "--keep-records-days") == 0 ? &retention.records_s
                                                                            : NULL;
        if (!member || !parse_days(arguments[i + 1], member))
            return misuse();
    }
    if (n_arguments % 2 == 0)
        return misuse();
    status = open_store(arguments[0], &store, &error);
    if (status == ISO_OK)
        status = iso_store_prune(store, &retention, &n, &error);
    iso_store_close(store);
    if (status != ISO_OK)
        return fail(&error);
    printf("removed %lld events, %lld plans, %lld models, %lld snapshots, %lld records\n",
           (long long)n.events, (long long)n.plans, (long long)n.models, (long long)n.snapshots,
           (long long)n.records);
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "--version") == 0) {
        puts("isocost-store " ISO_VERSION);
        return 0;
    }
    if (strcmp(command, "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc == 4 && (strcmp(command, "backup") == 0 || strcmp(command, "restore") == 0))
        return copy(argv[2], argv[3]);
    if (argc == 3 && strcmp(command, "check") == 0)
        return check(argv[2]);
    if (argc >= 3 && strcmp(command, "prune") == 0)
        return prune(argc - 2, argv + 2);
    return misuse();
}
