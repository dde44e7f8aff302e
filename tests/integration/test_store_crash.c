/* The store under threads, kills and a full disk: what was acknowledged is there, once. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/v1/plan.pb-c.h"
#include "store_internal.h"

static const struct iso_principal alice = {"acme", "web", "alice", ISO_ROLE_PLANNER};
static const struct iso_audit audit = {"test", "call-1"};

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    char *folder = strdup("/tmp/isocost-crash-XXXXXX");

    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

/* Runs in threads of children too, so it does not use cmocka's asserts. */
static enum iso_status create_plan(struct iso_store *store, const char *id, const char *request_id,
                                   const char *body, struct iso_bytes plan)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    struct iso_plan_record record = {
        .id = id,
        .state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED,
        .create_ns = 1,
        .request_id = request_id,
        .body_digest = body,
        .model_digest = "sha256:m",
        .snapshot_digest = "",
        .labels = "",
        .plan = plan,
    };
    struct iso_plan_record stored;
    bool existing;

    return iso_store_create_plan(store, &alice, &record, 0,
                                 (struct iso_bytes){(const unsigned char *)"m", 1}, &audit, arena,
                                 &existing, &stored, NULL);
}

static int64_t scalar(const char *folder, const char *select)
{
    char path[256];
    struct iso_sql *sql = NULL;
    int64_t value = -1;

    snprintf(path, sizeof(path), "%s/isocost.db", folder);
    assert_int_equal(iso_sql_open(path, ISO_SQL_READER, &sql, NULL), ISO_OK);
    assert_int_equal(iso_sql_scalar(sql, select, NULL, 0, -1, &value, NULL), ISO_OK);
    iso_sql_close(sql);
    return value;
}

/* --- threads --- */

enum { N_THREADS = 32, N_EACH = 20 };

struct worker {
    struct iso_store *store;
    int number;
    int n_ok, n_refused;
};

static void *work(void *argument)
{
    struct worker *worker = argument;

    for (int i = 0; i < N_EACH; i++) {
        char id[32], body[32];
        snprintf(id, sizeof(id), "p-%d-%d", worker->number, i);
        /* Every fourth request takes the id of the thread's first with another body: it is refused,
         * and must take nobody down with it. */
        bool clashes = i % 4 == 3;
        snprintf(body, sizeof(body), "body-%d", i);
        enum iso_status status = create_plan(worker->store, id, "", body, (struct iso_bytes){0});
        if (status == ISO_OK)
            worker->n_ok++;
        if (clashes) {
            char request[32];
            snprintf(request, sizeof(request), "r-%d", worker->number);
            snprintf(id, sizeof(id), "q-%d-%d", worker->number, i);
            status = create_plan(worker->store, id, request, body, (struct iso_bytes){0});
            worker->n_ok += status == ISO_OK;
            worker->n_refused += status == ISO_E_EXISTS;
        }
    }
    return NULL;
}

static void a_request_that_fails_takes_none_of_its_commit_down(void **state)
{
    pthread_t threads[N_THREADS];
    struct worker workers[N_THREADS];
    struct iso_store *store = NULL;

    assert_int_equal(iso_store_open(*state, NULL, &store, NULL), ISO_OK);
    for (int i = 0; i < N_THREADS; i++) {
        workers[i] = (struct worker){.store = store, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        /* 20 without request id, one first with it; its 4 successors have other bodies. */
        assert_int_equal(workers[i].n_ok, N_EACH + 1);
        assert_int_equal(workers[i].n_refused, N_EACH / 4 - 1);
    }
    iso_store_close(store);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM plan"), N_THREADS * (N_EACH + 1));
    assert_int_equal(scalar(*state, "SELECT count(*) FROM job"), N_THREADS * (N_EACH + 1));
    assert_int_equal(scalar(*state, "SELECT count(*) FROM audit"), N_THREADS * (N_EACH + 1));
}

struct same_request {
    struct iso_store *store;
    atomic_int *n_made;
    int number;
};

static void *ask_the_same(void *argument)
{
    struct same_request *same = argument;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    struct iso_plan_record record = {.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED,
                                     .create_ns = 1,
                                     .request_id = "the-one",
                                     .body_digest = "the-body",
                                     .model_digest = "sha256:m"};
    struct iso_plan_record stored;
    bool existing = false;
    char id[32];

    snprintf(id, sizeof(id), "p%d", same->number);
    record.id = id;
    if (iso_store_create_plan(same->store, &alice, &record, 0,
                              (struct iso_bytes){(const unsigned char *)"m", 1}, &audit, arena,
                              &existing, &stored, NULL) == ISO_OK &&
        !existing)
        atomic_fetch_add(same->n_made, 1);
    return NULL;
}

static void the_same_request_at_once_makes_one_plan(void **state)
{
    pthread_t threads[N_THREADS];
    struct same_request same[N_THREADS];
    struct iso_store *store = NULL;
    atomic_int n_made = 0;

    assert_int_equal(iso_store_open(*state, NULL, &store, NULL), ISO_OK);
    for (int i = 0; i < N_THREADS; i++) {
        same[i] = (struct same_request){store, &n_made, i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_the_same, &same[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    iso_store_close(store);
    assert_int_equal(n_made, 1);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM plan"), 1);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM audit"), 1);
}

/* --- kills --- */

enum { N_KILLS = 20, N_WRITERS = 4, MAX_NUMBER = 100000 };

struct writer {
    struct iso_store *store;
    int round, number, pipe_fd;
};

/* Writes plans and says the number of each that was acknowledged; ends some of them too. */
static void *write_until_killed(void *argument)
{
    const struct writer *writer = argument;

    for (int i = 0;; i++) {
        int number = (writer->round * N_WRITERS + writer->number) * 1000 + i;
        char id[32];
        snprintf(id, sizeof(id), "p%d", number);
        if (create_plan(writer->store, id, id, "body", (struct iso_bytes){0}) != ISO_OK)
            _exit(3);
        if (i % 2 == 1) {
            struct iso_plan_record record = {
                .id = id, .state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE, .end_ns = 2};
            if (iso_store_update_plan(writer->store, &alice, &record, 0, &audit, NULL) != ISO_OK)
                _exit(4);
        }
        if (write(writer->pipe_fd, &number, sizeof(number)) != sizeof(number))
            _exit(5);
    }
    return NULL;
}

static _Noreturn void be_the_writer(const char *folder, int round, int pipe_fd)
{
    struct writer writers[N_WRITERS];
    struct iso_store *store = NULL;

    if (iso_store_open(folder, NULL, &store, NULL) != ISO_OK)
        _exit(2);
    for (int i = 0; i < N_WRITERS; i++) {
        pthread_t thread;
        writers[i] = (struct writer){store, round, i, pipe_fd};
        pthread_create(&thread, NULL, write_until_killed, &writers[i]);
    }
    for (;;)
        pause();
}

static int run_and_kill(const char *folder, int round, int *acknowledged)
{
    int ends[2], status = 0, n = 0, number;
    int n_wanted = 5 + 7 * round % 31; /* another moment in every round */

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        be_the_writer(folder, round, ends[1]);
    }
    close(ends[1]);
    while (n < n_wanted && read(ends[0], &number, sizeof(number)) == sizeof(number))
        acknowledged[n++] = number;
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        acknowledged[n++] = number;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return n;
}

static void nothing_acknowledged_is_lost_when_the_process_is_killed(void **state)
{
    static int acknowledged[MAX_NUMBER];
    int n_acknowledged = 0;

    for (int round = 0; round < N_KILLS; round++) {
        struct iso_store *store = NULL;
        ISO_AUTO(iso_arena) arena = iso_arena_new(64u << 20);

        n_acknowledged += run_and_kill(*state, round, acknowledged + n_acknowledged);
        assert_int_equal(iso_store_open(*state, NULL, &store, NULL), ISO_OK);
        for (int i = 0; i < n_acknowledged; i++) {
            struct iso_plan_record record;
            char id[32];
            snprintf(id, sizeof(id), "p%d", acknowledged[i]);
            assert_int_equal(iso_store_get_plan(store, &alice, id, false, arena, &record, NULL),
                             ISO_OK);
            assert_int_equal(record.state, acknowledged[i] % 1000 % 2
                                               ? ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE
                                               : ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED);
        }
        iso_store_close(store);
    }
    assert_true(n_acknowledged >= 5 * N_KILLS);
    /* Each plan has its job and its audit rows, and an event and ended job exactly if it is done.
     */
    assert_int_equal(scalar(*state, "SELECT count(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check <> 'ok'"),
                     0);
    assert_int_equal(scalar(*state, "SELECT (SELECT count(*) FROM plan)"
                                    " - (SELECT count(*) FROM job)"),
                     0);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM plan p WHERE (state = 3) <> EXISTS"
                                    " (SELECT 1 FROM event e WHERE e.plan_id = p.id)"),
                     0);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM plan p JOIN job j ON j.object_id = p.id"
                                    " WHERE p.state <> j.state"),
                     0);
    assert_int_equal(scalar(*state, "SELECT (SELECT count(*) FROM audit)"
                                    " - (SELECT count(*) FROM plan)"
                                    " - (SELECT count(*) FROM event)"),
                     0);
    /* The chain: every row holds the hash of the one before. */
    assert_int_equal(scalar(*state, "SELECT count(*) FROM audit a JOIN audit b"
                                    " ON b.sequence = a.sequence + 1"
                                    " WHERE b.previous_hash <> a.hash"),
                     0);
}

/* --- a full disk --- */

static unsigned char large[20000];

/* Exit status 0: writes fail cleanly while there is no room, reads go on, and writes come back. */
static _Noreturn void fill_the_disk(const char *folder)
{
    struct rlimit limit = {.rlim_cur = 768 * 1024, .rlim_max = RLIM_INFINITY};
    ISO_AUTO(iso_arena) arena = iso_arena_new(64u << 20);
    struct iso_store *store = NULL;
    struct iso_plan_record record;
    int n_ok = 0;
    char id[32];

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        iso_store_open(folder, NULL, &store, NULL) != ISO_OK)
        _exit(2);
    for (; n_ok < 1000; n_ok++) {
        snprintf(id, sizeof(id), "p%d", n_ok);
        enum iso_status status =
            create_plan(store, id, "", "body", (struct iso_bytes){large, sizeof(large)});
        if (status == ISO_E_IO)
            break;
        if (status != ISO_OK)
            _exit(3);
    }
    if (n_ok < 5 || n_ok == 1000)
        _exit(4);
    for (int i = 0; i < n_ok; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        if (iso_store_get_plan(store, &alice, id, false, arena, &record, NULL) != ISO_OK)
            _exit(5);
    }
    snprintf(id, sizeof(id), "p%d", n_ok);
    if (iso_store_get_plan(store, &alice, id, false, arena, &record, NULL) != ISO_E_NOT_FOUND)
        _exit(6);
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        create_plan(store, id, "", "body", (struct iso_bytes){large, sizeof(large)}) != ISO_OK)
        _exit(7);
    iso_store_close(store);
    _exit(0);
}

static void a_full_disk_fails_writes_and_loses_nothing(void **state)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        fill_the_disk(*state);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(scalar(*state, "SELECT count(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check <> 'ok'"),
                     0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_that_fails_takes_none_of_its_commit_down),
        TEST(the_same_request_at_once_makes_one_plan),
        TEST(nothing_acknowledged_is_lost_when_the_process_is_killed),
        TEST(a_full_disk_fails_writes_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
