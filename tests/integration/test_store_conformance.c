/* What each call of the store promises, on SQLite and on PostgreSQL. */
#include "store_fixture.h"

static void a_plan_reads_back_as_it_was_stored(void **state)
{
    struct fixture *f = *state;
    struct iso_plan_record record = plan_named("p1", "r1", DONE), stored, read;
    struct iso_bytes model;
    bool existing;

    assert_int_equal(create(f, &alice, &record, &existing, &stored), ISO_OK);
    assert_false(existing);
    assert_int_equal(stored.etag, 1);
    assert_int_equal(iso_store_get_plan(f->store, &alice, "p1", true, f->arena, &read, NULL),
                     ISO_OK);
    assert_string_equal(read.id, "p1");
    assert_int_equal(read.state, DONE);
    assert_int_equal(read.create_ns, 1000);
    assert_string_equal(read.request_id, "r1");
    assert_string_equal(read.snapshot_digest, "sha256:s");
    assert_string_equal(read.labels, "env=prod\nteam=a\n");
    assert_bytes(read.plan, "packed plan");
    assert_bytes(read.lines, "all lines");
    assert_int_equal(iso_store_get_model(f->store, &alice, "sha256:m", f->arena, &model, NULL),
                     ISO_OK);
    assert_bytes(model, "packed model");
}

static void a_plan_is_not_seen_from_another_project(void **state)
{
    struct fixture *f = *state;
    struct iso_plan_record read;

    create_ok(f, "p1", DONE);
    assert_int_equal(
        iso_store_get_plan(f->store, &other_project, "p1", false, f->arena, &read, &f->error),
        ISO_E_NOT_FOUND);
    assert_string_equal(f->error.text, "no plan has the id \"p1\"");
}

static void the_same_request_gives_the_same_plan(void **state)
{
    struct fixture *f = *state;
    struct iso_plan_record first = plan_named("p1", "r1", QUEUED);
    struct iso_plan_record again = plan_named("p2", "r1", QUEUED), stored;
    bool existing;

    assert_int_equal(create(f, &alice, &first, &existing, &stored), ISO_OK);
    assert_int_equal(create(f, &alice, &again, &existing, &stored), ISO_OK);
    assert_true(existing);
    assert_string_equal(stored.id, "p1");
    assert_int_equal(count(f, "SELECT count(*) FROM plan"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM job"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 1);
    /* Another project has ids of its own. */
    assert_int_equal(create(f, &other_project, &again, &existing, &stored), ISO_OK);
    assert_false(existing);
}

static void the_same_request_id_with_another_body_is_refused(void **state)
{
    struct fixture *f = *state;
    struct iso_plan_record first = plan_named("p1", "r1", QUEUED);
    struct iso_plan_record other = plan_named("p2", "r1", QUEUED), stored;
    bool existing;

    other.body_digest = "body-2";
    assert_int_equal(create(f, &alice, &first, &existing, &stored), ISO_OK);
    assert_int_equal(create(f, &alice, &other, &existing, &stored), ISO_E_EXISTS);
    assert_string_equal(f->error.field, "request_id");
    assert_int_equal(count(f, "SELECT count(*) FROM plan"), 1);
}

static void ending_a_plan_adds_its_last_event(void **state)
{
    struct fixture *f = *state;
    struct iso_event_record *events;
    int64_t sequence = 0;
    int n_events;

    create_ok(f, "p1", RUNNING);
    assert_int_equal(
        iso_store_append_event(f->store, &alice, "p1", -1, bytes_of("progress"), &sequence, NULL),
        ISO_OK);
    assert_int_equal(sequence, 1);
    assert_int_equal(end_plan(f, "p1", 0, DONE), ISO_OK);
    assert_int_equal(
        iso_store_list_events(f->store, &alice, "p1", 1, 10, f->arena, &events, &n_events, NULL),
        ISO_OK);
    assert_int_equal(n_events, 1);
    Isocost__V1__WatchPlanResponse *event = isocost__v1__watch_plan_response__unpack(
        NULL, events[0].event.n_bytes, events[0].event.bytes);
    assert_non_null(event);
    assert_int_equal(event->sequence, 2);
    assert_int_equal(event->event_case, ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_ENDED);
    isocost__v1__watch_plan_response__free_unpacked(event, NULL);
    assert_int_equal(
        iso_store_append_event(f->store, &alice, "nowhere", -1, bytes_of("x"), &sequence, NULL),
        ISO_E_NOT_FOUND);
}

static void plans_are_listed_in_pages(void **state)
{
    struct fixture *f = *state;
    const char *ids[] = {"p1", "p2", "p3", "p4", "p5"};
    const int64_t created[] = {100, 200, 200, 300, 400}; /* p2 and p3 at the same instant */
    struct iso_plan_query query = {.limit = 2};
    struct iso_plan_record *page;
    char seen[64] = "";
    int n;

    for (int i = 0; i < 5; i++) {
        struct iso_plan_record record = plan_named(ids[i], "", i == 3 ? RUNNING : DONE), stored;
        bool existing;
        record.create_ns = created[i];
        if (i == 0)
            record.labels = "env=production\n";
        assert_int_equal(create(f, &alice, &record, &existing, &stored), ISO_OK);
    }
    do {
        assert_int_equal(iso_store_list_plans(f->store, &alice, &query, f->arena, &page, &n, NULL),
                         ISO_OK);
        for (int i = 0; i < n; i++) {
            strcat(seen, page[i].id);
            query.after_create_ns = page[i].create_ns;
            query.after_id = page[i].id;
        }
    } while (n == 2);
    assert_string_equal(seen, "p5p4p3p2p1");

    query = (struct iso_plan_query){.limit = 9, .state = RUNNING};
    assert_int_equal(iso_store_list_plans(f->store, &alice, &query, f->arena, &page, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 1);
    assert_string_equal(page[0].id, "p4");
    /* A label is matched whole: "env=prod" is not a part of "env=production". */
    query = (struct iso_plan_query){.limit = 9, .label = "env=prod", .oldest_first = true};
    assert_int_equal(iso_store_list_plans(f->store, &alice, &query, f->arena, &page, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 4);
    assert_string_equal(page[0].id, "p2");
}

static void a_plan_is_deleted_only_after_its_end_and_with_its_etag(void **state)
{
    struct fixture *f = *state;

    create_ok(f, "p1", RUNNING);
    assert_int_equal(iso_store_delete_plan(f->store, &alice, "p1", 0, &audit, &f->error),
                     ISO_E_PRECONDITION);
    assert_int_equal(end_plan(f, "p1", 0, DONE), ISO_OK);
    assert_int_equal(iso_store_delete_plan(f->store, &alice, "p1", 1, &audit, NULL),
                     ISO_E_CONFLICT); /* the end made it 2 */
    assert_int_equal(iso_store_delete_plan(f->store, &alice, "p1", 2, &audit, NULL), ISO_OK);
    assert_int_equal(iso_store_delete_plan(f->store, &alice, "p1", 0, &audit, NULL),
                     ISO_E_NOT_FOUND);
    assert_int_equal(count(f, "SELECT count(*) FROM event"), 0);
}

static void assert_current(struct fixture *f, const struct iso_principal *who, const char *digest)
{
    struct iso_snapshot_record record;

    assert_int_equal(iso_store_get_snapshot(f->store, who, "", f->arena, &record, &f->error),
                     ISO_OK);
    assert_string_equal(record.digest, digest_named(digest).text);
    assert_bytes(record.snapshot, digest);
}

static void the_current_snapshot_is_the_tenants_own_or_the_newest_public_one(void **state)
{
    struct fixture *f = *state;
    const struct iso_principal bob = {"bobs", "default", "bob", ISO_ROLE_VIEWER};
    struct iso_snapshot_record record, *records;
    int n;

    assert_int_equal(iso_store_get_snapshot(f->store, &alice, "", f->arena, &record, &f->error),
                     ISO_E_NOT_FOUND);
    put_snapshot(f, &public_tenant, "s1", 10);
    assert_current(f, &alice, "s1");
    put_snapshot(f, &alice, "a1", 20); /* alice's tenant has negotiated prices */
    put_snapshot(f, &public_tenant, "s2", 30);
    assert_current(f, &alice, "a1");
    assert_current(f, &bob, "s2");
    assert_int_equal(
        iso_store_get_snapshot(f->store, &bob, digest_named("a1").text, f->arena, &record, NULL),
        ISO_E_NOT_FOUND);
    put_snapshot(f, &alice, "s2", 40); /* back to what all see: follows the public ones again */
    put_snapshot(f, &public_tenant, "s3", 50);
    assert_current(f, &alice, "s3");
    put_snapshot(f, &public_tenant, "s1", 60); /* old content once more is the newest */
    assert_current(f, &alice, "s1");

    assert_int_equal(
        iso_store_list_snapshots(f->store, &alice, 0, 10, f->arena, &records, &n, NULL), ISO_OK);
    assert_int_equal(n, 4);
    assert_string_equal(records[0].digest, digest_named("s1").text);
    assert_string_equal(records[1].digest, digest_named("s3").text);
    assert_string_equal(records[2].digest, digest_named("s2").text);
    assert_string_equal(records[3].digest, digest_named("a1").text);
    assert_int_equal(iso_store_list_snapshots(f->store, &bob, 50, 10, f->arena, &records, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 1); /* before 50: s2 of 30; s1 counts at 60, its newest row */
    assert_string_equal(records[0].digest, digest_named("s2").text);
}

static void snapshots_models_and_audit_are_append_only(void **state)
{
    static const char *const attempts[] = {
        "UPDATE snapshot SET create_ns = 1",   "DELETE FROM snapshot",
        "UPDATE model SET digest = 'x'",       "DELETE FROM model",
        "UPDATE audit SET subject = 'nobody'", "DELETE FROM audit",
    };
    struct fixture *f = *state;
    struct iso_sql *sql = NULL;

    create_ok(f, "p1", DONE);
    put_snapshot(f, &public_tenant, "s1", 10);
    assert_int_equal(iso_sql_open(f->database, ISO_SQL_WRITER, &sql, NULL), ISO_OK);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(attempts); i++)
        assert_int_not_equal(iso_sql_script(sql, attempts[i], NULL), ISO_OK);
    iso_sql_close(sql);
    assert_int_equal(count(f, "SELECT count(*) FROM snapshot WHERE create_ns = 10"), 1);
}

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;

    change_closed_database(f, "INSERT INTO schema_migration VALUES (99, 'x', 0, '9.9.9')");
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error),
                     ISO_E_PRECONDITION);
    assert_non_null(strstr(f->error.text, "schema version 99"));
}

static void a_migration_that_was_changed_is_refused(void **state)
{
    struct fixture *f = *state;

    change_closed_database(f, "UPDATE schema_migration SET sha256 = 'sha256:0'");
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error),
                     ISO_E_PRECONDITION);
    assert_non_null(strstr(f->error.text, "migration 1 of the database is not the one"));
}

static void a_full_arena_is_an_error_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    ISO_AUTO(iso_arena) small = iso_arena_new(64);
    struct iso_plan_record record = plan_named("p1", "r1", QUEUED), stored;
    bool existing;

    assert_int_equal(create(f, &alice, &record, &existing, &stored), ISO_OK);
    /* The same request again is answered with what is stored, for which there is no room. */
    assert_int_equal(iso_store_create_plan(f->store, &alice, &record, 0, bytes_of("m"), &audit,
                                           small, &existing, &stored, NULL),
                     ISO_E_LIMIT);
    assert_int_equal(count(f, "SELECT count(*) FROM plan"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 1);
}

/* --- files of snapshots --- */

static void a_snapshots_file_is_found_again_on_a_machine_that_never_had_it(void **state)
{
    struct fixture *f = *state;
    struct iso_snapshot_record record;
    char text[32] = "", command[160];
    int fd = -1;

    put_snapshot(f, &public_tenant, "s1", 10);
    if (f->address) { /* as if it were another machine */
        snprintf(command, sizeof(command), "rm -r %s/snapshots/*", f->folder);
        assert_int_equal(system(command), 0);
    }
    assert_int_equal(iso_store_get_snapshot(f->store, &alice, "", f->arena, &record, NULL), ISO_OK);
    assert_int_equal(iso_store_open_snapshot(f->store, &record, &fd, &f->error), ISO_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 10);
    assert_string_equal(text, "file of s1");
    close(fd);
}

static void a_plan_that_has_ended_and_its_events_are_never_changed(void **state)
{
    static const char *const attempts[] = {
        "UPDATE plan SET etag = 9",
        "UPDATE plan SET state = 1",
        "UPDATE event SET at_ns = 0",
        "DELETE FROM event",
    };
    struct fixture *f = *state;
    struct iso_sql *sql = NULL;

    create_ok(f, "p1", RUNNING);
    assert_int_equal(end_plan(f, "p1", 0, DONE), ISO_OK);
    assert_int_equal(iso_sql_open(f->database, ISO_SQL_WRITER, &sql, NULL), ISO_OK);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(attempts); i++)
        assert_int_not_equal(iso_sql_script(sql, attempts[i], NULL), ISO_OK);
    iso_sql_close(sql);
    assert_int_equal(count(f, "SELECT count(*) FROM event"), 1);
    assert_int_equal(count(f, "SELECT state FROM plan"), DONE);
}

#define TESTS(set_up)                                                                              \
    {                                                                                              \
        cmocka_unit_test_setup_teardown(a_plan_reads_back_as_it_was_stored, set_up, tear_down),    \
            cmocka_unit_test_setup_teardown(a_plan_is_not_seen_from_another_project, set_up,       \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(the_same_request_gives_the_same_plan, set_up,          \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(the_same_request_id_with_another_body_is_refused,      \
                                            set_up, tear_down),                                    \
            cmocka_unit_test_setup_teardown(ending_a_plan_adds_its_last_event, set_up, tear_down), \
            cmocka_unit_test_setup_teardown(plans_are_listed_in_pages, set_up, tear_down),         \
            cmocka_unit_test_setup_teardown(                                                       \
                a_plan_is_deleted_only_after_its_end_and_with_its_etag, set_up, tear_down),        \
            cmocka_unit_test_setup_teardown(                                                       \
                the_current_snapshot_is_the_tenants_own_or_the_newest_public_one, set_up,          \
                tear_down),                                                                        \
            cmocka_unit_test_setup_teardown(snapshots_models_and_audit_are_append_only, set_up,    \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_newer_schema_is_refused, set_up, tear_down),         \
            cmocka_unit_test_setup_teardown(a_migration_that_was_changed_is_refused, set_up,       \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_full_arena_is_an_error_and_changes_nothing, set_up,  \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(                                                       \
                a_snapshots_file_is_found_again_on_a_machine_that_never_had_it, set_up,            \
                tear_down),                                                                        \
            cmocka_unit_test_setup_teardown(                                                       \
                a_plan_that_has_ended_and_its_events_are_never_changed, set_up, tear_down),        \
    }

RUN_ON_BOTH(TESTS)
