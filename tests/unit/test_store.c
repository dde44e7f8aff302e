/* What only the store in a folder, on SQLite, promises. */
#include "store_fixture.h"

static int set_up(void **state)
{
    return set_up_on(NULL, state);
}

static void a_path_is_given_for_a_digest_only(void **state)
{
    struct fixture *f = *state;
    const char *digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char expected[256];

    snprintf(expected, sizeof(expected), "%s/snapshots/%s.snap", f->folder, digest);
    assert_string_equal(iso_store_snapshot_path(f->store, digest, f->arena), expected);
    assert_null(iso_store_snapshot_path(f->store, "../../etc/passwd", f->arena));
    assert_null(iso_store_snapshot_path(f->store, "sha256:../", f->arena));
    assert_null(iso_store_snapshot_path(f->store, "", f->arena));
}

static void a_second_isocostd_is_refused(void **state)
{
    struct fixture *f = *state;
    struct iso_store *second = NULL;
    char expected[256];

    assert_int_equal(iso_store_open(f->folder, NULL, &second, &f->error), ISO_E_PRECONDITION);
    snprintf(expected, sizeof(expected),
             "the folder %s is in use by another isocostd (process %ld); stop it or choose another "
             "folder",
             f->folder, (long)getpid());
    assert_string_equal(f->error.text, expected);
    assert_null(second);
}

static void another_programs_database_is_refused(void **state)
{
    struct fixture *f = *state;

    change_closed_database(f, "PRAGMA application_id = 7");
    assert_int_equal(iso_store_open(f->folder, NULL, &f->store, &f->error), ISO_E_PRECONDITION);
    assert_non_null(strstr(f->error.text, "belongs to another program"));
}

static void an_existing_database_is_copied_before_it_is_migrated(void **state)
{
    struct fixture *f = *state;
    struct iso_migration all[32];
    const int n_own = iso_store_n_migrations, n_good = n_own + 1, n_bad = n_own + 2;
    struct iso_sql *sql = NULL;
    char path[128], copy[192];
    int64_t n = 0;

    memcpy(all, iso_store_migrations, (size_t)n_own * sizeof(all[0]));
    all[n_own] = (struct iso_migration){n_good, "CREATE TABLE extra (x INTEGER) STRICT", "", ""};
    all[n_good] = (struct iso_migration){n_bad, "CREATE TABLE more (x); nonsense", "", ""};
    create_ok(f, "p1", DONE);
    iso_store_close(f->store);
    f->store = NULL;
    snprintf(path, sizeof(path), "%s/isocost.db", f->folder);
    assert_int_equal(iso_sql_open(path, ISO_SQL_WRITER, &sql, NULL), ISO_OK);
    assert_int_equal(iso_store_migrate(sql, all, n_good, path, &f->error), ISO_OK);
    assert_int_equal(
        iso_sql_scalar(sql, "SELECT max(version) FROM schema_migration", NULL, 0, 0, &n, NULL),
        ISO_OK);
    assert_int_equal(n, n_good);
    /* One that fails leaves no part of itself. */
    assert_int_not_equal(iso_store_migrate(sql, all, n_bad, path, NULL), ISO_OK);
    assert_int_equal(iso_sql_scalar(sql, "SELECT count(*) FROM sqlite_schema WHERE name = 'more'",
                                    NULL, 0, 9, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 0);
    iso_sql_close(sql);

    snprintf(copy, sizeof(copy), "%s.before-v%d", path, n_good);
    assert_int_equal(iso_sql_open(copy, ISO_SQL_READER, &sql, NULL), ISO_OK);
    assert_int_equal(
        iso_sql_scalar(sql, "SELECT max(version) FROM schema_migration", NULL, 0, 0, &n, NULL),
        ISO_OK);
    assert_int_equal(n, n_own);
    assert_int_equal(iso_sql_scalar(sql, "SELECT count(*) FROM plan", NULL, 0, 0, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 1);
    iso_sql_close(sql);
}

static void opening_survives_every_failed_allocation(void **state)
{
    struct fixture *f = *state;

    iso_store_close(f->store);
    f->store = NULL;
    for (long nth = 0;; nth++) {
        enum iso_status status;
        iso_alloc_fail_at(nth);
        status = iso_store_open(f->folder, NULL, &f->store, NULL);
        iso_alloc_fail_at(-1);
        if (status == ISO_OK)
            break;
        assert_int_equal(status, ISO_E_NOMEM);
        assert_true(nth < 100);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_path_is_given_for_a_digest_only),
        TEST(a_second_isocostd_is_refused),
        TEST(another_programs_database_is_refused),
        TEST(an_existing_database_is_copied_before_it_is_migrated),
        TEST(opening_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
