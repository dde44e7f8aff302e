/* A store of its own for each test, on either back-end. */
#ifndef ISOCOST_TESTS_STORE_FIXTURE_H
#define ISOCOST_TESTS_STORE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/v1/plan_service.pb-c.h"
#include "postgres_cluster.h"
#include "store_internal.h"

#define QUEUED ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED
#define RUNNING ISOCOST__V1__PLAN_STATE__PLAN_STATE_RUNNING
#define DONE ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE
#define CANCELLED ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED

static const struct iso_principal alice = {"acme", "web", "alice", ISO_ROLE_PLANNER};
static const struct iso_principal other_project = {"acme", "batch", "alice", ISO_ROLE_PLANNER};
static const struct iso_principal public_tenant = {"*", "default", "alice", ISO_ROLE_ADMIN};
static const struct iso_audit audit = {"test", "call-1"};

struct fixture {
    char folder[64], database[160]; /* as iso_sql_open() takes it */
    const char *address;            /* NULL: SQLite in the folder */
    struct iso_store *store;
    struct iso_arena *arena;
    struct iso_error error;
};

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

/* `cluster` NULL: on SQLite. */
static inline int set_up_on(struct postgres_cluster *cluster, void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->folder, "/tmp/isocost-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->database, sizeof(f->database), "%s/isocost.db", f->folder);
    if (cluster) {
        postgres_cluster_new_database(cluster, f->database, sizeof(f->database));
        f->address = f->database;
    }
    f->arena = iso_arena_new(64u << 20);
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error), ISO_OK);
    *state = f;
    return 0;
}

static struct postgres_cluster cluster; /* of the tests on PostgreSQL; not running without it */

static inline int set_up_sqlite(void **state)
{
    return set_up_on(NULL, state);
}

static inline int set_up_postgres(void **state)
{
    return set_up_on(&cluster, state);
}

/* main() of a file of tests for both back-ends: TESTS(set_up) lists them. */
#define RUN_ON_BOTH(TESTS)                                                                     \
    int main(void)                                                                             \
    {                                                                                          \
        const struct CMUnitTest on_sqlite[] = TESTS(set_up_sqlite);                            \
        const struct CMUnitTest on_postgres[] = TESTS(set_up_postgres);                        \
        bool postgres = postgres_cluster_start(&cluster);                                      \
        int n_failed = cmocka_run_group_tests_name("on SQLite", on_sqlite, NULL, NULL);        \
                                                                                               \
        if (postgres)                                                                          \
            n_failed += cmocka_run_group_tests_name("on PostgreSQL", on_postgres, NULL, NULL); \
        postgres_cluster_stop(&cluster);                                                       \
        return n_failed;                                                                       \
    }

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    iso_store_close(f->store);
    iso_arena_free(f->arena);
    nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline struct iso_bytes bytes_of(const char *text)
{
    return (struct iso_bytes){(const unsigned char *)text, strlen(text)};
}

static inline void assert_bytes(struct iso_bytes found, const char *expected)
{
    assert_int_equal(found.n_bytes, strlen(expected));
    assert_memory_equal(found.bytes, expected, found.n_bytes);
}

static inline struct iso_plan_record plan_named(const char *id, const char *request_id, int state)
{
    return (struct iso_plan_record){
        .id = id,
        .state = state,
        .create_ns = 1000,
        .request_id = request_id,
        .body_digest = "body-1",
        .model_digest = "sha256:m",
        .snapshot_digest = "sha256:s",
        .labels = "env=prod\nteam=a\n",
        .plan = bytes_of("packed plan"),
        .lines = bytes_of("all lines"),
    };
}

static inline enum iso_status create(struct fixture *f, const struct iso_principal *who,
                                     const struct iso_plan_record *record, bool *ret_existing,
                                     struct iso_plan_record *ret_record)
{
    memset(&f->error, 0, sizeof(f->error));
    return iso_store_create_plan(f->store, who, record, 0, bytes_of("packed model"), &audit,
                                 f->arena, ret_existing, ret_record, &f->error);
}

static inline void create_ok(struct fixture *f, const char *id, int state)
{
    struct iso_plan_record record = plan_named(id, "", state), stored;
    bool existing;

    assert_int_equal(create(f, &alice, &record, &existing, &stored), ISO_OK);
    assert_false(existing);
}

static inline int64_t count(struct fixture *f, const char *select)
{
    struct iso_sql *sql = NULL;
    int64_t n = -1;

    assert_int_equal(iso_sql_open(f->database, ISO_SQL_READER, &sql, NULL), ISO_OK);
    assert_int_equal(iso_sql_scalar(sql, select, NULL, 0, -1, &n, NULL), ISO_OK);
    iso_sql_close(sql);
    return n;
}

/* Ends a plan as `attempt` of its job; -1: it waits. */
static inline enum iso_status end_plan(struct fixture *f, const char *id, int attempt,
                                       int plan_state)
{
    struct iso_plan_record record = plan_named(id, "", plan_state);

    memset(&f->error, 0, sizeof(f->error));
    record.end_ns = iso_store_now_ns();
    record.plan = bytes_of("");
    return iso_store_update_plan(f->store, &alice, &record, attempt, &audit, &f->error);
}

struct digest_text {
    char text[ISO_DIGEST_TEXT_SIZE];
};

/* A digest that the name is the beginning of, in hexadecimal. */
static inline struct digest_text digest_named(const char *name)
{
    struct digest_text digest;
    unsigned char bytes[ISO_SHA256_BYTES] = {0};

    memcpy(bytes, name, strlen(name));
    iso_digest_text(bytes, digest.text);
    return digest;
}

/* Puts a snapshot with a file ("file of NAME") in the store. */
static inline void put_snapshot(struct fixture *f, const struct iso_principal *who,
                                const char *name, int64_t create_ns)
{
    struct digest_text digest = digest_named(name);
    struct iso_snapshot_record record = {.digest = digest.text,
                                         .create_ns = create_ns,
                                         .snapshot = bytes_of(name),
                                         .diagnostics = bytes_of("d")};
    FILE *file = fopen(iso_store_snapshot_path(f->store, digest.text, f->arena), "w");

    assert_non_null(file);
    fprintf(file, "file of %s", name);
    fclose(file);
    assert_int_equal(iso_store_put_snapshot(f->store, who, &record, &audit, &f->error), ISO_OK);
}

/* Closes the store and runs `script` on its database. */
static inline void change_closed_database(struct fixture *f, const char *script)
{
    struct iso_sql *sql = NULL;

    iso_store_close(f->store);
    f->store = NULL;
    assert_int_equal(iso_sql_open(f->database, ISO_SQL_WRITER, &sql, NULL), ISO_OK);
    assert_int_equal(iso_sql_script(sql, script, NULL), ISO_OK);
    iso_sql_close(sql);
    memset(&f->error, 0, sizeof(f->error));
}

#endif
