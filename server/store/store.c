#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store_internal.h"

enum { N_READERS = 4 };

/* A request to the writer thread; lives on the stack of its caller, who sleeps until `done`. */
struct write_request {
    enum iso_status (*body)(struct iso_sql *sql, void *context, struct iso_error *reterr);
    void *context;
    struct iso_error error;
    enum iso_status status;
    bool done;
    pthread_cond_t woken;
    struct write_request *next;
};

struct iso_store {
    char *folder; /* absolute */
    int lock_fd;
    int64_t incarnation;
    struct iso_sql *writer; /* of the writer thread, once that runs */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work, reader_free;
    struct write_request *first, **last;
    bool stop, writer_runs;
    struct iso_sql *readers[N_READERS];
    int n_readers;
    pthread_t thread;
};

int64_t iso_store_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t iso_store_incarnation(const struct iso_store *store)
{
    return store->incarnation;
}

enum iso_status iso_store_check_arena(const struct iso_arena *arena, struct iso_error *reterr)
{
    return iso_arena_full(arena) ? iso_fail(reterr, ISO_E_LIMIT, "",
                                            "the answer needs more memory than one request may use")
                                 : ISO_OK;
}

/* --- the writer thread: all requests that wait share one commit, each in its own savepoint --- */

static void run_request(struct iso_sql *sql, struct write_request *request)
{
    memset(&request->error, 0, sizeof(request->error));
    request->status = iso_sql_script(sql, "SAVEPOINT request", &request->error);
    if (request->status != ISO_OK)
        return;
    request->status = request->body(sql, request->context, &request->error);
    iso_sql_reset_all(sql);
    if (request->status == ISO_OK)
        request->status = iso_sql_script(sql, "RELEASE request", &request->error);
    else if (iso_sql_in_transaction(sql)) /* a full disk may have rolled all of it back */
        iso_sql_script(sql, "ROLLBACK TO request; RELEASE request", NULL);
}

/* Returns false when the transaction as a whole failed; nothing of it is in the database then. */
static bool run_transaction(struct iso_sql *sql, struct write_request *first)
{
    struct iso_error error = {0};
    enum iso_status status = iso_sql_script(sql, "BEGIN IMMEDIATE", &error);

    for (struct write_request *r = first; r && status == ISO_OK; r = r->next) {
        run_request(sql, r);
        if (!iso_sql_in_transaction(sql)) {
            status = r->status;
            error = r->error;
        }
    }
    if (status == ISO_OK)
        status = iso_sql_script(sql, "COMMIT", &error);
    if (status == ISO_OK)
        return true;
    if (iso_sql_in_transaction(sql))
        iso_sql_script(sql, "ROLLBACK", NULL);
    for (struct write_request *r = first; r; r = r->next) {
        r->status = status;
        r->error = error;
    }
    return false;
}

static void run_batch(struct iso_sql *sql, struct write_request *first)
{
    if (iso_sql_sync_failed(sql)) {
        for (struct write_request *r = first; r; r = r->next) {
            memset(&r->error, 0, sizeof(r->error));
            r->status = iso_fail(&r->error, ISO_E_IO, "",
                                 "the disk failed to keep earlier writes, so no more are taken; "
                                 "check the disk and restart isocostd");
        }
        return;
    }
    if (run_transaction(sql, first) || !first->next)
        return;
    /* One large request must not fail the others: try each alone. */
    for (struct write_request *r = first; r; r = r->next) {
        struct write_request *next = r->next;
        r->next = NULL;
        if (!iso_sql_sync_failed(sql))
            run_transaction(sql, r);
        r->next = next;
    }
}

static void *writer_main(void *argument)
{
    struct iso_store *store = argument;

    pthread_mutex_lock(&store->mutex);
    for (;;) {
        while (!store->first && !store->stop)
            pthread_cond_wait(&store->work, &store->mutex);
        if (!store->first)
            break;
        struct write_request *batch = store->first;
        store->first = NULL;
        store->last = &store->first;
        pthread_mutex_unlock(&store->mutex);
        run_batch(store->writer, batch);
        pthread_mutex_lock(&store->mutex);
        while (batch) {
            struct write_request *next = batch->next; /* the owner may go once it is woken */
            batch->done = true;
            pthread_cond_signal(&batch->woken);
            batch = next;
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

static void enqueue(struct iso_store *store, struct write_request *request)
{
    *store->last = request;
    store->last = &request->next;
    pthread_cond_signal(&store->work);
}

enum iso_status iso_store_write(struct iso_store *store,
                                enum iso_status (*body)(struct iso_sql *sql, void *context,
                                                        struct iso_error *reterr),
                                void *context, struct iso_error *reterr)
{
    struct write_request request = {.body = body, .context = context};

    pthread_cond_init(&request.woken, NULL);
    pthread_mutex_lock(&store->mutex);
    enqueue(store, &request);
    while (!request.done)
        pthread_cond_wait(&request.woken, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    pthread_cond_destroy(&request.woken);
    if (request.status != ISO_OK)
        return iso_fail(reterr, request.status, request.error.field, "%s", request.error.text);
    return ISO_OK;
}

/* --- read connections --- */

enum iso_status iso_store_read(struct iso_store *store,
                               enum iso_status (*body)(struct iso_sql *sql, void *context,
                                                       struct iso_error *reterr),
                               void *context, struct iso_error *reterr)
{
    struct iso_sql *sql;
    enum iso_status status;

    pthread_mutex_lock(&store->mutex);
    while (store->n_readers == 0)
        pthread_cond_wait(&store->reader_free, &store->mutex);
    sql = store->readers[--store->n_readers];
    pthread_mutex_unlock(&store->mutex);

    status = iso_sql_script(sql, "BEGIN", reterr);
    if (status == ISO_OK)
        status = body(sql, context, reterr);
    iso_sql_reset_all(sql); /* a statement left open would hold its state of the database */
    if (iso_sql_in_transaction(sql))
        iso_sql_script(sql, "ROLLBACK", NULL);

    pthread_mutex_lock(&store->mutex);
    store->readers[store->n_readers++] = sql;
    pthread_cond_signal(&store->reader_free);
    pthread_mutex_unlock(&store->mutex);
    return status;
}

/* --- opening --- */

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

static enum iso_status open_database(struct iso_store *store, struct iso_error *reterr)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/isocost.db", store->folder);
    ISO_TRY(iso_sql_open(path, ISO_SQL_WRITER, &store->writer, reterr));
    ISO_TRY(iso_store_migrate(store->writer, iso_store_migrations, iso_store_n_migrations, path,
                              reterr));
    ISO_TRY(iso_store_purge_events(store->writer, iso_store_now_ns(), reterr));
    for (; store->n_readers < N_READERS; store->n_readers++)
        ISO_TRY(iso_sql_open(path, ISO_SQL_READER, &store->readers[store->n_readers], reterr));
    return ISO_OK;
}

/* Signals are for the main thread. */
static enum iso_status start_writer(struct iso_store *store, struct iso_error *reterr)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&store->thread, NULL, writer_main, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot start the writer thread: %s",
                        strerror(code));
    store->writer_runs = true;
    return ISO_OK;
}

static enum iso_status open_all(struct iso_store *store, const char *path, struct iso_error *reterr)
{
    char absolute[PATH_MAX], snapshots[PATH_MAX];

    ISO_TRY(make_folder(path, reterr));
    if (!realpath(path, absolute) || strlen(absolute) >= sizeof(absolute) - 128)
        return iso_fail(reterr, ISO_E_IO, "", "cannot resolve the path %s", path);
    store->folder = iso_strdup(absolute);
    if (!store->folder)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
    ISO_TRY(refuse_network(store->folder, reterr));
    ISO_TRY(lock_folder(store, reterr));
    snprintf(snapshots, sizeof(snapshots), "%.*s/snapshots", PATH_MAX - 16, store->folder);
    ISO_TRY(make_folder(snapshots, reterr));
    ISO_TRY(open_database(store, reterr));
    return start_writer(store, reterr);
}

enum iso_status iso_store_open(const char *path, struct iso_store **ret_store,
                               struct iso_error *reterr)
{
    struct iso_store *store = iso_calloc(1, sizeof(*store));
    enum iso_status status;

    if (!store)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the store");
    store->lock_fd = -1;
    store->incarnation = iso_store_now_ns();
    store->last = &store->first;
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->work, NULL);
    pthread_cond_init(&store->reader_free, NULL);
    status = open_all(store, path, reterr);
    if (status != ISO_OK) {
        iso_store_close(store);
        return status;
    }
    *ret_store = store;
    return ISO_OK;
}

void iso_store_close(struct iso_store *store)
{
    if (!store)
        return;
    if (store->writer_runs) {
        pthread_mutex_lock(&store->mutex);
        store->stop = true;
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->thread, NULL);
    }
    for (int i = 0; i < store->n_readers; i++)
        iso_sql_close(store->readers[i]);
    iso_sql_close(store->writer);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->reader_free);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->mutex);
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
