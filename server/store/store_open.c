/* Opening and closing: the folder, its lock, the database. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store_internal.h"

#define DEFAULT_LEASE_S 30

static enum iso_status make_folder(const char *path, struct iso_error *reterr)
{
    char part[PATH_MAX];
    struct stat st;

    if (!path[0] || strlen(path) >= sizeof(part) - 64)
        return iso_fail(reterr, ISO_E_IO, "", "the path of the store is empty or too long");
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return iso_fail(reterr, ISO_E_IO, "", "cannot make the folder %s: %s", part,
                            strerror(errno));
    }
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return iso_fail(reterr, ISO_E_IO, "", "%s is not a folder", path);
    return ISO_OK;
}

/* WAL needs memory shared by all who open the file, which network file systems do not give. */
static enum iso_status refuse_network(const char *folder, struct iso_error *reterr)
{
    struct statfs fs;
    unsigned long type;

    if (statfs(folder, &fs) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot look at %s: %s", folder, strerror(errno));
    type = (unsigned long)fs.f_type & 0xffffffffu;
    if (type == NFS_SUPER_MAGIC || type == SMB_SUPER_MAGIC || type == CIFS_SUPER_MAGIC ||
        type == SMB2_SUPER_MAGIC)
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "%s is on a network file system; the store needs a local disk", folder);
    return ISO_OK;
}

static enum iso_status lock_folder(struct iso_store *store, struct iso_error *reterr)
{
    char path[PATH_MAX], text[32] = "";
    int n;

    snprintf(path, sizeof(path), "%s/isocost.lock", store->folder);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot open %s: %s", path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n_read = read(store->lock_fd, text, sizeof(text) - 1);
        text[n_read > 0 ? strspn(text, "0123456789") : 0] = '\0';
        return iso_fail(reterr, ISO_E_PRECONDITION, "",
                        "the folder %s is in use by another isocostd (process %s); stop it or "
                        "choose another folder",
                        store->folder, text[0] ? text : "unknown");
    }
    n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 || pwrite(store->lock_fd, text, (size_t)n, 0) != n)
        return iso_fail(reterr, ISO_E_IO, "", "cannot write %s: %s", path, strerror(errno));
    return ISO_OK;
}

/* `target` as iso_sql_open() takes it. */
static enum iso_status open_database(struct iso_store *store, const char *target,
                                     struct iso_error *reterr)
{
    ISO_TRY(iso_sql_open(target, ISO_SQL_WRITER, &store->writer, reterr));
    ISO_TRY(iso_store_migrate(store->writer, iso_store_migrations, iso_store_n_migrations, target,
                              reterr));
    store->target = iso_strdup(target);
    return store->target ? ISO_OK : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
}

static enum iso_status open_all(struct iso_store *store, const char *folder, const char *address,
                                struct iso_error *reterr)
{
    char absolute[PATH_MAX], part[PATH_MAX];

    ISO_TRY(make_folder(folder, reterr));
    if (!realpath(folder, absolute) || strlen(absolute) >= sizeof(absolute) - 128)
        return iso_fail(reterr, ISO_E_IO, "", "cannot resolve the path %s", folder);
    store->folder = iso_strdup(absolute);
    if (!store->folder)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
    snprintf(part, sizeof(part), "%.*s/snapshots", PATH_MAX - 16, store->folder);
    ISO_TRY(make_folder(part, reterr));
    store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store->wake_fd < 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "no descriptor for the store");
    if (address) {
        store->address = iso_strdup(address);
        if (!store->address)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
        ISO_TRY(open_database(store, address, reterr));
    } else {
        ISO_TRY(refuse_network(store->folder, reterr));
        ISO_TRY(lock_folder(store, reterr));
        snprintf(part, sizeof(part), "%.*s/isocost.db", PATH_MAX - 16, store->folder);
        ISO_TRY(open_database(store, part, reterr));
    }
    return iso_store_start_writer(store, reterr);
}

/* Tells this process from any other, before or beside it; never 0. */
static int64_t new_incarnation(void)
{
    uint64_t random = 0;

    while (random == 0)
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            random = (uint64_t)iso_store_now_ns();
        else
            random >>= 1;
    return (int64_t)random;
}

static void init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum iso_status iso_store_open(const char *folder, const char *address,
                               struct iso_store **ret_store, struct iso_error *reterr)
{
    struct iso_store *store = iso_calloc(1, sizeof(*store));
    enum iso_status status;

    if (!store)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
    store->lock_fd = store->wake_fd = -1;
    store->limits = (struct iso_job_limits){.lease_s = DEFAULT_LEASE_S};
    store->incarnation = new_incarnation();
    store->last = &store->first;
    pthread_mutex_init(&store->mutex, NULL);
    init_monotonic(&store->work);
    pthread_cond_init(&store->reader_free, NULL);
    status = open_all(store, folder, address, reterr);
    if (status != ISO_OK) {
        iso_store_close(store);
        return status;
    }
    *ret_store = store;
    return ISO_OK;
}

bool iso_store_is_shared(const char *name)
{
    return iso_sql_is_postgres(name);
}

void iso_store_set_job_limits(struct iso_store *store, const struct iso_job_limits *limits)
{
    store->limits = *limits;
}

void iso_store_close(struct iso_store *store)
{
    if (!store)
        return;
    iso_store_stop_writer(store);
    for (int i = 0; i < store->n_readers; i++)
        iso_sql_close(store->readers[i]);
    iso_sql_close(store->writer);
    iso_sql_close(store->listener);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->reader_free);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->mutex);
    if (store->wake_fd >= 0)
        close(store->wake_fd);
    free(store->target);
    free(store->address);
    free(store->folder);
    free(store);
}

const char *iso_store_snapshot_folder(const struct iso_store *store, struct iso_arena *arena)
{
    return iso_arena_printf(arena, "%s/snapshots", store->folder);
}

const char *iso_store_snapshot_path(const struct iso_store *store, const char *digest,
                                    struct iso_arena *arena)
{
    if (strncmp(digest, "sha256:", 7) != 0 || strspn(digest + 7, "0123456789abcdef") != 64 ||
        digest[71] != '\0')
        return NULL;
    return iso_arena_printf(arena, "%s/snapshots/%s.snap", store->folder, digest);
}
