/* Transactions: one writer thread with group commit, and read connections. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "store_internal.h"

#define GATHER_PART 0.25 /* of the last commit, to wait for more writes */
#define MOST_GATHER_S 0.002

/* A request to the writer thread; lives on the stack of its caller, who sleeps until `done`. */
struct iso_write_request {
    enum iso_status (*body)(struct iso_sql *sql, void *context, struct iso_error *reterr);
    void *context;
    bool in_turn;
    struct iso_error error;
    enum iso_status status;
    bool done;
    pthread_cond_t woken;
    struct iso_write_request *next;
};

int64_t iso_store_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum iso_status iso_store_check_arena(const struct iso_arena *arena, struct iso_error *reterr)
{
    return iso_arena_full(arena) ? iso_fail(reterr, ISO_E_LIMIT, "",
                                            "the answer needs more memory than one request may use")
                                 : ISO_OK;
}

/* --- the writer thread: all requests that wait share one commit --- */

static void run_in_savepoint(struct iso_sql *sql, struct iso_write_request *request)
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

enum end { COMMITTED, ROLLED_BACK, UNKNOWN /* the connection was lost during the commit */ };

static enum end fail_all(struct iso_sql *sql, struct iso_write_request *first,
                         enum iso_status status, const struct iso_error *error, enum end end)
{
    iso_sql_rollback(sql);
    for (struct iso_write_request *r = first; r; r = r->next) {
        r->status = status;
        r->error = *error;
    }
    return end;
}

static enum end commit(struct iso_sql *sql, struct iso_write_request *first)
{
    struct iso_error error = {0};
    enum iso_status status = iso_sql_commit(sql, &error);

    if (status == ISO_OK)
        return COMMITTED;
    return fail_all(sql, first, status, &error,
                    status == ISO_E_UNAVAILABLE ? UNKNOWN : ROLLED_BACK);
}

static enum end run_transaction(struct iso_sql *sql, struct iso_write_request *first)
{
    enum iso_sql_transaction kind = ISO_SQL_WRITE;
    struct iso_error error = {0};
    enum iso_status status;

    for (struct iso_write_request *r = first; r; r = r->next)
        if (r->in_turn)
            kind = ISO_SQL_WRITE_IN_TURN;
    status = iso_sql_begin(sql, kind, &error);
    for (struct iso_write_request *r = first; r && status == ISO_OK; r = r->next) {
        run_in_savepoint(sql, r);
        if (!iso_sql_in_transaction(sql)) {
            status = r->status;
            error = r->error;
        }
    }
    return status == ISO_OK ? commit(sql, first)
                            : fail_all(sql, first, status, &error, ROLLED_BACK);
}

/* Needs no savepoint: what fails is all there is. */
static void run_alone(struct iso_sql *sql, struct iso_write_request *request)
{
    memset(&request->error, 0, sizeof(request->error));
    request->status = iso_sql_begin(sql, request->in_turn ? ISO_SQL_WRITE_IN_TURN : ISO_SQL_WRITE,
                                    &request->error);
    if (request->status == ISO_OK)
        request->status = request->body(sql, request->context, &request->error);
    iso_sql_reset_all(sql);
    if (request->status == ISO_OK)
        request->status = iso_sql_commit(sql, &request->error);
    iso_sql_rollback(sql);
}

static void refuse(struct iso_write_request *first)
{
    struct iso_error error = {0};

    iso_fail(&error, ISO_E_IO, "",
             "the disk failed to keep earlier writes, so no more are taken; check the disk and "
             "restart isocostd");
    for (struct iso_write_request *r = first; r; r = r->next) {
        r->status = ISO_E_IO;
        r->error = error;
    }
}

static void run_batch(struct iso_sql *sql, struct iso_write_request *first)
{
    if (iso_sql_sync_failed(sql)) {
        refuse(first);
    } else if (!first->next) {
        run_alone(sql, first);
    } else if (run_transaction(sql, first) == ROLLED_BACK) {
        /* One large request must not fail the others: try each alone. */
        for (struct iso_write_request *r = first; r && !iso_sql_sync_failed(sql); r = r->next)
            run_alone(sql, r);
    }
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Clients whose writes were committed together come back together: waits for as many as last time,
 * but no longer than a part of what that commit took. The mutex is held. */
static void gather(struct iso_store *store, int n_last, double commit_s)
{
    double wait_s = fmin(commit_s * GATHER_PART, MOST_GATHER_S);
    struct timespec until;

    if (n_last < 2 || store->most_batched == 1)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(wait_s * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (store->n_waiting < n_last && !store->stop &&
           pthread_cond_timedwait(&store->work, &store->mutex, &until) == 0)
        continue;
}

/* Takes what waits, or the first of it; the mutex is held. */
static struct iso_write_request *take_batch(struct iso_store *store, int *ret_n)
{
    struct iso_write_request *batch = store->first, **end = &store->first;
    int n = 0;

    for (; *end && (store->most_batched == 0 || n < store->most_batched); n++)
        end = &(*end)->next;
    store->n_waiting -= n;
    *ret_n = n;
    store->first = *end;
    *end = NULL;
    if (!store->first)
        store->last = &store->first;
    return batch;
}

void iso_store_set_most_batched(struct iso_store *store, int n)
{
    pthread_mutex_lock(&store->mutex);
    store->most_batched = n;
    pthread_mutex_unlock(&store->mutex);
}

static void *writer_main(void *argument)
{
    struct iso_store *store = argument;
    double commit_s = 0;
    int n = 0;

    pthread_mutex_lock(&store->mutex);
    for (;;) {
        while (!store->first && !store->stop)
            pthread_cond_wait(&store->work, &store->mutex);
        if (!store->first)
            break;
        gather(store, n, commit_s);
        struct iso_write_request *batch = take_batch(store, &n);
        pthread_mutex_unlock(&store->mutex);
        double begin_s = now_s();
        run_batch(store->writer, batch);
        commit_s = now_s() - begin_s;
        pthread_mutex_lock(&store->mutex);
        while (batch) {
            struct iso_write_request *next = batch->next; /* the owner may go once it is woken */
            batch->done = true;
            pthread_cond_signal(&batch->woken);
            batch = next;
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

/* Signals are for the main thread. */
enum iso_status iso_store_start_writer(struct iso_store *store, struct iso_error *reterr)
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

void iso_store_stop_writer(struct iso_store *store)
{
    if (!store->writer_runs)
        return;
    pthread_mutex_lock(&store->mutex);
    store->stop = true;
    pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
}

static enum iso_status write_request(struct iso_store *store, struct iso_write_request *request,
                                     struct iso_error *reterr)
{
    pthread_cond_init(&request->woken, NULL);
    pthread_mutex_lock(&store->mutex);
    *store->last = request;
    store->last = &request->next;
    store->n_waiting++;
    pthread_cond_signal(&store->work);
    while (!request->done)
        pthread_cond_wait(&request->woken, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    pthread_cond_destroy(&request->woken);
    if (request->status != ISO_OK)
        return iso_fail(reterr, request->status, request->error.field, "%s", request->error.text);
    return ISO_OK;
}

enum iso_status iso_store_write(struct iso_store *store, iso_store_body *body, void *context,
                                struct iso_error *reterr)
{
    struct iso_write_request request = {.body = body, .context = context, .in_turn = true};

    return write_request(store, &request, reterr);
}

enum iso_status iso_store_write_beside(struct iso_store *store, iso_store_body *body, void *context,
                                       struct iso_error *reterr)
{
    struct iso_write_request request = {.body = body, .context = context};

    return write_request(store, &request, reterr);
}

/* --- read connections --- */

/* A connection that nobody uses, or a new one while there may be more; otherwise waits. */
static enum iso_status take_reader(struct iso_store *store, struct iso_sql **ret_sql,
                                   struct iso_error *reterr)
{
    enum iso_status status;

    pthread_mutex_lock(&store->mutex);
    while (store->n_readers == 0 && store->n_opened == ISO_STORE_READERS)
        pthread_cond_wait(&store->reader_free, &store->mutex);
    if (store->n_readers > 0) {
        *ret_sql = store->readers[--store->n_readers];
        pthread_mutex_unlock(&store->mutex);
        return ISO_OK;
    }
    store->n_opened++;
    pthread_mutex_unlock(&store->mutex);
    status = iso_sql_open(store->target, ISO_SQL_READER, ret_sql, reterr);
    if (status != ISO_OK) {
        pthread_mutex_lock(&store->mutex);
        store->n_opened--;
        pthread_cond_signal(&store->reader_free);
        pthread_mutex_unlock(&store->mutex);
    }
    return status;
}

enum iso_status iso_store_read(struct iso_store *store, iso_store_body *body, void *context,
                               struct iso_error *reterr)
{
    struct iso_sql *sql;
    enum iso_status status;

    ISO_TRY(take_reader(store, &sql, reterr));
    status = iso_sql_begin(sql, ISO_SQL_READ, reterr);
    if (status == ISO_OK)
        status = body(sql, context, reterr);
    iso_sql_reset_all(sql); /* a statement left open would hold its state of the database */
    iso_sql_rollback(sql);

    pthread_mutex_lock(&store->mutex);
    store->readers[store->n_readers++] = sql;
    pthread_cond_signal(&store->reader_free);
    pthread_mutex_unlock(&store->mutex);
    return status;
}
